"""From the body of an OpenAI chat request to a prompt and what the run is to do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from multillm.errors import InputError
from multillm.orchestration.options import RunOptions

__all__ = ["last_question", "read_request", "written_text"]

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
NAMES = {
    "temperature": "temperature",
    "seed": "seed",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
}
"""Parameters of OpenAI's that a run can heed, and what it calls them."""
WITHOUT_EFFECT = frozenset({"stream", "stream_options", "user", "max_retries", "extra_body"})


def read_request(messages: Sequence[Mapping[str, Any]], params: Mapping[str, Any]) -> tuple[str, RunOptions]:
    """The prompt, which is the last message, and the options, with all messages before it as history.

    Parameters
    ----------
    messages : sequence of mapping
        Chat messages of OpenAI's API.
    params : mapping
        Its other parameters.

    Raises
    ------
    InputError
        If a message or a parameter is of a kind that the pipeline cannot heed.
    """
    *before, last = [_plain(place, message) for place, message in enumerate(messages)] or [{}]
    if last.get("role") != "user":
        raise InputError(
            f"the last message has the role {last.get('role')!r}; the prompt must come last, with the role 'user'"
        )
    history = [message for message in before if message["content"].strip()]
    return last["content"], RunOptions(history=history, **_asked(params))


def last_question(messages: Sequence[Mapping[str, Any]]) -> str:
    """Text of the user's last message; empty if it has none, as a picture alone."""
    contents = [message.get("content") for message in messages if message.get("role") == "user"]
    return written_text(contents[-1]) if contents else ""


def written_text(content: object) -> str:
    """The text in a message's content, without what else is in it."""
    return "\n".join(_texts(content))


def _plain(place: int, message: Mapping[str, Any]) -> dict[str, str]:
    """A message of text alone."""
    role, text = ROLES.get(str(message.get("role"))), _text(message.get("content"))
    if role is None or message.get("tool_calls"):
        raise InputError(f"messages[{place}] is of a tool; allowed are the roles {', '.join(ROLES)}, without tools")
    if text is None:
        raise InputError(f"messages[{place}] has content that is not text; allowed are strings and parts of type text")
    return {"role": role, "content": text}


def _text(content: object) -> str | None:
    """The text of a message's content; None where anything in it is of another kind."""
    texts = _texts(content)
    parts = len(content) if isinstance(content, list) else 1
    return "\n".join(texts) if texts and len(texts) == parts else None


def _texts(content: object) -> list[str]:
    if content is None or isinstance(content, str):
        return [content or ""]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]


def _asked(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as a run names them; one that it cannot heed is refused, never dropped unseen."""
    given = {name: value for name, value in params.items() if value is not None and name not in WITHOUT_EFFECT}
    if given.get("n") == 1:
        del given["n"]
    if unknown := sorted(set(given) - set(NAMES)):
        raise InputError(
            f"{', '.join(unknown)} cannot be heeded by the pipeline; it takes {', '.join(NAMES)}, and sets the "
            "rest itself: leave it out, or list it under additional_drop_params of the model in the proxy's config"
        )
    if {"max_tokens", "max_completion_tokens"} <= set(given):
        raise InputError("max_tokens and max_completion_tokens are the same limit; give one of them")
    return {NAMES[name]: value for name, value in given.items()}
