"""Settings of every test."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no fault of the code: no test fails for being slow once.
settings.register_profile("multillm", deadline=None)
settings.load_profile("multillm")
