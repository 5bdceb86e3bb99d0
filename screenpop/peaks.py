"""What a recording looks like, for the player: made of what whoever asks may hear, and of nothing else.

Looking is not listening, so it leaves no audit row; who may not hear does not see either. What was made is kept in
memory only: nothing that was derived from a recording outlives it, or lies in the clear beside a sealed one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

import structlog
from aiohttp import web

from screenpop.audio import heard, the_call
from screenpop.call_pages import players, withheld
from screenpop.errors import tell
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope, Shape
from screenpop.row_id import row_id
from screenpop.shapes import answer
from screenpop.sounds import ClosedError, Locked, Sound
from transcription.audio import load_channels
from transcription.outline import Outline, Side, outline
from transcription.trouble import AudioProblem

log = structlog.get_logger()

KEPT = 256  # recordings whose outlines are remembered: 30 KB each at most
AT_ONCE = 1  # decoded at a time: an hour of both sides takes a second and 150 MB

Made = tuple[object, ...]


class Lane(Shape):
    """One side: the loudest sample of each step, 0 to 255."""

    leg: str
    peaks: tuple[int, ...]


class Peaks(Shape):
    """A recording's outline. Times in seconds; ``quiet``: [begins, ends] of stretches in which nobody speaks."""

    seconds: float
    step: float
    lanes: tuple[Lane, ...]
    quiet: tuple[tuple[float, float], ...]


class Outlines:
    """Makes outlines, a few at a time, and remembers the last ones."""

    def __init__(self) -> None:
        self._made: OrderedDict[Made, Outline] = OrderedDict()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def of(self, call: str, sounds: Sequence[Sound]) -> Outline:
        """The outline of files that sound together. Raises AudioProblem, ClosedError."""
        async with self._turn:
            key = (call, *await asyncio.to_thread(_identities, sounds))
            if key not in self._made:
                self._made[key] = await asyncio.to_thread(_outline, sounds)
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return self._made[key]


OUTLINES: web.AppKey[Outlines] = web.AppKey("outlines", Outlines)


async def peaks(request: web.Request) -> web.StreamResponse:
    """``GET /calls/{key}/peaks/{recording}``: recordings are numbered from 0."""
    page = await the_call(request)
    wanted = row_id(request, "recording")
    shown = [one for one in players(page, await withheld(request, page)) if one.number == wanted]
    if not shown:
        raise web.HTTPNotFound(text="no such recording")
    player = shown[0]
    if player.recording.deleted is not None:
        raise web.HTTPGone(text="this recording was deleted by policy")
    legs = [track.leg for track in player.together]
    try:
        sounds = [await heard(request, page, player.recording, leg) for leg in legs]
        if not sounds:
            raise web.HTTPNotFound(text="no browser plays this recording")
        found = await request.app[OUTLINES].of(str(page.item.key), sounds)
    except ClosedError as error:
        log.error("a sealed recording cannot be opened", call=str(page.item.key), error=str(error))
        return tell(request, HTTPStatus.LOCKED, "this recording is sealed, and cannot be opened here")
    except FileNotFoundError as error:
        raise web.HTTPNotFound(text="the file of this recording is gone") from error
    except AudioProblem as error:
        return tell(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, str(error))
    lanes = tuple(Lane(leg=leg.value, peaks=lane) for leg, lane in zip(legs, found.lanes, strict=True))
    response = answer(Peaks(seconds=round(found.seconds, 3), step=found.step, lanes=lanes, quiet=found.quiet))
    response.enable_compression()
    return response


def _identities(sounds: Sequence[Sound]) -> list[Made]:
    return [_identity(sound) for sound in sounds]


def _identity(sound: Sound) -> Made:
    """What a file is, so that another one of the same name is not taken for it."""
    if not isinstance(sound.file, Path):
        return (sound.name, sound.file.size, sound.masked)
    found = sound.file.stat()
    return (str(sound.file), found.st_size, found.st_mtime_ns)


def _outline(sounds: Sequence[Sound]) -> Outline:
    return outline([_side(sound) for sound in sounds])


def _side(sound: Sound) -> Side:
    """Of a recording in stereo the channel that is louder: players play both."""
    channels = load_channels(sound.name, _read(sound.file))
    return Side.of(max(channels, key=lambda leg: leg.level))


def _read(file: Path | Locked) -> bytes:
    return file.read_bytes() if isinstance(file, Path) else b"".join(file.read(0, file.size))


_DOCUMENTED = Api(
    "What a recording looks like: how loud each side is, and where nobody speaks",
    Scope.CALLS,
    answer=Peaks,
    errors=(HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.LOCKED),
)
ROUTES = (
    Route("GET", r"/calls/{key}/peaks/{recording:\d+}", peaks, Right.READ),
    Route("GET", r"/api/calls/{key}/peaks/{recording:\d+}", peaks, Right.READ, api=_DOCUMENTED),
)
