"""An answer that comes in pieces, read to its end as if it had come in one.

LiteLLM (1.106) takes a stream that stops in its middle for a whole answer, makes up the token counts that the server
did not tell, and keeps no durations. So the end of the stream is read from the wire, where it can be.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Mapping
from typing import Any

from multillm.client.failures import error_told, read_answer
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
                if (text := choice.delta.content) and not choice.index:  # one answer was asked for
                    pieces.append(text)
                    trace.begun = True
                    told.piece(label, text)
    except Exception as error:
        if trace.broken is None and (reason := error_told(_closing(trace.tail)[0])):
            raise BrokenStream(reason) from error
        raise
    if trace.status is not None:
        closing, ended = _closing(trace.tail)
        if not ended:
            raise BrokenStream(error_told(closing) or "the answer stops before its end")
        trace.answered, usage = closing, closing.get("usage")
    message = {"role": "assistant", "content": "".join(pieces)}
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": usage}


def _closing(tail: bytes) -> tuple[dict[str, Any], bool]:
    """What the last lines of a stream say, the later above the earlier, and whether they end it.

    A model that was told to have ended and goes on speaking all the same has not answered what was asked.
    """
    said: dict[str, Any] = {}
    ended = False
    for line in tail.splitlines():
        content = line.removeprefix(b"data:").strip()
        if content == b"[DONE]":
            return said, True
        told = read_answer(content)
        choice = _first(told.get("choices"))
        if ended and (_spoken(told.get("message")) or _spoken(choice.get("delta"))):
            raise BrokenStream("the server goes on after the end of its answer")
        said |= {key: value for key, value in told.items() if value is not None}
        ended = ended or bool(told.get("done") or choice.get("finish_reason"))
    return said, ended


def _first(choices: object) -> Mapping[str, Any]:
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}


def _spoken(message: object) -> bool:
    return isinstance(message, Mapping) and bool(message.get("content"))
