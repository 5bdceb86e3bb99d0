"""``POST /cti/{token}``: another telephone system tells of its calls, and they become calls like a PBX's.

Forms of both kinds (sipgate's, and those of ``curl --form``) and JSON (Zammad's dialect) are taken. Whoever posts is
answered at once and always the same way, also where a word means nothing: the other side would only repeat it. sipgate
asks to be told where to send what follows, and is told the same address. The token is in the address because that is
all those systems can be given; no log has it.
"""

import asyncio
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import quoteattr

import structlog
from aiohttp import web

from hotline.pbx_feed import Sink
from hotline.settings import Settings
from storage.gaps import Gaps
from storage.reads import Reads
from telephony.cti import REMEMBERED, CtiCalls
from telephony.cti_words import Told
from telephony.lines import Lines

PATH = "/cti/{token}"
LARGEST = 64 * 1024  # bytes of one word
FIELDS = 200
LOOK = 10.0  # seconds between looks for calls that have been open for too long
LATE = 86400.0  # seconds for which a call that was over before we began stays over
_BOUNDARY = re.compile(r';\s*boundary="?([^";]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(rb'(?im)^content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"')

log = structlog.get_logger()


class CtiDoor:
    """All configured systems behind one address each. LookupError for a token that is not where the settings say."""

    def __init__(self, settings: Settings, sink: Sink, gaps: Gaps, reads: Reads, clock: Callable[[], float]) -> None:
        self._sink, self._gaps, self._reads, self._clock = sink, gaps, reads, clock
        self._url = settings.server.url
        lines = Lines({line.number: line.aliases for line in settings.line})
        self._systems = [
            (one.name, one.token().encode(), CtiCalls(one.name, lines, one.users, one.longest_hours * 3600))
            for one in settings.cti
        ]
        self._ready = asyncio.Event()

    def add_to(self, app: web.Application) -> None:
        """The one route."""
        app.router.add_post(PATH, self.page)

    def report(self) -> list[dict[str, Any]]:
        """For the operator."""
        return [
            {"name": name, "live_calls": len(calls), "counts": asdict(calls.counts)} for name, _, calls in self._systems
        ]

    async def run(self) -> None:
        """Take up the calls that were open, then look for those that never end; until cancelled."""
        for name, _, calls in self._systems:
            now = self._clock()
            calls.adopt([], await self._gaps.ended_calls(name, now - LATE, REMEMBERED))
            for key in await self._gaps.open_calls(name, now):
                page = await self._reads.call(key)
                if page is not None:
                    calls.adopt([(key, page.item.arrived, page.item.answered is not None)])
            if self._url is None:
                log.warning(
                    "cti_without_address", system=name, hint="sipgate tells of answers only if [server] url is set"
                )
        self._ready.set()
        while True:
            for _, _, calls in self._systems:
                if facts := calls.expire(self._clock()):
                    self._sink.deliver(facts)
            await asyncio.sleep(LOOK)

    async def page(self, request: web.Request) -> web.Response:
        """200 for whatever was understood or not; 404 for a wrong token, 413 for more than a word can be."""
        given = request.match_info["token"].encode("utf-8", "surrogateescape")
        calls = next((calls for _, token, calls in self._systems if hmac.compare_digest(given, token)), None)
        if calls is None:
            raise web.HTTPNotFound
        if request.content_length is not None and request.content_length > LARGEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length)
        body = await request.content.read(LARGEST + 1)
        while len(body) <= LARGEST and (more := await request.content.read(LARGEST + 1 - len(body))):
            body += more
        if len(body) > LARGEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST, len(body))
        await self._ready.wait()  # what was open before is known from then on
        told = fields(body, request.headers.get("Content-Type", ""))
        if facts := calls.feed(told, self._clock()):
            self._sink.deliver(facts)
        if request.content_type == "application/json":
            return web.json_response({})
        return web.Response(text=self._follow(request, told), content_type="application/xml")

    def _follow(self, request: web.Request, told: Told) -> str:
        """Where sipgate shall send what follows: here. Nothing where our own address is not known."""
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        if self._url is None or told.get("event", ("",))[0].casefold() != "newcall":
            return f"{head}<Response/>"
        here = quoteattr(f"{self._url.rstrip('/')}{request.rel_url.raw_path}")
        return f"{head}<Response onAnswer={here} onHangup={here}/>"


def fields(body: bytes, content_type: str) -> Mapping[str, Sequence[str]]:
    """A word's fields, each as often as it stands; none where the body is neither JSON nor a form."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        boundary = _BOUNDARY.search(content_type)
        return {} if boundary is None else _parts(body, boundary[1])
    text = body.decode("utf-8", "replace")
    try:
        if kind != "application/json":
            return parse_qs(text, max_num_fields=FIELDS)
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: _texts(value) for name, value in list(told.items())[:FIELDS]}


def _parts(body: bytes, boundary: str) -> Mapping[str, Sequence[str]]:
    """The fields of a form in parts, as ``curl --form`` sends it."""
    found: dict[str, list[str]] = {}
    for part in body.split(b"--" + boundary.encode("utf-8", "replace"), FIELDS + 1)[1 : FIELDS + 1]:
        head, _, value = part.partition(b"\r\n\r\n")
        if name := _NAME.search(head):
            text = value.removesuffix(b"\r\n").decode("utf-8", "replace")
            found.setdefault(name[1].decode("utf-8", "replace"), []).append(text)
    return found


def _texts(value: object) -> list[str]:
    """A JSON value as texts: itself, or its members."""
    values = value if isinstance(value, list) else [value]
    return [str(one) for one in values[:FIELDS] if isinstance(one, str | int) and not isinstance(one, bool)]
