"""What learning while serving gains and loses on the public outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd

from multillm.learning import LearnedQuality
from multillm.online import STRATEGIES, EpsilonGreedy, Refitted, Simulation, Static, Strategy, Thompson, simulate
from multillm.online.regret import REFERENCES
from multillm.outcomes import Outcomes
from multillm.plots import plot_regret
from multillm.reports import draw, markdown_table
from multillm.reproduction.experiments import PARAMETERS

__all__ = ["REGRETS", "Regret", "write_regrets"]

HEAD = """# Regret of learning while serving

Written by `multillm reproduce --data FOLDER --out data/results`; do not edit. Each seed shuffles the prompts; the first
200 are a benchmark of which all outcomes are known, the rest come one by one, and of each only the answer of the model
chosen is seen. Utility is quality less cost over willingness; a prompt to the dearest model costs about a tenth of a
right answer. Regret is what the reference got less what the strategy got, added up over the stream, in units of
quality; below 0 the strategy got more. `static curves` are fitted to the benchmark and stay. The oracle and the best
models are chosen in hindsight. Intervals are 95 % bootstrap intervals of the mean over the seeds: they tell the chance
of order, benchmark and exploring on these very prompts, not that of other prompts. `regret.csv` has each quarter of the
streams.

"""
STATIC = "static curves"
AGAINST = (*REFERENCES, STATIC)
CHECKPOINTS = 40
ROUTELLM_USD = {"mixtral-8x7b-instruct-v0.1": 0.24, "gpt-4-1106-preview": 24.7}
"""USD per million tokens (arXiv:2406.18665), as the stated cost of a prompt."""


@dataclass(frozen=True, eq=False)
class Regret:
    """One table: which outcomes, at which willingness to pay, in which circumstances.

    Attributes
    ----------
    name, data : str
        What the table is called; the public set.
    willingness : float
        Cost units paid per unit of quality.
    strategies : mapping of str to Strategy
        What is compared.
    costs : (mapping of str to float, str)
        Stated cost of a prompt by model and its unit, where the origin has none.
    classifier : str or None
        What tells the kinds of prompts; None for the table's own task types.
    replaced : mapping of str to str
        Models that others answer for in the second half.
    seeds : sequence of int
        Streams.
    pictured : bool
        Whether the curves are drawn.
    """

    name: str
    data: str
    willingness: float
    strategies: Mapping[str, Strategy]
    costs: tuple[Mapping[str, float], str] | None = None
    classifier: str | None = None
    replaced: Mapping[str, str] | None = None
    seeds: Sequence[int] = range(20)
    pictured: bool = False

    def simulation(self, outcomes: Outcomes, today: Callable[[], date]) -> Simulation:
        """The strategies on the streams; a table smaller than usual has a smaller benchmark."""
        return simulate(
            outcomes.with_costs(*self.costs) if self.costs else outcomes,
            self.strategies,
            benchmark=min(200, len(outcomes) // 4),
            willingness=self.willingness,
            classifier=self.classifier,
            replaced=self.replaced,
            seeds=self.seeds,
            checkpoints=CHECKPOINTS,
            today=today,
        )


def _compared(floor: float) -> dict[str, Strategy]:
    return {
        **STRATEGIES,
        "greedy, curves worth 100": EpsilonGreedy(weight=100.0),
        "thompson, curves worth 100": Thompson(weight=100.0),
        f"thompson, floor {floor:g}": Thompson(floor=floor),
        "thompson, half-life 500": Thompson(half_life=500.0),
    }


REFITTED: Mapping[str, Strategy] = {
    STATIC: STRATEGIES[STATIC],
    "static learned": Static(LearnedQuality()),
    "greedy": STRATEGIES["greedy"],
    "learned, refitted": Refitted(LearnedQuality()),
}
SIZES = (PARAMETERS, "1e9 parameters")
PRICES = (ROUTELLM_USD, "USD per 1e6 tokens")
REGRETS = (
    Regret("regret-llmrouter", "llmrouter", 700.0, _compared(0.4), SIZES, classifier="learned", pictured=True),
    Regret("regret-llmrouter-tasks", "llmrouter", 700.0, _compared(0.4), SIZES),
    Regret(
        "regret-llmrouter-replaced",
        "llmrouter",
        700.0,
        _compared(0.4),
        SIZES,
        classifier="learned",
        replaced={"llama-3.1-8b-instruct": "llama3-chatqa-1.5-8b"},
        pictured=True,
    ),
    Regret("regret-routellm", "routellm", 247.0, _compared(0.6), PRICES, classifier="learned", pictured=True),
    Regret("regret-routellm-tasks", "routellm", 247.0, _compared(0.6), PRICES),
    Regret("regret-routerbench", "routerbench", 0.06, _compared(0.7), classifier="learned", pictured=True),
    Regret(
        "regret-routerbench-replaced",
        "routerbench",
        0.06,
        _compared(0.7),
        classifier="learned",
        replaced={"gpt-4-1106-preview": "gpt-3.5-turbo-1106"},
    ),
    Regret("regret-routerbench-refitted", "routerbench", 0.06, REFITTED, classifier="learned", seeds=range(5)),
)


def write_regrets(found: Mapping[Regret, Simulation], out: Path) -> list[Path]:
    """Write ``regret.csv``, ``regret.md`` and the pictures.

    Returns
    -------
    list of Path
        What was written.
    """
    frames, sections, written = [], [], [out / "regret.md", out / "regret.csv"]
    for each, simulation in found.items():
        frame = simulation.to_frame(AGAINST)
        quarters = simulation.steps[len(simulation.steps) // 4 - 1 :: max(1, len(simulation.steps) // 4)]
        frame = frame[
            frame["prompts"].isin(quarters) & ((frame["measure"] == "utility") | (frame["against"] == "oracle"))
        ]
        frame.insert(0, "experiment", each.name)
        frames.append(frame)
        table = simulation.table(AGAINST).reset_index()
        rows = [[str(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
        sections.append(f"## {each.name}\n\n{simulation.provenance()}\n\n{markdown_table(list(table.columns), rows)}")
        if each.pictured:
            name = each.name.replace("-", "_")
            shown = [REFERENCES[1], *(strategy for strategy, kind in simulation.kinds.items() if kind == "strategy")]
            draw(out / name, partial(plot_regret, simulation, REFERENCES[2], "utility", shown))
            sections[-1] += f"\n\n![Regret against the {REFERENCES[2]} over the prompts, by strategy]({name}.svg)"
            written += [out / f"{name}.png", out / f"{name}.svg"]
    written[0].write_text(HEAD + "\n\n".join(sections) + "\n", "utf-8")
    pd.concat(frames, ignore_index=True).to_csv(written[1], index=False, float_format="%.6g")
    return written
