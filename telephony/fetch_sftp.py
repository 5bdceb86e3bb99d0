"""Recordings over SFTP: the PBX's own SSH server, with its host key checked against ``known_hosts``.

asyncssh is imported only here, and only when such a server is configured (extra ``sftp``).
"""

import asyncio
import posixpath
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from telephony.remote import PIECE, RemoteError, TooLargeError

if TYPE_CHECKING:
    from asyncssh import SFTPClient

_PORT = 22
_CONNECT = 15.0  # seconds for connection and login


class SftpRemote:
    """``url`` is ``sftp://user@host:port/folder/``; the login is by ``key_file``, else by password.

    ``limit`` bytes and ``timeout`` seconds, a file.
    """

    def __init__(
        self,
        url: str,
        *,
        known_hosts: Path,
        user: str | None = None,
        secret: str | None = None,
        key_file: Path | None = None,
        limit: int,
        timeout: float,
    ) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or _PORT
        self._user = user or (unquote(parts.username) if parts.username else None)
        self.base = unquote(parts.path).rstrip("/") + "/"
        self._known_hosts, self._key, self._secret = known_hosts, key_file, secret
        self._limit, self._timeout = limit, timeout

    @asynccontextmanager
    async def open(self) -> AsyncIterator["_SftpStore"]:
        """A connection of its own: recordings are few, and an idle one would have to be watched."""
        try:
            import asyncssh  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise RemoteError("SFTP needs asyncssh: install hotline[sftp]") from error
        try:
            async with (
                asyncssh.connect(
                    self._host,
                    self._port,
                    username=() if self._user is None else self._user,
                    password=self._secret if self._key is None else None,
                    client_keys=[str(self._key)] if self._key else None,
                    passphrase=self._secret if self._key else None,
                    known_hosts=str(self._known_hosts),
                    agent_path=None,
                    config=None,
                    connect_timeout=_CONNECT,
                    login_timeout=_CONNECT,
                ) as connection,
                connection.start_sftp_client() as client,
            ):
                root = await client.realpath(self.base)
                yield _SftpStore(client, root.rstrip("/") + "/", self._limit, self._timeout)
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            raise RemoteError(f"{self._host}:{self._port}: {error or type(error).__name__}") from error


class _SftpStore:
    def __init__(self, client: "SFTPClient", root: str, limit: int, timeout: float) -> None:
        self._client, self._root, self._limit, self._timeout = client, root, limit, timeout

    async def size(self, name: str) -> int | None:
        """Of a regular file below the folder; a link that leads out of it is none."""
        import asyncssh  # noqa: PLC0415 - an extra

        path = posixpath.join(self._root, name)
        try:
            if not str(await self._client.realpath(path)).startswith(self._root):
                return None
            found = await self._client.stat(path)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        return found.size if found.type == asyncssh.FILEXFER_TYPE_REGULAR else None

    async def names(self, folder: str) -> Sequence[str] | None:
        """What lies in a folder."""
        import asyncssh  # noqa: PLC0415 - an extra

        try:
            found = await self._client.listdir(posixpath.join(self._root, folder))
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return ()
        return [name for name in found if isinstance(name, str)]

    async def fetch(self, name: str, into: Path) -> None:
        """Read on and on up to the limit: the size told before may have grown."""
        count = 0
        async with asyncio.timeout(self._timeout):
            async with self._client.open(posixpath.join(self._root, name), "rb") as source:
                with into.open("wb") as file:
                    while piece := cast("bytes", await source.read(PIECE)):  # opened in binary mode
                        count += len(piece)
                        if count > self._limit:
                            raise TooLargeError(f"{name} is larger than max_mb allows")
                        file.write(piece)
