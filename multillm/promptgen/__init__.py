"""Where the shipped benchmark prompts come from: hand-written sources, and seeded generators of exact answers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from random import Random

from multillm.promptgen.compound import compound
from multillm.promptgen.computed import computed
from multillm.promptgen.records import Record
from multillm.promptgen.written import written
from multillm.prompts import CANARY

__all__ = ["render"]

SEED = 20_261_123


def render(seed: int = SEED) -> str:
    """The shipped prompts as JSON lines; the same text for the same seed and sources."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in _records(seed))


def _records(seed: int) -> Iterator[Record]:
    """Records sorted by kind, type and level, each with its id and the canary."""
    makers = (make(Random(f"{seed} {make.__name__}")) for make in (written, computed, compound))  # noqa: S311
    order = {"low": 0, "medium": 1, "high": 2}
    found = sorted(chain.from_iterable(makers), key=lambda pair: (_family(pair[1]), order[pair[0]]))
    count: Counter[tuple[str, str]] = Counter()
    for level, record in found:
        count[_family(record), level] += 1
        name = f"{_family(record)}-{level}-{count[_family(record), level]:02}"
        parts = [{"id": f"{name}.{n}", **part} for n, part in enumerate(record.pop("parts", []), 1)]
        yield {"id": name, "complexity": level, **record, **({"parts": parts} if parts else {}), "canary": CANARY}


def _family(record: Record) -> str:
    return str(record.get("task_type", "compound"))
