"""Logistic regressions over named features, and what they say of prompts whose writers they have not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Margins", "Row", "design", "fit", "fit_design", "folds", "logistic", "readable", "unseen"]

SEED = 20_261_125
FOLDS = 5
STRENGTH = 0.3
LEAST_COUNT = 3
NEGLIGIBLE = 0.08
DIGITS = 3

Row = tuple[list[str], bool]
"""The features of an example, and its label."""
Margins = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


def design(rows: Iterable[Sequence[str]]) -> tuple[Any, npt.NDArray[np.str_]]:
    """A sparse matrix of how often each row shows each feature, and the features' names; rare ones are left out."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer=list, min_df=LEAST_COUNT, dtype=np.float64)
    return vectorizer.fit_transform(rows), vectorizer.get_feature_names_out()


def readable(names: Iterable[str], coefficients: npt.NDArray[np.float64], negligible: float) -> dict[str, float]:
    """The weights by name, rounded, without the negligible ones."""
    return {
        str(name): round(float(weight), DIGITS)
        for name, weight in zip(names, coefficients, strict=True)
        if abs(weight) >= negligible
    }


def fit(rows: Sequence[Row]) -> dict[str, Any]:
    """A logistic regression of labelled rows as a model file has it; see `fit_design`."""
    matrix, names = design(names for names, _ in rows)
    return fit_design(matrix, names, [label for _, label in rows])


def fit_design(
    matrix: Any,
    names: Iterable[str],
    labels: Sequence[bool],
    threshold: float = 0.0,
    negligible: float = NEGLIGIBLE,
) -> dict[str, Any]:
    """A logistic regression as a model file has it.

    Parameters
    ----------
    matrix : sparse matrix of shape [rows, features]
        What each row shows.
    names : iterable of str
        The features.
    labels : sequence of bool
        The rows' labels.
    threshold : float, default 0
        What the log-odds have to exceed.
    negligible : float, default 0.08
        Below which size a weight is left out.

    Returns
    -------
    dict
        threshold of the sum of the weights, examples (number of rows), weights by feature.
    """
    fitted = logistic().fit(matrix, labels)
    return {
        "threshold": round(threshold - float(fitted.intercept_[0]), DIGITS),
        "examples": len(labels),
        "weights": readable(names, fitted.coef_[0], negligible),
    }


def logistic(*, intercept: bool = True) -> Any:
    """The regression that learns where requests open and end."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=STRENGTH, solver="liblinear", fit_intercept=intercept, random_state=SEED)


def folds(writers: Sequence[str]) -> Iterator[tuple[Places, Places]]:
    """What to learn from and what to hold out, no writer in both."""
    from sklearn.model_selection import GroupKFold

    yield from GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(writers, groups=writers)


def unseen(matrix: Any, labels: Sequence[bool], writers: Sequence[str]) -> Margins:
    """The margin of each line of a matrix, by fits that have not seen its writer."""
    wanted = np.asarray(labels)
    margins = np.empty(len(wanted))
    for seen, held in folds(writers):
        margins[held] = logistic().fit(matrix[seen], wanted[seen]).decision_function(matrix[held])
    return margins
