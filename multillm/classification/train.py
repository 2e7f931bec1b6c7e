"""Learn the weights of the learned classifier: ``python -m multillm.classification.train``."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multillm.classification.features import features
from multillm.classification.packing import COLUMNS, TIERS, TYPES
from multillm.gold import COMPLEXITY, load_gold
from multillm.reliability import calibration_error, calibration_floor
from multillm.resources import data_dir
from multillm.tasks import LOW_BELOW, MEDIUM_BELOW

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

__all__ = ["main", "train"]

SEED = 20_240_601
LEAST_COUNT = 3
PINNED_TOPIC = "reference"
PINNED = 12.0
STRENGTH = 0.8
TIER_STRENGTH = 0.25
FOLDS = 6
ABSTAIN_BELOW = 0.34
NEGLIGIBLE = 0.08


def train(path: Path) -> dict[str, Any]:
    """Weights learned from a gold file.

    Type: multinomial logistic regression; complexity: one logistic regression for lying above each of the two lower
    tiers. Temperature and knots come from predictions for topics that the fit has not seen (6-fold cross-validation by
    topic).

    Parameters
    ----------
    path : Path
        JSON lines with labelled prompts.

    Returns
    -------
    dict
        Content of the model file.
    """
    from scipy.special import expit
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict

    rows = [(task, prompt.topic) for prompt in load_gold(path) for task in prompt.subtasks]
    found = [features(task.text) for task, _ in rows]
    counts = Counter(name for row in found for name in row)
    kept = [{name: value for name, value in row.items() if counts[name] >= LEAST_COUNT} for row in found]
    types = np.array([TYPES.index(task.task_type) for task, _ in rows])
    levels = np.array([COMPLEXITY[task.complexity] for task, _ in rows])
    topics = np.array([topic for _, topic in rows])

    vectorizer = DictVectorizer()
    weight = np.array([PINNED if topic == PINNED_TOPIC else 1.0 for topic in topics])
    matrix: csr_matrix = vectorizer.fit_transform(kept)
    logistic = LogisticRegression(C=STRENGTH, max_iter=3000, fit_intercept=False)
    above = LogisticRegression(C=TIER_STRENGTH, max_iter=3000, fit_intercept=False)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    scores = cross_val_predict(logistic, matrix, types, groups=topics, cv=folds, method="decision_function")
    tiers = [levels > COMPLEXITY[tier.lower()] for tier in TIERS]
    margins = [
        cross_val_predict(above, matrix, tier, groups=topics, cv=folds, method="decision_function") for tier in tiers
    ]
    raw = expit(np.array(margins)).sum(axis=0)
    temperature = round(_temperature(scores, types), 3)
    logistic.fit(matrix, types, weight)
    table = np.vstack([logistic.coef_, *[above.fit(matrix, tier, weight).coef_ for tier in tiers]]).T
    names = vectorizer.get_feature_names_out()
    weights = {
        str(name): [round(float(value), 3) for value in row]
        for name, row in zip(names, table, strict=True)
        if np.abs(row).max() >= NEGLIGIBLE
    }
    return {
        "name": "learned",
        "data": path.name,
        "data_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "subtasks": len(rows),
        "columns": list(COLUMNS),
        "temperature": temperature,
        "abstain_below": ABSTAIN_BELOW,
        "knots": _knots(raw, levels),
        "cross_validated": _check(scores / temperature, types, raw, levels),
        "weights": weights,
    }


def _check(
    scores: NDArray[np.float64], types: NDArray[np.int64], raw: NDArray[np.float64], levels: NDArray[np.float64]
) -> dict[str, float]:
    """How well topics that the fit had not seen were predicted."""
    from scipy.special import softmax
    from scipy.stats import spearmanr
    from sklearn.metrics import accuracy_score, f1_score

    predicted = scores.argmax(axis=1)
    confidence = softmax(scores, axis=1).max(axis=1)
    return {
        "accuracy": round(float(accuracy_score(types, predicted)), 4),
        "macro_f1": round(float(f1_score(types, predicted, average="macro")), 4),
        "spearman": round(float(spearmanr(raw, levels).statistic), 4),
        "calibration_error": round(calibration_error(confidence, predicted == types), 4),
        "calibration_floor": round(calibration_floor(confidence), 4),
    }


def _temperature(scores: NDArray[np.float64], types: NDArray[np.int64]) -> float:
    """Temperature with the least log loss."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    def loss(temperature: float) -> float:
        return -float(log_softmax(scores / temperature, axis=1)[np.arange(len(types)), types].mean())

    return float(minimize_scalar(loss, bounds=(0.3, 3.0), method="bounded").x)


def _knots(raw: NDArray[np.float64], levels: NDArray[np.float64]) -> list[list[float]]:
    """Raw scores at which the tiers begin, so that each tier is predicted as often as it was labelled."""
    low, medium = np.mean(levels < LOW_BELOW), np.mean(levels < MEDIUM_BELOW)
    places = [*np.quantile(raw, [0.002, low, medium, 0.998])]
    return [
        [round(float(place), 4), value]
        for place, value in zip(places, (0.05, LOW_BELOW, MEDIUM_BELOW, 0.95), strict=True)
    ]


def main() -> None:
    """Write the model file beside this one."""
    model = train(data_dir() / "gold" / "train.jsonl")
    lines = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in model.pop("weights").items()]
    head = json.dumps(model, indent=1)[:-2]
    text = f'{head},\n "weights": {{\n' + ",\n".join(lines) + "\n }\n}\n"
    Path(__file__).with_name("learned.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
