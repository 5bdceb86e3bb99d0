"""A sealed recording sent as if it lay in the clear: whole, or the piece a player asks for, opened on the way."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from screenpop.sounds import Locked


def asked_for(request: web.Request, size: int) -> tuple[int, int] | None:
    """The bytes from where up to where; None: all of them. 416 for a piece that does not exist."""
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
