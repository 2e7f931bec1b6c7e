"""What is installed, reachable, pulled and missing, and what would be used."""

from __future__ import annotations

import asyncio
import platform

from rich.console import Console
from rich.table import Table

from multillm.backends import BACKENDS, BackendStatus
from multillm.errors import FeedbackError
from multillm.feedback import FeedbackStore
from multillm.pool import Pool, load_pool
from multillm.provenance import version_of
from multillm.terminal import mapping_table, table

__all__ = ["report"]

PACKAGES = ("multillm", "litellm", "pydantic", "pandas", "sqlalchemy", "xllamacpp", "jupyterlab")


def report(console: Console, pool_name: str) -> bool:
    """Print the findings.

    Parameters
    ----------
    console : Console
        Where to print.
    pool_name : str
        Pool that is to be served.

    Returns
    -------
    bool
        Whether there is a backend that would be used.
    """
    pool = load_pool(pool_name)
    console.print(_packages())
    statuses = asyncio.run(_look(pool))
    for status in statuses:
        _print_status(console, status)
    _print_credentials(console, pool)
    console.print(f"feedback store: {_store()}", markup=False)
    chosen = next((status for status in statuses if status.ready), None)
    if chosen is None:
        console.print("\nNothing would be used: neither backend is ready. One of the commands above mends that.")
        return False
    console.print(f"\n{chosen.name} would be used:", mapping_table(pool, chosen), sep="\n")
    return True


async def _look(pool: Pool) -> list[BackendStatus]:
    """What each backend finds, in the order in which ``auto`` tries them."""
    return list(await asyncio.gather(*(backend().check(pool) for backend in BACKENDS.values())))


def _packages() -> Table:
    rows = [(package, version_of(package) or "not installed") for package in PACKAGES]
    return table(f"Python {platform.python_version()}", ("package", "version"), rows)


def _print_status(console: Console, status: BackendStatus) -> None:
    console.print(f"{status.name}: {'ready' if status.ready else 'not ready'}. {status.summary}", markup=False)
    for remedy in status.remedies:
        console.print(f"    {remedy}", markup=False, highlight=False)


def _print_credentials(console: Console, pool: Pool) -> None:
    for spec in pool.registry:
        missing = spec.missing_credentials()
        if missing:
            console.print(f"{spec.label}: left out, since {', '.join(missing)} is not set", markup=False)


def _store() -> str:
    try:
        with FeedbackStore() as store:
            return repr(store)
    except FeedbackError as error:
        return f"not usable: {error}"
