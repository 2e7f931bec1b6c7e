"""A server that answers every request with the same bytes, whatever they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass
class Canned:
    """What it answers with, and what it was asked."""

    answer: bytes
    port: int = 0
    asked: list[bytes] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, answer, hang up."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [
                line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
            ]
            self.asked.append(head + await reader.readexactly(int(*lengths)))
            writer.write(self.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller went
        finally:
            writer.close()


@asynccontextmanager
async def canned(answer: bytes, host: str = HOST) -> AsyncIterator[Canned]:
    """Answer with these bytes for as long as the block lasts."""
    made = Canned(answer)
    server = await asyncio.start_server(made.serve, host, 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def http(body: bytes | str, status: str = "200 OK", *headers: str) -> bytes:
    """A response of HTTP with this body."""
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content
