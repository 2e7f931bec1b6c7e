"""Reading files of unknown hands: what they hold is data, and no more of it than makes sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

__all__ = ["is_file", "read_yaml"]

LONGEST_YAML = 256 * 1024


class _Loader(yaml.SafeLoader):
    """Builds plain values. Merge keys are refused: a chain of them grows without bounds."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not read; write the keys out", key.start_mark
                )


def is_file(path: Path) -> bool:
    """Whether there is such a file; no error for a name that no file can have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def read_yaml(path: Path) -> Any:
    """The one document of a YAML file.

    Raises
    ------
    ValueError
        If it cannot be read, is no YAML, or is far longer than a file written by hand.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_YAML + 1)
        if len(content) > LONGEST_YAML:
            raise ValueError(f"it is longer than {LONGEST_YAML // 1024} kB")
        return yaml.load(content.decode("utf-8"), _Loader)  # noqa: S506  # a safe loader with fewer features
    except Exception as error:  # noqa: BLE001  # PyYAML lets through whatever its constructors raise
        told = "it is nested too deeply" if isinstance(error, RecursionError) else str(error) or type(error).__name__
        raise ValueError(told) from None
