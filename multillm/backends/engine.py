"""llama.cpp in this process, serving one GGUF file on a loopback port."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from pathlib import Path
from typing import Any, ClassVar

from multillm.errors import BackendUnavailable

__all__ = ["SLOTS", "Engine", "EngineLease"]

SLOTS = 4
"""Requests that are answered at once; further ones wait in the client."""
SLOT_TOKENS = 4096
"""Context window of each slot: prompt and answer together."""


class Engine:
    """A running server; start it with `lease`, which starts one per process and file.

    Attributes
    ----------
    address : str
        Where it listens: this machine only, a port that was free.
    alias : str
        Name of its model.
    """

    _running: ClassVar[dict[Path, Engine]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alias = path.stem
        self.users = 0
        self._server: Any = _start(path, self.alias)
        self.address: str = self._server.listening_address

    @classmethod
    async def lease(cls, path: Path) -> EngineLease:
        """Share of the engine for a file, started if need be.

        Raises
        ------
        BackendUnavailable
            If it does not start.
        """
        return await asyncio.to_thread(cls._lease, path.resolve())

    @classmethod
    def _lease(cls, path: Path) -> EngineLease:
        with cls._lock:
            engine = cls._running.get(path)
            if engine is None:
                engine = cls._running[path] = cls(path)
            engine.users += 1
        return EngineLease(engine)

    def give_back(self) -> None:
        """One user less; the engine stops after the last."""
        with self._lock:
            self.users -= 1
            if self.users == 0:
                self._running.pop(self.path, None)
                self._server = None

    @classmethod
    def stop_all(cls) -> None:
        """Stop every engine, in use or not."""
        with cls._lock:
            for engine in cls._running.values():
                engine._server = None
            cls._running.clear()


class EngineLease:
    """One user's share of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._held = True

    async def release(self) -> None:
        """Give the share back; a second time does nothing."""
        held, self._held = self._held, False
        if held:
            await asyncio.to_thread(self.engine.give_back)


def _start(path: Path, alias: str) -> Any:
    # The engine's OpenMP threads would otherwise spin while they wait and starve each other on few cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError as error:
        raise BackendUnavailable(
            f"the engine cannot be imported ({error}); to mend it: pip install 'multillm[embedded]'"
        ) from None
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS
    params.verbosity = -1
    # Answers must not depend on what a slot has seen before.
    params.cache_prompt = False
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise BackendUnavailable(
            f"the embedded engine does not start with {path} ({error}); give a GGUF file that llama.cpp can read"
        ) from None


atexit.register(Engine.stop_all)
