"""Data frames out of pickles of unknown hands, with nothing in them executed."""

from __future__ import annotations

import math
import pickle
import reprlib
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.compat.pickle_compat import Unpickler  # type: ignore[import-not-found]  # no stub
from pandas.core.internals import BlockManager  # type: ignore[import-not-found]  # no stub

from multillm.errors import OutcomesError

__all__ = ["read_pickle"]

PANDAS = {
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.core.internals.blocks", "new_block"),
    ("pandas.core.internals.managers", "BlockManager"),
    ("pandas.core.indexes.base", "_new_Index"),
    *((package, "DataFrame") for package in ("pandas", "pandas.core.frame")),
    *((package, "Index") for package in ("pandas", "pandas.core.indexes.base")),
    *((package, "RangeIndex") for package in ("pandas", "pandas.core.indexes.range")),
}
NUMPY = {
    (f"{package}.{module}", name)
    for package in ("numpy.core", "numpy._core")
    for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
} | {("numpy", "ndarray"), ("numpy", "dtype")}
PLAIN = {("builtins", "slice"), ("__builtin__", "slice"), ("_codecs", "encode")}
KINDS = frozenset("biufOSU")
NATIVE = frozenset(["|", "=", "<" if sys.byteorder == "little" else ">"])
STATEFUL = (pd.DataFrame, BlockManager, np.ndarray, np.dtype)


class _FrameUnpickler(Unpickler):  # type: ignore[misc]  # pandas does not type its unpickler
    """Rebuilds a frame of numbers and text; refuses every other name a pickle may call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in PANDAS | NUMPY | PLAIN:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which a table of numbers and text does not need")
        return super().find_class(module, name)

    dispatch = Unpickler.dispatch.copy()

    def load_build(self) -> None:
        """Give an object its state, if it is one that a table is made of and the state fits it."""
        made, state = self.stack[-2:]
        if not isinstance(made, STATEFUL):
            raise pickle.UnpicklingError(f"it wants to change a {type(made).__name__}, which no table does")
        if isinstance(made, np.dtype):
            _check_layout(made, state)
            self.stack.pop()  # which leaves it as its name made it
            return
        if isinstance(made, np.ndarray):
            _check_content(*state)
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build

    def load_bytearray8(self) -> None:
        """Read bytes that are there; pickle itself makes room for as many as the file says."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(length)))

    dispatch[pickle.BYTEARRAY8[0]] = load_bytearray8


def _check_layout(dtype: np.dtype[Any], state: Any) -> None:
    """See that a pickled data type says nothing about memory that its name does not."""
    _, byte_order, *layout = state
    if dtype.kind not in KINDS or byte_order not in NATIVE or any(layout[:3]):
        raise pickle.UnpicklingError(f"it lays out memory as {dtype}, {reprlib.repr(state)}, which no table needs")


def _check_content(_: int, shape: tuple[int, ...], dtype: np.dtype[Any], __: bool, content: Any) -> None:
    """See that an array has as much content as its shape says, since NumPy does not look."""
    size = math.prod(shape) * (1 if dtype.kind == "O" else dtype.itemsize)
    if dtype.kind not in KINDS or min(shape, default=0) < 0 or len(content) != size:
        raise pickle.UnpicklingError(f"an array of the shape {reprlib.repr(shape)} has content of another length")


def _check_blocks(frame: pd.DataFrame) -> None:
    """See that the blocks that a frame is made of cover its columns and rows, since pandas does not look."""
    blocks = frame._mgr.blocks  # pandas has no public way to them
    rows, columns = frame.shape
    places = sorted(int(place) for block in blocks for place in block.mgr_locs.as_array)
    if places != list(range(columns)) or any(block.shape != (len(block.mgr_locs), rows) for block in blocks):
        raise pickle.UnpicklingError("its columns do not cover the table")


def read_pickle(path: Path) -> pd.DataFrame:
    """A data frame from a pickle file.

    Only what rebuilds a frame of numbers and text is called, and only what it makes is changed. A pickle that names
    anything else is refused before that is imported.

    Raises
    ------
    OutcomesError
        If it is refused or not a frame; says how to convert it.
    """
    try:
        with path.open("rb") as file:
            frame = _FrameUnpickler(file).load()
        if isinstance(frame, pd.DataFrame):
            _check_blocks(frame)
    except Exception as error:  # noqa: BLE001  # a broken pickle can raise anything, from MemoryError to IndexError
        reason = str(error) or type(error).__name__
        raise OutcomesError(
            f"{path} is not read: {reason}. A pickle can run any program; if you trust its maker, convert it where you "
            "keep it, pandas.read_pickle(path).to_parquet(new_path), and load the parquet file"
        ) from None
    if not isinstance(frame, pd.DataFrame):
        raise OutcomesError(f"{path} holds a {type(frame).__name__}; a wide table is a pandas DataFrame")
    return frame
