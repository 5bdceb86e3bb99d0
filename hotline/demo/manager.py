"""The AMI server of the built-in PBX: banner, login, the actions a listener may use, events to everybody logged in.

Speaks as Asterisk 22.10 was seen speaking, refusals and their second of waiting too. Loopback only; the secret is made
at every start. A client that vanishes or stops reading costs the others nothing.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from hotline.demo.floor import Floor
from hotline.demo.story import Message

log = structlog.get_logger()

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
USER = "hotline-demo"
REFUSAL_AFTER = 1.0
"""Seconds Asterisk waits before it says that a login failed."""
LOGIN_WITHIN = 30.0
"""Seconds a client has to log in."""
UNREAD = 3_000_000
"""Bytes a client may leave unread before it is dropped: about what Asterisk lets pile up."""
LIST_SAYS = {
    "coreshowchannels": "Channels will follow",
    "status": "Channel status will follow",
    "queuestatus": "Queue status will follow",
}
_ID_LAST = frozenset({"Status", "QueueParams", "QueueMember", "QueueEntry"})  # the others say it in their second line
_LINES = 128


@dataclass(frozen=True, slots=True)
class DemoAddress:
    """Where the demo's AMI listens, and who may log in."""

    host: str
    port: int
    user: str
    secret: str


def encode(message: Iterable[tuple[str, str]]) -> bytes:
    """A message as it goes over the wire."""
    return "".join(f"{key}: {text}\r\n" for key, text in message).encode() + b"\r\n"


class ManagerServer:
    """Listens, answers, passes events on. ``joined`` is called whenever a client has logged in."""

    def __init__(self, floor: Floor, clock: Callable[[], float], joined: Callable[[], None]) -> None:
        self._floor = floor
        self._clock = clock
        self._joined = joined
        self._began = clock()
        self._secret = secrets.token_urlsafe(18)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._listeners: set[asyncio.StreamWriter] = set()

    @property
    def listeners(self) -> int:
        """How many clients are logged in."""
        return len(self._listeners)

    async def open(self) -> DemoAddress:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return DemoAddress(host, port, USER, self._secret)

    async def close(self) -> None:
        """Stop listening and let everybody go, as a PBX that is shut down does."""
        self.tell((("Event", "Shutdown"), ("Privilege", "system,all"), ("Shutdown", "Cleanly"), ("Restart", "False")))
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()
        if self._server is not None:
            await self._server.wait_closed()

    def tell(self, message: Message) -> None:
        """An event to everybody logged in."""
        data = encode(message)
        for writer in list(self._listeners):
            if writer.transport.get_write_buffer_size() > UNREAD:
                log.warning("a client of the demo's PBX does not read: dropped")
                self._listeners.discard(writer)
                writer.transport.abort()
            else:
                writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            writer.write(BANNER)
            async with asyncio.timeout(LOGIN_WITHIN):
                if not await self._login(reader, writer):
                    return
            self._listeners.add(writer)
            self._joined()
            while action := await _action(reader):
                if not self._answer(action, writer):
                    return
                await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:
            log.info("a client of the demo's PBX is gone", error=repr(error))
        finally:
            self._listeners.discard(writer)
            self._writers.discard(writer)
            writer.close()

    async def _login(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        while action := await _action(reader):
            if action.get("action", "").lower() != "login":
                writer.write(_response("Error", action, ("Message", "Permission denied")))
                continue
            known = action.get("username") == USER
            if known and hmac.compare_digest(action.get("secret", "").encode(), self._secret.encode()):
                writer.write(_response("Success", action, ("Message", "Authentication accepted")))
                uptime = f"{int(self._clock() - self._began)}"
                booted = (("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", uptime))
                writer.write(encode((*booted, ("LastReload", uptime), ("Status", "Fully Booted"))))
                return True
            await asyncio.sleep(REFUSAL_AFTER)
            writer.write(_response("Error", action, ("Message", "Authentication failed")))
            return False
        return False

    def _answer(self, action: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        """Answer one action; False when the client said goodbye."""
        name = action.get("action", "")
        now = self._clock()
        match name.lower():
            case "ping":
                writer.write(_response("Success", action, ("Ping", "Pong"), ("Timestamp", f"{now:.6f}")))
            case "events":
                writer.write(_response("Success", action, ("Events", "On")))
            case "logoff":
                writer.write(_response("Goodbye", action, ("Message", "Thanks for all the fish.")))
                return False
            case "coreshowchannels":
                self._list(action, writer, self._floor.core_show_channels(now))
            case "status" if action.get("channel", "") and action["channel"] not in self._floor:
                writer.write(_response("Error", action, ("Message", "No such channel")))
            case "status":
                self._list(action, writer, self._floor.status(action.get("channel") or None, now))
            case "queuestatus":
                self._list(action, writer, self._floor.queue_status(action.get("queue") or None, now))
            case _:
                text = f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
                writer.write(_response("Error", action, ("Message", text)))
        return True

    def _list(self, action: dict[str, str], writer: asyncio.StreamWriter, messages: Iterable[Message]) -> None:
        says = LIST_SAYS[action["action"].lower()]
        writer.write(_response("Success", action, ("EventList", "start"), ("Message", says)))
        for message in messages:
            event, *rest = message
            asked = _action_id(action)
            writer.write(encode((event, *rest, *asked) if event[1] in _ID_LAST else (event, *asked, *rest)))


def _action_id(action: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return (("ActionID", action["actionid"]),) if "actionid" in action else ()


def _response(kind: str, action: dict[str, str], *lines: tuple[str, str]) -> bytes:
    return encode((("Response", kind), *_action_id(action), *lines))


async def _action(reader: asyncio.StreamReader) -> dict[str, str]:
    """The next action, its keys in lower case; empty at the end of the connection. ValueError when it is too long."""
    action: dict[str, str] = {}
    while line := await reader.readline():
        text = line.decode("utf-8", "replace").strip("\r\n")
        if text:
            key, _, said = text.partition(":")
            action.setdefault(key.strip().lower(), said.strip())
            if len(action) > _LINES:
                raise ValueError("an action of too many lines")
        elif action:
            return action
    return {}
