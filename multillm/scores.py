"""How good splitters and classifiers are on labelled prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from multillm.classification import Classifier, get_classifier
from multillm.errors import InputError
from multillm.gold import COMPLEXITY, GoldPrompt
from multillm.metrics import Estimate, resample
from multillm.reliability import calibration_error, calibration_floor, reliability
from multillm.splitting import Splitter, get_splitter
from multillm.splitting.base import check_prompt
from multillm.tasks import ComplexityTier, SubTask, TaskType

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "NeverSplitter",
    "calibration",
    "classifier_scores",
    "compare_classifiers",
    "compare_splitters",
    "confusion",
    "splitter_scores",
]

LEAST_OVERLAP = 0.7
RESAMPLES = 1000
Span = tuple[int, int]
Tally = dict[str, float]


class NeverSplitter:
    """The baseline that takes every prompt for one sub-task."""

    name = "never"

    def split(self, prompt: str) -> list[SubTask]:
        """The whole prompt."""
        return [SubTask(check_prompt(prompt), 0, len(prompt))]


def splitter_scores(
    gold: Sequence[GoldPrompt], splitter: str | Splitter = "structural", *, seed: int = 0, resamples: int = RESAMPLES
) -> pd.DataFrame:
    r"""Scores of a splitter, with bootstrap intervals over prompts.

    ``exact``: share of prompts with as many spans as labelled, each overlapping its
    counterpart by an intersection over union of 0.7 or more.
    ``boundary precision``, ``recall``, ``f1``: a boundary is the start of a second or later
    sub-task; one found is right if its span overlaps the labelled one by the same measure,
    which is matched once.
    ``over-split``: share of prompts with one labelled sub-task that were split.
    ``dependency f1``: over pairs (later, earlier) of matched spans.

    .. math:: \mathrm{IoU}(a, b) = \frac{|a \cap b|}{|a \cup b|}, \qquad F_1 = \frac{2 \, tp}{2 \, tp + fp + fn}

    Parameters
    ----------
    gold : sequence of GoldPrompt
        Labelled prompts.
    splitter : str or Splitter, default "structural"
        What is scored; ``"never"`` for the baseline.
    seed : int, default 0
        Seed of the resampling.
    resamples : int, default 1000
        Number of bootstrap samples.

    Returns
    -------
    DataFrame
        Indexed by metric: value, low, high (bounds of the 95 % percentile interval), n (prompts that count).
    """
    chosen = NeverSplitter() if splitter == "never" else get_splitter(splitter)
    rows = pd.DataFrame([_split_counts(prompt, chosen.split(prompt.prompt)) for prompt in gold])
    metrics: dict[str, Callable[[pd.Series], float]] = {
        "exact": lambda total: _share(total["exact"], total["prompts"]),
        "boundary precision": lambda total: _share(total["tp"], total["tp"] + total["fp"]),
        "boundary recall": lambda total: _share(total["tp"], total["tp"] + total["fn"]),
        "boundary f1": lambda total: _share(2 * total["tp"], 2 * total["tp"] + total["fp"] + total["fn"]),
        "over-split": lambda total: _share(total["over"], total["single"]),
        "dependency f1": lambda total: _share(
            2 * total["dep_tp"], 2 * total["dep_tp"] + total["dep_fp"] + total["dep_fn"]
        ),
    }
    sizes = {"over-split": int(rows["single"].sum())}
    return _with_intervals(rows, metrics, sizes, seed, resamples)


def classifier_scores(
    gold: Sequence[GoldPrompt], classifier: str | Classifier = "learned", *, seed: int = 0, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Scores of a classifier on the labelled spans, with bootstrap intervals over sub-tasks.

    ``accuracy`` and ``macro f1`` of the type (mean of the F1 of each labelled type),
    ``spearman`` between complexity and labelled level, ``tier accuracy``, and the expected
    ``calibration error`` over ten bins beside the ``calibration floor`` that chance alone gives it,
    both missing for a classifier without confidences.

    Parameters
    ----------
    gold : sequence of GoldPrompt
        Labelled prompts.
    classifier : str or Classifier, default "learned"
        What is scored.
    seed : int, default 0
        Seed of the resampling.
    resamples : int, default 1000
        Number of bootstrap samples.

    Returns
    -------
    DataFrame
        Indexed by metric: value, low, high (bounds of the 95 % percentile interval), n (sub-tasks).
    """
    frame = _classified(gold, get_classifier(classifier))
    counts = resample(len(frame), resamples, np.random.default_rng(seed))
    drawn = pd.DataFrame([_type_metrics(frame.loc[frame.index.repeat(each)]) for each in counts])
    return _estimates({str(name): Estimate.of(drawn[name].to_numpy(float), len(frame)) for name in drawn})


def confusion(gold: Sequence[GoldPrompt], classifier: str | Classifier = "learned") -> pd.DataFrame:
    """Labelled types (rows) against predicted types (columns), in sub-tasks."""
    frame = _classified(gold, get_classifier(classifier))
    types = [str(kind) for kind in TaskType]
    return pd.crosstab(frame["label"], frame["predicted"]).reindex(index=types, columns=types, fill_value=0)


def calibration(gold: Sequence[GoldPrompt], classifier: str | Classifier = "learned") -> pd.DataFrame:
    """How often a classifier's types are right, by its confidence; see `reliability` for the columns.

    Raises
    ------
    InputError
        If the classifier has no confidences.
    """
    frame = _classified(gold, get_classifier(classifier))
    if frame["confidence"].isna().any():
        raise InputError(f"the classifier {_name(classifier)!r} has no confidences; take one that has, such as learned")
    return reliability(frame["confidence"].to_numpy(float), (frame["label"] == frame["predicted"]).to_numpy())


def compare_splitters(
    gold: Sequence[GoldPrompt],
    splitters: Sequence[str | Splitter] = ("structural", "reference", "never"),
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of several splitters on the same prompts, one row for each splitter and metric.

    Parameters
    ----------
    gold : sequence of GoldPrompt
        Labelled prompts.
    splitters : sequence of str or Splitter
        What is compared.
    seed : int, default 0
        Seed of the resampling.

    Returns
    -------
    DataFrame
        Indexed by splitter and metric, columns as of `splitter_scores`.
    """
    return pd.concat({_name(s): splitter_scores(gold, s, seed=seed) for s in splitters}, names=["splitter"])


def compare_classifiers(
    gold: Sequence[GoldPrompt],
    classifiers: Sequence[str | Classifier] = ("learned", "rules", "reference"),
    *,
    seed: int = 0,
) -> pd.DataFrame:
    """Scores of several classifiers on the same labelled spans, one row for each classifier and metric.

    Parameters
    ----------
    gold : sequence of GoldPrompt
        Labelled prompts.
    classifiers : sequence of str or Classifier
        What is compared.
    seed : int, default 0
        Seed of the resampling.

    Returns
    -------
    DataFrame
        Indexed by classifier and metric, columns as of `classifier_scores`.
    """
    return pd.concat({_name(c): classifier_scores(gold, c, seed=seed) for c in classifiers}, names=["classifier"])


def _name(method: str | Splitter | Classifier) -> str:
    return method if isinstance(method, str) else method.name


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _overlap(left: Span, right: Span) -> float:
    """Intersection over union of two spans."""
    shared = max(0, min(left[1], right[1]) - max(left[0], right[0]))
    return shared / (left[1] - left[0] + right[1] - right[0] - shared)


def _split_counts(prompt: GoldPrompt, found: Sequence[SubTask]) -> Tally:
    wanted = [(task.start, task.end) for task in prompt.subtasks]
    got = [(task.start, task.end) for task in found]
    match = {
        index: other
        for index, span in enumerate(got)
        for other, label in enumerate(wanted)
        if _overlap(span, label) >= LEAST_OVERLAP
    }
    right = sum(index > 0 and other > 0 for index, other in match.items())
    labelled = {(later, earlier) for later, task in enumerate(prompt.subtasks) for earlier in task.depends_on}
    predicted = {(later, earlier) for later, task in enumerate(found) for earlier in task.depends_on}
    mapped = {(match.get(later, -1), match.get(earlier, -1)) for later, earlier in predicted}
    hits = len(mapped & labelled)
    return {
        "prompts": 1,
        "exact": len(got) == len(wanted) == len(match),
        "tp": right,
        "fp": len(got) - 1 - right,
        "fn": len(wanted) - 1 - right,
        "single": len(wanted) == 1,
        "over": len(wanted) == 1 and len(got) > 1,
        "dep_tp": hits,
        "dep_fp": len(predicted) - hits,
        "dep_fn": len(labelled) - hits,
    }


def _with_intervals(
    rows: pd.DataFrame,
    metrics: Mapping[str, Callable[[pd.Series], float]],
    sizes: Mapping[str, int],
    seed: int,
    resamples: int,
) -> pd.DataFrame:
    """Each metric of the column sums, with percentile intervals over resampled rows."""
    counts = resample(len(rows), resamples, np.random.default_rng(seed))
    sums = [pd.Series(each, index=rows.columns) for each in counts @ rows.to_numpy(float)]
    return _estimates(
        {
            name: Estimate.of(np.array([metric(each) for each in sums]), sizes.get(name, len(rows)))
            for name, metric in metrics.items()
        }
    )


def _estimates(found: Mapping[str, Estimate]) -> pd.DataFrame:
    table = {name: {"value": e.value, "low": e.low, "high": e.high, "n": e.n} for name, e in found.items()}
    return pd.DataFrame.from_dict(table, orient="index").astype({"n": int}).rename_axis("metric")


def _classified(gold: Sequence[GoldPrompt], classifier: Classifier) -> pd.DataFrame:
    rows = []
    for prompt in gold:
        for task in prompt.subtasks:
            profile = classifier.classify(SubTask(task.text, task.start, task.end))
            level = COMPLEXITY[task.complexity]
            rows.append((str(task.task_type), str(profile.task_type), level, profile.complexity, profile.confidence))
    return pd.DataFrame(rows, columns=["label", "predicted", "level", "complexity", "confidence"])


def _type_metrics(frame: pd.DataFrame) -> dict[str, float]:
    right = (frame["label"] == frame["predicted"]).to_numpy()
    confidence = frame["confidence"].to_numpy(float)
    tiers = [
        ComplexityTier.of(value) is ComplexityTier.of(level)
        for value, level in zip(frame["complexity"], frame["level"], strict=True)
    ]
    return {
        "accuracy": float(right.mean()),
        "macro f1": _macro_f1(frame["label"].to_numpy(), frame["predicted"].to_numpy()),
        "spearman": float(frame["complexity"].rank().corr(frame["level"].rank())),
        "tier accuracy": float(np.mean(tiers)),
        "calibration error": calibration_error(confidence, right),
        "calibration floor": calibration_floor(confidence),
    }


def _macro_f1(labels: NDArray[np.object_], predicted: NDArray[np.object_]) -> float:
    scores = []
    for kind in np.unique(labels):
        hits = np.sum((labels == kind) & (predicted == kind))
        scores.append(2 * hits / (np.sum(labels == kind) + np.sum(predicted == kind)))
    return float(np.mean(scores))
