"""The merged document: what stands in it, and what an answer cannot do to it."""

from pathlib import Path

import pytest

import multillm as ml
from tests.scripted import Answer, ScriptedBackend

TWO = "explain what a mutex is AND implement a spinlock in C."


def merged(first: Answer, second: Answer, prompt: str = TWO) -> str:
    def script(request: ml.CompletionRequest) -> tuple[float, Answer]:
        return 0.0, first if "mutex" in request.messages[-1]["content"] else second

    return ml.Orchestrator(backend=ScriptedBackend(script), store=None).handle_sync(prompt).merged


def test_each_sub_task_has_a_section_of_its_own() -> None:
    assert merged("A lock.", "A loop.") == (
        "## 1. Explain what a mutex is\n\nA lock.\n\n## 2. Implement a spinlock in C\n\nA loop."
    )


def test_a_single_answer_stands_bare() -> None:
    assert merged("A lock.", "", prompt="Explain what a mutex is.") == "A lock."


def test_an_open_code_fence_cannot_swallow_the_next_section() -> None:
    assert merged("```c\nint x;", "A loop.").startswith("## 1. Explain what a mutex is\n\n```c\nint x;\n```\n\n## 2.")


def test_a_failure_stays_inside_its_quotation() -> None:
    error = ml.CompletionError("line one\n# line two", label="a")
    assert "> **Not answered.** line one\n> # line two\n\n## 2." in merged(error, "A loop.")


@pytest.mark.parametrize("name", ["run", "decision"])
def test_the_shown_html_is_the_golden_one(name: str) -> None:
    backend = ScriptedBackend(lambda _: (0.0, "<b>bold</b> & <script>alert(1)</script>"))
    ticks = iter(range(100))
    orchestrator = ml.Orchestrator(backend=backend, store=None, clock=lambda: float(next(ticks)))
    result = orchestrator.handle_sync("Explain <script>alert(1)</script> tags")
    shown = result._repr_html_() if name == "run" else result.results[0].decision._repr_html_()
    assert shown + "\n" == (Path(__file__).parent / "golden" / f"{name}.html").read_text()
