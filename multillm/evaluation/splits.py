"""Cross-validation folds by prompt or by whole groups."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from multillm.errors import OutcomesError
from multillm.outcomes import Outcomes
from multillm.outcomes.survey import Survey

__all__ = ["Unit", "assign_folds", "draw_folds", "groups_of"]

Unit = Literal["prompt", "group"]


def assign_folds(outcomes: Outcomes, folds: int, rng: np.random.Generator, by: Unit = "prompt") -> npt.NDArray[np.intp]:
    """The fold that each prompt is held out in.

    Parameters
    ----------
    outcomes : Outcomes
        n prompts.
    folds : int
        How many, at least 2.
    rng : Generator
        Source of chance.
    by : {"prompt", "group"}, default "prompt"
        What is held out together: single prompts, or whole groups (subjects, data sets), spread so that folds have
        about the same number of prompts.

    Returns
    -------
    int array of shape [n]
        0 .. folds - 1.

    Raises
    ------
    OutcomesError
        If there are fewer prompts or groups than folds, or prompts without a group.
    """
    return draw_folds(len(outcomes), folds, rng, groups_of(outcomes, by))


def groups_of(outcomes: Outcomes | Survey, by: Unit) -> npt.NDArray[np.str_] | None:
    """The group of each prompt, shape [n], where groups are held out or resampled together; None for single prompts.

    Raises
    ------
    OutcomesError
        If a prompt has none.
    """
    if by == "prompt":
        return None
    groups = outcomes.groups if isinstance(outcomes, Survey) else outcomes.prompts["group"].fillna("").to_numpy(str)
    if without := int((groups == "").sum()):
        raise OutcomesError(f"{without} prompts of {outcomes.name} have no group; hold out and resample by prompt")
    return groups


def draw_folds(
    n: int, folds: int, rng: np.random.Generator, groups: npt.NDArray[np.str_] | None = None
) -> npt.NDArray[np.intp]:
    """The fold of each of n prompts; with groups of shape [n], those of one group have one fold."""
    if groups is None:
        _enough(n, folds, "prompts")
        return rng.permutation(np.arange(n) % folds)
    names, member, size = np.unique(groups, return_inverse=True, return_counts=True)
    _enough(len(names), folds, "groups")
    fold_of, filled = np.empty(len(names), dtype=np.intp), np.zeros(folds)
    for name in sorted(rng.permutation(len(names)), key=lambda place: -size[place]):
        fold_of[name] = filled.argmin()
        filled[fold_of[name]] += size[name]
    return np.asarray(fold_of[member])


def _enough(units: int, folds: int, what: str) -> None:
    if not 2 <= folds <= units:
        raise OutcomesError(f"{folds} folds of {units} {what}; allowed: 2 to {units}")
