"""From a prompt to decisions: split, classify, route; no model is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from multillm.classification import Classifier
from multillm.errors import ConfigurationError
from multillm.markup import Listing
from multillm.orchestration.options import RunOptions
from multillm.router import RoutingDecision, TaskRouter
from multillm.splitting import Splitter
from multillm.tasks import SubTask, estimate_tokens
from multillm.telemetry import span

__all__ = ["plan_prompt"]


def plan_prompt(
    prompt: str, splitter: Splitter, classifier: Classifier, router: TaskRouter, options: RunOptions
) -> Listing[RoutingDecision]:
    """Decide what every sub-task of a prompt is and where it goes.

    Parameters
    ----------
    prompt : str
        What the user asked.
    splitter, classifier, router
        What finds the sub-tasks, what they are, and their models.
    options : RunOptions
        What the caller asks for beside the prompt.

    Returns
    -------
    Listing of RoutingDecision
        A list: one for each sub-task, in prompt order.

    Raises
    ------
    InputError
        If the prompt is not text or is empty, or the options leave no token for one of its sub-tasks.
    RoutingError
        If a sub-task fits no model's context window.
    ConfigurationError
        If the splitter made sub-tasks that wait for each other.
    """
    with span("multillm split", {"multillm.splitter": splitter.name}):
        subtasks = splitter.split(prompt)
    most_tokens = options.share(len(subtasks))
    decisions: dict[int, RoutingDecision] = {}
    for index in _order(subtasks, splitter.name):
        about = {"multillm.subtask_index": index}
        with span("multillm classify", about) as told:
            profile = classifier.classify(subtasks[index])
            told.set({"multillm.task_type": str(profile.task_type), "multillm.complexity": profile.complexity})
        upstream_tokens = sum(decisions[needed].max_output_tokens for needed in subtasks[index].depends_on)
        context_tokens = estimate_tokens(subtasks[index].context) if subtasks[index].context else 0
        with span("multillm route", about) as told:
            decision = router.route(profile, upstream_tokens + context_tokens + options.history_tokens)
            if most_tokens is not None and most_tokens < decision.max_output_tokens:
                decision = replace(decision, max_output_tokens=most_tokens)
            decisions[index] = decision
            told.set({"multillm.label": decision.label, "multillm.decision_rule": str(decision.rule)})
    return Listing(decisions[index] for index in range(len(subtasks)))


def _order(subtasks: Sequence[SubTask], splitter: str) -> Sequence[int]:
    """Indices of the sub-tasks, each after all that it needs."""
    if not any(subtask.depends_on for subtask in subtasks):
        return range(len(subtasks))
    try:
        return list(TopologicalSorter({n: s.depends_on for n, s in enumerate(subtasks)}).static_order())
    except CycleError as error:
        raise ConfigurationError(
            f"the splitter {splitter!r} made sub-tasks that wait for each other: {error.args[1]}"
        ) from None
