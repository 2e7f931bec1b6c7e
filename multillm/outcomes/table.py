"""The outcome table: what each model made of each prompt, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from multillm.errors import OutcomesError
from multillm.outcomes.calls import rows_and_prompts
from multillm.outcomes.digest import sha256_of
from multillm.outcomes.schema import MEASURES, PROMPT_COLUMNS, check, typed
from multillm.outcomes.storage import read_table, write_table

__all__ = ["Outcomes", "split_frame"]

METADATA = ("name", "cost_unit", "licence", "citation", "source")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was measured: one row per prompt and model, and the prompts themselves.

    A value that was not measured is missing (NaN), never 0.

    Parameters
    ----------
    rows : DataFrame
        One row per prompt and model: `prompt_id`, `model` (str), `quality` (0..1), `cost` (in `cost_unit`),
        `latency_s`, `input_tokens`, `output_tokens` (float64). Measures left out are missing.
    prompts : DataFrame
        One row per prompt: `prompt_id` (str), `prompt` (str), `task_type` (str), `complexity` (0..1),
        `group` (str: subject or data set, what is held out together). All but `prompt_id` may be missing.
    name : str
        What the table is called.
    cost_unit : str
        Unit of `cost`: ``USD``, ``cost units``, ``s``...; needed as soon as one cost is known.
    licence, citation, source : str
        Terms, reference and origin of the data; empty for one's own.

    Raises
    ------
    OutcomesError
        If the tables break this schema; names row, column and value.

    Examples
    --------
    >>> rows = pd.DataFrame({"prompt_id": ["a", "a"], "model": ["light", "heavy"], "quality": [0.0, 1.0]})
    >>> Outcomes(rows, pd.DataFrame({"prompt_id": ["a"], "prompt": ["What is a mutex?"]}), name="mine")
    Outcomes('mine', 1 prompt x 2 models, quality of 2 rows measured, no cost)
    """

    rows: pd.DataFrame
    prompts: pd.DataFrame
    name: str = "outcomes"
    cost_unit: str = ""
    licence: str = ""
    citation: str = ""
    source: str = ""
    models: tuple[str, ...] = field(init=False)
    """Models in order of first appearance."""

    def __post_init__(self) -> None:
        rows = typed(self.rows, text=("prompt_id", "model"), numbers=MEASURES, table="rows")
        prompts = typed(
            self.prompts, text=("prompt_id", "prompt", "task_type", "group"), numbers=("complexity",), table="prompts"
        )[list(PROMPT_COLUMNS)]
        check(rows, prompts, self.cost_unit)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "prompts", prompts)
        object.__setattr__(self, "models", tuple(rows["model"].unique()))

    @classmethod
    def from_matrices(
        cls,
        prompts: pd.DataFrame,
        quality: pd.DataFrame,
        cost: pd.DataFrame | None = None,
        name: str = "outcomes",
        cost_unit: str = "",
    ) -> Outcomes:
        """A table from one row per prompt and one column per model.

        Parameters
        ----------
        prompts : DataFrame
            As for the class, n rows.
        quality, cost : DataFrame
            Shape [n, models], rows in the order of `prompts`, columns named by model.
        name, cost_unit : str
            As for the class.

        Returns
        -------
        Outcomes
            Models in the order of the columns of `quality`.
        """
        models = list(quality.columns)
        rows = pd.DataFrame(
            {
                "prompt_id": np.repeat(prompts["prompt_id"].astype(str).to_numpy(), len(models)),
                "model": models * len(prompts),
                "quality": quality.to_numpy(float).ravel(),
                "cost": np.nan if cost is None else cost.reindex(columns=models).to_numpy(float).ravel(),
            }
        )
        return cls(rows, prompts, name=name, cost_unit=cost_unit)

    @classmethod
    def from_feedback(cls, feedback: pd.DataFrame, name: str = "feedback", cost_unit: str = "cost units") -> Outcomes:
        """A table from the rows of a feedback store.

        A prompt is one text of a sub-task, known by its SHA-256, a model the label that answered. Where one label took
        a prompt more than once, measures are averaged. Calls that no label answered are left out: they measure no
        model. Quality is missing unless rated; latency is missing after a fallback, since it counts the calls that
        failed before.

        Parameters
        ----------
        feedback : DataFrame
            As `FeedbackStore.frame` gives it, or a part of that.
        name : str, default "feedback"
            What the table is called.
        cost_unit : {"cost units", "USD"}
            Whether costs are taken from `cost_units` or from `cost_usd`.

        Raises
        ------
        OutcomesError
            If a column is not there, the unit is another, or no call was answered.
        """
        rows, prompts = rows_and_prompts(feedback, cost_unit)
        return cls(rows, prompts, name=name, cost_unit=cost_unit)

    @classmethod
    def concat(cls, tables: Sequence[Outcomes], name: str = "outcomes") -> Outcomes:
        """One table from several that share a cost unit and no prompt id."""
        units = sorted({table.cost_unit for table in tables if table.rows["cost"].notna().any()})
        if len(units) > 1:
            raise OutcomesError(f"costs in {' and '.join(units)} do not add up; bring them to one unit by with_costs")
        return cls(
            pd.concat([table.rows for table in tables], ignore_index=True),
            pd.concat([table.prompts for table in tables], ignore_index=True),
            name=name,
            cost_unit=units[0] if units else "",
            licence="; ".join(dict.fromkeys(t.licence for t in tables if t.licence)),
            citation="; ".join(dict.fromkeys(t.citation for t in tables if t.citation)),
            source="; ".join(dict.fromkeys(t.source for t in tables if t.source)),
        )

    def matrix(self, measure: str) -> pd.DataFrame:
        """One measure as a matrix.

        Parameters
        ----------
        measure : str
            ``quality``, ``cost``, ``latency_s``, ``input_tokens`` or ``output_tokens``.

        Returns
        -------
        DataFrame
            Shape [prompts, models], float64, indexed by `prompt_id` in the order of `prompts`; missing is NaN.
        """
        if measure not in MEASURES:
            raise OutcomesError(f"no measure is called {measure!r}; choose one of {', '.join(MEASURES)}")
        wide = self.rows.pivot(index="prompt_id", columns="model", values=measure)
        wide = wide.reindex(index=self.prompts["prompt_id"], columns=list(self.models))
        return wide.rename_axis(columns="model")

    def quality_matrix(self) -> pd.DataFrame:
        """Quality (0..1), shape [prompts, models]; see `matrix`."""
        return self.matrix("quality")

    def cost_matrix(self) -> pd.DataFrame:
        """Cost in `cost_unit`, shape [prompts, models]; see `matrix`."""
        return self.matrix("cost")

    def filter(
        self,
        models: Iterable[str] | None = None,
        task_types: Iterable[str] | None = None,
        groups: Iterable[str] | None = None,
    ) -> Outcomes:
        """The rows of some models, task types or groups; models keep the order given."""
        prompts, rows = self.prompts, self.rows
        if task_types is not None:
            prompts = prompts[prompts["task_type"].isin(list(task_types))]
        if groups is not None:
            prompts = prompts[prompts["group"].isin(list(groups))]
        if models is not None:
            order = list(models)
            rows = rows[rows["model"].isin(order)].sort_values(
                "model", key=lambda names: names.map(order.index), kind="stable"
            )
        rows = rows[rows["prompt_id"].isin(prompts["prompt_id"])]
        prompts = prompts[prompts["prompt_id"].isin(rows["prompt_id"])]
        if prompts.empty:
            raise OutcomesError(f"nothing of {self.name} is left; it has {_offer(self)}")
        return replace(self, rows=rows, prompts=prompts)

    def take(self, positions: np.ndarray) -> Outcomes:
        """The prompts at some positions (int array, or bool mask over all prompts), in that order."""
        prompts = self.prompts.iloc[np.flatnonzero(positions) if positions.dtype == bool else positions]
        rows = self.rows[self.rows["prompt_id"].isin(prompts["prompt_id"])]
        return replace(self, rows=rows, prompts=prompts)

    def complete(self, measures: Sequence[str] = ("quality",)) -> Outcomes:
        """Only the prompts of which every model has every one of these measures."""
        known = np.ones(len(self), dtype=bool)
        for measure in measures:
            known &= self.matrix(measure).notna().all(axis=1).to_numpy()
        if not known.any():
            raise OutcomesError(
                f"no prompt of {self.name} has {' and '.join(measures)} for all of {', '.join(self.models)}; "
                "filter the models, or state costs by with_costs"
            )
        return self.take(known)

    def rename(self, models: Mapping[str, str]) -> Outcomes:
        """The table with some models under other names, such as the labels of a pool."""
        return replace(self, rows=self.rows.assign(model=self.rows["model"].replace(dict(models))))

    def with_costs(self, by_model: Mapping[str, float], unit: str) -> Outcomes:
        """The table with one stated cost per prompt for each model, such as a shadow price.

        Parameters
        ----------
        by_model : mapping of str to float
            Cost of one prompt by model, in `unit`.
        unit : str
            What the costs are counted in.
        """
        without = [model for model in self.models if model not in by_model]
        if without:
            raise OutcomesError(f"no cost is stated for {', '.join(without)}; give one for every model of the table")
        costs = {model: float(by_model[model]) for model in self.models}
        return replace(self, rows=self.rows.assign(cost=self.rows["model"].map(costs)), cost_unit=unit)

    def summary(self) -> pd.DataFrame:
        """Each model in figures.

        Returns
        -------
        DataFrame
            Indexed by model: `n` (rows), `n_quality` and `n_cost` (measured), means of quality and cost,
            total cost, median latency in s, mean tokens.
        """
        grouped = self.rows.groupby("model", sort=False)
        table = pd.DataFrame(
            {
                "n": grouped.size(),
                "n_quality": grouped["quality"].count(),
                "n_cost": grouped["cost"].count(),
                "quality": grouped["quality"].mean(),
                "cost": grouped["cost"].mean(),
                "total_cost": grouped["cost"].sum(min_count=1),
                "median_latency_s": grouped["latency_s"].median(),
                "input_tokens": grouped["input_tokens"].mean(),
                "output_tokens": grouped["output_tokens"].mean(),
            }
        )
        return table.reindex(list(self.models))

    def to_frame(self) -> pd.DataFrame:
        """Rows with their prompts' columns beside them, one row per prompt and model."""
        return self.rows.merge(self.prompts, on="prompt_id", how="left")

    def sha256(self) -> str:
        """SHA-256 of rows, prompts and cost unit (64 hexadecimal digits), whatever the order of the rows."""
        named = pd.DataFrame({"cost_unit": [self.cost_unit]})
        return sha256_of(((self.rows, ("prompt_id", "model")), (self.prompts, ("prompt_id",)), (named, ("cost_unit",))))

    def write(self, path: str | Path) -> Path:
        """Store the table with its metadata in one ``.parquet`` or ``.csv`` file; a crash leaves the one before.

        A CSV file starts with one line of metadata, ``# multillm outcomes {...}``.
        """
        write_table(self.to_frame(), {key: getattr(self, key) for key in METADATA}, Path(path))
        return Path(path)

    @classmethod
    def read(cls, path: str | Path) -> Outcomes:
        """Read a table that `write` stored.

        Raises
        ------
        OutcomesError
            If the file is not there or not such a table.
        """
        frame, metadata = read_table(Path(path))
        rows, prompts = split_frame(frame)
        return cls(rows, prompts, **{key: str(metadata.get(key, "")) for key in METADATA})

    def __len__(self) -> int:
        return len(self.prompts)

    def __repr__(self) -> str:
        count = f"{len(self)} prompt{'s' if len(self) != 1 else ''} x {len(self.models)} models"
        cost = f"cost in {self.cost_unit}" if self.rows["cost"].notna().any() else "no cost"
        return f"Outcomes({self.name!r}, {count}, quality of {self.rows['quality'].count()} rows measured, {cost})"

    def _repr_html_(self) -> str:
        terms = " · ".join(text for text in (self.licence, self.citation, self.source) if text)
        return f"<p>{escape(repr(self))}<br><small>{escape(terms)}</small></p>" + self.summary().to_html(border=0)


def split_frame(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and prompts of a table as `Outcomes.to_frame` gives it."""
    rows = frame.reindex(columns=["prompt_id", "model", *MEASURES])
    return rows, frame.reindex(columns=list(PROMPT_COLUMNS)).drop_duplicates("prompt_id", ignore_index=True)


def _offer(outcomes: Outcomes) -> str:
    kinds = {f"{column}s": tuple(outcomes.prompts[column].dropna().unique()) for column in ("task_type", "group")}
    kinds = {"models": outcomes.models, **kinds}
    return "; ".join(f"{kind} {', '.join(values[:12])}" for kind, values in kinds.items() if values)
