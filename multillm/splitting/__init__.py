"""From a prompt to its sub-tasks."""

from __future__ import annotations

from multillm.errors import ConfigurationError
from multillm.markup import Listing
from multillm.splitting.base import Splitter
from multillm.splitting.reference import ReferenceSplitter
from multillm.splitting.structural import StructuralSplitter
from multillm.tasks import SubTask

__all__ = ["SPLITTERS", "ReferenceSplitter", "Splitter", "StructuralSplitter", "get_splitter", "split"]

SPLITTERS: dict[str, type[Splitter]] = {splitter.name: splitter for splitter in (StructuralSplitter, ReferenceSplitter)}


def get_splitter(splitter: str | Splitter) -> Splitter:
    """A splitter by name, or the one given.

    Raises
    ------
    ConfigurationError
        If no splitter has that name.
    """
    if not isinstance(splitter, str):
        return splitter
    if splitter not in SPLITTERS:
        raise ConfigurationError(f"no splitter is called {splitter!r}; choose one of {', '.join(sorted(SPLITTERS))}")
    return SPLITTERS[splitter]()


def split(prompt: str, splitter: str | Splitter = "structural") -> Listing[SubTask]:
    """Split a prompt into sub-tasks.

    Parameters
    ----------
    prompt : str
        What the user asked.
    splitter : str or Splitter, default "structural"
        Which splitter: ``"structural"``, ``"reference"`` or one of your own.

    Returns
    -------
    Listing of SubTask
        A list: at least one, in prompt order, each an exact span of the prompt.

    Raises
    ------
    InputError
        If the prompt is not text or is empty.

    Examples
    --------
    >>> split("Explain what a mutex is and then write a spinlock in C.")
    [SubTask('Explain what a mutex is', 0:23), SubTask('write a spinlock in C', 33:54)]
    """
    return Listing(get_splitter(splitter).split(prompt))
