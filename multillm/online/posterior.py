"""Quality as a Beta posterior for each model and kind of sub-task: the pool's curves and the ratings that came in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from multillm.errors import EstimatorError
from multillm.learning.base import PLACES
from multillm.learning.storage import read_state, write_state
from multillm.markup import html_table
from multillm.metrics.bootstrap import Figures
from multillm.online.evidence import Evidence, Kind, RatedCall, learn, rated_calls
from multillm.registry import ModelSpec, QualityCurve
from multillm.tasks import TaskProfile

__all__ = ["BetaQuality", "check_prior", "credible_bound"]

LEAST = 1e-9


class BetaQuality:
    r"""Expected quality that every rating moves.

    .. math::
        Q_{m,k}(c) \sim \mathrm{Beta}\bigl(w\,\hat Q_m(c) + S,\; w\,(1 - \hat Q_m(c)) + N - S\bigr)

    :math:`\hat Q_m(c)` is the model's curve at the complexity asked about, :math:`w` the pseudo-observations that it is
    worth, and :math:`S` the sum of the N qualities rated for this model and task type. Expected quality is the
    posterior's mean; without ratings it is the curve.

    A quality between 0 and 1 counts as that share of a success. That is the expectation of the Bernoulli trial by which
    Agrawal and Goyal (COLT 2012, arXiv:1111.1797, algorithm 2) turn any reward in 0..1 into 0 or 1; without the trial
    nothing is left to chance. Of all distributions on 0..1 with the same mean the Bernoulli has the greatest variance,
    so the posterior is, if anything, too wide.

    Parameters
    ----------
    models : iterable of ModelSpec
        Whose curves are the prior, such as ``pool.registry``. A model that is not among them is unknown until rated.
    weight : float, default 10
        Pseudo-observations that a curve is worth. With 0 nothing is known of a model until it is rated.
    half_life : float, optional
        Ratings of a kind of sub-task, of whichever model, after which a rating counts half, so that a model that is no
        longer called goes back to its curve (discounted Thompson sampling, Raj and Kalyani, arXiv:1707.09727). Nothing
        is forgotten if left out.
    tiers : bool, default False
        Keep the complexity tiers of a task type apart.

    Raises
    ------
    EstimatorError
        If a parameter is outside what is allowed.

    Notes
    -----
    Without forgetting the order of ratings does not matter, to the last bit: qualities are rounded to multiples of
    2**-30, of which floats add 8 million exactly. With forgetting the order is that of the updates.

    Threads may update and ask at the same time. Processes share a posterior by sharing the store: `rebuild` from its
    rows gives the same one everywhere, and takes in ratings that came late or were changed.
    """

    def __init__(
        self,
        models: Iterable[ModelSpec],
        *,
        weight: float = 10.0,
        half_life: float | None = None,
        tiers: bool = False,
    ) -> None:
        check_prior(weight, half_life)
        self.weight = float(weight)
        self.half_life = half_life
        self.tiers = tiers
        self._curves = {spec.label: spec.quality for spec in models}
        self._evidence: Evidence = {}
        self._ratings = 0
        self._lock = threading.Lock()

    @property
    def ratings(self) -> int:
        """Ratings learnt from, forgotten ones included."""
        return self._ratings

    def update(self, label: str, profile: TaskProfile, quality: float) -> None:
        """Learn from one rating.

        Parameters
        ----------
        label : str
            The model that answered.
        profile : TaskProfile
            The sub-task.
        quality : float
            What the answer was worth, 0..1.

        Raises
        ------
        EstimatorError
            If the label is no string, or quality or complexity is not within 0..1; then nothing is learnt.
        """
        rating = RatedCall(label, str(profile.task_type), str(profile.tier), profile.complexity, quality)
        with self._lock:
            self._ratings += learn(self._evidence, [rating], self._decay, tiers=self.tiers)

    def update_many(self, feedback: pd.DataFrame) -> Self:
        """Learn from the rated calls among the rows of a feedback store, in their order.

        Parameters
        ----------
        feedback : DataFrame
            As `FeedbackStore.frame` gives it, or a part of that. Rows without a quality teach nothing.

        Returns
        -------
        BetaQuality
            Itself.

        Raises
        ------
        EstimatorError
            If a column is not there, or a rated call has a quality or a complexity that is not within 0..1 or lacks its
            task type or tier; then nothing is learnt.
        """
        rated = rated_calls(feedback)
        with self._lock:
            self._ratings += learn(self._evidence, rated, self._decay, tiers=self.tiers)
        return self

    def rebuild(self, feedback: pd.DataFrame) -> Self:
        """Forget everything, and learn from these rows instead; see `update_many`."""
        evidence: Evidence = {}
        ratings = learn(evidence, rated_calls(feedback), self._decay, tiers=self.tiers)
        with self._lock:
            self._evidence, self._ratings = evidence, ratings
        return self

    def beta(self, profile: TaskProfile, labels: Sequence[str]) -> tuple[Figures, Figures, int]:
        """The posterior of each model for a sub-task, and the ratings behind them all.

        Returns
        -------
        successes, failures : float arrays of shape [labels]
            Parameters of the Beta distributions; both 0 where nothing is known.
        ratings : int
            As the property, at the same moment.
        """
        kind = self._kind(str(profile.task_type), str(profile.tier))
        with self._lock:
            known = [self._of(kind, label) for label in labels]
            ratings = self._ratings
        n, rated, _ = np.array(known).reshape(-1, 3).T
        prior = np.array([self._prior(label, profile.complexity) for label in labels]).reshape(-1, 2)
        return prior[:, 0] + rated, prior[:, 1] + n - rated, ratings

    def quality(self, profile: TaskProfile, models: Sequence[ModelSpec]) -> list[float | None]:
        """The posterior's mean (0..1) of each model; None where nothing is known."""
        successes, failures, _ = self.beta(profile, [spec.label for spec in models])
        total = successes + failures
        mean = np.round(successes / np.where(total > 0, total, 1.0), PLACES)
        return [float(figure) if known else None for figure, known in zip(mean, total > 0, strict=True)]

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """What is known of every model and kind of sub-task that has been rated.

        Parameters
        ----------
        level : float, default 0.95
            Mass of the credible intervals, equal tails.

        Returns
        -------
        DataFrame
            label, task_type, tier (str, missing unless tiers are kept apart), n (ratings, less what is forgotten),
            complexity and rated (means over them), prior (the curve at that complexity; missing where there is none),
            quality (the posterior's mean there), low, high.
        """
        with self._lock:
            cells = [(kind, label, found) for kind, by in self._evidence.items() for label, found in by.items()]
        cells.sort(key=lambda cell: cell[:2])
        n, rated, complexity = np.array([found for *_, found in cells]).reshape(-1, 3).T
        at = [(label, float(c)) for (_, label, _), c in zip(cells, complexity / n, strict=True)]
        prior = np.array([self._prior(*each) for each in at]).reshape(-1, 2)
        a, b = prior[:, 0] + rated, prior[:, 1] + n - rated
        return pd.DataFrame(
            {
                "label": [label for _, label, _ in cells],
                "task_type": [task_type for (task_type, _), *_ in cells],
                "tier": [tier or None for (_, tier), *_ in cells],
                "n": n,
                "complexity": complexity / n,
                "rated": rated / n,
                "prior": [
                    self._curves[label](c) if self.weight and label in self._curves else np.nan for label, c in at
                ],
                "quality": a / (a + b),
                "low": credible_bound(a, b, (1 - level) / 2),
                "high": credible_bound(a, b, (1 + level) / 2),
            }
        ).astype({"prior": float})

    def save(self, path: str | Path) -> Path:
        """Store parameters, curves and evidence in one ``.npz`` file: arrays and a JSON header, no pickle."""
        with self._lock:
            cells = [(*kind, label, *found) for kind, by in self._evidence.items() for label, found in by.items()]
            ratings = self._ratings
        learnt = {
            "cells": [cell[:3] for cell in cells],
            "evidence": np.array([cell[3:] for cell in cells], dtype=float).reshape(-1, 3),
            "curves": {label: curve.model_dump() for label, curve in self._curves.items()},
            "ratings": ratings,
        }
        return write_state(Path(path), type(self).__name__, self._parameters(), learnt)

    @classmethod
    def load(cls, path: str | Path) -> BetaQuality:
        """Read what `save` stored; nothing in the file is executed.

        Raises
        ------
        EstimatorError
            If the file holds no such posterior.
        """
        name, parameters, learnt = read_state(Path(path))
        if name != cls.__name__:
            raise EstimatorError(f"{path} holds a {name}, not a {cls.__name__}; read it by load_estimator")
        loaded = cls((), **parameters)
        loaded._curves = {label: QualityCurve(**curve) for label, curve in learnt["curves"].items()}
        loaded._ratings = learnt["ratings"]
        for (task_type, tier, label), found in zip(learnt["cells"], learnt["evidence"], strict=True):
            loaded._evidence.setdefault((task_type, tier), {})[label] = found
        return loaded

    @property
    def _decay(self) -> float:
        return 1.0 if self.half_life is None else 2.0 ** (-1.0 / self.half_life)

    def _parameters(self) -> dict[str, Any]:
        return {"weight": self.weight, "half_life": self.half_life, "tiers": self.tiers}

    def _kind(self, task_type: str, tier: str) -> Kind:
        return task_type, tier if self.tiers else ""

    def _of(self, kind: Kind, label: str) -> Figures:
        """Ratings, sum of quality, sum of complexity; the caller holds the lock."""
        return self._evidence.get(kind, {}).get(label, np.zeros(3))

    def _prior(self, label: str, complexity: float) -> tuple[float, float]:
        """Pseudo-observations of success and failure."""
        if label not in self._curves:
            return 0.0, 0.0
        expected = self._curves[label](complexity)
        return self.weight * expected, self.weight * (1.0 - expected)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {**vars(self), "_evidence": {kind: dict(by) for kind, by in self._evidence.items()}, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        fading = "" if self.half_life is None else f", half-life {self.half_life:g}"
        with self._lock:
            cells = sum(map(len, self._evidence.values()))
        return f"BetaQuality({self._ratings:,} ratings in {cells} cells, curves worth {self.weight:g} each{fading})"

    def _repr_html_(self) -> str:
        frame = self.to_frame().astype(object)
        shown = frame.where(frame.notna(), None).drop(columns=[] if self.tiers else ["tier"])
        columns = [str(column).replace("_", " ") for column in shown]
        return html_table(repr(self), columns, shown.itertuples(index=False, name=None))


def check_prior(weight: float, half_life: float | None) -> None:
    """Raise an EstimatorError unless a prior may be worth this much and ratings may be forgotten at this rate."""
    if not (weight >= 0 and np.isfinite(weight)):
        raise EstimatorError(f"weight is {weight}; allowed are 0 and more pseudo-observations, finite")
    if half_life is not None and not half_life > 0:
        raise EstimatorError(f"half_life is {half_life}; allowed is any number of ratings above 0, or None")


def credible_bound(successes: Figures, failures: Figures, share: float | Figures) -> Figures:
    """Quality below which this share of a Beta distribution lies; a parameter of 0 makes it a point at 0 or 1."""
    return np.asarray(betaincinv(np.maximum(successes, LEAST), np.maximum(failures, LEAST), share))
