"""Weights of features that come with the package, and their sums."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["read_weights", "weigh"]


@cache
def read_weights(name: str) -> Mapping[str, Any]:
    """Content of a model file beside this one, as its training script wrote it."""
    content: dict[str, Any] = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    return content


def weigh(weights: Mapping[str, float], features: Iterable[str]) -> float:
    """The sum of the weights of some features; one without a weight adds nothing."""
    return sum([weights[name] for name in features if name in weights])
