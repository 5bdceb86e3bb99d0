"""Who may be listening where a dialplan asks: somebody silent, slow or wicked, a service."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the question and say nothing."""
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and never come to its end."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nqueue=sal")
    with contextlib.suppress(OSError):
        while not writer.transport.is_closing():
            writer.write(b"e")
            await writer.drain()
            await asyncio.sleep(0.05)


def says(status: int, form: str) -> Answer:
    """Answer with this."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(form)}\r\nLocation: http://127.0.0.1:9/\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{form}".encode())
        await writer.drain()
        writer.close()

    return answer


@asynccontextmanager
async def service(port: int, answer: Answer) -> AsyncIterator[None]:
    """Who listens where the dialplan asks."""
    clients: set[asyncio.StreamWriter] = set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.add(writer)
        await answer(reader, writer)

    server = await asyncio.start_server(client, "127.0.0.1", port, reuse_address=True)
    try:
        yield
    finally:
        server.close()
        for writer in clients:
            writer.transport.abort()


@asynccontextmanager
async def full_backlog(port: int) -> AsyncIterator[None]:
    """A machine that drops connections unanswered, as one behind a firewall does: a listener whose queue is full."""
    with socket.socket() as deaf, contextlib.ExitStack() as stack:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.1", port))
        deaf.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.settimeout(0)
            client.connect_ex(("127.0.0.1", port))
        yield
