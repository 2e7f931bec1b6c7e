"""Where models run: an Ollama server, a small model in this process, or a recording."""

from multillm.backends.base import Backend, BackendStatus, Identifies, ServedModel
from multillm.backends.choice import BACKENDS, Choice, choose_backend, look
from multillm.backends.embedded import EmbeddedBackend
from multillm.backends.ollama import OllamaBackend
from multillm.backends.recorded import Recorded, RecordedFailure, append_line, mend, read_recording
from multillm.backends.replay import RecordingClient, ReplayBackend
from multillm.backends.shared import SharedClient

__all__ = [
    "BACKENDS",
    "Backend",
    "BackendStatus",
    "Choice",
    "EmbeddedBackend",
    "Identifies",
    "OllamaBackend",
    "Recorded",
    "RecordedFailure",
    "RecordingClient",
    "ReplayBackend",
    "ServedModel",
    "SharedClient",
    "append_line",
    "choose_backend",
    "look",
    "mend",
    "read_recording",
]
