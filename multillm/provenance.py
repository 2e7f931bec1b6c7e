"""What is told beside every figure of how it came about: the day and the versions."""

from __future__ import annotations

import platform
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version

__all__ = ["today", "version_of", "versions"]

SHAPING = ("multillm", "numpy", "pandas", "scikit-learn")
"""What offline figures depend on."""


def today() -> date:
    """The day, UTC."""
    return datetime.now(UTC).date()


def version_of(package: str) -> str | None:
    """Version of a package; None if it is not installed, as the package itself in a bare checkout."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def versions() -> str:
    """Versions of Python and of what offline figures depend on, in one line."""
    packages = (f"{package} {version_of(package) or 'of a checkout'}" for package in SHAPING)
    return ", ".join([f"Python {platform.python_version()}", *packages])
