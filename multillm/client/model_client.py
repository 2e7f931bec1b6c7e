"""Calls models through LiteLLM, which is imported only once a client is made."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from multillm.client.cooldown import REDIS_URL, SharedCooldown, password_of
from multillm.client.failures import Failure, Redactor, failure_of
from multillm.client.health import Endpoint, Group, Turns
from multillm.client.session import LOGGERS, enter, leave, quiet_litellm
from multillm.client.streaming import read_stream
from multillm.client.tracing import Served, Trace
from multillm.client.transport import Deployment, Transport
from multillm.completion import Attempt, Completion, CompletionRequest
from multillm.errors import (
    BackendUnavailable,
    CompletionError,
    CompletionTimeout,
    ConfigurationError,
    DeadlineExceeded,
    EmptyCompletion,
)
from multillm.listening import Listener, listener
from multillm.registry import Registry
from multillm.settings import CallSettings

__all__ = ["Deployment", "ModelClient"]

ENVELOPE_BYTES = 1_000_000
BYTES_PER_OUTPUT_TOKEN = 1000
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


class ModelClient:
    """Calls the models of a pool.

    LiteLLM's router makes each call. From call to call the client goes itself: from deployment to
    deployment because of what `multillm.client.health` says of LiteLLM's retries and cooldown, from group to
    group because LiteLLM (1.106) counts two fallbacks as one, does not hold the target group's slot
    while it falls back, and refuses a call over ``max_parallel_requests`` instead of letting it wait.

    Parameters
    ----------
    deployments : sequence of Deployment
        Where each label is served.
    registry : Registry
        The models, with their prices.
    settings : CallSettings, optional
        Retries, cooldown, timeouts.
    shared_limit : int, optional
        Most calls at once over all groups together, where they share one engine; without it
        each group has its own limit.
    environ : mapping, optional
        Environment variables; their keys are kept out of every error text. ``MULTILLM_REDIS_URL`` names the
        Redis through which processes share which deployments are left out.
    clock : callable, optional
        Time in seconds.
    rng : random.Random, optional
        Chooses between deployments of a group, and spreads out retries.

    Raises
    ------
    ConfigurationError
        If a model of the registry has no deployment.
    """

    def __init__(
        self,
        deployments: Sequence[Deployment],
        registry: Registry,
        settings: CallSettings | None = None,
        *,
        shared_limit: int | None = None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.perf_counter,
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings or CallSettings()
        self._clock = clock
        self._specs = {spec.label: spec for spec in registry}
        by_label = {label: [d for d in deployments if d.label == label] for label in self._specs}
        if unserved := [label for label, served in by_label.items() if not served]:
            raise ConfigurationError(
                f"no deployment serves {', '.join(unserved)}; give one for every model of the pool"
            )
        keys = [environ.get(name, "") for spec in registry for name in spec.credentials]
        keys.append(password_of(environ.get(REDIS_URL, "")))
        self._redact = Redactor(keys + [secret for deployment in deployments for secret in deployment.secrets])
        shared = asyncio.Semaphore(shared_limit) if shared_limit else None
        self._slots = {
            spec.label: shared or asyncio.Semaphore(spec.max_parallel or self._settings.max_parallel)
            for spec in registry
        }
        rng = rng or random.Random()  # noqa: S311  # load, not secrets
        self._litellm = quiet_litellm()
        self._shared = SharedCooldown(environ[REDIS_URL]) if environ.get(REDIS_URL) else None
        self._groups = {
            label: Group(served, self._settings, clock, rng, self._shared) for label, served in by_label.items()
        }
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self._redact.clean_record)
        self._router = self._make_router()
        self._transport: Transport | None = None
        self._closed = False

    def _make_router(self) -> Any:
        """LiteLLM's router, without its callbacks: they count usage, for nothing here, at every call of the process."""
        router = self._litellm.Router(
            model_list=[
                {
                    "model_name": endpoint.deployment.label,
                    "litellm_params": endpoint.deployment.litellm_params,
                    "model_info": {"id": endpoint.key, **endpoint.deployment.prices},
                }
                for group in self._groups.values()
                for endpoint in group.endpoints
            ],
            num_retries=0,
            disable_cooldowns=True,
            timeout=self._settings.timeout_s + self._settings.load_timeout_s,
        )
        router.discard()
        return router

    def _make_transport(self) -> Transport:
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        return Transport(AsyncHTTPHandler, self._litellm.in_memory_llm_clients_cache.cache_dict)

    @staticmethod
    async def prepare() -> None:
        """Import LiteLLM in a thread, since it takes seconds; without it the first client made has to."""
        await asyncio.to_thread(quiet_litellm)

    async def complete(self, request: CompletionRequest) -> Completion:
        """The answer to a request, from its label or, where that fails, from the first fallback that serves.

        Raises
        ------
        CompletionError
            If every group failed: `CompletionTimeout`, `ContextOverflow` or `EmptyCompletion` where
            that is what the last failure was.
        ConfigurationError
            If a label is not of this pool.
        BackendUnavailable
            If the client is closed.
        """
        started = self._clock()
        groups = (request.label, *request.fallbacks)
        self._check(groups)
        told = listener()
        attempts: list[Attempt] = []
        reason: str | None = None
        failure: Failure | None = None
        try:
            async with asyncio.timeout(request.limit_s):
                for label in groups:
                    outcome = await self._ask(label, request, attempts, patient=label == groups[-1])
                    if isinstance(outcome, Served):
                        return outcome.completion(
                            model=attempts[-1].model,
                            attempts=tuple(attempts),
                            fallback_reason=reason,
                            latency_s=self._clock() - started,
                        )
                    failure = outcome
                    reason = reason or f"{label}: {failure.text}"
                    if told and label != groups[-1]:
                        told.fell_back(label, groups[groups.index(label) + 1], failure.text)
        except TimeoutError:
            before = f"; before that: {failure.text}" if failure else ""
            failure = Failure(DeadlineExceeded, f"its {request.limit_s:.1f} s were up{before}")
        assert failure is not None  # noqa: S101  # there is at least one group
        raise failure.error(request.label, attempts)

    async def _ask(
        self, label: str, request: CompletionRequest, attempts: list[Attempt], *, patient: bool
    ) -> Served | Failure:
        """A group's answer, or its last failure; every call made is added to `attempts`."""
        turns = Turns(self._groups[label], patient)
        failure = None
        while endpoint := await turns.next():
            waiting = self._clock()
            async with self._slots[label]:
                waited = self._clock() - waiting
                trace = Trace(ENVELOPE_BYTES + BYTES_PER_OUTPUT_TOKEN * request.max_output_tokens)
                try:
                    outcome = await self._call(endpoint, request, trace)
                except asyncio.CancelledError:
                    if trace.on_its_way:
                        attempts.append(Attempt(label, endpoint.deployment.model, "the time was up"))
                    raise
            failure = outcome if isinstance(outcome, Failure) else None
            if failure is None or trace.called:
                attempts.append(Attempt(label, endpoint.deployment.model, failure.text if failure else None))
            if failure is None:
                turns.served(endpoint)
                dollars = self._dollars(endpoint.deployment, outcome)
                return Served(request, self._specs[label], outcome, trace.answer(), waited, dollars)
            if trace.begun and (told := listener()):
                told.restarted(label, failure.text)
            turns.failed(endpoint, failure)
            await self._groups[label].spread(endpoint, failure)
        return failure or turns.left_out()

    async def _call(self, endpoint: Endpoint, request: CompletionRequest, trace: Trace) -> Any:
        """LiteLLM's response, or the `Failure`."""
        if self._transport is None:
            self._transport = self._make_transport()
            enter()
        deployment = endpoint.deployment
        limit_s = self._settings.timeout_s
        limit_s += self._settings.load_timeout_s if endpoint.cold(self._clock()) else 0.0
        told = listener()
        trace.streamed = streamed = told is not None and told.wants_text
        call = self._router.acompletion(
            model=endpoint.key,
            messages=[dict(message) for message in request.messages],
            max_tokens=request.max_output_tokens,
            temperature=request.temperature,
            disable_fallbacks=True,
            logger_fn=trace,
            metadata=trace.metadata,
            **({} if request.seed is None else {"seed": request.seed}),
            **self._window(deployment, request),
            **self._transport.arguments(deployment),
            **(STREAMED if streamed else {}),
        )
        if told and streamed:
            call = self._whole(call, deployment, told, trace)
        try:
            response = await self._transport.carry(call, trace, limit_s)
        except TimeoutError:
            if trace.called:
                return Failure(CompletionTimeout, f"no whole answer within {limit_s:g} s")
            text = f"nothing was sent to {deployment.model}: this process was too busy to prepare the request in time"
            return Failure(CompletionTimeout, text, against_deployment=False)
        except Exception as error:  # noqa: BLE001  # LiteLLM lets through whatever its providers raise
            return failure_of(error, self._redact, trace.answered, trace.broken, trace.status)
        if not response.choices:
            return Failure(CompletionError, "an answer without any choice")
        choice = response.choices[0]
        if not (choice.message.content or "").strip():
            text = f"an answer without text (finish reason {choice.finish_reason})"
            return Failure(EmptyCompletion, text, passing=False, against_deployment=False)
        return response

    async def _whole(self, call: Any, deployment: Deployment, told: Listener, trace: Trace) -> Any:
        """The response of a streamed call, as it would have been without streaming."""
        response = self._litellm.ModelResponse(**await read_stream(call, deployment.label, told, trace))
        if self._priced(deployment):
            response._hidden_params["response_cost"] = self._litellm.completion_cost(response, model=deployment.model)
        return response

    def _window(self, deployment: Deployment, request: CompletionRequest) -> dict[str, int]:
        """``num_ctx``, where the request needs a larger window than the server grants unasked.

        In powers of two, because every change of the window makes Ollama load the model anew.
        """
        granted = deployment.granted_tokens
        if granted is None:
            return {}
        need = request.most_input_tokens + request.max_output_tokens
        if need <= granted:
            return {}
        return {"num_ctx": min(self._specs[deployment.label].context_tokens, 1 << (need - 1).bit_length())}

    def _dollars(self, deployment: Deployment, response: Any) -> float | None:
        """What LiteLLM's price map says the call cost; None for what it does not know or what runs locally."""
        cost = getattr(response, "_hidden_params", {}).get("response_cost") if self._priced(deployment) else None
        return None if cost is None else float(cost)

    def _priced(self, deployment: Deployment) -> bool:
        """Whether LiteLLM's price map has the model."""
        model, prices = deployment.model, self._litellm.model_cost
        return not deployment.local and (model in prices or model.partition("/")[2] in prices)

    def _check(self, labels: Iterable[str]) -> None:
        if self._closed:
            raise BackendUnavailable("the client is closed; open a new one")
        if unknown := [label for label in labels if label not in self._specs]:
            raise ConfigurationError(
                f"no model is labelled {', '.join(map(repr, unknown))}; the pool has {', '.join(self._specs)}"
            )

    async def aclose(self) -> None:
        """Close every connection, and let LiteLLM's background tasks end."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            await leave(self._litellm)
            await transport.aclose()
        if self._shared is not None:
            await self._shared.aclose()
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self._redact.clean_record)
