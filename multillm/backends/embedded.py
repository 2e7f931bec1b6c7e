"""A small real model in this process, for machines without a model server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from multillm.backends.base import BackendStatus, ServedModel
from multillm.backends.engine import SLOTS, Engine, EngineLease
from multillm.backends.weights import DEFAULT_NAME, default_path, fetch, install_model, on_disk, sha256
from multillm.client import Deployment, ModelClient
from multillm.completion import Completion, CompletionRequest
from multillm.errors import BackendUnavailable
from multillm.pool import Pool

__all__ = ["EmbeddedBackend", "install_model"]

ENGINE_REMEDY = "pip install 'multillm[embedded]'"
MODEL_REMEDY = "multillm setup"
REPEAT_PENALTY: dict[str, object] = {"repeat_penalty": 1.1, "repeat_last_n": 256}
END_BIAS: dict[str, object] = {"logit_bias": [[2, 10.0]]}
"""Added to the logit of the default model's ``<|im_end|>``."""


class EmbeddedBackend:
    """One small model in this process that stands in for every model of the pool.

    It shows the whole pipeline at work, with real answers, times and token counts; its answers say
    nothing about how good the pool's own models are, since all labels share the one model.

    Parameters
    ----------
    model : str or Path, optional
        A GGUF file, or ``hf://owner/repository/file.gguf`` to fetch one; default is ``MULTILLM_MODEL``
        from the environment, else SmolLM2-135M-Instruct as `install_model` puts it in place.
    environ : mapping, optional
        Environment variables.
    """

    name = "embedded"

    def __init__(self, model: str | Path | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self.model = str(model or environ.get("MULTILLM_MODEL") or default_path())
        self._environ = environ

    def __reduce__(self) -> tuple[type[EmbeddedBackend], tuple[str]]:
        """Another process has an environment of its own."""
        return type(self), (self.model,)

    def __repr__(self) -> str:
        return f"EmbeddedBackend({self.model!r})"

    @property
    def model_name(self) -> str:
        """What the model is called."""
        return DEFAULT_NAME if self.model == str(default_path()) else Path(self.model).stem

    async def check(self, pool: Pool) -> BackendStatus:
        """Look whether the engine is installed and the model is on disk. Never raises."""
        engine, path = find_spec("xllamacpp") is not None, on_disk(self.model)
        remedies = (() if engine else (ENGINE_REMEDY,)) + (() if path else (self._model_remedy(),))
        lacks = " and ".join(
            what for what, there in (("the package xllamacpp", engine), (f"the model {self.model}", path)) if not there
        )
        summary = f"{self.model_name} is ready to run in this process, standing in for every model of the pool."
        return BackendStatus(
            self.name,
            not remedies,
            f"The embedded backend lacks {lacks}." if lacks else summary,
            {
                spec.label: f"{self.model_name} (embedded; stands in for {spec.served_name})"
                for spec in pool.registry.usable(self._environ)
            },
            () if path else (self.model_name,),
            remedies,
        )

    async def identify(self, pool: Pool) -> Mapping[str, ServedModel]:
        """The one model behind every label, with the SHA-256 of its file.

        Raises
        ------
        BackendUnavailable
            If the model is not there.
        """
        path = on_disk(self.model)
        if path is None:
            raise BackendUnavailable(f"the model {self.model} is not on disk; {self._model_remedy()}")
        digest = await asyncio.to_thread(sha256, path)
        served = ServedModel(path.name, f"xllamacpp {version('xllamacpp')}", digest)
        return dict.fromkeys(pool.registry.usable(self._environ).labels, served)

    async def open(self, pool: Pool) -> _EmbeddedClient:
        """A client whose every label is served by the one model.

        The first client of a process starts the engine, the last one closed stops it.

        Raises
        ------
        BackendUnavailable
            If the engine is not installed or does not start, or the model is not there.
        """
        status = await self.check(pool)
        remote = self.model.startswith("hf://")
        if ENGINE_REMEDY in status.remedies or (status.missing and not remote):
            raise BackendUnavailable(f"{status.summary} To mend it: {'; '.join(status.remedies)}")
        path = await asyncio.to_thread(fetch, self.model) if remote else Path(self.model).expanduser()
        await ModelClient.prepare()
        lease = await Engine.lease(path)
        try:
            registry = pool.registry.usable(self._environ)
            address = f"{lease.engine.address}/v1"
            params = {"api_base": address, "api_key": "none", "extra_body": self._sampling()}
            model = f"openai/{lease.engine.alias}"
            deployments = [Deployment(label, model, params, local=True) for label in registry.labels]
            client = ModelClient(deployments, registry, pool.calls, shared_limit=SLOTS, environ=self._environ)
        except BaseException:
            await lease.release()
            raise
        return _EmbeddedClient(client, lease)

    def _sampling(self) -> dict[str, object]:
        """Sampling that lets a small model come to its end instead of repeating itself.

        Of 16 answers to the reference prompt's two sub-tasks (1,024 tokens, temperature 0.3, seeds 0 to 7)
        the default model ends 3 as it is, and all 16 with a mild repeat penalty and its end-of-answer token raised.
        """
        return REPEAT_PENALTY | (END_BIAS if self.model_name == DEFAULT_NAME else {})

    def _model_remedy(self) -> str:
        if self.model == str(default_path()):
            return MODEL_REMEDY
        if self.model.startswith("hf://"):
            return "go online once, so that it can be fetched"
        return "set MULTILLM_MODEL to a GGUF file that exists"


class _EmbeddedClient:
    """A model client that gives its engine back when it is closed."""

    def __init__(self, client: ModelClient, lease: EngineLease) -> None:
        self._client = client
        self._lease = lease

    async def complete(self, request: CompletionRequest) -> Completion:
        """See `ModelClient.complete`."""
        return await self._client.complete(request)

    async def aclose(self) -> None:
        """Close the client, then give the engine back."""
        try:
            await self._client.aclose()
        finally:
            await self._lease.release()
