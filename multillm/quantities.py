"""The ranges that figures of one kind are held to, wherever they are read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["Amount", "Count", "Finite", "Share"]

Finite = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, lt=2**63)]  # what a database takes
