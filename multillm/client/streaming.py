"""An answer that comes in pieces, read to its end as if it had come in one.

LiteLLM (1.106) takes a stream that stops in its middle for a whole answer, makes up the token counts that the server
did not tell, and keeps no durations. So the end of the stream is read from the wire, where it can be.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Mapping
from typing import Any

from multillm.client.tracing import Trace
from multillm.listening import Listener

__all__ = ["BrokenStream", "read_stream"]


class BrokenStream(Exception):
    """The server told of an error in its answer, or the answer stops before its end."""


async def read_stream(call: Awaitable[AsyncIterable[Any]], label: str, told: Listener, trace: Trace) -> dict[str, Any]:
    """Read a streamed answer to its end.

    Parameters
    ----------
    call : awaitable
        LiteLLM's call, which gives the chunks.
    label : str
        Model group that answers.
    told : Listener
        Is told of every piece.
    trace : Trace
        Follows the call; has the server's closing words afterwards.

    Returns
    -------
    dict
        Fields of a LiteLLM ``ModelResponse``: choices with text and finish reason, usage if the server told it.

    Raises
    ------
    BrokenStream
        If the answer is not whole.
    """
    pieces: list[str] = []
    reason, usage = None, None
    chunks = await call
    try:
        async for chunk in chunks:
            usage = getattr(chunk, "usage", None) or usage
            for choice in chunk.choices:
                reason = choice.finish_reason or reason
                if text := choice.delta.content:
                    pieces.append(text)
                    trace.begun = True
                    told.piece(label, text)
    except Exception as error:
        closing, _ = _closing(trace.tail)
        if "error" in closing and trace.broken is None:
            raise BrokenStream(_error_text(closing)) from error
        raise
    if trace.tail:
        closing, ended = _closing(trace.tail)
        if not ended:
            raise BrokenStream(_error_text(closing) if "error" in closing else "the answer stops before its end")
        trace.answered, usage = closing, closing.get("usage")
    message = {"role": "assistant", "content": "".join(pieces)}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": usage}


def _closing(tail: bytes) -> tuple[dict[str, Any], bool]:
    """What the last lines of a stream say, the later above the earlier, and whether they end it."""
    said: dict[str, Any] = {}
    ended = False
    for line in tail.splitlines():
        content = line.removeprefix(b"data:").strip()
        ended = ended or content == b"[DONE]"
        try:
            told = json.loads(content)
        except ValueError:
            continue
        if isinstance(told, dict):
            said |= {key: value for key, value in told.items() if value is not None}
            ended = ended or bool(told.get("done"))
    return said, ended


def _error_text(closing: Mapping[str, Any]) -> str:
    error = closing["error"]
    return str(error.get("message") if isinstance(error, Mapping) else error)
