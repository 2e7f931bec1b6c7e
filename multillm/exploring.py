"""What becomes of a prompt under a policy, with sliders to move; no model is called."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from multillm.classification import split_and_classify
from multillm.errors import MultillmError
from multillm.markup import Listing, message_html
from multillm.plots import plot_routing_map, plot_style
from multillm.policy import Policy
from multillm.pool import Pool, load_pool
from multillm.rendering import decision_html
from multillm.router import RoutingDecision, TaskRouter
from multillm.tasks import TaskType

__all__ = ["Exploration", "Explorer", "explore"]

PROMPT = "Explain what a mutex is and implement a spinlock in C, then review the code."
NO_WIDGETS = "Sliders need ipywidgets: pip install 'multillm[notebooks]', then restart the kernel."
LONGEST_CHOICE = 60


@dataclass(frozen=True)
class Exploration:
    """A prompt, split, classified and routed.

    Attributes
    ----------
    prompt : str
        What the user asks.
    pool : Pool
        The models and the policy.
    note : str
        Shown above; empty for none.
    """

    prompt: str
    pool: Pool
    note: str = ""

    @property
    def router(self) -> TaskRouter:
        """The pool's router."""
        return TaskRouter(self.pool.registry, self.pool.policy)

    def decisions(self) -> Listing[RoutingDecision]:
        """One for each sub-task, in prompt order.

        Raises
        ------
        InputError
            If the prompt is empty.
        RoutingError
            If a sub-task fits no model's context window.
        """
        profiles = split_and_classify(self.prompt, self.pool.splitter, self.pool.classifier)
        return Listing(self.router.route(profile) for profile in profiles)

    def picture(self, decision: RoutingDecision) -> bytes:
        """The routing map of a sub-task, as PNG."""
        from matplotlib.figure import Figure

        with plot_style():
            figure = Figure(figsize=(6.4, 4.0), dpi=100, layout="constrained")
            ax = figure.add_subplot()
        plot_routing_map(self.router, decision, ax=ax)
        file = BytesIO()
        figure.savefig(file, format="png")
        return file.getvalue()

    def __repr__(self) -> str:
        return f"Exploration({self.prompt!r}, {self.pool!r})"

    def _repr_html_(self) -> str:
        shown = [message_html(self.note)] if self.note else []
        decisions = self.decisions()
        shown.append(decisions._repr_html_())
        for decision in decisions:
            picture = base64.b64encode(self.picture(decision)).decode()
            shown += [decision_html(decision), f'<img alt="routing map" src="data:image/png;base64,{picture}">']
        return "\n".join(shown)


class Explorer:
    """An exploration with widgets: type a prompt, move weights and thresholds, and see what changes.

    Parameters
    ----------
    start : Exploration
        What is shown first.

    Attributes
    ----------
    prompt : Textarea
        The prompt.
    alpha, beta : FloatSlider
        Weights of cost and quality.
    thresholds : dict of TaskType to FloatSlider
        Least acceptable quality of each task type.
    chosen : Dropdown
        Which sub-task's candidates and map are shown.
    plan, candidates : HTML
        The sub-tasks, and the models as the router sees them for one.
    map : Image
        The routing map of that sub-task.
    widget : VBox
        All of these.
    """

    def __init__(self, start: Exploration) -> None:
        import ipywidgets as w

        policy = start.pool.policy
        self._start = start
        self._decisions: Listing[RoutingDecision] = Listing()
        slider = partial(w.FloatSlider, min=0.0, max=1.0, step=0.01, readout_format=".2f")
        self.prompt = w.Textarea(start.prompt, layout=w.Layout(width="auto", height="4em"))
        self.alpha = slider(value=policy.alpha, description="cost α")
        self.beta = slider(value=policy.beta, description="quality β")
        self.thresholds = {
            kind: slider(value=policy.threshold(kind), description=str(kind), style={"description_width": "9em"})
            for kind in TaskType
        }
        self.chosen = w.Dropdown(description="sub-task", layout=w.Layout(width="auto"))
        self.plan, self.candidates = w.HTML(), w.HTML()
        self.map = w.Image(format="png", width=640, height=400)
        grid = w.GridBox(list(self.thresholds.values()), layout=w.Layout(grid_template_columns="repeat(3, 1fr)"))
        thresholds = w.Accordion([grid], titles=("thresholds: least acceptable quality",))
        weights = w.HBox([self.alpha, self.beta])
        self.widget = w.VBox([self.prompt, weights, thresholds, self.plan, self.chosen, self.candidates, self.map])
        for moved in (self.prompt, self.alpha, self.beta, *self.thresholds.values()):
            moved.observe(self._replan, "value")
        self.chosen.observe(self._show, "value")
        self._replan()

    @property
    def pool(self) -> Pool:
        """The pool with the policy as it is set, ready for an `Orchestrator`."""
        return self._start.pool.model_copy(update={"policy": self.policy})

    @property
    def policy(self) -> Policy:
        """The policy as it is set."""
        return self._start.pool.policy.model_copy(
            update={
                "alpha": self.alpha.value,
                "beta": self.beta.value,
                "thresholds": {kind: slider.value for kind, slider in self.thresholds.items()},
            }
        )

    @property
    def exploration(self) -> Exploration:
        """What is shown."""
        return replace(self._start, prompt=self.prompt.value, pool=self.pool)

    def _replan(self, _change: Any = None) -> None:
        """Split, classify and route anew."""
        try:
            self._decisions = self.exploration.decisions()
        except MultillmError as error:
            self._decisions = Listing()
            self.plan.value, self.candidates.value = message_html(str(error)), ""
            self.map.layout.visibility = "hidden"
            return
        self.map.layout.visibility = "visible"
        self.plan.value = self._decisions._repr_html_()
        self._offer([(_choice(n, decision), n) for n, decision in enumerate(self._decisions, 1)])
        self._show()

    def _offer(self, options: list[tuple[str, int]]) -> None:
        """Put other sub-tasks up for choice; the one chosen stays chosen if it is still there."""
        kept = self.chosen.index or 0
        self.chosen.unobserve(self._show, "value")
        self.chosen.options = options
        self.chosen.index = kept if kept < len(options) else 0
        self.chosen.observe(self._show, "value")

    def _show(self, _change: Any = None) -> None:
        """Candidates and map of the sub-task chosen."""
        if self._decisions and self.chosen.index is not None:
            decision = self._decisions[self.chosen.index]
            self.candidates.value = decision_html(decision)
            self.map.value = self.exploration.picture(decision)

    def __repr__(self) -> str:
        return f"Explorer({self.prompt.value!r}, {self.policy!r})"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.widget._repr_mimebundle_(**options)


def explore(prompt: str = PROMPT, pool: str | Path | Pool = "default") -> Explorer | Exploration:
    """See what becomes of a prompt while weights and thresholds are moved; no model is called.

    Parameters
    ----------
    prompt : str
        What is shown first.
    pool : str, Path or Pool, default "default"
        Models and policy: a shipped pool's name, a YAML file or a `Pool`.

    Returns
    -------
    Explorer or Exploration
        Widgets, to be the last line of a notebook cell; where ipywidgets is missing, tables and pictures that stand
        still. Both have the pool that was set, ready for an `Orchestrator`: ``explorer.pool``.

    Raises
    ------
    ConfigurationError
        If there is no such pool.
    """
    start = Exploration(prompt, pool if isinstance(pool, Pool) else load_pool(pool))
    if find_spec("ipywidgets") is None:
        return replace(start, note=NO_WIDGETS)
    return Explorer(start)


def _choice(number: int, decision: RoutingDecision) -> str:
    text = " ".join(decision.profile.text.split())
    short = text if len(text) <= LONGEST_CHOICE else f"{text[: LONGEST_CHOICE - 1]}…"
    return f"{number}  {decision.profile.task_type} → {decision.label}: {short}"
