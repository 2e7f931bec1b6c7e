"""Models on an Ollama server, and any model that LiteLLM reaches by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from multillm.backends.base import BackendStatus, ServedModel
from multillm.client import Deployment, ModelClient
from multillm.client.transport import split_credentials
from multillm.errors import BackendUnavailable, ModelMissing
from multillm.pool import Pool
from multillm.registry import ModelSpec

__all__ = ["OllamaBackend", "OllamaFindings", "ollama_url"]

DEFAULT_PORT = 11434
PROVIDERS = frozenset({"ollama", "ollama_chat"})
GRANTED_TOKENS = 4096
"""Smallest context window that Ollama gives a model whose own settings say nothing else."""
LOOK_TIMEOUT_S = 5.0


def ollama_url(environ: Mapping[str, str] = os.environ) -> str:
    """Where the Ollama server is: ``OLLAMA_BASE_URL``, else ``OLLAMA_HOST``, else port 11434 of this machine.

    `OLLAMA_HOST` is what the server itself listens on: with or without scheme and port, and
    perhaps every address of the machine, which for a caller means the machine itself.

    Examples
    --------
    >>> ollama_url({"OLLAMA_HOST": "0.0.0.0"})
    'http://127.0.0.1:11434'
    >>> ollama_url({"OLLAMA_BASE_URL": "https://models.example.org/"})
    'https://models.example.org'
    """
    if base := environ.get("OLLAMA_BASE_URL", "").strip():
        return (base if "://" in base else f"http://{base}").rstrip("/")
    host = environ.get("OLLAMA_HOST", "").strip().strip("\"'")
    return _of_host(host) if host else f"http://localhost:{DEFAULT_PORT}"


def _of_host(host: str) -> str:
    scheme, _, rest = host.rpartition("://")
    if rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    parts = urlsplit(f"//{rest}")
    name = parts.hostname or "127.0.0.1"
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(name, f"[{name}]" if ":" in name else name)  # noqa: S104
    port = parts.port or {"http": 80, "https": 443}.get(scheme, DEFAULT_PORT)
    return f"{scheme or 'http'}://{name}:{port}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class OllamaFindings:
    """What a server said of itself.

    Attributes
    ----------
    version : str
        Version of the server.
    pulled : mapping of str to mapping
        Models on its disk, each with its tag, and what the server says of each: ``digest``, ``details``.
    loaded : mapping of str to int
        Models in its memory, with their context windows in tokens (0 where it does not say).
    """

    version: str
    pulled: Mapping[str, Mapping[str, Any]]
    loaded: Mapping[str, int]

    def has(self, name: str) -> bool:
        """Whether a model is pulled; a name without a tag means ``latest``, as Ollama reads it."""
        return _tagged(name) in self.pulled


class OllamaBackend:
    """Models that an Ollama server runs; what other providers run goes to them through LiteLLM as it is.

    Ollama cuts a prompt that is longer than the context window, and says nothing. So every call
    asks it not to (a prompt that does not fit is a `ContextOverflow`), and a request that needs
    more than the 4,096 tokens that any server grants asks for a larger window, up to the model's.

    Parameters
    ----------
    base_url : str, optional
        The server; default from the environment, see `ollama_url`.
    environ : mapping, optional
        Environment variables: the server's address and the credentials of other providers.
    transport : httpx.AsyncBaseTransport, optional
        Carries the questions about version and models.
    """

    name = "ollama"

    def __init__(
        self,
        base_url: str | None = None,
        environ: Mapping[str, str] = os.environ,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = (base_url or ollama_url(environ)).rstrip("/")
        self._environ = environ
        self._transport = transport

    def __reduce__(self) -> tuple[type[OllamaBackend], tuple[str]]:
        """Another process has an environment of its own: no credentials go there."""
        return type(self), (self.base_url,)

    def __repr__(self) -> str:
        return f"OllamaBackend({self._address!r})"

    @property
    def _address(self) -> str:
        """Where the server is, without user and password."""
        return split_credentials(self.base_url)[0]

    async def look(self) -> OllamaFindings:
        """Ask the server for its version and its models.

        Raises
        ------
        BackendUnavailable
            If it does not answer as an Ollama server does.
        """
        address, header = split_credentials(self.base_url)
        client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": header} if header else {},
            transport=self._transport,
            timeout=LOOK_TIMEOUT_S,
            verify=address.startswith("https"),
        )
        try:
            async with client:
                version, tags, running = await asyncio.gather(
                    *(_get(client, path) for path in ("/api/version", "/api/tags", "/api/ps"))
                )
            return OllamaFindings(
                str(version["version"]),
                {_tagged(model["name"]): model for model in tags["models"]},
                {_tagged(model["name"]): model.get("context_length", 0) for model in running["models"]},
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise BackendUnavailable(self._no_answer(error)) from None

    async def check(self, pool: Pool) -> BackendStatus:
        """Look whether the server answers and has every model of the pool. Never raises."""
        try:
            found = await self.look()
        except BackendUnavailable as error:
            return BackendStatus(self.name, False, str(error), remedies=("ollama serve",))
        missing = _missing(pool, found, self._environ)
        count = "every model" if not missing else f"not {', '.join(missing)}"
        summary = f"Ollama {found.version} at {self._address} has {count} of the pool {pool.name!r}."
        return BackendStatus(
            self.name,
            not missing,
            summary,
            {spec.label: _in_words(spec, found) for spec in pool.registry.usable(self._environ)},
            missing,
            tuple(f"ollama pull {name}" for name in missing),
        )

    async def identify(self, pool: Pool) -> Mapping[str, ServedModel]:
        """The model behind each label, with the digest by which the server keeps it.

        Raises
        ------
        BackendUnavailable
            If the server does not answer.
        """
        registry = pool.registry.usable(self._environ)
        found = await self.look() if any(spec.served_by in PROVIDERS for spec in registry) else None
        return {spec.label: _identity(spec, found) for spec in registry}

    async def open(self, pool: Pool) -> ModelClient:
        """A client for the models of the pool whose credentials are set.

        Raises
        ------
        BackendUnavailable
            If the server does not answer.
        ModelMissing
            If a model of the pool is not pulled.
        """
        registry = pool.registry.usable(self._environ)
        if any(spec.served_by in PROVIDERS for spec in registry):
            status = await self.check(pool)
            if status.missing:
                raise ModelMissing(f"{status.summary} Pull what is missing: {'; '.join(status.remedies)}")
            if not status.ready:
                raise BackendUnavailable(status.summary)
        await ModelClient.prepare()
        deployments = [self.deployment(spec) for spec in registry]
        return ModelClient(deployments, registry, pool.calls, environ=self._environ)

    def deployment(self, spec: ModelSpec) -> Deployment:
        """Where LiteLLM finds a model: on this server, or at its provider as it is."""
        if spec.served_by not in PROVIDERS:
            return Deployment(spec.label, spec.model)
        params = {"api_base": self.base_url, "extra_body": {"truncate": False, "shift": False}}
        model = f"ollama_chat/{spec.served_name}"
        return Deployment(spec.label, model, params, local=True, granted_tokens=GRANTED_TOKENS)

    def _no_answer(self, error: Exception) -> str:
        why = str(error) or type(error).__name__
        return (
            f"no Ollama server answers at {self._address} ({why}). "
            "Start one with `ollama serve`, or set OLLAMA_BASE_URL to where it is."
        )


async def _get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    response = await client.get(path)
    response.raise_for_status()
    content = response.json()
    if not isinstance(content, dict):
        raise TypeError(f"{path} answered with a {type(content).__name__}")
    return content


def _tagged(name: str) -> str:
    """The name with its tag: ``latest`` if it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _missing(pool: Pool, found: OllamaFindings, environ: Mapping[str, str]) -> tuple[str, ...]:
    needed = [spec.served_name for spec in pool.registry.usable(environ) if spec.served_by in PROVIDERS]
    return tuple(dict.fromkeys(name for name in needed if not found.has(name)))


def _in_words(spec: ModelSpec, found: OllamaFindings) -> str:
    if spec.served_by not in PROVIDERS:
        return f"{spec.model} (through LiteLLM)"
    if not found.has(spec.served_name):
        return f"{spec.served_name} (not pulled)"
    return f"{spec.served_name} (Ollama{', loaded' if _tagged(spec.served_name) in found.loaded else ''})"


def _identity(spec: ModelSpec, found: OllamaFindings | None) -> ServedModel:
    if found is None or spec.served_by not in PROVIDERS:
        return ServedModel(spec.model)
    told = found.pulled.get(_tagged(spec.served_name), {})
    details = told.get("details") or {}
    return ServedModel(
        spec.served_name,
        f"Ollama {found.version}",
        told.get("digest"),
        details.get("quantization_level"),
        details.get("parameter_size"),
    )
