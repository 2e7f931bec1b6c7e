"""Where models run: an Ollama server, a small model in this process, or a recording."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
