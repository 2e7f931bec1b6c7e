"""The reference classifier: substrings for the type, a sum of small terms for the complexity."""

from __future__ import annotations

import math

from multillm.tasks import SubTask, TaskProfile, TaskType, estimate_tokens

__all__ = ["ReferenceClassifier"]

BASE_COMPLEXITY: dict[TaskType, float] = {
    TaskType.DOCUMENTATION: 0.20,
    TaskType.CODE_GENERATION: 0.55,
    TaskType.CODE_REVIEW: 0.60,
    TaskType.REASONING: 0.80,
    TaskType.QA_SIMPLE: 0.10,
    TaskType.SUMMARISATION: 0.15,
}

KEYWORDS: dict[TaskType, tuple[str, ...]] = {
    TaskType.DOCUMENTATION: (
        "write the api", "api reference", "write docs", "write documentation", "document",
        "readme", "docstring", "comment", "explain", "describe",
    ),
    TaskType.CODE_GENERATION: (
        "implement", "create function", "write code", "build", "develop",
        "middleware", "endpoint", "class", "module",
    ),
    TaskType.CODE_REVIEW: (
        "review", "audit", "security", "vulnerability", "diff", "check", "analyse code", "analyze code",
    ),
    TaskType.REASONING: (
        "architecture", "design", "trade-off", "compare", "evaluate", "pros and cons", "should i", "best approach",
    ),
    TaskType.QA_SIMPLE: ("what is", "how does", "define", "tell me", "when was"),
    TaskType.SUMMARISATION: ("summarise", "summarize", "tldr", "shorten", "brief", "condense", "overview"),
}  # fmt: skip

OVERRIDES: dict[str, TaskType] = {
    "api reference": TaskType.DOCUMENTATION,
    "write the api": TaskType.DOCUMENTATION,
    "write docs": TaskType.DOCUMENTATION,
    "write documentation": TaskType.DOCUMENTATION,
    "code review": TaskType.CODE_REVIEW,
    "security audit": TaskType.CODE_REVIEW,
}

STEP_MARKERS = (
    "step 1", "first,", "then,", "finally,", "however,", "alternatively,",
    "trade-off", "on the other hand", "in addition", "furthermore",
)  # fmt: skip


class ReferenceClassifier:
    """Classifies by substrings, as the article describes it, known faults included."""

    name = "reference"

    def classify(self, subtask: SubTask) -> TaskProfile:
        """Profile of a sub-task, with the terms of its complexity as signals."""
        text = subtask.text.lower()
        tokens = estimate_tokens(subtask.text)
        task_type, phrase = _type_of(text)
        terms = {
            f"{task_type}: {phrase}" if phrase else f"{task_type}: nothing found": BASE_COMPLEXITY[task_type],
            "length": min(0.15, 0.05 * math.log10(tokens)),
            "steps": min(0.20, 0.04 * sum(marker in text for marker in STEP_MARKERS)),
        }
        complexity = round(min(1.0, sum(terms.values())), 3)
        return TaskProfile(subtask, task_type, complexity, tokens, signals=terms)

    def __repr__(self) -> str:
        return "ReferenceClassifier()"


def _type_of(text: str) -> tuple[TaskType, str]:
    """Type of a lower-cased text and the phrase that told it."""
    for phrase, task_type in OVERRIDES.items():
        if phrase in text:
            return task_type, phrase
    found = [
        (task_type, next(word for word in words if word in text))
        for task_type, words in KEYWORDS.items()
        if any(word in text for word in words)
    ]
    return max(found, key=lambda hit: BASE_COMPLEXITY[hit[0]], default=(TaskType.QA_SIMPLE, ""))
