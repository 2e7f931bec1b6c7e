from .base import (
    Backend as Backend,
    BackendStatus as BackendStatus,
    Identifies as Identifies,
    ServedModel as ServedModel,
)
from .choice import BACKENDS as BACKENDS, Choice as Choice, choose_backend as choose_backend, look as look
from .embedded import EmbeddedBackend as EmbeddedBackend
from .ollama import OllamaBackend as OllamaBackend
from .recorded import (
    Recorded as Recorded,
    RecordedFailure as RecordedFailure,
    append_line as append_line,
    mend as mend,
    read_recording as read_recording,
)
from .replay import RecordingClient as RecordingClient, ReplayBackend as ReplayBackend
from .shared import SharedClient as SharedClient
