"""Calls models through LiteLLM: the only module that imports it, and only once a client is made."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from multillm.completion import Attempt, Completion, CompletionRequest
from multillm.errors import BackendUnavailable, ConfigurationError, EmptyCompletion
from multillm.failures import Failure, Redactor, failure_of
from multillm.registry import Registry
from multillm.settings import CallSettings
from multillm.tracing import Served, Trace
from multillm.transport import Deployment, Transport

__all__ = ["Deployment", "ModelClient"]

BYTES_PER_TOKEN = 3  # cautious: real text has more, so a window sized by it is never too small
TEMPLATE_TOKENS = 64
LOGGERS = ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy")
DRAIN_S = 1.0


class ModelClient:
    """Calls the models of a pool.

    Within a model group LiteLLM's router does what it is good at: retries with back-off, cooldown,
    timeouts, load balancing. From group to group the client walks itself, because LiteLLM (1.106)
    counts two fallbacks as one, does not hold the target group's slot while it falls back, and
    refuses a call over ``max_parallel_requests`` instead of letting it wait.

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
        Environment variables; their keys are kept out of every error text.
    clock : callable, optional
        Time in seconds.

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
    ) -> None:
        self._settings = settings or CallSettings()
        self._clock = clock
        self._specs = {spec.label: spec for spec in registry}
        self._deployments = {deployment.label: deployment for deployment in reversed(deployments)}
        if unserved := [label for label in self._specs if label not in self._deployments]:
            raise ConfigurationError(
                f"no deployment serves {', '.join(unserved)}; give one for every model of the pool"
            )
        self._redact = Redactor(_secrets(registry, deployments, environ))
        shared = asyncio.Semaphore(shared_limit) if shared_limit else None
        self._slots = {
            spec.label: shared or asyncio.Semaphore(spec.max_parallel or self._settings.max_parallel)
            for spec in registry
        }
        self._litellm = _quiet_litellm()
        self._router = self._make_router(deployments)
        self._transport: Transport | None = None
        self._closed = False

    def _make_router(self, deployments: Iterable[Deployment]) -> Any:
        settings = self._settings
        return self._litellm.Router(
            model_list=[
                {"model_name": deployment.label, "litellm_params": {"model": deployment.model, **deployment.params}}
                for deployment in deployments
            ],
            routing_strategy="simple-shuffle",
            num_retries=settings.num_retries,
            retry_after=settings.retry_wait_s,
            allowed_fails=settings.allowed_fails,
            cooldown_time=settings.cooldown_s,
            timeout=settings.timeout_s,
        )

    def _make_transport(self) -> Transport:
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        return Transport(AsyncHTTPHandler, self._litellm.in_memory_llm_clients_cache.cache_dict)

    @staticmethod
    async def prepare() -> None:
        """Import LiteLLM in a thread, since it takes seconds; without it the first client made has to."""
        await asyncio.to_thread(_quiet_litellm)

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
        attempts: list[Attempt] = []
        reason: str | None = None
        failure = None
        for label in groups:
            waiting = self._clock()
            async with self._slots[label]:
                waited = self._clock() - waiting
                trace = Trace(label, self._redact)
                outcome = await self._call(label, request, trace)
            failure = outcome if isinstance(outcome, Failure) else None
            if failure is None or trace.called:
                attempts += trace.attempts(self._deployments[label].model, failure.text if failure else None)
            if failure is None:
                served = Served(request, self._specs[label], outcome, trace.answer(), waited)
                return served.completion(
                    model=attempts[-1].model,
                    attempts=tuple(attempts),
                    fallback_reason=reason,
                    latency_s=self._clock() - started,
                    cost_usd=self._dollars(label, outcome),
                )
            reason = reason or f"{label}: {failure.text}"
        assert failure is not None  # noqa: S101  # there is at least one group
        raise failure.error(request.label, attempts)

    async def _call(self, label: str, request: CompletionRequest, trace: Trace) -> Any:
        """LiteLLM's response, or the `Failure` after its retries."""
        if self._transport is None:
            self._transport = self._make_transport()
        deployment = self._deployments[label]
        call = self._router.acompletion(
            model=label,
            messages=[dict(message) for message in request.messages],
            max_tokens=request.max_output_tokens,
            temperature=request.temperature,
            disable_fallbacks=True,
            logger_fn=trace,
            metadata=trace.metadata,
            **({} if request.seed is None else {"seed": request.seed}),
            **self._window(deployment, request),
            **self._transport.arguments(deployment),
        )
        try:
            response = await self._transport.carry(call, trace)
        except Exception as error:  # noqa: BLE001  # LiteLLM lets through whatever its providers raise
            return failure_of(error, self._redact, trace.answered)
        choice = response.choices[0]
        if not (choice.message.content or "").strip():
            return Failure(EmptyCompletion, f"an answer without text (finish reason {choice.finish_reason})")
        return response

    def _window(self, deployment: Deployment, request: CompletionRequest) -> dict[str, int]:
        """``num_ctx``, where the request needs a larger window than the server grants unasked.

        In powers of two, because every change of the window makes Ollama load the model anew.
        """
        granted = deployment.granted_tokens
        if granted is None:
            return {}
        prompt = sum(
            len(message["content"].encode()) // BYTES_PER_TOKEN + TEMPLATE_TOKENS for message in request.messages
        )
        need = prompt + request.max_output_tokens
        if need <= granted:
            return {}
        return {"num_ctx": min(self._specs[deployment.label].context_tokens, 1 << (need - 1).bit_length())}

    def _dollars(self, label: str, response: Any) -> float | None:
        """What LiteLLM's price map says the call cost; None for what it does not know or what runs locally."""
        deployment = self._deployments[label]
        if deployment.local:
            return None
        model = deployment.model
        prices = self._litellm.model_cost
        if model not in prices and model.partition("/")[2] not in prices:
            return None
        cost = getattr(response, "_hidden_params", {}).get("response_cost")
        return None if cost is None else float(cost)

    def _check(self, labels: Iterable[str]) -> None:
        if self._closed:
            raise BackendUnavailable("the client is closed; open a new one")
        if unknown := [label for label in labels if label not in self._specs]:
            raise ConfigurationError(
                f"no model is labelled {', '.join(map(repr, unknown))}; the pool has {', '.join(self._specs)}"
            )

    async def aclose(self) -> None:
        """Close every connection and let LiteLLM's background tasks end."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            await _settle(self._litellm)
            await transport.aclose()


def _quiet_litellm() -> Any:
    """LiteLLM, with its bundled price map instead of a download, and without its notes on stderr."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    if "LITELLM_LOG" not in os.environ:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


def _secrets(registry: Registry, deployments: Iterable[Deployment], environ: Mapping[str, str]) -> list[str]:
    keys = [str(deployment.params.get("api_key", "")) for deployment in deployments]
    return keys + [environ.get(name, "") for spec in registry for name in spec.credentials]


async def _settle(litellm: Any) -> None:
    """Let LiteLLM's background tasks of this event loop end, its logging worker among them."""
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    await GLOBAL_LOGGING_WORKER.flush()
    await GLOBAL_LOGGING_WORKER.stop()
    home = str(Path(litellm.__file__).parent)
    left = [task for task in asyncio.all_tasks() if _code_file(task).startswith(home)]
    if left:
        await asyncio.wait(left, timeout=DRAIN_S)


def _code_file(task: asyncio.Task[Any]) -> str:
    code = getattr(task.get_coro(), "cr_code", None)
    return code.co_filename if code else ""
