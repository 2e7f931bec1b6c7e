"""What the server says of itself and of its models, without calling any."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from multillm.testing.dialect import CREATED
from multillm.testing.script import Script

__all__ = ["catalogue", "shown", "tagged"]

VERSION = "0.24.0"
DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "134.52M",
    "quantization_level": "Q4_1",
}


def tagged(name: str) -> str:
    """The name with its tag: ``latest`` if it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def catalogue(path: str, scripts: Mapping[str, Script], loaded: Collection[str]) -> Mapping[str, Any] | None:
    """Answer to a GET; None for a path that there is not."""
    models = {tagged(name): script for name, script in scripts.items()}
    if path == "/api/version":
        return {"version": VERSION}
    if path == "/api/tags":
        return {"models": [_entry(name) for name in models]}
    if path == "/api/ps":
        return {"models": [_running(name, script) for name, script in models.items() if name in loaded]}
    if path == "/v1/models":
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in models]}
    return None


def shown() -> Mapping[str, Any]:
    """Answer to ``/api/show``."""
    info = {"general.architecture": "llama", "llama.context_length": 8192}
    return {"details": DETAILS, "model_info": info, "capabilities": ["completion"]}


def _entry(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "model": name,
        "modified_at": CREATED,
        "size": 98363334,
        "digest": "6e5e2797757c2969ad8635f854e8a535bf6003bfb8971642764dbd7c02aae40e",
        "details": DETAILS,
    }


def _running(name: str, script: Script) -> dict[str, Any]:
    kept = {key: value for key, value in _entry(name).items() if key != "modified_at"}
    return {**kept, "expires_at": CREATED, "size_vram": 0, "context_length": script.context_tokens}
