"""The command line; `commands` has the app, each larger command a file of its own."""

from multillm.cli.commands import app, main

__all__ = ["app", "main"]
