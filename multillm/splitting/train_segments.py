"""Learn where requests open and end: ``python -m multillm.splitting.train_segments``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from multillm.gold import GoldPrompt, load_gold
from multillm.resources import data_dir
from multillm.splitting.clauses import clauses
from multillm.splitting.heads import Kind
from multillm.splitting.masking import mask
from multillm.splitting.segmenting import Context, of_continuation, of_opening
from multillm.splitting.train import design, readable
from multillm.splitting.weights import weigh

__all__ = ["main", "train"]

SEED = 20_261_125
STRENGTH = 0.3
ROUNDS = 3
NEGLIGIBLE = 0.02
THRESHOLD = 0.3
HALF = 0.5


class Labelled(NamedTuple):
    """A prompt whose clauses are known to open a request or not; of one with one request nobody says which does."""

    prompt: GoldPrompt
    context: Context
    places: list[int] | None

    @property
    def guess(self) -> list[int]:
        """Where its only request may open."""
        asking = (Kind.REQUEST.value, Kind.QUESTION.value)
        kinds = [clause.kind for clause in self.context.clauses]
        return [next((place for place, kind in enumerate(kinds) if kind in asking), 0)]


def labelled(prompt: GoldPrompt) -> Labelled:
    """A prompt with the clauses in which its sub-tasks begin."""
    masked = mask(prompt.prompt)
    context = Context(masked, clauses(masked))
    if len(prompt.subtasks) == 1 or not context.clauses:
        return Labelled(prompt, context, None)
    ends = np.array([clause.end for clause in context.clauses])
    places = {int(np.argmax(ends > task.start)) if task.start < ends[-1] else len(ends) - 1 for task in prompt.subtasks}
    return Labelled(prompt, context, sorted(places))


def train(gold: Sequence[GoldPrompt]) -> dict[str, Any]:
    """Weights of openings and continuations, learned from labelled prompts.

    Which clause of a prompt with one request opens it is not labelled; it is taken for the one that the weights of
    the round before favour, starting from the first that asks.

    Parameters
    ----------
    gold : sequence of GoldPrompt
        What to learn from.

    Returns
    -------
    dict
        opening and continuation, each with weights and the threshold of their sum.
    """
    rows = [each for each in map(labelled, gold) if each.context.clauses]
    opening: dict[str, Any] = {}
    for _ in range(ROUNDS):
        opening = _fit([pair for row in rows for pair in _openings(row, opening)], THRESHOLD)
    return {"opening": opening, "continuation": _fit([pair for row in rows for pair in _continuations(row)], 0.0)}


def _openings(row: Labelled, weights: dict[str, Any]) -> Iterator[tuple[list[str], bool]]:
    """Features of each clause and whether it opens a request."""
    found = row.context.clauses
    places = row.places or (_likeliest(row, weights) if weights else row.guess)
    asked: list[int] = []
    for place, clause in enumerate(found):
        distance = place - asked[-1] if asked else 0
        given = of_opening(clause, [found[each] for each in asked], distance, place + 1 == len(found))
        yield [*row.context.shown[place], *given], place in places
        if place in places:
            asked.append(place)


def _likeliest(row: Labelled, content: dict[str, Any]) -> list[int]:
    weights, found = content["weights"], row.context.clauses
    sums = [
        weigh(weights, row.context.shown[place]) + weigh(weights, of_opening(clause, [], 0, place + 1 == len(found)))
        for place, clause in enumerate(found)
    ]
    return [int(np.argmax(sums))]


def _continuations(row: Labelled) -> Iterator[tuple[list[str], bool]]:
    """Features of each clause after an opening and whether it belongs to the same sub-task."""
    found, places = row.context.clauses, row.places or []
    for latest, stop in pairwise([*places, len(found)]):
        for place in range(latest + 1, stop):
            features = of_continuation(found, latest, place, stop < len(found), place + 1 == stop < len(found))
            clause = found[place]
            covered = sum(
                max(0, min(clause.end, task.end) - max(clause.start, task.start)) for task in row.prompt.subtasks
            )
            yield [*row.context.shown[place], *features], covered > HALF * (clause.end - clause.start)


def _fit(pairs: Collection[tuple[list[str], bool]], threshold: float) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    matrix, names = design([features for features, _ in pairs])
    fitted = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=SEED).fit(
        matrix, [label for _, label in pairs]
    )
    weights = readable(names, fitted.coef_[0], NEGLIGIBLE, digits=3)
    return {"threshold": round(threshold - float(fitted.intercept_[0]), 3), "examples": len(pairs), "weights": weights}


def main() -> None:
    """Write ``segments.json`` beside this file."""
    path = data_dir() / "gold" / "train.jsonl"
    gold = load_gold(path)
    content = {"data": path.name, "data_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "prompts": len(gold)}
    target = Path(__file__).with_name("segments.json")
    target.write_text(json.dumps({**content, **train(gold)}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
