"""A model server that misbehaves on demand, to try a pool, a router or a client against.

It listens on the loopback interface and speaks Ollama's API and OpenAI's, so whatever talks to
either can be pointed at it: multillm, LiteLLM, the ``openai`` package, ``curl``.

Examples
--------
Two busy answers before the third one serves::

    import multillm as ml
    from multillm.testing import Fault, FaultServer, Script

    models = {"granite4.1:3b": Script(faults=[Fault.BUSY, Fault.BUSY]), "gemma3:4b": Script()}
    with FaultServer(models) as server:
        result = ml.Orchestrator(pool, ml.OllamaBackend(server.base_url), store=None).handle_sync("Define entropy.")
"""

from multillm.testing.fault import Fault
from multillm.testing.script import Script
from multillm.testing.server import FaultServer

__all__ = ["Fault", "FaultServer", "Script"]
