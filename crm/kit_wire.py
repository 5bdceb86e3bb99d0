"""A wire between a connector and its system that loses answers: for worlds that show what happens then."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Loses = Callable[[bytes], bool]


class Wire:
    """Passes TCP on from a free port of this machine to ``host``:``port``, plain.

    ``loses`` looks at what a request begins with (its head, and its body where both came together): true, and the
    connection breaks instead of bringing the answer, which the system has given by then. ``lost`` counts those.
    """

    def __init__(self, host: str, port: int, loses: Loses) -> None:
        self._host, self._port, self._loses = host, port, loses
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self.lost = 0

    @property
    def url(self) -> str:
        """Where the connector should go instead."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for talk in tuple(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            await self._pass(reader, writer)
        finally:
            self._talks.discard(task)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._host, self._port)
        lose = asyncio.Event()

        async def out() -> None:
            while data := await reader.read(1 << 20):
                if self._loses(data):
                    lose.set()
                back.write(data)
                await back.drain()

        async def home() -> None:
            while data := await there.read(1 << 20):
                if lose.is_set():
                    self.lost += 1
                    return
                writer.write(data)
                await writer.drain()

        loop = asyncio.get_running_loop()
        ways = {loop.create_task(out()), loop.create_task(home())}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            with suppress(OSError):
                await asyncio.gather(*ways, return_exceptions=True)
            back.close()
