"""Rows of weights, a whole number for each column, packed into one, so that rows add up in a single sum."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from multillm.tasks import ComplexityTier, TaskType

__all__ = ["COLUMNS", "TIERS", "TYPES", "pack", "unpack"]

TYPES = tuple(TaskType)
TIERS = tuple(ComplexityTier)[:-1]
COLUMNS = (*map(str, TYPES), *(f"above {tier.lower()}" for tier in TIERS))
WIDTH = len(COLUMNS)
BITS = 64
HALF = 1 << (BITS - 1)
LANES = Struct(f"<{WIDTH}Q")
UPWARDS = sum(HALF << (BITS * place) for place in range(WIDTH))
"""Makes every lane positive, so that none borrows of the next."""


def pack(row: Sequence[int]) -> int:
    """A row as one number; the sum of packed rows is the packed sum of the rows."""
    return int.from_bytes(LANES.pack(*[value + HALF for value in row]), "little") - UPWARDS


def unpack(packed: int) -> list[int]:
    """The numbers of a packed row, each within 63 bits."""
    return [lane - HALF for lane in LANES.unpack((packed + UPWARDS).to_bytes(LANES.size, "little"))]
