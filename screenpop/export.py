"""A call given away as a file: for whom it concerns, masked for those who may not see everything, and on record."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from screenpop.accounts import SESSION, come_from
from screenpop.audio import FILES, Leg, kind_of, name_of, the_call
from screenpop.deps import DEPS
from screenpop.errors import tell
from screenpop.masking import hidden
from screenpop.numbers import may_see
from screenpop.rendering import label, reader
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Scope, Shape
from screenpop.shapes import query_of
from screenpop.sounds import ClosedError, Ears, Locked, WithheldError
from storage.audit import What
from storage.pages import CallPage
from storage.records import RecordingRow
from transcription.formats import MEDIA, Conversation, Format, Sound, Titles, as_text, plain, srt, webvtt
from transcription.formats_vcon import vcon
from transcription.transcript import Speaker

SPOKEN = frozenset({Format.VTT, Format.SRT, Format.TXT})  # nothing without a transcript
_SPEAKERS = {Leg.MIX: None, Leg.CALLER: Speaker.CALLER, Leg.AGENT: Speaker.AGENT}
_BLOCK = 1 << 20


class ExportQuery(Shape):
    """``masked``: for everybody as for those who may not see everything."""

    masked: bool = False


EXPORT = Api("A call as a file", Scope.CALLS, query=ExportQuery, media="*/*")


def conversation(
    page: CallPage,
    *,
    zone: tzinfo,
    lines: Mapping[str, str],
    names: Mapping[str, str] | None = None,
    masked: bool = True,
    sounds: Sequence[Sound] = (),
) -> Conversation:
    """A call's page as it may be given away."""
    call, spoken = page.item, page.spoken
    began = call.arrived if spoken is None or spoken.began is None else spoken.began
    told = Conversation(
        call=str(call.key),
        line=call.line,
        line_name=lines.get(call.line, ""),
        arrived=datetime.fromtimestamp(call.arrived, zone),
        began=datetime.fromtimestamp(began, zone),
        transcript=page.transcript,
        summary=page.summary,
        caller=call.e164 or call.caller,
        caller_name=call.customer_name,
        agents=call.agents,
        names={**(names or {}), **call.names},
        ticket=None if call.ticket is None else call.ticket.number,
        outcome=None if call.outcome is None else call.outcome.value,
        seconds=call.duration,
        sounds=tuple(sounds),
        corrections=page.corrections,
        polished=page.polished,
    )
    return hidden(told) if masked else told


def written(told: Conversation, wanted: Format, now: datetime, titles: Titles, site: str) -> str:
    """The file's text."""
    match wanted:
        case Format.VTT:
            return webvtt(told, titles)
        case Format.SRT:
            return srt(told, titles)
        case Format.TXT:
            return plain(told, titles)
        case Format.JSON:
            return as_text(told, now)
        case Format.VCON:
            return vcon(told, now, site)


def file_name(call: object, wanted: Format) -> str:
    """A name of letters, digits, dots and hyphens."""
    stem = "".join(char if char.isascii() and (char.isalnum() or char in ".-") else "_" for char in str(call))
    return f"{stem.lstrip('.-')[:150] or 'call'}.{wanted.value}"


async def sounds_of(
    page: CallPage, ears: Ears, *, unmasked: bool, address: Callable[[int, Leg], str | None]
) -> list[Sound]:
    """The files of a call's recordings that somebody may hear, with their digests. What is gone is left out."""
    found = []
    for number, recording in enumerate(page.recordings):
        for leg in (Leg.CALLER, Leg.AGENT, Leg.MIX):
            name = name_of(recording, leg)
            if name is None or recording.deleted is not None:
                continue
            try:
                heard = await ears.sound(page, recording, FILES[leg], unmasked=unmasked)
                sound = await asyncio.to_thread(_digested, heard.file, heard.name, recording, leg)
            except (LookupError, WithheldError, ClosedError, OSError):
                continue
            found.append(replace(sound, url=address(number, leg)))
    return found


async def export(request: web.Request) -> web.Response:
    """``GET /calls/{key}/export/{format}``: ``vtt srt txt json vcon``. ``?masked=1`` masks for everybody."""
    page = await the_call(request)
    try:
        wanted = Format(request.match_info["format"])
    except ValueError as error:
        raise web.HTTPNotFound(text=f"formats are {', '.join(Format)}") from error
    if page.transcript is None and wanted in SPOKEN:
        return tell(request, HTTPStatus.NOT_FOUND, "nothing was written down of this call yet")
    deps, session = request.app[DEPS], request[SESSION]
    unmasked = may(Role(session.user.role), Right.UNMASKED) and may_see(request)
    masked = not unmasked or query_of(request, ExportQuery).masked
    now = deps.now()
    if request.method != "HEAD":
        detail = {"format": wanted.value, "masked": masked}
        ip = come_from(request).ip
        await deps.audit.add(session.user.login, What.EXPORTED, str(page.item.key), now, detail, ip=ip)
    secure = deps.secure or request.secure

    def address(number: int, leg: Leg) -> str | None:
        return f"https://{request.host}/calls/{page.item.key}/audio/{number}/{leg.value}?download=1" if secure else None

    sounds = [] if wanted in SPOKEN else await sounds_of(page, deps.hears, unmasked=not masked, address=address)
    told = conversation(page, zone=deps.zone, lines=deps.lines, masked=masked, sounds=sounds)
    page_reader = reader(request)
    titles = Titles(*(label(page_reader, "SPEAKER", speaker) for speaker in (Speaker.CALLER, Speaker.AGENT)))
    text = written(told, wanted, datetime.fromtimestamp(now, deps.zone), titles, deps.site)
    return web.Response(
        body=text.encode(),
        headers={
            "Content-Type": MEDIA[wanted],
            "Content-Disposition": f'attachment; filename="{file_name(page.item.key, wanted)}"',
            "Cache-Control": "private, no-store",
        },
    )


def _digested(file: Path | Locked, name: str, recording: RecordingRow, leg: Leg) -> Sound:
    """The digests of a file as it would be heard; blocking."""
    first, second, size = hashlib.sha256(), hashlib.sha512(), 0
    if isinstance(file, Path):
        with file.open("rb") as source:
            while block := source.read(_BLOCK):
                first.update(block)
                second.update(block)
                size += len(block)
    else:
        for block in file.read(0, file.size):
            first.update(block)
            second.update(block)
            size += len(block)
    media = kind_of(name) or "application/octet-stream"
    plain_name = Path(name).name.rpartition(":")[2]
    return Sound(plain_name, media, size, first.hexdigest(), second.hexdigest(), _SPEAKERS[leg], recording.seconds)


__all__ = ["conversation", "export", "file_name", "sounds_of", "written"]
