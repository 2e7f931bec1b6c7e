"""A run with its answers, in a folder and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd

from multillm.bench.manifest import Manifest, RunKind
from multillm.bench.rows import MEASURED, typed_rows
from multillm.errors import BenchmarkError
from multillm.files import replacing
from multillm.resources import data_dir

__all__ = ["JOURNAL", "MANIFEST", "ROWS", "Kept"]

MANIFEST, JOURNAL, ROWS = "manifest.json", "answers.jsonl", "rows.parquet"
ASKED = ["prompt_id", "prompt", "grader", "max_output_tokens"]
ABOUT = [*ASKED[:2], "kind", "task_type", "complexity", *ASKED[2:]]


@dataclass(frozen=True, eq=False)
class Kept:
    """What real models answered, checked, with all that is needed to run it again.

    Attributes
    ----------
    manifest : Manifest
        What was run, on what, where and when.
    rows : DataFrame
        One row for each answer, warm-ups included; columns as in `Benchmark.to_frame`.
    prompts : DataFrame
        As `multillm.prompts_frame` gives them.
    folder : Path or None
        Where the run is kept; None if it is not.
    """

    kind: ClassVar[RunKind]
    manifest: Manifest
    rows: pd.DataFrame
    prompts: pd.DataFrame
    folder: Path | None = None

    @property
    def recording(self) -> Path:
        """Every answer, for `ReplayBackend`.

        Raises
        ------
        BenchmarkError
            If the run was not kept.
        """
        if self.folder is None:
            raise BenchmarkError("this run was not kept; run it with out=FOLDER to have its answers recorded")
        return self.folder / JOURNAL

    @property
    def measured(self) -> pd.DataFrame:
        """The rows without warm-ups."""
        return self.rows[self.rows["phase"] == MEASURED]

    @property
    def lost(self) -> int:
        """Answers lost to failures of the transport."""
        return int((self.measured["quality"].isna() & self.measured["error"].notna()).sum())

    def provenance(self) -> str:
        """Models, prompts, settings, machine and date in a sentence."""
        told, settings = self.manifest, self.manifest.settings
        priced = f"the machine at a shadow price of {settings.machine_usd_per_hour:g} USD per hour"
        servers = ", ".join(dict.fromkeys(m.server for m in told.models.values() if m.server)) or told.backend
        source = told.prompts.source or "prompts made in code"
        at_once = f"{settings.concurrency} at once"
        if told.servers > 1:
            at_once += f" on each of {told.servers} servers"
        return (
            f"{told.prompts.n} prompts of {source} (SHA-256 {told.prompts.sha256:.12}), "
            f"pool {told.pool.name}, {servers}; temperature {settings.temperature:g}, seed {settings.seed}, "
            f"{settings.repeats} repeat{'s' * (settings.repeats > 1)}, {at_once}; {priced}; "
            f"{told.machine.cpu}, {told.machine.cores} cores; {told.started.isoformat()}"
            f"{'; ' if told.note else ''}{told.note}"
        )

    def write(self, folder: str | Path) -> Path:
        """Store manifest and rows in a folder, beside the journal if the run had that folder."""
        folder = Path(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.manifest.write(folder / MANIFEST)
        with replacing(folder / ROWS) as unfinished:
            self.rows.merge(self.prompts[ASKED], how="left").to_parquet(unfinished, index=False)
        return folder

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """Read what a finished run left in its folder.

        Parameters
        ----------
        folder : str or Path
            The folder, or the name of a run that comes with multillm: ``small``, a benchmark.

        Raises
        ------
        BenchmarkError
            If manifest or rows are not there, or are those of another kind of run.
        """
        shipped = data_dir() / "outcomes" / str(folder)
        folder = shipped if shipped.is_dir() else Path(folder)
        manifest = Manifest.read(folder / MANIFEST)
        if manifest.kind != cls.kind:
            raise BenchmarkError(
                f"{folder} holds a run of the kind {manifest.kind!r}, not {cls.kind!r}; read it as that"
            )
        try:
            kept = pd.read_parquet(folder / ROWS)
        except (OSError, ValueError) as error:
            raise BenchmarkError(
                f"{folder / ROWS} cannot be read ({error}); run the same to its end: it goes on where it stopped"
            ) from None
        prompts = kept.loc[kept["phase"] == MEASURED, ABOUT].drop_duplicates("prompt_id", ignore_index=True)
        return cls(manifest, typed_rows(kept), prompts, folder)
