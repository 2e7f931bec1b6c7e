"""Data frames out of pickles of unknown hands, with nothing in them executed."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.compat.pickle_compat import Unpickler  # type: ignore[import-not-found]  # no stub

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


class _FrameUnpickler(Unpickler):  # type: ignore[misc]  # pandas does not type its unpickler
    """Rebuilds a frame of numbers and text; refuses every other name a pickle may call."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in PANDAS | NUMPY | PLAIN:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which a table of numbers and text does not need")
        return super().find_class(module, name)


def read_pickle(path: Path) -> pd.DataFrame:
    """A data frame from a pickle file.

    Only what rebuilds a frame of numbers and text is called. A pickle that names anything else is refused before that
    is imported.

    Raises
    ------
    OutcomesError
        If it is refused or not a frame; says how to convert it.
    """
    try:
        with path.open("rb") as file:
            frame = _FrameUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, ImportError, KeyError) as error:
        raise OutcomesError(
            f"{path} is not read: {error}. A pickle can run any program; if you trust its maker, convert it where you "
            "keep it, pandas.read_pickle(path).to_parquet(new_path), and load the parquet file"
        ) from None
    if not isinstance(frame, pd.DataFrame):
        raise OutcomesError(f"{path} holds a {type(frame).__name__}; a wide table is a pandas DataFrame")
    return frame
