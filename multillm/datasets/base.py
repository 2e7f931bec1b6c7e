"""What a public data set is to us: its terms, its files, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch

from multillm.errors import DatasetUnavailable
from multillm.outcomes import Outcomes

__all__ = ["PublicDataset", "download"]


@dataclass(frozen=True)
class PublicDataset:
    """A public set of routing outcomes.

    Attributes
    ----------
    name : str
        What `load_outcomes` calls it.
    title : str
        What it holds, in a sentence.
    licence, citation, source : str
        Terms as the origin states them, reference, home of the data.
    base_url : str
        What every file's address begins with.
    files : mapping of str to str or None
        SHA-256 (``sha256:...``) by path below `base_url` and below the cache; None where the origin's file has no
        known one, which lets any content pass.
    read : callable
        From a file or folder in the origin's layout to a table.
    """

    name: str
    title: str
    licence: str
    citation: str
    source: str
    base_url: str
    files: Mapping[str, str | None]
    read: Callable[[Path], Outcomes]


def download(dataset: PublicDataset, folder: Path) -> Path:
    """Fetch the files that are not yet in a folder, checksums compared.

    Parameters
    ----------
    dataset : PublicDataset
        What to fetch.
    folder : Path
        Where the files go, and where those fetched before are looked for.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DatasetUnavailable
        If a file cannot be fetched or is not the one expected; says where to put it by hand.
    """
    fetcher = pooch.create(path=folder, base_url=dataset.base_url, registry=dict(dataset.files), retry_if_failed=1)
    pooch.get_logger().setLevel("WARNING")
    for file in dataset.files:
        try:
            fetcher.fetch(file, progressbar=not (folder / file).exists())
        except (OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"[:200]
            raise DatasetUnavailable(
                f"{dataset.name}: {dataset.base_url}{file} could not be fetched ({reason}); "
                f"put the file at {folder / file} by hand, or give load_outcomes the path of your own copy"
            ) from None
    return folder
