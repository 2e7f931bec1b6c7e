"""Task type and complexity of prompts that lack them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from multillm.classification import classify
from multillm.metrics.bootstrap import Figures

__all__ = ["profiled"]


def profiled(prompts: pd.DataFrame, classifier: str) -> tuple[npt.NDArray[np.object_], Figures]:
    """Task type (str) and complexity (0..1) of each prompt, told by a classifier where missing, shape [n] each."""
    kinds = prompts["task_type"].astype(object).to_numpy(copy=True)
    complexity = prompts["complexity"].to_numpy(float, copy=True)
    for place in np.flatnonzero(pd.isna(kinds) | np.isnan(complexity)):
        text = prompts["prompt"].iloc[place]
        profile = classify(text if isinstance(text, str) and text.strip() else "unknown", classifier)
        kinds[place] = str(profile.task_type) if pd.isna(kinds[place]) else kinds[place]
        complexity[place] = profile.complexity if np.isnan(complexity[place]) else complexity[place]
    return kinds, complexity
