"""Which tables are made: outcomes, what is held out, which figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tqdm import tqdm

from multillm.evaluation import Evaluation, evaluate
from multillm.evaluation.splits import Unit
from multillm.learning import ROUTERS
from multillm.outcomes import Outcomes

__all__ = ["BUDGETS_USD", "EXPERIMENTS", "SEEDS", "Experiment"]

SEEDS = (300, 301, 302, 303, 304)
COMPARED = ("learned", "knn", "clusters", "reference", "litellm")
BUDGETS_USD = (0.0005, 0.001, 0.002, 0.004)
PARAMETERS = {
    "llama3-chatqa-1.5-8b": 8.0,
    "qwen2.5-7b-instruct": 7.0,
    "llama3-chatqa-1.5-70b": 70.0,
    "llama-3.1-nemotron-51b-instruct": 51.0,
    "mistral-7b-instruct-v0.3": 7.0,
    "gemma-2-9b-it": 9.0,
    "llama-3.1-8b-instruct": 8.0,
    "codegemma-7b": 7.0,
    "llama-3.3-nemotron-super-49b-v1": 49.0,
}
"""Shadow price of a prompt where the origin has no costs: the model's parameters in billions, as its name states."""

PAIR = ("apgr", "cpt_50", "cpt_80")
COST = ("quality", "aiq", "cost_95", "gain_at_equal_cost")


@dataclass(frozen=True)
class Experiment:
    """One table: which outcomes, what is held out, which figures.

    Attributes
    ----------
    name : str
        What the table is called.
    data : str
        Public set.
    figures : tuple of str
        Keys of `multillm.evaluation.FIGURES`.
    over : tuple of (str, str, str)
        Differences reported: a figure, another router, that router's figure.
    task_type : str
        Part of the set; empty for all of it.
    by, folds, resampled
        As for `evaluate`.
    prices : mapping of str to float
        Stated cost of a prompt by model, where the origin has none.
    """

    name: str
    data: str
    figures: tuple[str, ...]
    over: tuple[tuple[str, str, str], ...]
    task_type: str = ""
    by: Unit = "prompt"
    folds: int = 5
    resampled: Unit | None = None
    prices: Mapping[str, float] = field(default_factory=dict)

    def outcomes(self, table: Outcomes) -> Outcomes:
        """The part of the set that is used, with its stated costs."""
        part = table.filter(task_types=[self.task_type]) if self.task_type else table
        return part.with_costs(self.prices, "1e9 parameters") if self.prices else part

    def evaluations(self, outcomes: Outcomes, seeds: Sequence[int], today: Callable[[], date]) -> list[Evaluation]:
        """One evaluation for each seed."""
        routers = {name: ROUTERS[name]() for name in COMPARED}
        return [
            evaluate(
                routers,
                outcomes,
                by=self.by,
                folds=self.folds,
                seed=seed,
                resampled=self.resampled,
                perturbation=0.0,
                today=today,
            )
            for seed in tqdm(seeds, desc=self.name, disable=None, leave=False)
        ]


LENGTH = (("apgr", "prompt length", "apgr"),)
ZERO = (("aiq", "zero router", "aiq"), ("aiq", "zero router, fitted", "aiq"))
EXPERIMENTS = (
    Experiment("gsm8k", "routellm", PAIR, LENGTH, task_type="gsm8k"),
    Experiment("mmlu", "routellm", PAIR, LENGTH, task_type="mmlu"),
    Experiment("mmlu-subjects", "routellm", PAIR, LENGTH, task_type="mmlu", by="group"),
    Experiment("routerbench", "routerbench", COST, ZERO),
    Experiment("routerbench-evaluations", "routerbench", COST, ZERO, by="group", folds=2, resampled="prompt"),
    Experiment("llmrouter", "llmrouter", COST, (*ZERO, ("aiq", "best single model", "quality")), prices=PARAMETERS),
    Experiment(
        "llmrouter-tasks",
        "llmrouter",
        COST,
        (*ZERO, ("aiq", "best single model", "quality")),
        by="group",
        resampled="prompt",
        prices=PARAMETERS,
    ),
)
