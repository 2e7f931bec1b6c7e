"""How routers are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from multillm.evaluation.splits import Unit

__all__ = ["Setting"]

FOLDS, SLIPS = range(2)
RESAMPLES = 2
TOLD = ("by", "folds", "seed", "resampled", "replicates", "level", "willingness", "pair")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How routers are compared: the parameters of `evaluate`, checked by nobody yet."""

    by: Unit
    resampled: Unit
    folds: int
    seed: int
    baselines: bool
    pair: tuple[str, str] | None
    willingness: float
    perturbation: float
    replicates: int
    level: float
    fit_prompts: int

    @property
    def folds_rng(self) -> np.random.Generator:
        """Source of chance for the folds, from its beginning."""
        return np.random.default_rng([self.seed, FOLDS])

    @property
    def slips_rng(self) -> np.random.Generator:
        """Source of chance for the typing slips, from its beginning."""
        return np.random.default_rng([self.seed, SLIPS])

    @property
    def resamples_rng(self) -> np.random.Generator:
        """Source of chance for the resamples, the same for every seed, from its beginning."""
        return np.random.default_rng(RESAMPLES)

    def told(self) -> Mapping[str, object]:
        """How prompts were held out and resampled, for `Evaluation.split`."""
        values = asdict(self)
        return {name: values[name] for name in TOLD}
