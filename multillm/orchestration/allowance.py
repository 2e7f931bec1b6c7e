"""What one run may still take of time, cost and tokens."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from multillm.budget import Budget, Overspent, Reservation, Spending
from multillm.completion import Client, Completion, CompletionRequest
from multillm.errors import BudgetExceeded, ConfigurationError, DeadlineExceeded
from multillm.limits import Limits
from multillm.registry import Registry

if TYPE_CHECKING:
    from multillm.feedback import FeedbackStore
    from multillm.feedback.shared_budget import SharedBudget

__all__ = ["Allowance", "period_budget"]

GRACE_S = 1.0
"""Time that a client has to give up by itself, and to say what it tried."""


def period_budget(limits: Limits, store: Callable[[], FeedbackStore | None]) -> SharedBudget | None:
    """What the runs of a period share, of every process that uses the store; None if the limits set nothing for it.

    Raises
    ------
    ConfigurationError
        If there is no store in which to look up what the period has taken.
    """
    if not limits.of_period:
        return None
    kept = store()
    if kept is None:
        raise ConfigurationError(
            "limits has a budget for a period and store is None; give a feedback store, where it is looked up"
        )
    from multillm.feedback.shared_budget import SharedBudget

    return SharedBudget(kept, limits.period_s, limits.period_cost_units, limits.period_tokens)


class Allowance:
    """Keeps the calls of one run within its limits.

    Parameters
    ----------
    limits : Limits
        The limits.
    registry : Registry
        The models, with their prices.
    period : SharedBudget or None
        What all runs of the period share.
    clock : callable
        Time in seconds; the run begins now.
    """

    def __init__(
        self, limits: Limits, registry: Registry, period: SharedBudget | None, clock: Callable[[], float]
    ) -> None:
        self._limits = limits
        self._registry = registry
        self._clock = clock
        self._ends = clock() + (limits.run_s or math.inf)
        self._budgets: dict[str, Budget | SharedBudget]
        self._budgets = {"run": Budget(limits.run_cost_units, limits.run_tokens)} if limits.of_run else {}
        if period is not None:
            self._budgets["period"] = period

    async def complete(self, client: Client, request: CompletionRequest, held: AsyncExitStack) -> Completion:
        """The client's answer, if the call fits the limits.

        Parameters
        ----------
        client : Client
            Makes the call.
        request : CompletionRequest
            What is asked.
        held : AsyncExitStack
            Holds what the call reserves; to be closed once the call's row is in the feedback store.

        Raises
        ------
        BudgetExceeded
            If the call could cost more than is left; it is not made.
        DeadlineExceeded
            If the time is up.
        CompletionError
            As the client raises it.
        """
        ends = min(self._ends, self._clock() + (self._limits.subtask_s or math.inf))
        if ends == math.inf:
            return await self._within_budget(client, request, held, ends)
        try:
            async with asyncio.timeout(max(0.0, ends - self._clock()) + GRACE_S):
                return await self._within_budget(client, request, held, ends)
        except TimeoutError:
            raise self._too_late(request) from None

    async def _within_budget(
        self, client: Client, request: CompletionRequest, held: AsyncExitStack, ends: float
    ) -> Completion:
        reservations = [await self._reserve(name, request, held) for name in self._budgets]
        if ends < math.inf:
            left_s = ends - self._clock()
            if left_s <= 0.0:
                raise self._too_late(request)
            request = replace(request, limit_s=left_s)
        completion = await client.complete(request)
        if not completion.replayed:
            tokens = completion.input_tokens + completion.output_tokens
            for reservation in reservations:
                reservation.settle(Spending(completion.cost_units, tokens))
        return completion

    async def _reserve(self, name: str, request: CompletionRequest, held: AsyncExitStack) -> Reservation:
        budget, most = self._budgets[name], self._most(request)
        try:
            return await held.enter_async_context(budget.reserve(most))
        except Overspent:
            cost_units, tokens = budget.left()
            raise BudgetExceeded(
                f"{request.label} was not called: the {name}'s budget has {_amount(cost_units, tokens)} left, and the "
                f"call could take {_amount(most.cost_units, most.tokens)}; to mend it, raise limits.{name}_cost_units "
                f"or limits.{name}_tokens, or lower the output budget",
                label=request.label,
            ) from None

    def _most(self, request: CompletionRequest) -> Spending:
        """The most that a call can take."""
        price = max(self._registry[label].cost_per_1k for label in (request.label, *request.fallbacks))
        tokens = request.most_input_tokens + request.max_output_tokens
        return Spending(price * request.max_output_tokens / 1000, tokens)

    def _too_late(self, request: CompletionRequest) -> DeadlineExceeded:
        limits = {"run_s": self._limits.run_s, "subtask_s": self._limits.subtask_s}
        given = " and ".join(f"limits.{name} = {seconds:g} s" for name, seconds in limits.items() if seconds)
        return DeadlineExceeded(
            f"{request.label} gave no answer in time ({given}); to mend it, raise the limit or ask for less",
            label=request.label,
        )


def _amount(cost_units: float, tokens: float) -> str:
    amounts = {"cost units": cost_units, "tokens": tokens}
    return " and ".join(f"{amount:g} {unit}" for unit, amount in amounts.items() if amount < math.inf)
