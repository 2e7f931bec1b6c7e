"""Learn where requests open and end: ``python -m multillm.splitting.train_segments``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from multillm.gold import GoldPrompt, load_gold
from multillm.resources import data_dir
from multillm.splitting.clauses import Clause
from multillm.splitting.cutting import cut
from multillm.splitting.facts import Fact, Weights, features
from multillm.splitting.heads import Kind
from multillm.splitting.masking import mask
from multillm.splitting.pieces import read
from multillm.splitting.segmenting import NONE_ASKED, clauses, of_continuation, of_opening
from multillm.splitting.sight import glance, look
from multillm.splitting.surroundings import Surroundings
from multillm.splitting.train import design, readable

__all__ = ["Labelled", "labelled", "main", "train"]

SEED = 20_261_125
FOLDS = 5
STRENGTH = 0.3
ROUNDS = 3
NEGLIGIBLE = 0.08
COARSE = 0.2
OVERLOOKED = 0.03
"""Share of the openings that first sight may overlook."""
MISSED = 0.02
"""Share of the prompts of several requests that the closer look may pass over."""
HALF = 0.5
ASKING = (Kind.REQUEST, Kind.QUESTION)

Row = tuple[list[str], bool]


class Labelled(NamedTuple):
    """A prompt whose clauses are known to open a request or not; of one with one request nobody says which does."""

    prompt: GoldPrompt
    found: list[Clause]
    glances: list[list[str]]
    looks: list[list[str]]
    shown: list[list[Fact]]
    names: list[list[str]]
    places: list[int] | None

    @property
    def guess(self) -> list[int]:
        """Where its only request may open."""
        return [next((place for place, clause in enumerate(self.found) if clause.kind in ASKING), 0)]


def labelled(prompt: GoldPrompt) -> Labelled:
    """A prompt with the clauses in which its sub-tasks begin."""
    masked = mask(prompt.prompt)
    text = read(masked)
    stretches = cut(masked, text)
    found = clauses(masked, text, stretches)
    places = None
    if len(prompt.subtasks) > 1 and found:
        ends = np.array([clause.end for clause in found[:-1]])
        places = sorted({int(np.searchsorted(ends, task.start, side="right")) for task in prompt.subtasks})
    seen = [glance(text.pieces, stretch) for stretch in stretches]
    glances = list(map(features, seen))
    looks = [features(facts + look(text.pieces, stretches, place)) for place, facts in enumerate(seen)]
    surroundings = Surroundings(found)
    shown = [surroundings.facts(place) for place in range(len(found))]
    return Labelled(prompt, found, glances, looks, shown, list(map(features, shown)), places)


def train(gold: Sequence[GoldPrompt]) -> dict[str, Any]:
    """Weights of first sight, openings and continuations, learned from labelled prompts.

    Which clause of a prompt with one request opens it is not labelled; it is taken for the one that the weights of
    the round before favour, starting from the first that asks.

    Parameters
    ----------
    gold : sequence of GoldPrompt
        What to learn from.

    Returns
    -------
    dict
        glance, look, opening and continuation, each with weights and the threshold of their sum.
    """
    rows = [each for each in map(labelled, gold) if each.found]
    opening: dict[str, Any] = {}
    for _ in range(ROUNDS):
        opening = _fit([pair for row in rows for pair in _openings(row, opening)])
    continuation = _fit([pair for row in rows for pair in _continuations(row)])
    return {
        "glance": _first_sight(rows),
        "look": _closer_look(rows),
        "opening": opening,
        "continuation": continuation,
    }


def _openings(row: Labelled, content: dict[str, Any]) -> Iterator[Row]:
    """The features of each clause, and whether it opens a request."""
    places = row.places or (_likeliest(row, Weights(content)) if content else row.guess)
    asked = NONE_ASKED
    for place, names in enumerate(row.names):
        yield names + features(of_opening(row.found, place, asked)), place in places
        if place in places:
            asked = asked.then(place)


def _likeliest(row: Labelled, weights: Weights) -> list[int]:
    shown = enumerate(row.shown)
    margins = [weights.margin(facts + of_opening(row.found, place, NONE_ASKED)) for place, facts in shown]
    return [int(np.argmax(margins))]


def _continuations(row: Labelled) -> Iterator[Row]:
    """The features of each clause after an opening, and whether it belongs to the same sub-task."""
    found, places = row.found, row.places or []
    for latest, stop in pairwise([*places, len(found)]):
        for place in range(latest + 1, stop):
            clause = found[place]
            covered = sum(
                max(0, min(clause.end, task.end) - max(clause.start, task.start)) for task in row.prompt.subtasks
            )
            yield features(of_continuation(found, latest, place, stop)), covered > HALF * (clause.end - clause.start)


def _first_sight(rows: Sequence[Labelled]) -> dict[str, Any]:
    """Weights of first sight, with a threshold that overlooks few openings of topics not learned from."""
    pairs = _pairs(rows, [row.glances for row in rows])
    margins = np.concatenate(_unseen(rows, pairs))
    return _fit(pairs, float(np.quantile(margins[[label for _, label in pairs]], OVERLOOKED)), COARSE)


def _closer_look(rows: Sequence[Labelled]) -> dict[str, Any]:
    """Weights of the closer look, with a threshold that misses few prompts of several requests and unseen topics."""
    pairs = _pairs(rows, [row.looks for row in rows])
    second = [
        np.sort(margins)[-2] if len(margins) > 1 else -np.inf
        for row, margins in zip(rows, _unseen(rows, pairs), strict=True)
        if row.places
    ]
    return _fit(pairs, float(np.quantile(second, MISSED, method="lower")), COARSE)


def _pairs(rows: Sequence[Labelled], shown: Iterable[Sequence[list[str]]]) -> list[Row]:
    """The features of each clause, and whether one of several requests opens in it."""
    return [
        (names, place in (row.places or ()))
        for row, each in zip(rows, shown, strict=True)
        for place, names in enumerate(each)
    ]


def _unseen(rows: Sequence[Labelled], pairs: Sequence[Row]) -> list[npt.NDArray[np.float64]]:
    """For each prompt the margins of its clauses, by fits that have not seen its topic."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    matrix, _ = design([names for names, _ in pairs])
    labels = [label for _, label in pairs]
    topics = [row.prompt.topic for row in rows for _ in row.found]
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    margins = cross_val_predict(_logistic(), matrix, labels, groups=topics, cv=folds, method="decision_function")
    return np.split(margins, np.cumsum([len(row.found) for row in rows])[:-1])


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=STRENGTH, solver="liblinear", random_state=SEED)


def _fit(rows: Collection[Row], threshold: float = 0.0, negligible: float = NEGLIGIBLE) -> dict[str, Any]:
    matrix, names = design([names for names, _ in rows])
    fitted = _logistic().fit(matrix, [label for _, label in rows])
    weights = readable(names, fitted.coef_[0], negligible, digits=3)
    return {"threshold": round(threshold - float(fitted.intercept_[0]), 3), "examples": len(rows), "weights": weights}


def main() -> None:
    """Write ``segments.json`` beside this file."""
    path = data_dir() / "gold" / "train.jsonl"
    gold = load_gold(path)
    content = {"data": path.name, "data_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "prompts": len(gold)}
    target = Path(__file__).with_name("segments.json")
    target.write_text(json.dumps({**content, **train(gold)}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
