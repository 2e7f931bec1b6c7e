"""The rules and the learned classifier: types, abstention, signals, columns, the artefact."""

from __future__ import annotations

import hashlib
import pickle

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from multillm.classification import CLASSIFIERS, LearnedClassifier, classify, split_and_classify
from multillm.classification.batch import classify_many
from multillm.classification.features import features
from multillm.classification.linear import LinearModel, load_model
from multillm.classification.packing import COLUMNS, pack, unpack
from multillm.errors import ConfigurationError, InputError
from multillm.gold import load_gold
from multillm.resources import data_dir
from multillm.router import TaskRouter
from multillm.tasks import ComplexityTier, SubTask, TaskType

LINEAR = ("learned", "rules")
REFERENCE_PROMPT = (
    "Write the API reference documentation for our REST /users endpoints "
    "AND implement the OAuth2 Bearer-token middleware in Python FastAPI."
)


@pytest.mark.parametrize("classifier", LINEAR)
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write a README for the project", TaskType.DOCUMENTATION),
        ("Implement a binary search in Rust", TaskType.CODE_GENERATION),
        ("Review this pull request for security flaws", TaskType.CODE_REVIEW),
        ("Compare leasing and buying a car over six years", TaskType.REASONING),
        ("What is the capital of Chile?", TaskType.QA_SIMPLE),
        ("Summarise the attached article", TaskType.SUMMARISATION),
        ("Translate this letter into Danish", TaskType.OTHER),
    ],
)
def test_plain_cases_get_their_type(classifier: str, text: str, kind: TaskType) -> None:
    assert classify(text, classifier).task_type is kind


@pytest.mark.parametrize("classifier", LINEAR)
def test_a_text_without_any_sign_is_left_to_other(classifier: str) -> None:
    assert classify("qwx zzt vvk", classifier).task_type is TaskType.OTHER


def test_the_word_different_is_no_code_review() -> None:
    assert classify("Tell me about different kinds of cheese", "reference").task_type is TaskType.CODE_REVIEW
    assert classify("Tell me about different kinds of cheese").task_type is not TaskType.CODE_REVIEW


def test_a_proof_is_harder_than_a_lookup() -> None:
    proof = classify("Prove that the scheduler never deadlocks under these five constraints")
    lookup = classify("What is the capital of Chile?")
    assert proof.complexity > lookup.complexity
    assert lookup.tier is ComplexityTier.LOW


def test_the_reference_prompt_still_goes_to_the_light_and_the_balanced_model() -> None:
    labels = [TaskRouter().route(profile).label for profile in split_and_classify(REFERENCE_PROMPT)]
    assert labels == ["model::light", "model::balanced"]


def test_the_signals_are_the_weights_that_spoke_for_the_type() -> None:
    profile = classify("Summarise the minutes")
    weights = load_model("learned").weights
    place = list(TaskType).index(profile.task_type)
    for name, value in profile.signals.items():
        feature = name.removeprefix(f"{profile.task_type}: ")
        assert value == pytest.approx(features("Summarise the minutes")[feature] * weights[feature][place], abs=1e-3)


def test_weights_in_columns_of_another_kind_are_refused() -> None:
    content = {**load_model("rules").content, "columns": ["documentation", "complexity"]}
    with pytest.raises(ConfigurationError, match="above medium"):
        LinearModel(content)


WHOLE = st.integers(-(2**40), 2**40)


@given(st.lists(st.lists(WHOLE, min_size=len(COLUMNS), max_size=len(COLUMNS)), min_size=1, max_size=50))
def test_packed_rows_add_up_as_rows(rows: list[list[int]]) -> None:
    assert unpack(sum(map(pack, rows))) == list(map(sum, zip(*rows, strict=True)))


@given(st.text(min_size=1, max_size=300).filter(str.strip))
def test_every_text_gets_a_complexity_and_a_confidence_within_bounds(text: str) -> None:
    for classifier in CLASSIFIERS:
        profile = classify(text, classifier)
        assert 0.0 <= profile.complexity <= 1.0
        assert profile.confidence is None or 0.0 < profile.confidence <= 1.0


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: f"Please {text}", lambda text: f"  {text}\n"])
def test_case_manners_and_white_space_do_not_change_the_type(change: object) -> None:
    assert callable(change)
    for text in ("summarise the report", "write a python script that renames files", "translate this into Greek"):
        assert classify(change(text)).task_type is classify(text).task_type


@pytest.mark.parametrize("classifier", [*LINEAR, "reference"])
def test_a_column_gets_the_figures_of_its_texts(classifier: str) -> None:
    texts = [task.text for prompt in load_gold("train") for task in prompt.subtasks]
    texts += ["?", "please", "\n(1) 'Tis a test,a test:\x00a  test!", "word " * 200, "a" * 2000]
    assert_same_figures(texts, classifier)


@given(st.lists(st.text(min_size=1, max_size=60).filter(str.strip), min_size=1, max_size=5))
def test_any_column_gets_the_figures_of_its_texts(texts: list[str]) -> None:
    assert_same_figures(texts, "learned")


def assert_same_figures(texts: list[str], classifier: str) -> None:
    """To the last digit, so that a column is routed as its texts are."""
    frame = classify_many(pd.Series(texts), classifier, chunk=500)
    for text, row in zip(texts, frame.itertuples(), strict=True):
        profile = classify(text, classifier)
        figures = (profile.task_type, profile.tier, profile.complexity, profile.input_tokens)
        assert (row.task_type, row.tier, row.complexity, row.input_tokens) == figures
        assert profile.confidence is None or row.confidence == pytest.approx(profile.confidence, abs=1.1e-4)


def test_a_classifier_can_be_sent_to_another_process() -> None:
    sent = pickle.loads(pickle.dumps(LearnedClassifier()))
    assert sent.classify(SubTask("Prove it", 0, 8)) == LearnedClassifier().classify(SubTask("Prove it", 0, 8))


def test_an_empty_column_stays_empty() -> None:
    assert len(classify_many(pd.Series([], dtype=str))) == 0


def test_a_column_with_a_hole_is_refused() -> None:
    with pytest.raises(InputError, match="1 of 2 texts are missing"):
        classify_many(pd.Series(["a", None]))


def test_the_shipped_weights_were_learned_from_the_shipped_data() -> None:
    data = (data_dir() / "gold" / "train.jsonl").read_bytes()
    assert load_model("learned").content["data_sha256"] == hashlib.sha256(data).hexdigest()
