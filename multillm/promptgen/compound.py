"""Compound prompts: two or three requests in one text, each with a grader of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

from multillm.promptgen.computed import NAMES, THINGS
from multillm.promptgen.records import Record, tests
from multillm.promptgen.written import source
from multillm.tasks import TaskType

__all__ = ["compound"]

Records = list[Record]
TWO = (
    "Please {0}. Also, {1}.",
    "Could you {0} and also {1}?",
    "I need two things. First, {0}. Second, {1}.",
    "Please do the following:\n1. {0}\n2. {1}",
    "Please {0}. Additionally, {1}.",
)
TWO_IN_TURN = (
    "Please {0}, then {1}.",
    "First {0}. After that, {1}.",
    "Please {0} and then {1}.",
    "1. {0}\n2. {1}",
)
THREE_IN_TURN = (
    "First {0}. Then {1}. Finally, {2}.",
    "Please {0}, then {1}. Last of all, {2}.",
    "Three steps, please:\n1. {0}\n2. {1}\n3. {2}",
    "Please {0}. Once that is done, {1}, and then {2}.",
)


def compound(random: Random) -> Iterator[tuple[str, Record]]:
    """Level and record of every compound prompt: 20 at each level."""
    material = source("compound")
    for number in range(20):
        makers = random.sample(EASY, 2)
        yield (
            "low",
            _joined("low", TWO[number % len(TWO)], [part for make in makers for part in make(random, material)]),
        )
    for number in range(20):
        parts = CHAINS[number % len(CHAINS)](random, material)
        yield "medium", _joined("medium", TWO_IN_TURN[number % len(TWO_IN_TURN)], parts)
    for number in range(20):
        parts = LONG_CHAINS[number % len(LONG_CHAINS)](random, material)
        yield "high", _joined("high", THREE_IN_TURN[number % len(THREE_IN_TURN)], parts)


def _joined(level: str, frame: str, parts: Records) -> Record:
    lead = "".join(part.pop("lead", "") for part in parts)
    return {
        "prompt": lead + frame.format(*(part["prompt"] for part in parts)),
        "max_output_tokens": min(256, sum(part["max_output_tokens"] for part in parts)),
        "parts": [part | {"complexity": level} for part in parts],
    }


def _part(kind: TaskType, ask: str, grader: str, tokens: int, reference: str, **expected: Any) -> Record:
    return {
        "prompt": ask,
        "task_type": str(kind),
        "grader": grader,
        "expected": {**expected, "reference": reference},
        "max_output_tokens": tokens,
    }


def _number(kind: TaskType, ask: str, label: str, answer: float) -> Record:
    text = f"{ask} and write it as `{label}: <number>`"
    return _part(kind, text, "number", 80, f"{label}: {answer}", answer=answer, label=label)


def _word(kind: TaskType, ask: str, label: str, answers: Sequence[str]) -> Record:
    text = f"{ask} as `{label}: <word>`"
    return _part(kind, text, "exact", 48, f"{label}: {answers[0]}", answers=list(answers), label=label)


def _capital(random: Random, material: Any) -> Records:
    country, city = random.choice(list(material["capitals"].items()))
    ask = f"name the capital of {country}"
    return [_part(TaskType.QA_SIMPLE, ask, "facts", 48, f"The capital is {city}.", facts=[city], prose=True)]


def _opposite(random: Random, material: Any) -> Records:
    word, answers = random.choice(list(material["opposites"].items()))
    told = ["|".join(f"{answer}\\b" for answer in answers)]
    ask = f'give the opposite of "{word}"'
    return [_part(TaskType.QA_SIMPLE, ask, "facts", 48, f"The opposite is {answers[0]}.", facts=told, prose=True)]


def _sum(random: Random, _: Any) -> Records:
    a, b = random.randint(5, 40), random.randint(5, 40)
    return [_number(TaskType.REASONING, f"add {a} and {b}", "Sum", a + b)]


def _person(random: Random, _: Any) -> Records:
    name, age = random.choice(NAMES), random.randint(18, 70)
    values = {"name": name, "age": age}
    return [_json(f'turn "{name} is {age} years old" into a JSON object with the keys name and age', values)]


def _json(ask: str, values: dict[str, Any]) -> Record:
    wanted = {
        "type": "object",
        "required": list(values),
        "properties": {key: {"const": v} for key, v in values.items()},
    }
    return _part(TaskType.SUMMARISATION, ask, "json_schema", 80, json.dumps(values), schema=wanted, among=True)


def _command(random: Random, material: Any) -> Records:
    name, told = random.choice(list(material["commands"].items()))
    ask = f"document in one sentence what the Unix command `{name}` does"
    return [_part(TaskType.DOCUMENTATION, ask, "facts", 80, material["command_references"][name], facts=told)]


def _note(random: Random, material: Any) -> Records:
    note = random.choice(material["notes"])
    return [_summary(f'sum up this note in one sentence: "{note["text"]}"', note)]


def _summary(ask: str, note: Any) -> Record:
    return _part(TaskType.SUMMARISATION, ask, "facts", 80, note["reference"], facts=note["facts"])


def _function(random: Random, material: Any) -> Records:
    return [_implement(random.choice(material["functions"][:3]))]


def _implement(entry: Any, ask: str | None = None, kind: TaskType = TaskType.CODE_GENERATION) -> Record:
    argument = entry["solution"].partition("(")[2].partition(")")[0]
    ask = ask or f"write a Python function `{entry['name']}({argument})` that {entry['task']}"
    reference = f"```python\n{entry['solution']}\n```"
    checks = tests(entry["solution"], entry["calls"])
    return _part(kind, ask, "code", 128, reference, name=entry["name"], tests=checks)


def _product_and_rest(random: Random, _: Any) -> Records:
    a, b, c = random.randint(3, 12), random.randint(6, 15), random.randint(2, 17)
    return [
        _number(TaskType.REASONING, f"multiply {a} by {b}", "Product", a * b),
        _number(TaskType.REASONING, f"subtract {c} from that product", "Rest", a * b - c),
    ]


def _metres_and_minutes(random: Random, _: Any) -> Records:
    minutes, pace = random.randint(11, 60), random.choice([50, 80, 100])
    return [
        _number(TaskType.QA_SIMPLE, f"convert {minutes * pace / 1000:g} km to metres", "Metres", minutes * pace),
        _number(
            TaskType.REASONING,
            f"work out how many minutes a walk of that length takes at {pace} metres per minute",
            "Minutes",
            minutes,
        ),
    ]


def _first_name_and_letters(random: Random, _: Any) -> Records:
    names = random.sample(NAMES, 4)
    first = min(names)
    return [
        _word(
            TaskType.REASONING,
            f"find which of {', '.join(names)} comes first in the alphabet, written",
            "First",
            [first],
        ),
        _number(TaskType.QA_SIMPLE, "count the letters of that name", "Letters", len(first)),
    ]


def _code_and_documentation(random: Random, material: Any) -> Records:
    entry = random.choice(material["functions"])
    return [_implement(entry), _documented(entry)]


def _documented(entry: Any) -> Record:
    ask = "below the code, explain in one plain sentence what the function does"
    return _part(TaskType.DOCUMENTATION, ask, "facts", 80, entry["document"], facts=entry["facts"], prose=True)


def _prices_and_total(random: Random, _: Any) -> Records:
    prices = {thing.rstrip("s"): random.randint(2, 30) for thing in random.sample(THINGS, 3)}
    listed = ", ".join(f"{thing} {price}" for thing, price in prices.items())
    return [
        _json(f"put these prices into a JSON object from item to number: {listed}", prices),
        _number(TaskType.REASONING, "add up the three prices", "Total", sum(prices.values())),
    ]


def _review_and_mood(random: Random, material: Any) -> Records:
    review = random.choice(material["reviews"])
    return [
        _summary(f'sum up this review in one sentence: "{review["text"]}"', review),
        _word(TaskType.REASONING, "say whether it is positive or negative", "Mood", [review["mood"]]),
    ]


def _finding_and_fix(random: Random, material: Any) -> Records:
    return _finding(random.choice(material["bugs"]))


def _finding(bug: Any) -> Records:
    lead = f"This Python function {bug['says']}.\n\n```python\n{bug['code']}\n```\n\n"
    ask = "say in one sentence what is wrong with it"
    finding = _part(TaskType.CODE_REVIEW, ask, "facts", 80, bug["finding"], facts=bug["facts"], prose=True)
    return [finding | {"lead": lead}, _implement(bug, "write the corrected function", TaskType.CODE_REVIEW)]


def _discounted_order(random: Random, _: Any) -> Records:
    thing, count, price = random.choice(THINGS), random.randint(4, 9) * 5, random.randint(2, 9) * 2
    off = random.choice([10, 20])
    total = count * price
    paid = total * (100 - off) // 100
    return [
        _number(TaskType.REASONING, f"work out what {count} {thing} cost at {price} euros each", "Total", total),
        _number(TaskType.REASONING, f"take {off} percent off that price", "Paid", paid),
        _json(
            f"write a JSON object with the keys item ({thing}), quantity and paid",
            {"item": thing, "quantity": count, "paid": paid},
        ),
    ]


def _function_in_full(random: Random, material: Any) -> Records:
    entry = random.choice(material["functions"][:3])
    return [_implement(entry), _documented(entry), _returned(entry, f"the call `{entry['calls'][0]}`")]


def _finding_fix_and_result(random: Random, material: Any) -> Records:
    bug = random.choice(material["bugs"])
    return [*_finding(bug), _returned(bug, f"the call `{bug['calls'][0]}` of the corrected function")]


def _returned(entry: Any, call: str) -> Record:
    value = tests(entry["solution"], entry["calls"][:1])[0]["returns"]
    spellings = [str(value), f"{value:g}"] if isinstance(value, float) else [str(value)]
    text = f"write what {call} returns as `Returns: <value>`"
    reference = f"Returns: {value}"
    return _part(TaskType.REASONING, text, "exact", 48, reference, answers=spellings, label="Returns")


def _walk(random: Random, material: Any) -> Records:
    parts = _metres_and_minutes(random, material)
    speed = random.randint(2, 5)
    minutes = parts[1]["expected"]["answer"]
    ask = f"work out how many minutes there and back take, with a rest of {10 * speed} minutes in between,"
    return [*parts, _number(TaskType.REASONING, ask, "Altogether", 2 * minutes + 10 * speed)]


def _shares(random: Random, _: Any) -> Records:
    a, b = random.sample(NAMES, 2)
    part = random.randint(12, 60)
    return [
        _number(
            TaskType.REASONING,
            f"divide {part * 3} euros between {a} and {b} so that {a} gets twice as much as {b}, take {b}'s share",
            "Lesser",
            part,
        ),
        _number(TaskType.REASONING, f"work out {a}'s share from it", "Greater", 2 * part),
        _json("write a JSON object from each of the two names to the euros", {a: 2 * part, b: part}),
    ]


EASY: Sequence[Callable[[Random, Any], Records]] = (_capital, _opposite, _sum, _person, _command, _note, _function)
CHAINS: Sequence[Callable[[Random, Any], Records]] = (
    _product_and_rest, _code_and_documentation, _prices_and_total, _review_and_mood, _finding_and_fix,
    _metres_and_minutes, _first_name_and_letters,
)  # fmt: skip
LONG_CHAINS: Sequence[Callable[[Random, Any], Records]] = (
    _discounted_order, _function_in_full, _finding_fix_and_result, _walk, _shares,
)  # fmt: skip
