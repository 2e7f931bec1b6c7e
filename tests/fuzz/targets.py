"""What is fuzzed: each target takes any input and fails if anything but a documented error comes of it."""

import asyncio
import contextlib
import json
import tempfile
import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import multillm as ml
from multillm.client.failures import Redactor, failure_of, one_line, read_answer
from multillm.client.tracing import Served
from multillm.datasets.pickles import read_pickle
from multillm.orchestration.recording import to_record
from multillm.orchestration.results import SubTaskResult
from multillm.prompts import load_prompts
from multillm.terminal import printable
from tests.fuzz.conversation import PROVIDERS, Conversation

CLASSIFIERS: list[ml.Classifier] = [ml.ReferenceClassifier(), ml.RulesClassifier(), ml.LearnedClassifier()]
POOL = ml.load_pool("reference")
ROUTER = ml.TaskRouter(POOL.registry, POOL.policy)
FOLDER = tempfile.TemporaryDirectory(prefix="multillm-fuzz-")


def prompt(content: bytes) -> None:
    """Splitters and classifiers, and what shows their results."""
    text = content.decode("utf-8", "surrogateescape")
    for splitter in ("structural", "reference"):
        try:
            subtasks = ml.split(text, splitter)
        except ml.InputError:
            assert not text.strip()
            continue
        assert subtasks
        for subtask in subtasks:
            assert text[subtask.start : subtask.end] == subtask.text
            for classifier in CLASSIFIERS:
                profile = classifier.classify(subtask)
                assert 0.0 <= profile.complexity <= 1.0
            with contextlib.suppress(ml.RoutingError):
                decision = ROUTER.route(profile)
                decision._repr_html_().encode("utf-8", "surrogatepass")
    steering = {c for c in printable(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs"}}
    assert steering <= {"\n", "\t"}


def pool(content: bytes) -> None:
    """The pool loader; a pool that it takes can route."""
    try:
        found = ml.load_pool(_file(content, ".yaml"), {})
        router = ml.TaskRouter(found.registry.usable({}), found.policy)
    except ml.ConfigurationError as error:
        _short(str(error))
        return
    router.route(ml.classify("What is a mutex?"))


def gold(content: bytes) -> None:
    """The loaders of labelled and of benchmark prompts."""
    for load in (ml.load_gold, load_prompts):
        with contextlib.suppress(ml.InputError):
            load(_file(content, ".jsonl"))


def recording(content: bytes) -> None:
    """The replay backend; an answer that it takes can be kept and shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            client = asyncio.run(ml.ReplayBackend(_file(content, ".jsonl")).open(POOL))
        except (ml.ConfigurationError, ml.BackendUnavailable):
            return
    decision = ROUTER.route(ml.classify("What is a mutex?"))
    for answer in client._answers.values():
        if isinstance(answer, ml.Completion):
            _keep(SubTaskResult(0, decision, answer, None, 0.0, 1.0))


def answer(content: bytes) -> None:
    """What a model server says: its answer, its figures, its error."""
    text = content.decode("utf-8", "replace")
    redact = Redactor(["planted-secret"])
    for error in (ValueError(text), TimeoutError(text)):
        assert "\n" not in failure_of(error, redact, text).text
    assert "planted-secret" not in one_line(text, redact)
    told = read_answer(text)
    choice = SimpleNamespace(message=SimpleNamespace(content=text), finish_reason=None)
    response = SimpleNamespace(choices=[choice], usage=SimpleNamespace(**_counts(told)))
    request = ml.CompletionRequest("model::light", ({"role": "user", "content": "?"},), 10)
    served = Served(request, POOL.registry["model::light"], response, told, 0.0, None)
    completion = served.completion(model="x/y", attempts=(), fallback_reason=None, latency_s=1.0)
    decision = ROUTER.route(ml.classify("What is a mutex?"))
    _keep(SubTaskResult(0, decision, completion, None, 0.0, 1.0))


def stream(content: bytes) -> None:
    """What a server sends, whole or in pieces, in either dialect, read by the client as it comes over HTTP."""
    chosen, body = content[:1], content[1:]
    way = chosen[0] if chosen else 0
    in_pieces = bool(way & 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the openai package has remarks on answers of other shapes
        try:
            done, heard = Conversation.under_way().answered(PROVIDERS[way & 1], body, in_pieces=in_pieces)
        except ml.CompletionError as error:
            _telling(error)
            return
    assert done.text.strip()
    assert not in_pieces or heard == done.text
    decision = ROUTER.route(ml.classify("What is a mutex?"))
    _keep(SubTaskResult(0, decision, done, None, 0.0, 1.0))


def table(content: bytes) -> None:
    """Outcome tables and public data sets in their origins' formats."""
    for suffix in (".csv", ".parquet"):
        with contextlib.suppress(ml.OutcomesError):
            ml.load_outcomes(_file(content, suffix))
    for name in ("routellm", "routerbench"):
        with contextlib.suppress(ml.OutcomesError):
            ml.load_outcomes(name, _file(content, ".csv"))
    with contextlib.suppress(ml.OutcomesError):
        ml.load_outcomes("routerarena", _file(content, ".jsonl"))
    folder = Path(FOLDER.name) / "bench" / "set" / "split" / "model"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.json").write_bytes(content)
    with contextlib.suppress(ml.OutcomesError):
        ml.load_outcomes("llmrouterbench", Path(FOLDER.name) / "bench")


def frame(content: bytes) -> None:
    """Pickled frames of unknown hands."""
    with contextlib.suppress(ml.OutcomesError):
        read_pickle(_file(content, ".pkl"))


def _telling(error: ml.CompletionError) -> None:
    assert error.attempts, str(error)
    assert len(str(error).splitlines()) == 1, str(error)
    _short(str(error))


def _short(message: str) -> None:
    assert len(message) < 10_000, message[:500]


def _keep(result: SubTaskResult) -> None:
    """Make the row and the views that a run makes of a result."""
    to_record("run", result)
    json.dumps(result.to_dict())
    assert "<script" not in repr(result.completion)


def _counts(told: object) -> dict[str, object]:
    usage = told.get("usage") if isinstance(told, dict) else None
    return {str(name): value for name, value in usage.items()} if isinstance(usage, dict) else {}


def _file(content: bytes, suffix: str) -> Path:
    path = Path(FOLDER.name) / f"input{suffix}"
    path.write_bytes(content)
    return path


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (prompt, pool, gold, recording, answer, stream, table, frame)
}
