"""Figures: every function draws on the axes it is given, labels them with units, and returns them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
