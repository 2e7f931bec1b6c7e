"""Learn the weights of the dependencies: ``python -m multillm.splitting.train``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from multillm.gold import GoldPrompt, load_gold
from multillm.resources import data_dir
from multillm.splitting.dependencies import later_requests
from multillm.splitting.facts import features
from multillm.splitting.fitting import design, readable
from multillm.splitting.heads import Request, read_head
from multillm.splitting.masking import mask
from multillm.splitting.pieces import read

__all__ = ["choose_cutoff", "examples", "main", "train"]

SEED = 20_240_601
FOLDS = 8
STRENGTH = 0.2
CUTOFFS = np.arange(5, 96) / 100
REPLICATES = 1000
LEVEL = 0.95
NEGLIGIBLE = 0.03


def examples(gold: Iterable[GoldPrompt]) -> list[tuple[list[str], bool, str]]:
    """Features, label and topic of each pair of labelled sub-tasks."""
    found = []
    for prompt in gold:
        masked = mask(prompt.prompt)
        heads = [read_head(masked, task.start, task.end) for task in prompt.subtasks]
        requests = [Request(head, head.start, task.end) for head, task in zip(heads, prompt.subtasks, strict=True)]
        for place, alone, together in later_requests(read(masked), requests):
            needed = prompt.subtasks[place].depends_on
            found += [(features(alone + facts), earlier in needed, prompt.topic) for earlier, facts in together]
    return found


def train(path: Path) -> dict[str, Any]:
    """Weights of a logistic regression learned from a gold file.

    From which probability on a pair is taken for needed is chosen by the F1 on topics that the fit
    has not seen; see `choose_cutoff`.

    Parameters
    ----------
    path : Path
        JSON lines with labelled prompts.

    Returns
    -------
    dict
        Content of the model file: the weights, the threshold of their sum, and what it rests on.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict

    rows = examples(load_gold(path))
    matrix, names = design([features for features, _, _ in rows])
    labels = np.array([label for _, label, _ in rows])
    topics = np.array([topic for _, _, topic in rows])
    logistic = LogisticRegression(C=STRENGTH, max_iter=3000)
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    scores = cross_val_predict(logistic, matrix, labels, groups=topics, cv=folds, method="predict_proba")
    chosen = choose_cutoff(scores[:, 1], labels, topics)
    logistic.fit(matrix, labels)
    return {
        "data": path.name,
        "data_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "pairs": len(rows),
        "needed": int(labels.sum()),
        "topics": len(set(topics)),
        **chosen,
        "model": {
            "threshold": round(log(chosen["cutoff"] / (1 - chosen["cutoff"])) - float(logistic.intercept_[0]), 3),
            "weights": readable(names, logistic.coef_[0], NEGLIGIBLE),
        },
    }


def choose_cutoff(
    probability: npt.NDArray[np.float64], needed: npt.NDArray[np.bool_], topics: npt.NDArray[np.str_]
) -> dict[str, Any]:
    """The middle of the cut-offs whose F1 lies within one standard error of the best.

    The standard error is that of the best F1 over 1,000 bootstrap samples of whole topics. F1 is nearly flat around
    its best, so that where exactly the best lies is chance; the middle of the plateau is not at an edge of it.

    Parameters
    ----------
    probability : float array of shape [pairs]
        That a pair is needed, by a fit that has not seen its topic.
    needed : bool array of shape [pairs]
        Whether it is.
    topics : str array of shape [pairs]
        What is resampled together.

    Returns
    -------
    dict
        cutoff; plateau (the lowest and the highest cut-off within one standard error); cross_validated_f1 at the
        cut-off, cross_validated_f1_interval (95 %, percentile bootstrap over topics; it does not tell that the cut-off
        was chosen on the same pairs); f1_by_cutoff.
    """
    names, member = np.unique(topics, return_inverse=True)
    drawn = np.random.default_rng(SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), REPLICATES)
    weights = np.vstack([np.ones(len(names)), drawn])[:, member]

    def f1(cutoffs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """On the pairs as they are, then on each resample, shape [1 + replicates, cutoffs]."""
        taken = probability[:, None] > cutoffs
        right, said = weights @ (taken & needed[:, None]), weights @ taken
        return np.asarray(2 * right / (said + (weights @ needed)[:, None]))

    curve = f1(CUTOFFS)
    best = curve[0].argmax()
    plateau = CUTOFFS[curve[0] >= curve[0, best] - curve[1:, best].std(ddof=1)]
    cutoff = round(float(plateau[0] + plateau[-1]) / 2, 3)
    value, *resampled = f1(np.array([cutoff]))[:, 0]
    return {
        "cutoff": cutoff,
        "plateau": [float(plateau[0]), float(plateau[-1])],
        "cross_validated_f1": round(float(value), 4),
        "cross_validated_f1_interval": np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).round(4).tolist(),
        "f1_by_cutoff": {f"{at:.2f}": round(float(found), 4) for at, found in zip(CUTOFFS, curve[0], strict=True)},
    }


def main() -> None:
    """Write the model file beside this one."""
    content = train(data_dir() / "gold" / "train.jsonl")
    Path(__file__).with_name("dependencies.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
