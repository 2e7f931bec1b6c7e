"""Learning while serving, on outcomes that are known: strategies see only what they chose, regret counts the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import numpy as np
from tqdm import tqdm

from multillm.classification.batch import classify_many
from multillm.errors import OutcomesError
from multillm.metrics.bootstrap import Figures
from multillm.online.regret import REFERENCES, Simulation
from multillm.online.strategies import BestFixed, EpsilonGreedy, Oracle, Random, Static, Strategy, Thompson
from multillm.online.stream import Places, Stream
from multillm.outcomes import Outcomes
from multillm.provenance import today, versions

__all__ = ["STRATEGIES", "simulate"]

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "static curves": Static(),
        "greedy": EpsilonGreedy(),
        "epsilon-greedy": EpsilonGreedy(epsilon=0.1),
        "thompson": Thompson(),
    }
)
"""What is compared unless strategies are given."""

BASELINES: Mapping[str, Strategy] = MappingProxyType(
    dict(zip((*REFERENCES, "random"), (Oracle(), BestFixed(), BestFixed(by_context=True), Random()), strict=True))
)


def simulate(
    outcomes: Outcomes,
    strategies: Mapping[str, Strategy] = STRATEGIES,
    *,
    benchmark: int = 200,
    willingness: float = math.inf,
    by: str = "task_type",
    classifier: str | None = None,
    replaced: Mapping[str, str] | None = None,
    seeds: Sequence[int] = range(20),
    checkpoints: int = 40,
    replicates: int = 1000,
    level: float = 0.95,
    today: Callable[[], date] = today,
) -> Simulation:
    """Stream the prompts of an outcome table past strategies that choose a model for each and learn from its answer.

    Each seed shuffles the prompts. The first are a benchmark: their outcomes are known for every model before the
    stream begins, to fit curves and to know prices; no regret is counted on them. Of every later prompt a strategy
    sees the kind and what its estimators make of it, and afterwards quality and cost of the one model that it chose.
    Prompts that lack an outcome of some model are left out.

    Parameters
    ----------
    outcomes : Outcomes
        What was measured.
    strategies : mapping of str to Strategy
        By name; `multillm.online.STRATEGIES` if left out. The oracle, the best single model, the best model of each
        kind of prompt (both in hindsight) and random choice are added as baselines.
    benchmark : int, default 200
        Prompts of the benchmark; 0 for none, which leaves no curves and, with costs, no prices.
    willingness : float, default infinity
        Cost units paid per unit of quality: utility is quality less cost over willingness.
    by : {"task_type", "group"}, default "task_type"
        Kind of a prompt, for which a posterior of its own is kept. Missing task types are told by the classifier.
    classifier : str, optional
        Tells the kinds of all prompts in place of the table's, as a live router would; ``"learned"``, and then only
        where kinds or complexities are missing, if left out.
    replaced : mapping of str to str, optional
        From the middle of the stream on the second of two models answers in place of the first, at the first's cost.
    seeds : sequence of int, default 0 to 19
        Sources of chance.
    checkpoints : int, default 40
        How often totals are taken along the stream.
    replicates : int, default 1000
        Resamples of the seeds.
    level : float, default 0.95
        Coverage of the intervals.
    today : callable
        Clock for the date shown.

    Returns
    -------
    Simulation
        Regrets with intervals, and how they came about.

    Raises
    ------
    OutcomesError
        If the outcomes do not allow it: too few complete prompts, no costs to weigh, no such model, no group.
    """
    if taken := sorted(set(strategies) & set(BASELINES)):
        raise OutcomesError(f"{', '.join(taken)} is the name of a baseline; rename the strategy")
    if len(set(seeds)) < len(seeds) or not seeds:
        raise OutcomesError(f"seeds are {list(seeds)}; give one or more, each once")
    table, kinds, told = _prepared(outcomes, willingness, by, classifier)
    stream = _stream(table, kinds, benchmark=benchmark, willingness=willingness, replaced=replaced or {}, seeds=seeds)
    prompts = stream.shape[1]
    steps = np.unique(np.linspace(0, prompts, min(checkpoints, prompts) + 1).round().astype(np.intp))[1:]
    totals = {}
    for name, strategy in tqdm({**strategies, **BASELINES}.items(), desc="simulating", disable=None, leave=False):
        chosen = strategy.choices(stream, [np.random.default_rng([seed, 1]) for seed in seeds])
        totals[name] = _totals(stream, chosen, steps)
    return Simulation(
        data=outcomes.name,
        models=table.models,
        seeds=tuple(seeds),
        cost_unit=table.cost_unit if np.isfinite(stream.cost).all() else "",
        kinds={name: "baseline" if name in BASELINES else "strategy" for name in totals},
        steps=steps,
        totals=totals,
        facts={
            "benchmark": benchmark,
            "willingness": f"{willingness:g}",
            "kinds of prompts": f"{stream.contexts} by {f'{classifier} classifier' if classifier else by}",
            **told,
            **({"replaced": ", ".join(f"{old} by {new}" for old, new in replaced.items())} if replaced else {}),
            "replicates": replicates,
            "level": level,
            "sha256": outcomes.sha256(),
            "versions": versions(),
            "date": today().isoformat(),
        },
    )


def _prepared(
    outcomes: Outcomes, willingness: float, by: str, classifier: str | None
) -> tuple[Outcomes, Places, dict[str, str]]:
    """The complete prompts with type and complexity, the number of each one's kind, and what a classifier told."""
    if by not in ("task_type", "group"):
        raise OutcomesError(f"by is {by!r}; choose task_type or group")
    has_cost = bool(outcomes.rows["cost"].notna().any())
    if not has_cost and not math.isinf(willingness):
        raise OutcomesError(f"willingness is {willingness} but {outcomes.name} has no costs; state them by with_costs")
    table = outcomes.complete(("quality", "cost") if has_cost else ("quality",))
    prompts = table.prompts
    kind, complexity = prompts[by].astype(object), prompts["complexity"]
    unsorted, unrated = kind.isna() | bool(classifier), complexity.isna()
    if by == "group" and not classifier and unsorted.any():
        raise OutcomesError(f"{int(unsorted.sum())} prompts of {outcomes.name} have no group; take kinds by task_type")
    facts = {}
    if unsorted.any() or unrated.any():
        text = prompts["prompt"].fillna("").astype(str)
        told = classify_many(text.where(text.str.strip() != "", "unknown"), classifier or "learned")
        kind = kind.mask(unsorted, told["task_type"].astype(object))
        complexity = complexity.fillna(told["complexity"])
        facts[f"told by the {classifier or 'learned'} classifier"] = (
            f"{int(unsorted.sum()):,} kinds, {int(unrated.sum()):,} complexities"
        )
    named = prompts.assign(task_type=kind.astype(str), complexity=complexity)
    typed = Outcomes(table.rows, named, table.name, table.cost_unit)
    return typed, np.unique(kind.astype(str), return_inverse=True)[1], facts


def _stream(
    table: Outcomes,
    kinds: Places,
    *,
    benchmark: int,
    willingness: float,
    replaced: Mapping[str, str],
    seeds: Sequence[int],
) -> Stream:
    """The prompts in each seed's order."""
    if not 0 <= benchmark < len(table):
        raise OutcomesError(f"benchmark is {benchmark}; allowed are 0 to {len(table) - 1} of the complete prompts")
    if benchmark == 0 and not math.isinf(willingness):
        raise OutcomesError(
            "benchmark is 0, which leaves no price known; choose a larger one or an infinite willingness"
        )
    if unknown := sorted({*replaced, *replaced.values()} - set(table.models)):
        raise OutcomesError(f"replaced names {', '.join(unknown)}; the models are {', '.join(table.models)}")
    shuffled = np.stack([np.random.default_rng([seed, 0]).permutation(len(table)) for seed in seeds])
    first, order = shuffled[:, :benchmark], shuffled[:, benchmark:]
    quality, cost = (table.matrix(measure).to_numpy(float) for measure in ("quality", "cost"))
    costless = benchmark == 0 or math.isinf(willingness)
    serving = [table.models.index(replaced.get(model, model)) for model in table.models]
    streamed = quality[order]
    late = slice(order.shape[1] // 2, None)
    streamed[:, late] = streamed[:, late][:, :, serving]
    price = np.zeros((len(seeds), len(table.models))) if costless else cost[first].mean(axis=1) / willingness
    return Stream(table, first, order, kinds[order], streamed, cost[order], price, willingness)


def _totals(stream: Stream, chosen: Places, steps: Places) -> Figures:
    """Utility, quality and cost added up, shape [3, seeds, steps]."""
    measured = (stream.utility, stream.quality, stream.cost)
    got = np.stack([np.take_along_axis(each, chosen[:, :, None], axis=2)[:, :, 0] for each in measured])
    return np.asarray(got.cumsum(axis=2)[:, :, steps - 1])
