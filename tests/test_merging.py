"""The merged document: what stands in it, and what an answer cannot do to it."""

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
