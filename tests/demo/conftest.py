import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hotline.demo.pbx import DemoAddress

Headers = dict[str, str]


class Listener:
    """The least an AMI client can be: reads messages, sends actions."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.seen: list[Headers] = []

    def send(self, **lines: str) -> None:
        """An action."""
        self.writer.write("".join(f"{key}: {text}\r\n" for key, text in lines.items()).encode() + b"\r\n")

    async def message(self) -> Headers:
        """The next message; empty at the end of the connection."""
        try:
            raw = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return {}
        told = {key: text for key, _, text in (line.partition(": ") for line in raw.split("\r\n") if line)}
        self.seen.append(told)
        return told

    async def until(self, **wanted: str) -> Headers:
        """The next message that says all this; AssertionError when the connection ends first."""
        while told := await self.message():
            if all(told.get(key) == text for key, text in wanted.items()):
                return told
        raise AssertionError(f"the connection ended before {wanted}")

    async def list(self, action: str, **more: str) -> list[Headers]:
        """What a list action answers, without its frame."""
        self.send(Action=action, ActionID=f"my-{action}", **more)
        assert (await self.until(Response="Success", ActionID=f"my-{action}"))["EventList"] == "start"
        items = []
        while (told := await self.message()).get("EventList") != "Complete":
            assert told, "the list has no end"
            if told.get("ActionID") == f"my-{action}":
                items.append(told)
        assert told["ListItems"] == str(len(items))
        return items


Connect = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects, and logs in unless told not to."""
    open_ones: list[Listener] = []

    async def _connect(address: DemoAddress, *, login: bool = True) -> Listener:
        listener = Listener(*await asyncio.open_connection(address.host, address.port))
        open_ones.append(listener)
        assert await listener.reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
        if login:
            listener.send(Action="Login", ActionID="1", Username=address.user, Secret=address.secret)
            assert (await listener.message())["Response"] == "Success"
            assert (await listener.message())["Event"] == "FullyBooted"
        return listener

    yield _connect
    for listener in open_ones:
        listener.writer.close()
