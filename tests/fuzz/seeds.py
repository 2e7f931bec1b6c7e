"""Sound inputs of each target, which a fuzzer changes bit by bit: made from the package's own data and test server."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from typing import Any

import pandas as pd

import multillm as ml
from multillm.resources import data_dir
from multillm.testing.dialect import Dialect, Ollama, OpenAI, Usage

MOST_BYTES = 4096
PER_FILE = 40
SAID = 'Use a lock, "é" & <b>'
USAGE = Usage(5, 7, waited_s=0.1, load_s=0.2, prompt_s=0.3, generation_s=0.4)
DIALECTS: tuple[Dialect, ...] = (Ollama("m", generate=False, message={}), OpenAI("m", message={}))
"""In the order of the targets' providers."""
WIDE = "sample_id,prompt,eval_name,m,m|total_cost\na.1,Which?,arc,1.0,0.01\na.2,Why?,arc,0.25,0.02\n"
ARENA = {
    "global_index": "a_1", "llm_selected": "m", "success": True, "question": "q",
    "evaluation_result": {"score": 1.0, "inference_cost": 0.1}, "token_usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip
RUN = {"records": [{"index": 1, "prompt": "2+2?", "score": 1.0, "cost": 0.1, "prompt_tokens": 3}], "demo": False}


def seeds(target: str) -> list[bytes]:
    """Sound inputs of a target of this name."""
    made: dict[str, Callable[[], list[bytes]]] = {
        "prompt": lambda: [labelled.prompt.encode() for labelled in ml.load_gold("test")[::10]],
        "pool": lambda: [path.read_bytes() for path in sorted((data_dir() / "pools").glob("*.yaml"))],
        "gold": lambda: _lines("gold/test.jsonl") + _lines("prompts/core.jsonl"),
        "recording": lambda: _lines("recordings/quickstart.jsonl"),
        "answer": _answers,
        "stream": lambda: [bytes([place]) + body for place, body in _bodies()],
        "table": _tables,
        "frame": _frames,
    }
    return [seed for seed in made[target]() if len(seed) <= MOST_BYTES]


def plant(target: str, folder: Path) -> None:
    """Write the sound inputs of a target into a folder of inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, seed in enumerate(seeds(target)):
        (folder / f"seed-{place:03d}").write_bytes(seed)


def _lines(name: str) -> list[bytes]:
    with (data_dir() / name).open("rb") as file:
        return list(islice(file, PER_FILE))


def _answers() -> list[bytes]:
    told = [dialect.whole(SAID, "stop", USAGE) for dialect in DIALECTS]
    return _dumped([*told, *(dialect.error(400, "the context length is 9") for dialect in DIALECTS)])


def _bodies() -> list[tuple[int, bytes]]:
    """What a server answers, with the first byte by which the target knows dialect and way."""
    made: list[tuple[int, bytes]] = []
    for (place, dialect), usage in product(enumerate(DIALECTS), (USAGE, None)):
        pieces = b"".join(map(dialect.piece, SAID.split()))
        made += [(place, body) for body in _dumped([dialect.whole(SAID, "stop", usage), dialect.error(400, "no")])]
        made += [(place | 2, pieces + end) for end in (dialect.end("length", usage), dialect.stream_error(500, "no"))]
    return made


def _tables() -> list[bytes]:
    outcomes = ml.Outcomes.from_matrices(
        pd.DataFrame({"prompt_id": ["a"], "prompt": ["Which?"], "task_type": ["arc"], "group": ["arc"]}),
        pd.DataFrame({"m": [1.0]}),
        name="seed",
    )
    with tempfile.TemporaryDirectory() as folder:
        stored = [outcomes.write(Path(folder) / f"seed{suffix}").read_bytes() for suffix in (".csv", ".parquet")]
    return [WIDE.encode(), *_dumped([ARENA, RUN]), *stored]


def _frames() -> list[bytes]:
    frame = pd.DataFrame({"prompt": pd.Series(["Which?", "Why?"], dtype=object), "m": [0.5, 1.0]})
    frame.columns = pd.Index(list(frame), dtype=object)  # as the pandas of the public set wrote it
    made = []
    for protocol in (2, 4, 5):
        whole = io.BytesIO()
        frame.to_pickle(whole, compression=None, protocol=protocol)
        made.append(whole.getvalue())
    return made


def _dumped(records: Sequence[Mapping[str, Any]]) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]
