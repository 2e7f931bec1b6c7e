"""Where the data files are that come with multillm."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_data_path

__all__ = ["cache_dir", "data_dir", "user_dir"]


def data_dir() -> Path:
    """Folder of the shipped data files: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data"


def cache_dir() -> Path:
    """Folder for what can be fetched again, such as the embedded model."""
    return user_cache_path("multillm")


def user_dir() -> Path:
    """Folder for what must be kept, such as the feedback store."""
    return user_data_path("multillm")
