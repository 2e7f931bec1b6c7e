"""Learn where requests open and end: ``python -m multillm.splitting.train_segments``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import hstack

from multillm.gold import GoldPrompt, load_gold
from multillm.resources import data_dir
from multillm.splitting.arrangement import arrangement
from multillm.splitting.clauses import Clause
from multillm.splitting.cutting import cut
from multillm.splitting.facts import Fact, Weights, features
from multillm.splitting.fitting import (
    NEGLIGIBLE,
    Margins,
    Row,
    design,
    fit,
    fit_design,
    folds,
    logistic,
    readable,
    unseen,
)
from multillm.splitting.heads import Kind
from multillm.splitting.masking import mask
from multillm.splitting.pieces import Piece, read
from multillm.splitting.segmenting import (
    NONE_ASKED,
    SEVERAL,
    Choice,
    best,
    clauses,
    of_continuation,
    of_opening,
    openings,
)
from multillm.splitting.sight import glance, look
from multillm.splitting.surroundings import Surroundings

__all__ = ["Labelled", "labelled", "main", "train"]

ROUNDS = 3
COARSE = 0.2
"""Below which size a weight of first sight is left out."""
OVERLOOKED = 0.03
"""Share of the openings that first sight may overlook."""
MISSED = 0.02
"""Share of the prompts of several requests that the closer look may pass over."""
OVERSPLIT = 0.035
"""Share of the prompts of one request that may be taken for several."""
HALF = 0.5
FIGURES = ("looks", "log_ratio")

Choices = dict[int, tuple[float, list[Choice]]]
"""For each prompt that is looked at more closely what `openings` finds."""


class Labelled(NamedTuple):
    """A prompt whose clauses are known to open a request or not; of one with one request nobody says which does."""

    prompt: GoldPrompt
    pieces: list[Piece]
    found: list[Clause]
    glances: list[list[Fact]]
    shown: list[list[Fact]]
    names: list[list[str]]
    places: list[int] | None

    @property
    def guess(self) -> list[int]:
        """Where its only request may open."""
        asking = [place for place, clause in enumerate(self.found) if clause.kind in (Kind.REQUEST, Kind.QUESTION)]
        return asking[:1] or [0]

    @property
    def writer(self) -> str:
        """Who wrote it, by how its topic begins; for the oldest prompts the topic itself."""
        return self.prompt.topic.partition("-")[0]


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
    glances = [glance(text.pieces, stretch) for stretch in stretches]
    surroundings = Surroundings(found)
    shown = [surroundings.facts(place) for place in range(len(found))]
    return Labelled(prompt, text.pieces, found, glances, shown, list(map(features, shown)), places)


def train(gold: Sequence[GoldPrompt]) -> dict[str, Any]:
    """Weights of every decision on where requests open and end, learned from labelled prompts.

    Which clause of a prompt with one request opens it is not labelled; it is taken for the one that the weights of
    the round before favour, starting from the first that asks. The closer look, the openings, the arrangement and the
    last decision learn from what the decisions before them say of prompts whose writers those have not seen; only the
    last one is told the best choice by arrangement weights that have, and the folds of one do not nest in those of
    another. So no score comes from here: it takes prompts that none of it has seen.

    Parameters
    ----------
    gold : sequence of GoldPrompt
        What to learn from.

    Returns
    -------
    dict
        glance, look, opening, arrangement, several and continuation, each with weights, the threshold of their sum
        and the number of examples; several with the weights of its two figures, looks and log_ratio, too.
    """
    rows = [each for each in map(labelled, gold) if each.found]
    first_sight, margins = _first_sight(rows)
    closer_look, looks = _closer_look(rows, margins)
    opening: dict[str, Any] = {}
    pairs: dict[int, list[Row]] = {}
    for _ in range(ROUNDS):
        pairs = {place: list(_openings(rows[place], opening)) for place in np.flatnonzero(looks > 0).tolist()}
        opening = fit(list(chain.from_iterable(pairs.values())))
    choices = _unseen_choices(rows, pairs, margins)
    whole = _arrangement(rows, choices)
    return {
        "glance": first_sight,
        "look": closer_look,
        "opening": opening,
        "arrangement": whole,
        "several": _several(rows, looks, choices, Weights(whole)),
        "continuation": fit([pair for row in rows for pair in _continuations(row)]),
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


def _first_sight(rows: Sequence[Labelled]) -> tuple[dict[str, Any], list[Margins]]:
    """Weights of first sight, with a threshold that overlooks few openings, and the margins of unseen clauses."""
    matrix, names = design(features(facts) for row in rows for facts in row.glances)
    opens = [place in (row.places or ()) for row in rows for place in range(len(row.glances))]
    margins = unseen(matrix, opens, [row.writer for row in rows for _ in row.glances])
    threshold = float(np.quantile(margins[opens], OVERLOOKED))
    ends = np.cumsum([len(row.glances) for row in rows])
    return fit_design(matrix, names, opens, threshold, COARSE), np.split(margins - threshold, ends[:-1])


def _closer_look(rows: Sequence[Labelled], margins: Sequence[Margins]) -> tuple[dict[str, Any], Margins]:
    """Weights of the closer look, with a threshold that misses few prompts, and the margin of each unseen one.

    Those that first sight passes over have none.
    """
    kept = [place for place, each in enumerate(margins) if sum(each > 0) >= SEVERAL]
    shown = (look(rows[place].pieces, rows[place].glances, margins[place].tolist()) for place in kept)
    matrix, names = design(map(features, shown))
    several = [rows[place].places is not None for place in kept]
    found = unseen(matrix, several, [rows[place].writer for place in kept])
    threshold = float(np.quantile(found[several], MISSED))
    looks = np.full(len(rows), -np.inf)
    looks[kept] = found - threshold
    return fit_design(matrix, names, several, threshold), looks


def _unseen_choices(
    rows: Sequence[Labelled], pairs: Mapping[int, Sequence[Row]], margins: Sequence[Margins]
) -> Choices:
    """The likeliest openings of those prompts that have pairs, by fits that have not seen their writers."""
    found = {}
    places = list(pairs)
    for seen, held in folds([rows[place].writer for place in places]):
        opening = Weights(fit(list(chain.from_iterable(pairs[places[each]] for each in seen))))
        for place in (places[each] for each in held):
            found[place] = openings(rows[place].found, np.flatnonzero(margins[place] > 0).tolist(), opening)
    return {place: found[place] for place in places}


def _arrangement(rows: Sequence[Labelled], choices: Choices) -> dict[str, Any]:
    """Weights of what a choice shows as a whole, in units of the weight of its likelihood.

    With them the right choice is likeliest to be the better one of each pair of it and another (Bradley and Terry
    1952, equation 1, with log-linear strengths).
    """
    right: list[tuple[float, list[str]]] = []
    other: list[tuple[float, list[str]]] = []
    for place, (_, several) in choices.items():
        row = rows[place]
        shown = [(likelihood, features(arrangement(row.found, places))) for likelihood, places in several]
        labels = [places == row.places for _, places in several]
        if any(labels):
            right += [shown[labels.index(True)]] * (len(shown) - 1)
            other += [each for each, label in zip(shown, labels, strict=True) if not label]
    matrix, names = design(shows for _, shows in right + other)
    likelihoods = np.array([[likelihood] for likelihood, _ in right + other])
    figures = hstack([likelihoods, matrix]).tocsr()
    sign = np.resize([1, -1], len(right))
    differences = figures[: len(right)] - figures[len(right) :]
    fitted = logistic(intercept=False).fit(differences.multiply(sign[:, None]), sign)
    unit, *coefficients = fitted.coef_[0]
    weights = readable(names, np.array(coefficients) / unit, NEGLIGIBLE)
    return {"threshold": 0.0, "examples": len(right), "weights": weights}


def _several(rows: Sequence[Labelled], looks: Margins, choices: Choices, whole: Weights) -> dict[str, Any]:
    """Weights of what the best choice of several requests shows, of the closer look's margin and of its likelihood.

    The threshold is such that a given share of the prompts with one request are taken for several.
    """
    looked = list(choices)
    found = [(single, *best(rows[place].found, several, whole)) for place, (single, several) in choices.items()]
    matrix, names = design(features(shown) for *_, shown in found)
    figures = np.column_stack([looks[looked], [likelihood - single for single, likelihood, *_ in found]])
    together = hstack([figures, matrix]).tocsr()
    labels = [rows[place].places is not None for place in looked]
    sums = np.full(len(rows), -np.inf)
    sums[looked] = unseen(together, labels, [rows[place].writer for place in looked])
    alone = [row.places is None for row in rows]
    threshold = float(np.quantile(sums[alone], 1 - OVERSPLIT, method="higher"))
    content = fit_design(together, [*FIGURES, *names], labels, threshold)
    return content | {name: content["weights"].pop(name) for name in FIGURES}


def main() -> None:
    """Write ``segments.json`` beside this file."""
    path = data_dir() / "gold" / "train.jsonl"
    gold = load_gold(path)
    content = {"data": path.name, "data_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "prompts": len(gold)}
    target = Path(__file__).with_name("segments.json")
    target.write_text(json.dumps({**content, **train(gold)}, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
