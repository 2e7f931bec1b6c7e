"""``python -m multillm.promptgen`` writes ``data/prompts/core.jsonl`` anew."""

from __future__ import annotations

from multillm.promptgen import render
from multillm.resources import data_dir

if __name__ == "__main__":
    (data_dir() / "prompts" / "core.jsonl").write_text(render(), "utf-8")
