"""Recordings over HTTP(S): a web server that serves the PBX's recordings folder.

It cannot list, so names must come from the PBX (a UserEvent with them). Redirects are followed within the same server
only; a certificate that is not trusted ends it. Sends a login or token to that server alone.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from telephony.remote import PIECE, RemoteError, TooLargeError

_HOPS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_NO = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class HttpRemote:
    """``url`` is a folder. With ``user`` the secret is a password, without it a bearer token.

    ``ca_file``: the certificate to trust instead of the machine's. ``limit`` bytes and ``timeout`` seconds, a file.
    """

    base = ""

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        secret: str | None = None,
        ca_file: Path | None = None,
        limit: int,
        timeout: float,
    ) -> None:
        self._url = URL(url if url.endswith("/") else url + "/")
        self._limit, self._timeout = limit, timeout
        self._headers = {"Accept-Encoding": "identity"}
        if user is not None:
            self._headers["Authorization"] = aiohttp.encode_basic_auth(user, secret or "")
        elif secret is not None:
            self._headers["Authorization"] = f"Bearer {secret}"
        self._ca = ca_file

    @asynccontextmanager
    async def open(self) -> AsyncIterator["_HttpStore"]:
        """A session."""
        try:
            tls = await asyncio.to_thread(ssl.create_default_context, cafile=self._ca)
        except OSError as error:
            raise RemoteError(f"the certificate {self._ca} cannot be read: {error}") from error
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout, connect=min(10.0, self._timeout)),
            auto_decompress=False,
        ) as session:
            yield _HttpStore(session, self._url, self._limit)


class _HttpStore:
    def __init__(self, session: aiohttp.ClientSession, base: URL, limit: int) -> None:
        self._session, self._base, self._limit = session, base, limit

    async def size(self, name: str) -> int | None:
        """By HEAD: a body is never read for it."""
        async with self._ask("HEAD", name) as answer:
            if answer is None:
                return None
            if answer.content_length is None:
                raise RemoteError(f"{answer.url} does not tell its size: the server must send Content-Length")
            return answer.content_length

    async def names(self, folder: str) -> Sequence[str] | None:
        """Web servers have no common way to list."""
        del folder
        return None

    async def fetch(self, name: str, into: Path) -> None:
        """A body that ends before its Content-Length is no file."""
        async with self._ask("GET", name) as answer:
            if answer is None:
                raise RemoteError(f"{self._base / name} was there and is gone")
            if answer.content_length is not None and answer.content_length > self._limit:
                raise TooLargeError(f"{name} has {answer.content_length} bytes, more than max_mb allows")
            count = 0
            with into.open("wb") as file:
                async for piece in answer.content.iter_chunked(PIECE):
                    count += len(piece)
                    if count > self._limit:
                        raise TooLargeError(f"{name} is larger than max_mb allows")
                    file.write(piece)
            if answer.content_length is not None and count != answer.content_length:
                raise RemoteError(f"{answer.url} broke off after {count} of {answer.content_length} bytes")

    @asynccontextmanager
    async def _ask(self, method: str, name: str) -> AsyncIterator[aiohttp.ClientResponse | None]:
        """The final answer, None: there is no such file."""
        url = self._base.joinpath(*name.split("/"))
        try:
            for _ in range(_HOPS + 1):
                async with self._session.request(method, url, allow_redirects=False) as answer:
                    if answer.status in _MOVED:
                        url = self._moved(url, answer.headers.get("Location", ""))
                        continue
                    if answer.status in _ABSENT:
                        yield None
                        return
                    if answer.status in _NO:
                        raise RemoteError(f"{url} refuses us ({answer.status}): check user and secret")
                    if answer.status != HTTPStatus.OK:
                        raise RemoteError(f"{url} answered {answer.status} {answer.reason or ''}".rstrip())
                    yield answer
                    return
            raise RemoteError(f"{url} was redirected more than {_HOPS} times")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RemoteError(f"{url}: {error or type(error).__name__}") from error

    def _moved(self, url: URL, location: str) -> URL:
        try:
            new = url.join(URL(location))
            origin = new.origin()
        except ValueError as error:
            raise RemoteError(f"{url} was redirected to nonsense") from error
        if origin != self._base.origin():
            raise RemoteError(f"{url} was redirected to {origin}: another server is not asked")
        return new
