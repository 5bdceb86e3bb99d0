"""HTTP to a CRM, for every connector that speaks it: one session, strict limits, and errors sorted by what to do.

Nothing that comes back is trusted: a page of HTML where JSON was asked for, half a body, an endless one, a redirect to
another house. A write whose answer was lost is told apart from one that never left (:class:`UnknownOutcomeError`).
What a status means beyond the usual is the connector's to say: it may look at :class:`Answer` itself.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import (
    BasicAuth,
    ClientConnectorCertificateError,
    ClientError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    TraceConfig,
    TraceRequestHeadersSentParams,
)
from yarl import URL

from crm.http_answers import error_of
from crm.trouble import AuthError, CrmError, InvalidError, TransientError, UnknownOutcomeError

LONGEST_ANSWER = 8 << 20  # bytes, unpacked
MOST_REDIRECTS = 3
HEARD_OUT = 2.0  # seconds that are given to the rest of an answer whose status is all that counts
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, in seconds: for a connection, and for the whole answer once connected."""

    connect: float
    read: float


LOOKUP = Pace(0.3, 0.7)  # somebody's telephone rings
WRITE = Pace(3.0, 10.0)
BULK = Pace(3.0, 30.0)  # a page of a full load or of a feed


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``headers`` by lower-case name; ``wrote``: the request may have changed something there."""

    system: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    wrote: bool = False

    @property
    def text(self) -> str:
        """The body as text, whatever bytes it holds."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises TransientError, or UnknownOutcomeError of a write, when it is anything else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = UnknownOutcomeError if self.wrote else TransientError
            says = self.headers.get("content-type", "no content type")
            begins = " ".join(self.text[:80].split())
            raise kind(f"{self.system} answered {self.status} with no JSON ({says}): {begins!r}") from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; InvalidError when it is JSON of another kind."""
        found = self.json()
        if not isinstance(found, dict):
            raise self._another_kind(found, "an object")
        return found

    def json_list(self) -> list[Any]:
        """The body as a JSON list; InvalidError when it is JSON of another kind."""
        found = self.json()
        if not isinstance(found, list):
            raise self._another_kind(found, "a list")
        return found

    @property
    def date(self) -> float | None:
        """The system's own clock when it answered, epoch seconds; None where it does not tell."""
        return http_date(self.headers.get("date"))

    def _another_kind(self, found: object, wanted: str) -> InvalidError:
        return InvalidError(f"{self.system} answered {type(found).__name__} where {wanted} was expected")


class Http:
    """One session with one system. ``base`` ends all paths' common part; ``name`` is what errors call the system.

    ``connections``: at once, more wait. ``ca``: a file of certificates to trust instead of the machine's.
    Raises InvalidError when ``ca`` cannot be read.
    """

    def __init__(
        self,
        name: str,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: BasicAuth | None = None,
        connections: int = 4,
        ca: Path | None = None,
        longest: int = LONGEST_ANSWER,
    ) -> None:
        self.name, self._base, self._longest = name, URL(base.rstrip("/")), longest
        tracing = TraceConfig()
        tracing.on_request_headers_sent.append(_sent)
        self._session = ClientSession(
            connector=TCPConnector(limit=connections, ssl=_trust(name, ca)),
            headers={"Accept": "application/json", "User-Agent": "hotline", **(headers or {})},
            auth=auth,
            cookie_jar=DummyCookieJar(),  # a session of theirs would outlive the key it was opened with
            trace_configs=[tracing],
            trust_env=False,
        )

    async def ask(
        self,
        method: str,
        path: str,
        *,
        pace: Pace = LOOKUP,
        writes: bool = False,
        query: Mapping[str, str] | None = None,
        json_body: Any = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        refuse: bool = True,
        as_it_is: bool = False,
    ) -> Answer:
        """Ask once. ``writes``: it may change something, so a lost answer leaves the outcome unknown.

        ``path`` comes behind the base as it is: quote what you put into it. A status that is no success raises its
        error (:func:`crm.http_answers.error_of`), unless ``refuse`` is False. ``as_it_is``: only the status counts; a
        redirect is an answer too, and a body that is too long, slow or broken off is cut. Raises CrmError.
        """
        url = URL(str(self._base) + path, encoded=True)
        if query:
            url = url.update_query(query)
        started = SimpleNamespace(sent=False)
        try:
            for _ in range(MOST_REDIRECTS + 1):
                async with self._session.request(
                    method,
                    url,
                    json=json_body,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                    timeout=ClientTimeout(total=pace.connect + pace.read, sock_connect=pace.connect),
                    trace_request_ctx=started,
                ) as response:
                    if as_it_is:
                        return await self._beginning(response)
                    if response.status in REDIRECTS:
                        url = self._moved(response, writes=writes)
                        continue
                    answer = await self._read(response, writes=writes)
                    break
            else:
                raise InvalidError(f"{self.name} sends us in circles: {url.path} moved {MOST_REDIRECTS} times")
        except ClientConnectorCertificateError as error:
            raise AuthError(
                f"{self.name} shows a certificate that is not trusted: {error}; name its CA file"
            ) from error
        except (TimeoutError, ClientError, OSError) as error:
            raise self._lost(error, pace, unknown=writes and started.sent) from error
        if refuse and (trouble := error_of(answer.system, answer.status, answer.headers, answer.text, writes=writes)):
            raise trouble
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _read(self, response: ClientResponse, *, writes: bool) -> Answer:
        parts, size = [], 0
        async for part in response.content.iter_chunked(1 << 16):
            size += len(part)
            if size > self._longest:
                kind = UnknownOutcomeError if writes else InvalidError
                raise kind(f"{self.name} answered more than {self._longest} bytes")
            parts.append(part)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(self.name, response.status, headers, b"".join(parts), wrote=writes)

    async def _beginning(self, response: ClientResponse) -> Answer:
        """The answer with as much of its body as comes in time."""
        body = bytearray()
        try:
            async with asyncio.timeout(HEARD_OUT):
                while len(body) < self._longest and (part := await response.content.read(self._longest - len(body))):
                    body += part
        except (TimeoutError, ClientError, OSError):
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(self.name, response.status, headers, bytes(body), wrote=True)

    def _moved(self, response: ClientResponse, *, writes: bool) -> URL:
        """Where to ask again. Elsewhere our key would go to strangers; a write sent on may arrive as a read."""
        to = response.headers.get("Location", "")
        try:
            url = response.url.join(URL(to, encoded=True))
        except ValueError as error:
            raise InvalidError(f"{self.name} answered with a redirect to nowhere: {to[:80]!r}") from error
        if writes or url.origin() != self._base.origin():
            raise InvalidError(f"{self.name} answered with a redirect to {url}: if that is right, set url to it")
        return url

    def _lost(self, error: Exception, pace: Pace, *, unknown: bool) -> CrmError:
        said = str(error) or type(error).__name__
        if isinstance(error, ClientResponseError):  # its own text has the whole address, which may hold a key
            said = f"no HTTP: {' '.join(error.message.split())}"
        if isinstance(error, TimeoutError):
            said = f"no answer within {pace.connect + pace.read:g} s"
        if unknown:
            return UnknownOutcomeError(f"{self.name}: {said}; what was sent may have been done")
        return TransientError(f"{self.name}: {said}")


def http_date(text: str | None) -> float | None:
    """Epoch seconds of an HTTP date; None when there is none."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


async def _sent(_: ClientSession, context: SimpleNamespace, __: TraceRequestHeadersSentParams) -> None:
    context.trace_request_ctx.sent = True


def _trust(name: str, ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise InvalidError(f"{name}: the CA file {ca} cannot be used: {error}", "ca_file") from error
