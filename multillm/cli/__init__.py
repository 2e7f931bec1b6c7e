"""The command line: ``multillm demo | route | run | evaluate | tune | bench | reproduce | serve | export | doctor | setup``."""

from multillm.cli.commands import app, main

__all__ = ["app", "main"]
