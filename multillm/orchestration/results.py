"""What comes out of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from multillm.completion import Completion
from multillm.errors import MultillmError
from multillm.markup import message_html
from multillm.orchestration.merging import merge
from multillm.rendering import result_html, run_html
from multillm.router import RoutingDecision

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PromptResult", "RunResult", "Status", "SubTaskResult"]

Status = Literal["ok", "truncated", "failed"]


@dataclass(frozen=True, slots=True)
class SubTaskResult:
    """What became of one sub-task: a completion or an error, never both.

    Attributes
    ----------
    index : int
        Position in the prompt, from 0.
    decision : RoutingDecision
        What was chosen and why.
    completion : Completion or None
        The answer; None if there is none.
    error : MultillmError or None
        Why there is no answer.
    started_s, ended_s : float
        When the call began and ended, in seconds from the start of the run.
    """

    index: int
    decision: RoutingDecision
    completion: Completion | None
    error: MultillmError | None
    started_s: float
    ended_s: float

    @property
    def status(self) -> Status:
        """Whether there is a whole answer, part of one, or none."""
        if self.completion is None:
            return "failed"
        return "truncated" if self.completion.truncated else "ok"

    def to_dict(self) -> dict[str, object]:
        """The decision and what came of it as plain values, ready for JSON."""
        return {
            **self.decision.to_dict(),
            "status": self.status,
            "error": None if self.error is None else {"type": type(self.error).__name__, "message": str(self.error)},
            "completion": None if self.completion is None else asdict(self.completion),
            "started_s": self.started_s,
            "ended_s": self.ended_s,
        }

    def to_row(self) -> dict[str, object]:
        """The decision and what came of it as a row of a table."""
        decision, completion = self.decision, self.completion
        profile = decision.profile
        attempts = completion.attempts if completion else getattr(self.error, "attempts", ())
        return {
            "sub_task": profile.text,
            "task_type": str(profile.task_type),
            "complexity": profile.complexity,
            "tier": str(profile.tier),
            "input_tokens": profile.input_tokens,
            "label": decision.label,
            "utility": decision.utility,
            "served_label": completion.label if completion else None,
            "served_model": completion.model if completion else None,
            "attempts": len(attempts),
            "status": self.status,
            "output_tokens": completion.output_tokens if completion else None,
            "latency_s": completion.latency_s if completion else None,
            "cost_units": completion.cost_units if completion else None,
            "cost_usd": completion.cost_usd if completion else None,
        }

    def __repr__(self) -> str:
        took = f"{self.ended_s - self.started_s:.2f} s"
        return f"SubTaskResult({self.decision.profile.text!r} -> {self.decision.label}, {self.status}, {took})"

    def _repr_html_(self) -> str:
        return result_html(self)


@dataclass(frozen=True, slots=True)
class PromptResult:
    """What became of one prompt of many: a run's result or an error, never both.

    Attributes
    ----------
    index : int
        Position among the prompts, from 0.
    prompt : str
        What the user asked.
    result : RunResult or None
        The run; None if there was none.
    error : MultillmError or None
        Why there was none: the prompt cannot be used, or fits no model.
    """

    index: int
    prompt: str
    result: RunResult | None
    error: MultillmError | None

    def __repr__(self) -> str:
        return f"PromptResult({self.index}, {self.result or self.error!r})"

    def _repr_html_(self) -> str:
        return run_html(self.result) if self.result else message_html(f"{self.prompt}: {self.error}")


@dataclass(frozen=True)
class RunResult:
    """A prompt, its routed sub-tasks and the merged answer.

    Attributes
    ----------
    prompt : str
        What the user asked.
    results : tuple of SubTaskResult
        One for each sub-task, in prompt order.
    total_ms : float
        Wall time from the first call to the last answer, in milliseconds.
    run_id : str
        Key of the run's rows in the feedback store.
    backend : str
        Where the models ran.
    started_at : datetime
        When the run began, UTC.
    """

    prompt: str
    results: tuple[SubTaskResult, ...]
    total_ms: float
    run_id: str
    backend: str
    started_at: datetime

    @cached_property
    def merged(self) -> str:
        """The answers as one Markdown document; what failed or was cut short is marked."""
        return merge(self.results)

    @property
    def failed(self) -> tuple[SubTaskResult, ...]:
        """Sub-tasks without an answer."""
        return tuple(result for result in self.results if result.status == "failed")

    @property
    def partial(self) -> bool:
        """Whether some sub-tasks have an answer and others have none, for want of time, budget or a model."""
        return 0 < len(self.failed) < len(self.results)

    @property
    def cost_units(self) -> float:
        """Price of all answers, in the pool's cost units."""
        return sum(result.completion.cost_units for result in self.results if result.completion)

    def routing_table(self) -> pd.DataFrame:
        """One row for each sub-task: what was decided and what came of it.

        Returns
        -------
        DataFrame
            Indexed by sub-task number from 1: sub_task, task_type, complexity, tier, input_tokens
            (estimated), label, utility, served_label, served_model, attempts, status, output_tokens,
            latency_s, cost_units, cost_usd. Missing where there is no answer or no figure.
        """
        import pandas as pd

        frame = pd.DataFrame([result.to_row() for result in self.results])
        counts = {"input_tokens": "Int64", "attempts": "Int64", "output_tokens": "Int64"}
        figures = dict.fromkeys(("complexity", "utility", "latency_s", "cost_units", "cost_usd"), "float64")
        frame.index = pd.RangeIndex(1, len(frame) + 1, name="n")
        return frame.astype(counts | figures)

    def to_dict(self) -> dict[str, object]:
        """The whole run as plain values, ready for JSON."""
        return {
            "run_id": self.run_id,
            "started_at": self.started_at.isoformat(),
            "backend": self.backend,
            "prompt": self.prompt,
            "total_ms": self.total_ms,
            "cost_units": self.cost_units,
            "partial": self.partial,
            "merged": self.merged,
            "results": [result.to_dict() for result in self.results],
        }

    def to_frame(self) -> pd.DataFrame:
        """The routing table."""
        return self.routing_table()

    def __repr__(self) -> str:
        count = f"{len(self.results)} sub-task{'s' * (len(self.results) != 1)}"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        cost = f"{self.cost_units:.6f} cost units"
        return f"RunResult({count}{failed}, {cost}, {self.total_ms:.0f} ms on {self.backend})"

    def _repr_html_(self) -> str:
        return run_html(self)
