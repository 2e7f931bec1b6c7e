"""Routing the parts of a prompt to the cheapest language model that is good enough."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
