"""FastAGI: the dialplan connects, says which channel asks, is given some variables and left alone.

``AGI(agi://host:port/route,DID,MENU)`` waits until we close the connection, so nothing here takes longer than
:data:`PATIENCE`, whatever the other end does. FastAGI knows no password: only the addresses in ``allow`` are heard.
What is answered is decided elsewhere.
"""

import asyncio
import ipaddress
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from telephony.agi_environment import Environment

log = structlog.get_logger()

PATIENCE = 1.0  # seconds for the environment, and again for each of our commands to be taken
LONGEST_LINE = 2048  # bytes; Asterisk's own are shorter
MOST_AT_ONCE = 200  # conversations; who comes on top of them goes on by himself

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REPLY = re.compile(rb"([0-9]{3})[ -]")
_TAKEN = b"200"

Answer = Callable[[Environment, str], Awaitable[Mapping[str, str]]]
"""Variables for a channel, in the order they are set; the text is the address that asks."""
Start = Callable[[Coroutine[Any, Any, None], str], object]


class AgiError(Exception):
    """The other end does not speak AGI as Asterisk does, or went away."""


@dataclass(slots=True)
class AgiCounts:
    """What came."""

    answered: int = 0
    refused: int = 0  # addresses not allowed, or too many at once
    broken: int = 0  # conversations that ended without an answer
    strange: int = 0  # lines that callers wrote into their environments


class AgiServer:
    """Listens for FastAGI. ``start`` runs a conversation in the background and watches it; ``script``: what we answer.

    ``allow`` are addresses or networks; ValueError for what is neither.
    """

    def __init__(self, script: str, answer: Answer, *, allow: Sequence[str], start: Start) -> None:
        self._script, self._answer, self._start = script, answer, start
        self._allow = [ipaddress.ip_network(one, strict=False) for one in allow]
        self._server: asyncio.Server | None = None
        self._open = 0
        self.counts = AgiCounts()

    async def open(self, host: str, port: int) -> int:
        """Listen; the port bound. OSError when that cannot be."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=LONGEST_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening. Conversations under way end by themselves, soon."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        if self._open >= MOST_AT_ONCE or not self._allowed(peer):
            self.counts.refused += 1
            log.warning("a FastAGI question was refused", peer=peer, open=self._open)
            writer.close()
            return
        self._open += 1
        self._start(self._converse(reader, writer, peer), f"FastAGI {peer}")

    def _allowed(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allow)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        environment = Environment()
        try:
            await _read(reader, environment, self._script)
            for name, value in (await self._answer(environment, peer)).items():
                await _command(reader, writer, f"SET VARIABLE {name} {quoted(value)}")
            self.counts.answered += 1
        except AgiError as error:
            self.counts.broken += 1
            log.warning("a FastAGI question was not answered", peer=peer, error=str(error))
        finally:
            self._open -= 1
            self.counts.strange += environment.strange
            if environment.strange:
                log.warning("a caller wrote lines of his own into AGI", peer=peer, lines=environment.strange)
            writer.close()


def quoted(value: str) -> str:
    """A value as one argument of an AGI command. ValueError for control characters: they would begin a new command."""
    if _CONTROL.search(value):
        raise ValueError(f"a control character in {value!r}")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def _read(reader: asyncio.StreamReader, environment: Environment, script: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not environment.complete:
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    raise AgiError("the connection ended before the channel was described")
                environment.take(line[:-1].decode("utf-8", "replace"))
    except TimeoutError as error:
        raise AgiError(f"no whole description of a channel within {PATIENCE} s") from error
    except (OSError, ValueError) as error:  # readline tells of a line too long by ValueError
        raise AgiError(str(error)) from error
    if environment.script != script:
        raise AgiError(f"asked for {environment.script[:40]!r}, there is only {script!r}")


async def _command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, command: str) -> None:
    """Have a command carried out, past ``HANGUP`` lines. AgiError when it is not."""
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(command.encode() + b"\n")
            await writer.drain()
            while (found := _REPLY.match(line := await reader.readline())) is None:
                if not line.endswith(b"\n"):
                    raise AgiError("the connection ended before the variables were set")
    except TimeoutError as error:
        raise AgiError(f"a command was not taken within {PATIENCE} s") from error
    except (OSError, ValueError) as error:
        raise AgiError(str(error)) from error
    if found[1] != _TAKEN:
        raise AgiError(f"{command.partition(' ')[0]}: {line.decode('utf-8', 'replace').strip()[:80]}")
