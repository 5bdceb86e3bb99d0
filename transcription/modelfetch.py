"""Fetching a speech model from its makers: resumed where it stopped, checked before it is unpacked.

The one module of this room that asks the network, and only when a person says ``hotline model get`` (or ``./run``).
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import aiohttp

from transcription.engines import ModelError
from transcription.modelstore import StoredModel, add, already

SMALL_MANDARIN = "vosk-model-small-cn-0.22"
MAKERS = "https://alphacephei.com/vosk/models/"
# of the zip. From a public list, not yet verified against a download: a difference is an error that says so
KNOWN_SHA256 = {SMALL_MANDARIN: "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba"}
_BLOCK = 2**18
_QUIET = 30.0  # seconds without a byte
_PARTIAL, _OK, _RANGE = 206, 200, 416
_AGAIN = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a broken download is taken up again, and the seconds before each time."""

    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)


class _BrokenOffError(Exception):
    """The connection broke or the server is busy: what has come so far is kept."""


class _Part:
    """What has come so far, in a file beside the store."""

    def __init__(self, models: Path, name: str) -> None:
        models.mkdir(parents=True, exist_ok=True)
        self.path = models / f".{name}.zip.part"

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def open(self, *, append: bool) -> IO[bytes]:
        return self.path.open("ab" if append else "wb")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)

    def sha256(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def whole(self, name: str) -> Path:
        """The file under the name of a zip, now that it is one."""
        return self.path.replace(self.path.with_name(f"{name}.zip"))


async def get(
    models: Path,
    name: str = SMALL_MANDARIN,
    *,
    url: str | None = None,
    sha256: str | None = None,
    language: str = "zh",
    tell: Callable[[str], None] = lambda _text: None,
    progress: Callable[[int, int | None], None] = lambda _done, _total: None,
    patience: Patience | None = None,
) -> StoredModel:
    """Download ``name``.zip, check it, prove that it loads, put it into the store.

    ``url`` is another place for the zip; ``sha256`` the checksum to insist on instead of the known one. ``progress`` is
    told bytes done and bytes in all. What came before an interruption is kept beside the store and continued from.
    A whole model of that name in the store is returned as it is. Raises ModelError with what to do.
    """
    if there := await asyncio.to_thread(already, models, name):
        tell(f"{name} is already there")
        return there
    url = url or f"{MAKERS}{name}.zip"
    part = await asyncio.to_thread(_Part, models, name)
    tell(f"downloading {url}")
    await _download(url, name, part, progress, patience or Patience())
    found = await asyncio.to_thread(part.sha256)
    wanted = (sha256 or KNOWN_SHA256.get(name, "")).lower()
    if wanted and found != wanted:
        part.drop()
        doubt = (
            "" if sha256 else f"; the checksum we know may be out of date: if you trust this file, add --sha256 {found}"
        )
        raise ModelError(f"{url} has the sha256 {found}, not {wanted}: thrown away{doubt}")
    if not wanted:
        tell(f"no checksum is known for {name}; this file has the sha256 {found}")
    whole = part.whole(name)
    try:
        return await add(models, whole, name=name, language=language, tell=tell)
    finally:
        await asyncio.to_thread(whole.unlink, missing_ok=True)


async def _download(
    url: str, name: str, part: _Part, progress: Callable[[int, int | None], None], patience: Patience
) -> None:
    """The whole file in ``part``, in as many goes as ``patience`` allows; progress made gives new patience."""
    host = urlsplit(url).hostname or url
    offline = f"without a network: fetch {name}.zip elsewhere, then: hotline model add {name}.zip"
    tries = 0
    timeout = aiohttp.ClientTimeout(total=None, connect=_QUIET, sock_read=_QUIET)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        while True:
            before = part.size
            try:
                await _go_on(session, url, part, progress)
            except aiohttp.InvalidURL as error:
                raise ModelError(f"{url!r} is no address") from error
            except aiohttp.ClientConnectorError as error:
                raise ModelError(f"{host} cannot be reached ({error.os_error}); {offline}") from error
            except (_BrokenOffError, aiohttp.ClientError, TimeoutError) as error:
                tries = 0 if part.size > before else tries
                if tries >= len(patience.pauses):
                    raise ModelError(
                        f"the download of {url} broke off ({error or type(error).__name__}); "
                        f"{part.size / 2**20:.1f} MB are kept: try again to go on from there"
                    ) from error
                await asyncio.sleep(patience.pauses[tries])
                tries += 1
            except OSError as error:
                raise ModelError(f"{part.path} cannot be written: {error.strerror or error}") from error
            else:
                return


async def _go_on(
    session: aiohttp.ClientSession, url: str, part: _Part, progress: Callable[[int, int | None], None]
) -> None:
    """Ask for what is missing in ``part`` and append it. Raises _BrokenOffError when less comes than was announced."""
    have = part.size
    headers = {"Range": f"bytes={have}-"} if have else {}
    async with session.get(url, headers=headers) as answer:
        if answer.status == _RANGE:  # nothing lies behind what we have: it is whole, or it is something else
            if answer.headers.get("Content-Range", "").rpartition("/")[2] != str(have):
                part.drop()
                raise _BrokenOffError("what was kept does not fit the file")
            return
        if answer.status in _AGAIN:
            raise _BrokenOffError(f"the server said {answer.status}")
        if answer.status not in (_OK, _PARTIAL):
            raise ModelError(f"{url}: the server said {answer.status} {answer.reason}; is the name right?")
        goes_on = answer.status == _PARTIAL and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        done = have if goes_on else 0
        total = None if answer.content_length is None else done + answer.content_length
        with part.open(append=goes_on) as file:
            async for block in answer.content.iter_chunked(_BLOCK):
                await asyncio.to_thread(file.write, block)
                done += len(block)
                progress(done, total)
    if total is not None and done < total:
        raise _BrokenOffError(f"{done} of {total} bytes came")
