"""What goes over the wire in one call: one request to one address, and no more of an answer than it may have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx

from multillm.client.tracing import Trace

__all__ = ["Wire"]


class Wire(httpx.AsyncBaseTransport):
    """Carries requests over another transport, one for each call.

    LiteLLM's handler (1.106, ``AsyncHTTPHandler.post``) sends a request again, over a connection of
    its own and uncounted, when the first one broke. Here the second sending fails as the first did,
    so that every request is an attempt that is counted, timed and waited for.

    A redirection is not followed: prompt and answer are between the caller and the address that was given.
    Compressed answers are neither asked for nor read, because a megabyte may become gigabytes, which its length
    on the wire does not tell.

    Parameters
    ----------
    inner : httpx.AsyncBaseTransport
        Does the carrying.
    trace : callable
        The trace of the call under way; None outside of calls.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, trace: Callable[[], Trace | None]) -> None:
        self._inner = inner
        self._trace = trace

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, unless it broke before."""
        trace = self._trace()
        if trace is None:
            return await self._inner.handle_async_request(request)
        if trace.broken is not None:
            raise trace.broken
        request.headers["Accept-Encoding"] = "identity"
        try:
            response = await self._inner.handle_async_request(request)
            trace.status = response.status_code
            await _refuse(response)
        except Exception as error:  # those that LiteLLM does not make httpx's own, too
            trace.broken = error
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  # an async transport's
        response.stream = _Capped(response.stream, trace)
        return response

    async def aclose(self) -> None:
        """Nothing: the transport is its owner's to close."""


async def _refuse(response: httpx.Response) -> None:
    """Let go of an answer that is not to be read, and say why."""
    coding = response.headers.get("content-encoding", "identity")
    if response.has_redirect_location:
        reason = f"the server sends the request on to {response.headers['location']}; if that is right, call it there"
    elif coding != "identity":
        reason = f"the answer is compressed ({coding}), which was not asked for"
    else:
        return
    await response.aclose()
    raise httpx.ReadError(reason)


class _Capped(httpx.AsyncByteStream):
    """A body that is broken off where it becomes too long."""

    def __init__(self, inner: httpx.AsyncByteStream, trace: Trace) -> None:
        self._inner = inner
        self._trace = trace

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read, most = 0, self._trace.most_bytes
        try:
            async for chunk in self._inner:
                read += len(chunk)
                if read > most:
                    raise httpx.ReadError(f"the answer is longer than {most:,} bytes, far beyond its budget")
                self._trace.read(chunk)
                yield chunk
        except httpx.TransportError as error:
            self._trace.broken = error
            raise

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._inner.aclose()
