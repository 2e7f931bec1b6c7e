"""Public sets of routing outcomes, each read in its origin's own format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from multillm.datasets.base import PublicDataset, download
from multillm.datasets.llmrouter import LLMROUTER
from multillm.datasets.llmrouterbench import LLMROUTERBENCH
from multillm.datasets.routellm import ROUTELLM
from multillm.datasets.routerarena import ROUTERARENA
from multillm.datasets.routerbench import ROUTERBENCH
from multillm.errors import DatasetUnavailable, OutcomesError
from multillm.outcomes import Outcomes
from multillm.resources import cache_dir

__all__ = ["DATASETS", "PublicDataset", "load_outcomes"]

DATASETS = {d.name: d for d in (ROUTELLM, ROUTERBENCH, LLMROUTER, LLMROUTERBENCH, ROUTERARENA)}


def load_outcomes(name: str | Path, path: str | Path | None = None, cache: str | Path | None = None) -> Outcomes:
    """Load a public set of outcomes, or a table of one's own.

    Parameters
    ----------
    name : str or Path
        ``routellm``, ``routerbench``, ``llmrouter``, ``llmrouterbench`` or ``routerarena``; or the path of a file
        that `Outcomes.write` stored.
    path : str or Path, optional
        File or folder in the origin's layout. If left out, the files are downloaded once.
    cache : str or Path, optional
        Folder for downloads; multillm's cache folder if left out.

    Returns
    -------
    Outcomes
        The table, with licence, citation and source.

    Raises
    ------
    DatasetUnavailable
        If the files are neither there nor to be downloaded; says where to put them by hand.
    OutcomesError
        If there is no such set, or its files are not in the origin's format.
    """
    if Path(name).suffix in {".parquet", ".csv"} and path is None:
        return Outcomes.read(name)
    if str(name) not in DATASETS:
        raise OutcomesError(
            f"no public set is called {str(name)!r}; choose one of {', '.join(DATASETS)}, or give the path of a "
            ".parquet or .csv file that Outcomes.write stored"
        )
    dataset = DATASETS[str(name)]
    if path is None:
        folder = download(dataset, (Path(cache) if cache else cache_dir()) / dataset.name)
    elif not Path(path).exists():
        raise DatasetUnavailable(f"{dataset.name}: {path} is not there; see {dataset.source}")
    else:
        folder = Path(path)
    try:
        outcomes = dataset.read(folder)
    except OutcomesError:
        raise
    except Exception as error:
        raise OutcomesError(
            f"{folder} is not in the format of {dataset.name}: {type(error).__name__}: {error}; see {dataset.source}"
        ) from error
    return replace(outcomes, licence=dataset.licence, citation=dataset.citation, source=dataset.source)
