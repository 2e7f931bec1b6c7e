"""The tables of results that this package commits, made anew from the public outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from multillm.datasets import DATASETS, load_outcomes
from multillm.errors import ConfigurationError, DatasetUnavailable
from multillm.evaluation import Evaluation
from multillm.metrics import Estimate, hull_quality
from multillm.outcomes import Outcomes
from multillm.provenance import today
from multillm.reports import markdown_table
from multillm.reproduction.experiments import BUDGETS_USD, EXPERIMENTS, SEEDS, Experiment
from multillm.reproduction.regret import REGRETS, write_regrets
from multillm.reproduction.tables import cell, differences_of, figures_of, markdown_of
from multillm.tuning import tune

__all__ = ["EXPERIMENTS", "REGRETS", "SEEDS", "Experiment", "reproduce"]

HEAD = """# Results

Written by `multillm reproduce --data FOLDER --out data/results`; do not edit. Every router was fitted without the
prompts, or the groups, that it is judged on. Figures are means over the seeds of the folds, intervals are 95 %
bootstrap intervals of that mean over prompts (where so stated over groups), a range after them is over the seeds.
`figures.csv` and `differences.csv` hold all of it. What learning while serving gains and loses is in `regret.md`.

"""


def reproduce(
    folder: Path | None,
    out: Path,
    *,
    only: Iterable[str] = (),
    seeds: Sequence[int] = SEEDS,
    today: Callable[[], date] = today,
) -> list[Path]:
    """Make every table anew.

    Parameters
    ----------
    folder : Path, optional
        Where each public set lies: as a folder of its name in the origin's layout, or as a file whose name begins so.
        If left out, they are downloaded.
    out : Path
        Folder for ``figures.csv``, ``differences.csv``, ``tuning.csv`` and ``README.md``, for ``regret.csv``,
        ``regret.md`` and the curves of regret as pictures.
    only : iterable of str, optional
        Names of experiments, or ``tuning``; all if left out.
    seeds : sequence of int
        Seeds of the folds; figures are means over them.
    today : callable
        Clock for the date shown.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ConfigurationError
        If there is no such experiment.
    DatasetUnavailable
        If a set is not in the folder.
    """
    names = [*(each.name for each in (*EXPERIMENTS, *REGRETS)), "tuning"]
    wanted = set(only) or set(names)
    if unknown := sorted(wanted - set(names)):
        raise ConfigurationError(f"no experiment is called {', '.join(unknown)}; choose from {', '.join(names)}")
    frames: dict[str, list[pd.DataFrame]] = {"figures": [], "differences": [], "tuning": []}
    sections = []
    for experiment in EXPERIMENTS:
        if experiment.name in wanted:
            outcomes = experiment.outcomes(_load(experiment.data, folder))
            each = experiment.evaluations(outcomes, seeds, today)
            mean = Evaluation.averaged(each)
            frames["figures"].append(figures_of(experiment, each))
            frames["differences"].append(differences_of(experiment, mean))
            told = f"{mean.provenance()}; sha256 {outcomes.sha256()}"
            sections.append(f"## {experiment.name}\n\n{told}\n\n{markdown_of(experiment, mean, frames['figures'][-1])}")
    if "tuning" in wanted:
        table, section = _tuned(_load("routerbench", folder), seeds[0], today)
        frames["tuning"].append(table)
        sections.append(section)
    written = []
    if sections:
        written.append(out / "README.md")
        written[-1].write_text(HEAD + "\n\n".join(sections) + "\n", "utf-8")
    if regrets := [each for each in REGRETS if each.name in wanted]:
        written += write_regrets({each: each.simulation(_load(each.data, folder), today) for each in regrets}, out)
    for name, parts in frames.items():
        if parts:
            written.append(out / f"{name}.csv")
            pd.concat(parts, ignore_index=True).to_csv(written[-1], index=False, float_format="%.6g")
    return written


def _load(name: str, folder: Path | None) -> Outcomes:
    """A public set from its folder or file; without a folder it is downloaded."""
    if folder is None:
        return load_outcomes(name)
    # "llmrouter" must not find a file of "llmrouterbench".
    longer = tuple(other for other in DATASETS if other != name and other.startswith(name))
    for place in (folder / name, *sorted(folder.glob(f"{name}*.*"))):
        if place.exists() and not (longer and place.name.startswith(longer)):
            return load_outcomes(name, place)
    raise DatasetUnavailable(f"{folder} holds neither a folder {name} nor a file {name}*; see {DATASETS[name].source}")


def _tuned(outcomes: Outcomes, seed: int, today: Callable[[], date]) -> tuple[pd.DataFrame, str]:
    """Quality within a budget: fitted, held out, and what mixing single models gives for what was spent."""
    complete = outcomes.complete(("quality", "cost"))
    cost, quality = (measure.mean().to_numpy(float) for measure in (complete.cost_matrix(), complete.quality_matrix()))
    rows, cells, provenance = [], [], ""
    for budget in tqdm(BUDGETS_USD, desc="tuning", disable=None, leave=False):
        found = tune(outcomes, "quality", budget, seed=seed, today=today)
        zero = float(hull_quality(np.array(found.cost.value), cost, quality))
        rows.append(
            {
                "budget_usd": budget,
                "fitted_cost_usd": found.fitted_cost,
                "fitted_quality": found.fitted_quality,
                **_bounds("cost_usd", found.cost),
                **_bounds("quality", found.quality),
                "zero_router_quality": zero,
                "n": found.quality.n,
            }
        )
        fitted = f"{found.fitted_cost:.3g}", f"{found.fitted_quality:.3f}"
        cells.append([f"{budget:g}", *fitted, cell(found.cost, "z.3g"), cell(found.quality), f"{zero:.3f}"])
        known = ("data", "sha256", "split", "versions", "date")
        provenance = "; ".join(f"{key}: {found.provenance[key]}" for key in known)
    heads = ["budget, USD per prompt", "cost, fitted", "quality, fitted", "cost, held out", "quality, held out"]
    text = markdown_table([*heads, "zero router at the cost held out, in hindsight"], cells)
    return pd.DataFrame(rows), f'## tuning\n\n`ml.tune(outcomes, "quality", budget)`; {provenance}\n\n{text}'


def _bounds(name: str, found: Estimate) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
