"""The structural splitter: spans, joints, traps, dependencies, context, growth."""

from __future__ import annotations

import hashlib
import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import f1_score

from multillm.errors import InputError
from multillm.gold import load_gold
from multillm.prompts import load_prompts
from multillm.resources import data_dir
from multillm.splitting import split
from multillm.splitting.batch import split_many
from multillm.splitting.cutting import cut
from multillm.splitting.facts import Weights, features, read_model, read_weights
from multillm.splitting.masking import mask
from multillm.splitting.pieces import read
from multillm.splitting.segmenting import best, candidates, clauses, openings
from multillm.splitting.train import choose_cutoff, train
from multillm.splitting.train_segments import train as train_segments

REFERENCE_PROMPT = (
    "Write the API reference documentation for our REST /users endpoints "
    "AND implement the OAuth2 Bearer-token middleware in Python FastAPI."
)
PIECES = st.sampled_from(
    [
        "write a poem", "explain the code", "and", "then", ", ", ". ", "; ", "\n", "\n\n- ", "\n1. ", "```\nx = 1\n",
        "`a and b`", '"and then', "it", "please", "What is that", "?", "https://a.b/c?and=1", "plus", " ", "(", ")",
        "for i in x:", "Übersetze das", "\u2592", "\x00", "i.e. ",
    ]
)  # fmt: skip


DENSE = ("dense-", "notes-", "desks-", "terse-", "pressure-", "officials-", "urgent-", "seams-")
"""Topics of the writers who were told to be dense, and to leave out verbs."""
LEARNED_MISSES = 0.25
"""Share of hand-made examples that learned weights may get wrong; what breaks a kind of request breaks more."""


def texts(prompt: str) -> list[str]:
    return [task.text for task in split(prompt)]


OWN_REQUESTS = [
    (
        REFERENCE_PROMPT,
        [
            "Write the API reference documentation for our REST /users endpoints",
            "implement the OAuth2 Bearer-token middleware in Python FastAPI",
        ],
    ),
    (
        "What is a mutex, and how does it differ from a semaphore?",
        ["What is a mutex", "how does it differ from a semaphore"],
    ),
    ("Please:\n1. fix the bug\n2. write a test for it", ["fix the bug", "write a test for it"]),
    (
        "Tell me who built the tower; list three books on it.",
        ["Tell me who built the tower", "list three books on it"],
    ),
    (
        "- Document the table (columns below)\n- Write a migration for it (Postgres)",
        ["Document the table (columns below)", "Write a migration for it (Postgres)"],
    ),
    ("Transcribe the page / work out who lived there", ["Transcribe the page", "work out who lived there"]),
    (
        "Derive the law. Then use the result to get the period.",
        ["Derive the law", "use the result to get the period"],
    ),
    (
        "Write a policy on overdue books, as well as a notice for the door",
        ["Write a policy on overdue books", "a notice for the door"],
    ),
    ("Write a parser in C++ and explain its grammar", ["Write a parser in C++", "explain its grammar"]),
    ("It takes 4 m. Price up the timber and draw the frame", ["Price up the timber", "draw the frame"]),
    ("1) what is a fjord 2) how deep is the deepest", ["what is a fjord", "how deep is the deepest"]),
    (
        "Can you draft the invitation and, if the hall is taken, propose another date?",
        ["draft the invitation", "if the hall is taken, propose another date"],
    ),
]


def test_requests_of_their_own_are_split() -> None:
    wrong = {prompt: texts(prompt) for prompt, expected in OWN_REQUESTS if texts(prompt) != expected}
    assert len(wrong) <= LEARNED_MISSES * len(OWN_REQUESTS), wrong


@pytest.mark.parametrize(
    "prompt",
    [
        "Document the GET and POST endpoints",
        "Compare PostgreSQL and MySQL",
        "Build a fast and reliable cache",
        "Write a parser. Use Python 3.11 and add type hints",
        "What is a mutex, i.e. how would you define it",
        "Draw the truth table of an AND gate plus an inverter",
        "Translate: write the report and then send it to the board",
        'Rewrite "First open the door and then explain yourself" in the passive',
        "Write a script that loads a file, counts the words and then prints the total",
        "Explain what `git add . && git commit and push` does",
        "Good morning and thanks for everything",
        "Estimate the load on the beam and show your working",
        "Should I fly, or should I take the train",
        "Look at the stack trace and tell me what is wrong",
        "How do I open the valve and drain the tank",
        "Explain how to drain the tank and then re-fill it",
        pytest.param(
            "Write a note saying that I am away and could he please water the basil",
            marks=pytest.mark.xfail(strict=True, reason="a plea within the note is taken for a request"),
        ),
        "Plan a treasure hunt. They should run around, solve riddles and find a prize",
        "Build a landing page. Use Tailwind, keep it small and make it responsive",
        "Condense the report and leave out the annexes",
        "Reply to this customer.\n\nHi, where is my parcel? Please send it again and cancel the other one",
    ],
)
def test_one_request_is_never_split(prompt: str) -> None:
    assert texts(prompt) == [prompt]


def test_a_prompt_may_end_in_a_line_feed() -> None:
    assert texts("Explain a mutex.\n\nThen write a test for it.\n") == ["Explain a mutex", "write a test for it"]


def test_what_is_pasted_is_not_read_as_a_request() -> None:
    prompt = "Summarise this mail and draft a reply.\n\n> Please check the pump and then write to me.\n> Also call Ann."
    assert texts(prompt) == ["Summarise this mail", "draft a reply"]


NEEDS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("Write a function that parses dates, then write tests for it.", [(), (0,)]),
    ("Summarise the report and then translate the summary into French.", [(), (0,)]),
    ("First explain TCP, then explain UDP.", [(), ()]),
    ("Translate the letter; check your translation for slips.", [(), (0,)]),
    ("Estimate the load on the beam, then use that figure to choose a bolt.", [(), (0,)]),
    ("Implement a lexer in Go. Fuzz it. Document the implementation.", [(), (0,), (0,)]),
    ("Find the weak spots of the plan and propose a remedy for each of them.", [(), (0,)]),
    ("Evaluate both sites, then write the report for the board.", [(), (0,)]),
    ("Write a guide to the old town. Once that's done, draft a tweet.", [(), (0,)]),
    ("Write a macro that counts cells. Port the macro to R. Compare both versions.", [(), (0,), (0, 1)]),
    ("Which test fits my data? Run that test in R.", [(), (0,)]),
    ("Write a poem about rain and tell me who wrote Beowulf.", [(), ()]),
    ("Review the plan below and write a card for my aunt.", [(), ()]),
    ("Draft an invitation for the party and an agenda. Book a room that has its own kitchen.", [(), ()]),
    ("Review the module for bugs. Fix the issues you found.", [(), (0,)]),
    ("Draft a logo brief; calculate the VAT on 300 euros.", [(), ()]),
]


def test_a_request_depends_on_what_it_uses() -> None:
    found = {prompt: [task.depends_on for task in split(prompt)] for prompt, _ in NEEDS}
    wrong = {prompt: found[prompt] for prompt, needs in NEEDS if found[prompt] != needs}
    assert len(wrong) <= LEARNED_MISSES * len(NEEDS), wrong


def test_shared_words_reach_every_sub_task_as_context() -> None:
    tasks = split("You are a tax adviser. Explain what VAT is and draft a letter to my client. Keep both short.")
    assert [task.text for task in tasks] == ["Explain what VAT is", "draft a letter to my client"]
    assert all("tax adviser" in task.context and "Keep both short" in task.context for task in tasks)


@pytest.mark.parametrize(
    "variant",
    [
        "explain the theorem and write a proof sketch",
        "Please explain the theorem and write a proof sketch, thanks",
        "Explain   the theorem\nand write a proof sketch.",
        "hi, could you explain the theorem and also write a proof sketch?",
        "Explain the theroem and write a proof sketch!!",
    ],
)
def test_manners_white_space_and_typing_do_not_change_the_number_of_sub_tasks(variant: str) -> None:
    assert len(split(variant)) == 2


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Describe the cat and the dog", "Describe the cat and explain the dog"),
        ("Write a tool that checks and repairs links", "Write a tool that checks links, and repair the docs"),
        ("What are salt and pepper?", "What is salt, and what is pepper?"),
    ],
)
def test_a_verb_of_its_own_makes_a_sub_task(one: str, two: str) -> None:
    assert (len(split(one)), len(split(two))) == (1, 2)


@given(
    st.one_of(
        st.text(max_size=200), st.lists(PIECES, max_size=25).map("".join), st.lists(PIECES, max_size=25).map(" ".join)
    )
)
def test_spans_are_exact_ordered_disjoint_and_repeatable(prompt: str) -> None:
    if not prompt.strip():
        with pytest.raises(InputError):
            split(prompt)
        return
    tasks = split(prompt)
    assert tasks == split(prompt)
    end = 0
    for index, task in enumerate(tasks):
        assert task.text == prompt[task.start : task.end]
        assert end <= task.start < task.end
        assert all(0 <= earlier < index for earlier in task.depends_on)
        end = task.end


@given(st.lists(PIECES, max_size=30).map(" ".join))
def test_a_mask_keeps_every_position(prompt: str) -> None:
    masked = mask(prompt)
    assert len(masked) == len(prompt)
    assert all(new in (old, "\u2592") for new, old in zip(masked, prompt, strict=True))


@pytest.mark.parametrize(
    "unit",
    [
        "write a poem and explain it. ",
        'say "a ',
        "`x ",
        "```py x ",
        ". ",
        "\n\n",
        "x; ",
        "translate a: b ",
        "(a ",
        "and ",
        "- a\n",
        "http://a ",
        "a / the b ",
        "use it to the best, ",
        "\n\nhi a ",
        "it should, ",
        "if it is, or ",
        "the text below\n\n",
        "a: b\n",
        "From: x\ny\n",
        "It. A version too. ",
    ],
)
def test_the_time_grows_no_faster_than_the_prompt(unit: str) -> None:
    def seconds(length: int) -> float:
        prompt = "Explain " + unit * (length // len(unit))
        spent = []
        for _ in range(3):
            start = time.process_time()
            split(prompt)
            spent.append(time.process_time() - start)
        return min(spent)

    assert seconds(80_000) < 4 * 3 * max(seconds(20_000), 1e-3)


def test_the_gold_training_part_is_split_well() -> None:
    gold = load_gold("train")
    right = [len(split(prompt.prompt)) == len(prompt.subtasks) for prompt in gold]
    tidier = [good for good, prompt in zip(right, gold, strict=True) if not prompt.topic.startswith(DENSE)]
    assert np.mean(tidier) > 0.87
    assert np.mean(right) > 0.84


def test_what_was_split_before_changes_nothing() -> None:
    prompts = [prompt.prompt for prompt in load_gold("train")[::20]]
    read_weights.cache_clear()
    forwards = [split(prompt) for prompt in prompts]
    read_weights.cache_clear()
    backwards = [split(prompt) for prompt in reversed(prompts)]
    assert forwards == backwards[::-1]


def test_benchmark_prompts_of_one_request_are_seldom_cut() -> None:
    prompts = [prompt for prompt in load_prompts("core") if not prompt.parts]
    cut = [prompt.prompt_id for prompt in prompts if len(split(prompt.prompt)) > 1]
    assert len(cut) <= 0.1 * len(prompts), cut


NO_REQUESTS = [
    "Review this code. What is wrong with it?\n\nfor x in xs:\n    print(x)\n\nReply with the letter only.",
    "Who painted it? Give the surname. Answer with the name only.",
    "There are 7 hens in a pen. How many are there in 3 pens?",
    "Sum up this text.\n\nEmma, who is 40, moved to Bergen. The ferry, which is old, was late.",
    "Shorten the following.\n\nOpen the lid. Pour in the water and press start.",
    "Sort these chores by effort.\n\n- write to the bank\n- clean the gutters and check the roof",
    "Any typos here?\n\ntitle: Autumn sale\nbutton: Shop now and save\nfooter: Read the terms",
    "sshd[812]: error: bind failed\nsystemd[1]: Stop the unit and start it again.\n\nWhat went wrong?",
    "SELECT name\nFROM users\nWHERE age > 3\nORDER BY name;\n\nWhat does this query return?",
    "Solve it for x. Write down each step and check your result.",
    "Write a guide for volunteers. Describe the shifts, list the rules and mention whom to call.",
    "Close the door. Then sit down and write.\n\nRewrite the text above in a friendly tone.",
]


def test_unfenced_input_and_the_form_of_the_answer_are_no_requests() -> None:
    wrong = {prompt: texts(prompt) for prompt in NO_REQUESTS if len(split(prompt)) > 1}
    assert len(wrong) <= LEARNED_MISSES * len(NO_REQUESTS), wrong


def test_a_fact_falls_back_on_its_first_values() -> None:
    assert features([("asked", "question", "comma"), ("size", 3)]) == [
        "asked question",
        "asked question comma",
        "size 3",
    ]
    weights = Weights({"weights": {"asked question": 2.0, "asked question comma": -0.5}, "threshold": 1.0})
    assert weights.margin([("asked", "question", "comma")]) == 0.5
    assert weights.margin([("asked", "question", "stop"), ("unknown", "x")]) == 1.0
    assert weights.margin([]) == -1.0


def test_the_likeliest_openings_are_found_together() -> None:
    prompt = "Notes on heaps. Explain stacks. Compare both."
    text = read(prompt)
    found = clauses(prompt, text, cut(prompt, text))

    def likeliest(weights: dict[str, float]) -> tuple[list[int], float]:
        single, several = openings(found, [0, 1, 2], Weights({"weights": weights, "threshold": 0.0}))
        assert several == sorted(several, reverse=True)
        return several[0][1], several[0][0] - single

    places, likelier = likeliest({"asked times 1": 4.0, "asked times 2": 4.0})
    assert places == [0, 1, 2]
    assert likelier == pytest.approx(2 * math.log(2) - 2 * math.log1p(math.exp(-4)))
    assert likeliest({"asked times 1": 4.0, "asked times 2": -4.0})[0] == [0, 1]
    assert likeliest({"asked times 1": -4.0, "asked times 2": -4.0})[1] < 0
    second = {"nothing asked False stop": 4.0, "nothing asked False begin": -4.0, "asked times 1": 4.0}
    assert likeliest(second)[0] == [1, 2]


def test_of_choices_about_as_likely_the_one_that_is_best_as_a_whole_is_taken() -> None:
    prompt = "Explain a heap; a stack; a queue."
    text = read(prompt)
    found = clauses(prompt, text, cut(prompt, text))
    choices = [(-1.0, [0, 1]), (-1.5, [0, 1, 2])]
    alike = Weights({"weights": {"joint semicolon False all": 1.0}, "threshold": 0.0})
    assert best(found, choices, alike)[1] == [0, 1, 2]
    assert best(found, choices, Weights({"weights": {}, "threshold": 0.0}))[1] == [0, 1]
    assert ("joint", "semicolon", False, "some", 2) in best(found, choices[:1], alike)[2]


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("List the planets, moons and comets, largest first.", 0), ("Explain a mutex. Then write a test for it.", 2)],
)
def test_what_holds_one_request_is_passed_over_before_its_clauses_are_read(prompt: str, count: int) -> None:
    text = read(prompt)
    places, looks = candidates(text.pieces, cut(prompt, text))
    assert len(places) == count
    assert (looks > 0) == (count > 0)


@given(st.lists(PIECES, max_size=30).map(" ".join))
def test_pieces_cover_a_text_and_clauses_stand_in_order(prompt: str) -> None:
    masked = mask(prompt)
    text = read(masked)
    assert "".join(piece.text for piece in text.pieces).split() == "".join(masked.lower().split()).split()
    assert (text.ends or [0])[-1] == len(masked)
    last = 0
    for stretch in cut(masked, text):
        assert last <= stretch.first <= stretch.begin < stretch.last <= len(text.pieces)
        last = stretch.last


@pytest.mark.parametrize(
    ("prompt", "joints"),
    [
        ("Draft it, check it; then send it. Done?", ["begin", "comma", "semicolon", "stop"]),
        ("Two things:\n- a poem\n- a title\n\nKeep both short", ["begin", "line", "line", "paragraph"]),
        ("What is e.g. a fjord (a, b) and is it deep", ["begin", "conjunction"]),
        ("1) what is a fjord 2) how deep is it", ["begin", "number"]),
        ("Plan it \u2192 cost it \u2014 and sell it", ["begin", "dash", "dash"]),
    ],
)
def test_a_clause_begins_wherever_a_request_could(prompt: str, joints: list[str]) -> None:
    assert [stretch.joint for stretch in cut(prompt, read(prompt))] == joints


def test_the_shipped_weights_were_learned_from_the_shipped_data() -> None:
    data = (data_dir() / "gold" / "train.jsonl").read_bytes()
    assert read_model("dependencies.json")["data_sha256"] == hashlib.sha256(data).hexdigest()


def test_the_shipped_segments_were_learned_from_the_shipped_data() -> None:
    data = (data_dir() / "gold" / "train.jsonl").read_bytes()
    assert read_model("segments.json")["data_sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.learning
def test_learning_where_requests_open_again_gives_the_same() -> None:
    again = train_segments(load_gold("train"))
    for part in ("glance", "look", "opening", "arrangement", "several", "continuation"):
        shipped = read_model("segments.json")[part]
        assert again[part]["examples"] == shipped["examples"]
        assert again[part]["threshold"] == pytest.approx(shipped["threshold"], abs=0.02)
        for name in again[part]["weights"].keys() | shipped["weights"].keys():
            assert again[part]["weights"].get(name, 0) == pytest.approx(shipped["weights"].get(name, 0), abs=0.03), name


@pytest.mark.parametrize("mark", [".", "?", "!", ". ", "? ", "; ", ") ", ", and "])
def test_a_long_run_of_marks_takes_linear_time(mark: str) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        split("a" + mark * count + "b")
        return time.process_time() - start

    assert min(seconds(8_000) for _ in range(2)) < 4 * 3 * max(min(seconds(2_000) for _ in range(2)), 2e-3)


@pytest.mark.learning
def test_learning_the_weights_again_gives_the_same() -> None:
    again = train(data_dir() / "gold" / "train.jsonl")
    shipped = read_model("dependencies.json")
    assert again.keys() == shipped.keys()
    for exact in ("data", "data_sha256", "pairs", "needed", "topics"):
        assert again[exact] == shipped[exact]
    for near in ("f1_by_cutoff", "cutoff", "cross_validated_f1"):
        assert again[near] == pytest.approx(shipped[near], abs=0.01)
    for near in ("weights", "threshold"):
        assert again["model"][near] == pytest.approx(shipped["model"][near], abs=0.01)
    for bounds in ("plateau", "cross_validated_f1_interval"):
        assert again[bounds] == pytest.approx(shipped[bounds], abs=0.02)


def test_the_threshold_is_at_the_middle_of_what_is_as_good_as_the_best_cut_off() -> None:
    shipped = read_model("dependencies.json")
    low, high = shipped["plateau"]
    assert shipped["cutoff"] == pytest.approx((low + high) / 2)
    assert shipped["cross_validated_f1_interval"][0] < shipped["cross_validated_f1"]
    assert shipped["cross_validated_f1"] < shipped["cross_validated_f1_interval"][1]
    best = max(shipped["f1_by_cutoff"].values())
    edges = [shipped["f1_by_cutoff"][f"{edge:.2f}"] for edge in (low, high)]
    assert min(edges) < shipped["cross_validated_f1"] <= best


def test_a_cut_off_is_chosen_by_what_it_sorts_right() -> None:
    rng = np.random.default_rng(0)
    topics = np.repeat(np.arange(40), 25).astype(str)
    needed = rng.random(1000) < 0.4
    apart = np.where(needed, 0.8, 0.2)
    found = choose_cutoff(apart, needed, topics)
    assert found["plateau"] == [0.2, 0.79]  # every cut-off from 0.20 up to below 0.80 sorts all of them right
    assert found["cutoff"] == pytest.approx(0.495)
    assert found["cross_validated_f1"] == 1.0
    assert found["cross_validated_f1_interval"] == [1.0, 1.0]
    blurred = np.clip(apart + rng.normal(0, 0.25, 1000), 0, 1)
    found = choose_cutoff(blurred, needed, topics)
    taken = blurred > found["cutoff"]
    assert found["cross_validated_f1"] == pytest.approx(f1_score(needed, taken), abs=1e-4)
    low, high = found["cross_validated_f1_interval"]
    assert low < found["cross_validated_f1"] < high


def test_a_column_is_split_as_its_prompts_are() -> None:
    prompts = pd.Series(
        ["Explain tides and write a rhyme.", "What is C?", "Explain tides and write a rhyme."],
        index=[7, 8, 9],
        name="prompt",
    )
    frame = split_many(prompts, chunk=2)
    assert frame.index.tolist() == [7, 7, 8, 9, 9]
    assert frame["text"].tolist() == [task.text for prompt in prompts for task in split(prompt)]


def test_a_column_with_a_hole_is_refused() -> None:
    with pytest.raises(InputError, match="1 of 2 prompts are missing"):
        split_many(pd.Series(["a", None]))
