"""Which deployment of a model group is called next, and which are left out for now.

LiteLLM's router (1.106) retries and cools down as well, but

* after a 408, a 429 or a 5xx a retry is drawn among all deployments again, the one that just failed included
  (https://github.com/BerriAI/litellm/pull/40014 mends this for refusals alone): of two deployments of which one
  is down, three attempts all go to that one in an eighth of all calls;
* what it raises as ``APIConnectionError`` never cools a deployment down (a dead server, an answer that
  is no JSON), so retries go to it again (https://github.com/BerriAI/litellm/issues/27362, closed unmended);
* after a 404 or a refused prompt it does not ask the peer that could answer;
* a deployment that is cooled again keeps the first, shorter end (https://github.com/BerriAI/litellm/issues/40130);
* it fails at once when every deployment is cooling (https://github.com/BerriAI/litellm/issues/3646);
* it waits once more after the last attempt has failed (``async_function_with_retries``).

So LiteLLM makes each call, and this file says to whom.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from multillm.client.cooldown import SharedCooldown, shared_name
from multillm.client.failures import Failure
from multillm.client.transport import Deployment
from multillm.errors import CompletionError
from multillm.settings import CallSettings

__all__ = ["Endpoint", "Group", "Turns"]

WINDOW_S = 60.0
LONGEST_BACKOFF_S = 8.0
LONGEST_WAIT_S = 60.0
"""Longest time that a server may ask a caller to wait, as in LiteLLM."""
JITTER = 1.25
COLD_S = 240.0
"""Ollama unloads a model that nobody called for five minutes."""


@dataclass(slots=True, eq=False)
class Endpoint:
    """A deployment and what it did lately.

    Attributes
    ----------
    key : str
        Name by which LiteLLM's router calls this deployment and no other.
    deployment : Deployment
        Where it is.
    failures : deque of float
        When it failed since it last served, within a minute.
    out_until : float
        When it is no longer left out.
    busy_until : float
        When it said that it would have room again.
    served_at : float
        When it last answered.
    """

    key: str
    deployment: Deployment
    failures: deque[float] = field(default_factory=deque)
    out_until: float = float("-inf")
    busy_until: float = float("-inf")
    served_at: float = float("-inf")
    _back: asyncio.Event = field(default_factory=asyncio.Event)

    def served(self, now: float) -> None:
        """It answered: whoever waits for it may go on."""
        self.served_at = now
        self.failures.clear()
        self.out_until = self.busy_until = float("-inf")
        self._back.set()

    def failed(self, now: float, failure: Failure, settings: CallSettings) -> None:
        """Note a failure that speaks against it."""
        while self.failures and self.failures[0] < now - WINDOW_S:
            self.failures.popleft()
        self.failures.append(now)
        if len(self.failures) > settings.allowed_fails:
            self.leave_out(now + settings.cooldown_s)
        if failure.retry_after_s is not None:
            self.busy_until = now + failure.retry_after_s

    def leave_out(self, until: float) -> None:
        """Leave it out until then, unless it serves before."""
        self.out_until = max(self.out_until, until)
        self._back.clear()

    def cold(self, now: float) -> bool:
        """Whether its model may have to be loaded first."""
        return self.deployment.local and now - self.served_at > COLD_S

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until it serves someone else."""
        try:
            async with asyncio.timeout(seconds):
                await self._back.wait()
        except TimeoutError:
            pass


class Group:
    """The deployments of one label.

    Parameters
    ----------
    deployments : sequence of Deployment
        At least one.
    settings : CallSettings
        Retries and cooldown.
    clock : callable
        Time in seconds.
    rng : random.Random
        Chooses between equals, and spreads out retries.
    shared : SharedCooldown, optional
        What other processes leave out.
    """

    def __init__(
        self,
        deployments: Sequence[Deployment],
        settings: CallSettings,
        clock: Callable[[], float],
        rng: random.Random,
        shared: SharedCooldown | None = None,
    ) -> None:
        label = deployments[0].label
        keys = [label] if len(deployments) == 1 else [f"{label} ({n})" for n in range(1, len(deployments) + 1)]
        self.endpoints = [Endpoint(*pair) for pair in zip(keys, deployments, strict=True)]
        self.settings = settings
        self.clock = clock
        self.rng = rng
        self._shared = shared
        self._names = {shared_name(endpoint.deployment): endpoint for endpoint in self.endpoints}

    async def learn(self) -> None:
        """Leave out what other processes leave out, if it has not served here since."""
        if self._shared is not None:
            cooldowns = await self._shared.active(list(self._names))
            now = self.clock()
            for name, (age_s, left_s) in cooldowns.items():
                endpoint = self._names[name]
                if endpoint.served_at <= now - age_s:
                    endpoint.leave_out(now + left_s)

    async def spread(self, endpoint: Endpoint, failure: Failure) -> None:
        """Tell other processes of a deployment that is left out now."""
        left_s = endpoint.out_until - self.clock()
        if self._shared is not None and left_s > 0.0:
            await self._shared.leave_out(shared_name(endpoint.deployment), left_s, failure.text)


class Turns:
    """The attempts that one call has at a group.

    Parameters
    ----------
    group : Group
        The group.
    patient : bool
        Whether to wait for deployments that are left out, because nothing else could serve.
    """

    def __init__(self, group: Group, patient: bool) -> None:
        self._group = group
        self._patient = patient
        self._left = group.settings.num_retries + 1
        self._tried: Counter[str] = Counter()
        self._lost: set[str] = set()

    async def next(self) -> Endpoint | None:
        """The deployment to call now, once its time has come; None if there is none."""
        await self._group.learn()
        endpoint, wait_s = self._soonest()
        if endpoint is None or wait_s > LONGEST_WAIT_S or self._left == 0:
            return None
        if wait_s > 0.0:
            cooling = endpoint.out_until > self._group.clock()
            await (endpoint.wait(wait_s) if cooling else asyncio.sleep(wait_s))
        self._left -= 1
        self._tried[endpoint.key] += 1
        return endpoint

    def _soonest(self) -> tuple[Endpoint | None, float]:
        """The deployment that can be called first, and in how many seconds."""
        now = self._group.clock()
        open_ = [
            (wait_s, self._tried[endpoint.key], endpoint)
            for endpoint in self._group.endpoints
            if (wait_s := self._wait_s(endpoint, now)) is not None
        ]
        if not open_:
            return None, 0.0
        least = min((wait_s, tried) for wait_s, tried, _ in open_)
        first = [endpoint for *rest, endpoint in open_ if tuple(rest) == least]
        return (first[0] if len(first) == 1 else self._group.rng.choice(first)), least[0]

    def _wait_s(self, endpoint: Endpoint, now: float) -> float | None:
        """Seconds until a deployment can be called; None for one that is not to be called at all."""
        if endpoint.key in self._lost or (endpoint.out_until > now and not self._patient):
            return None
        return max(0.0, endpoint.out_until - now, endpoint.busy_until - now, self._backoff_s(endpoint))

    def _backoff_s(self, endpoint: Endpoint) -> float:
        tried = self._tried[endpoint.key]
        first = self._group.settings.retry_wait_s
        if not tried or not first:
            return 0.0
        return min(max(first, LONGEST_BACKOFF_S), first * 2.0 ** (tried - 1)) * self._group.rng.uniform(1.0, JITTER)

    def served(self, endpoint: Endpoint) -> None:
        """Note that a deployment answered."""
        endpoint.served(self._group.clock())

    def failed(self, endpoint: Endpoint, failure: Failure) -> None:
        """Note that a deployment did not answer."""
        if failure.against_deployment:
            endpoint.failed(self._group.clock(), failure, self._group.settings)
        if not failure.passing:
            self._lost.add(endpoint.key)

    def left_out(self) -> Failure:
        """Why nothing was called."""
        now = self._group.clock()
        soonest = min(max(e.out_until, e.busy_until) for e in self._group.endpoints) - now
        return Failure(CompletionError, f"left out for {soonest:.0f} s after earlier failures (calls.cooldown_s)")
