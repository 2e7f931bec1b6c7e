"""Fitted estimators as files: NumPy arrays beside a JSON header, nothing executable."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from multillm.errors import EstimatorError
from multillm.files import replacing

__all__ = ["read_state", "write_state"]

FORMAT = "multillm estimator 1"
SPARSE = ("data", "indices", "indptr", "shape")


def write_state(path: Path, name: str, parameters: Mapping[str, Any], learnt: Mapping[str, Any]) -> Path:
    """Store what an estimator was given and has learnt; a crash leaves the file as it was before, or whole."""
    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, Any] = {}
    for attribute, value in learnt.items():
        if sparse.issparse(value):
            compressed = sparse.csr_matrix(value)
            arrays |= {f"{attribute}.{part}": np.asarray(getattr(compressed, part)) for part in SPARSE}
        elif isinstance(value, np.ndarray):
            arrays[attribute] = value
        else:
            plain[attribute] = value
    try:
        header = json.dumps({"format": FORMAT, "class": name, "parameters": dict(parameters), "learnt": plain})
    except TypeError as error:
        raise EstimatorError(f"{name} cannot be stored: {error}; only plain values and arrays can") from None
    path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, header=np.array(header), **arrays)  # type: ignore[arg-type]  # its stub takes a bool
    return path


def read_state(path: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Class name, parameters and learnt values of a file that `write_state` stored."""
    try:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            arrays = {name: file[name] for name in file.files if name != "header"}
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise EstimatorError(f"{path} is not a stored estimator: {error}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise EstimatorError(f"{path} is not a stored estimator of the format {FORMAT!r}")
    learnt: dict[str, Any] = dict(header["learnt"])
    for name in {name.partition(".")[0] for name in arrays if "." in name}:
        data, indices, indptr, shape = (arrays.pop(f"{name}.{part}") for part in SPARSE)
        learnt[name] = sparse.csr_matrix((data, indices, indptr), shape=tuple(shape))
    return header["class"], header["parameters"], learnt | arrays
