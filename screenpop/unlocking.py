"""Recordings as they are sent: whole, or the piece a player asks for; a sealed one is opened on the way."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

from screenpop.sounds import Locked


class Lying(web.FileResponse):
    """A file as it lies. aiohttp 3.14 answers 416 to ranges it does not understand, and a piece to an outdated one."""

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter | None:
        """Send it."""
        if _all_of_it(request, await asyncio.to_thread(self._tag)):
            headers = request.headers.copy()
            headers.popall(hdrs.RANGE, None)
            request = request.clone(headers=headers)
        return await super().prepare(request)

    def _tag(self) -> str | None:
        """The entity tag that aiohttp gives it; None where it went away, which aiohttp says as well."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return f'"{found.st_mtime_ns:x}-{found.st_size:x}"'


def _all_of_it(request: BaseRequest, tag: str | None) -> bool:
    """Whether a range counts for nothing (RFC 9110, 14.2): no GET, no bytes, several pieces, or of another version.

    ``tag``: the version's; None where none is told.
    """
    wanted, condition = request.headers.get(hdrs.RANGE, ""), request.headers.get(hdrs.IF_RANGE)
    if request.method != hdrs.METH_GET or not wanted.startswith("bytes=") or "," in wanted:
        return True
    return condition is not None and (tag is None or (condition.endswith('"') and condition != tag))


def asked_for(request: web.Request, size: int) -> tuple[int, int] | None:
    """The bytes from where up to where; None: all of them. 416 for a piece that does not exist."""
    if _all_of_it(request, None):
        return None
    try:
        asked = request.http_range
    except ValueError as error:
        raise _beyond(size) from error
    if asked.start is None and asked.stop is None:
        return None
    start = 0 if asked.start is None else asked.start
    start = max(0, size + start) if start < 0 else start
    stop = size if asked.stop is None else min(asked.stop, size)
    if start >= stop:
        raise _beyond(size)
    return start, stop


async def unlocked(
    request: web.Request, locked: Locked, piece: tuple[int, int] | None, headers: Mapping[str, str]
) -> web.StreamResponse:
    """The answer. A file that turns out damaged in its middle breaks the connection off: nothing false is sent."""
    start, stop = piece or (0, locked.size)
    answer = web.StreamResponse(
        status=HTTPStatus.OK if piece is None else HTTPStatus.PARTIAL_CONTENT,
        headers={**headers, "Accept-Ranges": "bytes", "Content-Length": str(stop - start)},
    )
    if piece is not None:
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{locked.size}"
    parts = locked.read(start, stop)
    first = b"" if request.method == "HEAD" else await asyncio.to_thread(next, parts, b"")
    await answer.prepare(request)
    while first:
        await answer.write(first)
        first = await asyncio.to_thread(next, parts, b"")
    await answer.write_eof()
    return answer


def _beyond(size: int) -> web.HTTPRequestRangeNotSatisfiable:
    return web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
