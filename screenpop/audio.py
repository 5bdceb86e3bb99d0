"""Recordings to those whom the call concerns, and to supervisors; every listen is on record.

A listen is the first sound a login asks for of a call, and again after :data:`QUIET` seconds without asking: a player
asks for many pieces of one recording, and neither which piece nor how many must decide whether it counts. The entry is
written before the first byte is sent; that of an original which others hear with a tone in it says so. Names come from
the database and are resolved below our folders by ``Deps.hears``; what is in an address only picks among them.
"""

from enum import StrEnum
from http import HTTPStatus
from pathlib import Path

import structlog
from aiohttp import web

from screenpop.accounts import SESSION, come_from, whose
from screenpop.call_key import call_of
from screenpop.deps import DEPS
from screenpop.errors import tell
from screenpop.finding import asker
from screenpop.lately import Lately
from screenpop.masking import hidden_page
from screenpop.numbers import may_see
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Scope, Shape
from screenpop.shapes import query_of
from screenpop.sounds import ClosedError, Sound, Why, WithheldError, of_leg
from screenpop.unlocking import Lying, asked_for, unlocked
from storage.audit import What
from storage.pages import CallPage
from storage.records import RecordingRow
from telephony.call import CallKey

log = structlog.get_logger()


PLAYABLE = {
    ".wav": "audio/wav",
    ".wav16": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".oga": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".webm": "audio/webm",
}


class AudioQuery(Shape):
    """``download``: as a file to keep, in whatever format it lies, and written down as a download."""

    download: bool = False


AUDIO = Api(
    "The sound of a recording; each listen is on record",
    Scope.CALLS,
    query=AudioQuery,
    errors=(409, 410, 415, 416, 423),
    media="audio/*",
)


class Leg(StrEnum):
    """Whose voice."""

    MIX = "mix"
    CALLER = "caller"
    AGENT = "agent"


LISTENS: web.AppKey[Lately] = web.AppKey("listens", Lately)


async def the_call(request: web.Request) -> CallPage:
    """The call of an address, for whom it concerns; 403 for others, existing or not, and 404.

    Whoever sees no numbers gets it without those that were said.
    """
    deps = request.app[DEPS]
    call = call_of(request)
    if not await deps.reads.concerns(call, asker(request[SESSION])):
        raise web.HTTPForbidden(text="this call is not yours")
    page = await deps.reads.call(call)
    if page is None:
        raise web.HTTPNotFound(text="no such call")
    return page if may_see(request) else hidden_page(page)


FILES = {Leg.MIX: "mix", Leg.CALLER: "rx", Leg.AGENT: "tx"}  # what the database calls them
_WITHHELD = {
    Why.NOT_YET: "this recording may be heard once it was written down and what is masked was covered",
    Why.NEVER: "nobody knows what is said in this recording: ask a supervisor",
}


def name_of(recording: RecordingRow, leg: Leg) -> str | None:
    """The file of a leg, as the database names it."""
    return of_leg(recording, FILES[leg])


def kind_of(name: str) -> str | None:
    """The media type of what browsers can play. ``.WAV`` in capitals is Asterisk's GSM in a WAV: none can."""
    return None if name.endswith(".WAV") else PLAYABLE.get(Path(name).suffix.lower())


async def audio(request: web.Request) -> web.StreamResponse:
    """``GET /calls/{key}/audio/{recording}/{leg}``: recordings are numbered from 0. ``?download=1`` saves the file."""
    page = await the_call(request)
    try:
        leg = Leg(request.match_info["leg"])
        recording = page.recordings[int(request.match_info["recording"])]
        name = name_of(recording, leg)
    except (ValueError, IndexError):
        name = None
    if name is None:
        raise web.HTTPNotFound(text="no such recording")
    if recording.deleted is not None:
        raise web.HTTPGone(text="this recording was deleted by policy")
    try:
        sound = await heard(request, page, recording, leg)
    except ClosedError as error:
        log.error("a sealed recording cannot be opened", call=str(page.item.key), error=str(error))
        return tell(request, HTTPStatus.LOCKED, "this recording is sealed, and cannot be opened here")
    download = query_of(request, AudioQuery).download
    kind = "application/octet-stream" if download else kind_of(sound.name)
    if kind is None:
        return tell(
            request,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"no browser plays {Path(sound.name).suffix} recordings: download it with ?download=1",
        )
    headers = {"Content-Type": kind, "Cache-Control": "private, no-store"}
    if download:
        headers["Content-Disposition"] = f'attachment; filename="{_harmless(page.item.key, leg, sound.name)}"'
    if not isinstance(sound.file, Path):
        piece = asked_for(request, sound.file.size)
        await write_down(request, page.item.key, leg, download=download, unmasked=sound.unmasked)
        return await unlocked(request, sound.file, piece, headers)
    await write_down(request, page.item.key, leg, download=download, unmasked=sound.unmasked)
    return Lying(sound.file, headers=headers)


async def heard(request: web.Request, page: CallPage, recording: RecordingRow, leg: Leg) -> Sound:
    """What this one hears of a file; 404 when it is gone, 409 when it is not for these ears yet. Raises ClosedError."""
    unmasked = may(Role(request[SESSION].user.role), Right.UNMASKED)
    try:
        return await request.app[DEPS].hears.sound(page, recording, FILES[leg], unmasked=unmasked)
    except LookupError as error:
        raise web.HTTPNotFound(text="the file of this recording is gone") from error
    except WithheldError as error:
        raise web.HTTPConflict(text=_WITHHELD[error.why]) from error


async def write_down(request: web.Request, call: CallKey, leg: Leg, *, download: bool, unmasked: bool) -> None:
    """The entry of a listen, before anything is heard; ``unmasked``: of an original that others may not hear."""
    if request.method == "HEAD":
        return
    deps = request.app[DEPS]
    session = request[SESSION]
    now = deps.now()
    what = What.DOWNLOADED if download else What.LISTENED
    detail = {"leg": leg.value, **({"unmasked": True} if unmasked else {})}
    ip = come_from(request).ip
    await request.app[LISTENS].once(
        (whose(session), call, download, unmasked),
        now,
        lambda: deps.audit.add(session.user.login, what, str(call), now, detail, ip=ip),
    )


def _harmless(call: CallKey, leg: Leg, name: str) -> str:
    """A file name of letters, digits and dots."""
    stem = "".join(char if char.isascii() and (char.isalnum() or char in ".-") else "_" for char in str(call))
    return f"{stem}-{leg.value}{Path(name).suffix.lower()}"
