"""One connection to Asterisk's manager interface: the only module that knows panoramisk.

panoramisk 1.4 gives the shape (Manager, Action) and none of its reading: its protocol decodes and splits what it reads
in ways that lose characters, messages and whole connections, sends unanswered actions again after a reconnect (a
customer would be dialled twice), never notices a half-open link, and goes on connecting after ``close()``. So its
Manager gets a protocol of ours, and :mod:`telephony.link` decides when to connect and when to give up.

An action has a deadline, fails at once with its connection, and is never sent twice. Nothing waits while bytes come in.
"""

import asyncio
import hashlib
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from panoramisk import Manager
from panoramisk.actions import Action

from telephony.events import Event, ListDone
from telephony.framing import Framer, Response

_FORBIDDEN = frozenset("\r\n\0")
_LONGEST = 1000  # characters a value: of a line of 1,100 bytes Asterisk says "line too long"
_A = TypeVar("_A")
_CERTIFICATE = (
    "the certificate of {settings.host} is not trusted ({why}): tls_ca must be the certificate the PBX shows or that "
    "of who signed it, and host the name it is for"
)
_NO_TLS = "{settings.host}:{settings.port} speaks no TLS ({why}): port must be that of tlsbindaddr in manager.conf"


class Login(StrEnum):
    """How the secret is shown to the PBX."""

    PLAIN = "plain"
    MD5 = "md5"  # as an answer to a challenge: the secret itself does not cross the network


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiSettings:
    """How to reach one PBX. Times are seconds.

    With ``tls`` the PBX must show a certificate for ``host``, signed by what is in the file ``tls_ca`` or that very
    certificate; without ``tls_ca``, by whom this machine trusts.

    ``inbox`` are the events that may wait for the consumer, ``capture`` is where raw bytes are kept.
    ``first_retry`` and ``refused_retry`` are the first pauses after a PBX that does not answer, and after one that
    refuses the login (which may ban whoever tries too often).
    """

    name: str
    host: str
    port: int = 5038
    user: str
    secret: str = field(repr=False)
    tls: bool = False
    tls_ca: Path | None = None
    login: Login = Login.PLAIN
    ping_every: float = 10.0
    deadline: float = 5.0
    inbox: int = 50_000
    capture: Path | None = None
    first_retry: float = 0.5
    refused_retry: float = 30.0


class AmiError(Exception):
    """The PBX did not do, or did not answer, what was asked; the text is for the operator."""


class RefusedError(AmiError):
    """The PBX answered an action with an error."""


class _Protocol(asyncio.Protocol):
    """Bytes in, messages out, at once."""

    def __init__(
        self, framer: Framer[Event], take: Callable[[Event | Response], None], heard: Callable[[bytes], None]
    ) -> None:
        self._framer = framer
        self._take = take
        self._heard = heard
        self.reads = 0
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.lost.done():  # given up while it was being made
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        self._heard(data)
        for message in self._framer.feed(data):
            self._take(message)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result("closed by the PBX" if exc is None else f"{type(exc).__name__}: {exc}")


class _Manager(Manager):  # type: ignore[misc]
    """panoramisk's Manager without its reading, reconnecting, pinging and re-sending."""

    def connection_made(self, f: asyncio.Future[Any]) -> None:
        """Nothing starts by itself."""


class Connection:
    """One connection. ``take`` gets every event, ``heard`` every read; both at once, from within the read."""

    def __init__(
        self,
        settings: AmiSettings,
        framer: Framer[Event],
        take: Callable[[Event], None],
        heard: Callable[[bytes], None],
    ) -> None:
        self._settings = settings
        self._take = take
        self._protocol = _Protocol(framer, self._sort, heard)
        self._answers: dict[str, asyncio.Future[Response]] = {}
        self._ends: dict[str, asyncio.Future[None]] = {}

    @property
    def lost(self) -> "asyncio.Future[str]":
        """Done when the connection is over, with the reason."""
        return self._protocol.lost

    @property
    def reads(self) -> int:
        """How often bytes came."""
        return self._protocol.reads

    async def open(self) -> None:
        """Connect and log in. RefusedError when the PBX refuses; OSError or AmiError when it is not there."""
        settings = self._settings
        manager = _Manager(
            host=settings.host,
            port=settings.port,
            protocol_factory=lambda: self._protocol,
            loop=asyncio.get_running_loop(),
            ssl=_trust(settings) if settings.tls else False,
        )
        try:
            async with asyncio.timeout(settings.deadline):
                await manager.connect()
        except TimeoutError as error:
            raise AmiError(f"{settings.host}:{settings.port} does not answer") from error
        except ssl.CertificateError as error:
            raise AmiError(_CERTIFICATE.format(settings=settings, why=error.verify_message)) from error
        except ssl.SSLError as error:
            raise AmiError(_NO_TLS.format(settings=settings, why=error.reason or error)) from error
        await self._log_in()

    async def _log_in(self) -> None:
        settings = self._settings
        shown = {"Secret": settings.secret}
        if settings.login is Login.MD5:
            answer = await self.ask("Challenge", {"AuthType": "MD5"}, settings.deadline)
            key = hashlib.md5((answer.get("Challenge", "") + settings.secret).encode())  # noqa: S324 - AMI knows no other
            shown = {"AuthType": "MD5", "Key": key.hexdigest()}
        await self.ask("Login", {"Username": settings.user, **shown, "Events": "on"}, settings.deadline)

    def abort(self, why: str) -> None:
        """Cut the connection without waiting for the other side."""
        if not self.lost.done():
            self.lost.set_result(why)
        if self._protocol.transport is not None:
            self._protocol.transport.abort()

    async def ask(self, name: str, fields: Mapping[str, str], deadline: float, *, rows: bool = False) -> dict[str, str]:
        """One action and the headers of its answer; with ``rows``, after the end of the list that follows it.

        ValueError for a line break in a key or value; RefusedError when the PBX says no; AmiError when the connection
        breaks or nothing comes within ``deadline`` seconds. Whether the PBX did it is then unknown.
        """
        for key, value in fields.items():
            if _FORBIDDEN & {*key, *value} or len(value) > _LONGEST:
                raise ValueError(f"a line break or an endless value in {key!r} of the AMI action {name}")
        transport, action_id = self._protocol.transport, secrets.token_hex(12)
        if transport is None or self.lost.done():
            raise AmiError(f"no connection to PBX {self._settings.name}")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Response] = loop.create_future()
        end: asyncio.Future[None] = loop.create_future()
        self._answers[action_id], self._ends[action_id] = answer, end
        transport.write(str(Action({**fields, "Action": name, "ActionID": action_id})).encode())
        try:
            headers = (await self._await(answer, name, deadline)).headers
            if headers.get("Response") not in ("Success", "Goodbye"):
                raise RefusedError(headers.get("Message", "no reason given"))
            if rows:
                await self._await(end, name, deadline)
            return headers
        finally:
            del self._answers[action_id], self._ends[action_id]

    async def _await(self, answer: "asyncio.Future[_A]", name: str, deadline: float) -> _A:
        waiting: set[asyncio.Future[Any]] = {answer, self.lost}
        await asyncio.wait(waiting, timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        if self.lost.done():
            raise AmiError(f"the connection broke before {name} was answered: {self.lost.result()}")
        raise AmiError(f"PBX {self._settings.name} did not answer {name} in {deadline:g} s")

    def _sort(self, message: Event | Response) -> None:
        """Answers only by their ActionID, which nobody can guess: a caller can forge answers, too."""
        if isinstance(message, Response):
            answer = self._answers.get(message.headers.get("ActionID", ""))
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif isinstance(message, ListDone):
            end = self._ends.get(message.action_id or "")
            if end is not None and not end.done():
                end.set_result(None)
        else:
            self._take(message)


def _trust(settings: AmiSettings) -> ssl.SSLContext:
    """Whom to believe. AmiError when ``tls_ca`` is no certificate that can be read."""
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
    except ssl.SSLError as error:
        raise AmiError(f"tls_ca {settings.tls_ca} holds no certificate in PEM form: {error.reason}") from error
    except OSError as error:
        raise AmiError(f"tls_ca {settings.tls_ca} cannot be read: {error.strerror}") from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the PBX's own certificate may stand for itself
    return context
