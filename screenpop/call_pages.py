"""A call's page: what happened, what it sounded like, what was said, and who listened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from screenpop import words
from screenpop.accounts import SESSION
from screenpop.audio import Leg, kind_of, name_of, the_call
from screenpop.deps import DEPS, SHARES
from screenpop.numbers import in_full
from screenpop.rendering import render, spoken
from screenpop.rights import Right, Role, may
from screenpop.route import Route
from screenpop.security import POLICY
from screenpop.sounds import Why
from screenpop.summed import summed
from storage.pages import CallPage
from storage.records import AlarmKind, RecordingKind, RecordingRow, Waiting
from storage.talk import windows
from telephony.call import CallKey
from transcription.corrections import facts_by_place, promises_by_place
from transcription.formats import Format
from transcription.transcript import Turn

HOPELESS = frozenset({AlarmKind.MISSING, AlarmKind.EMPTY, AlarmKind.UNREADABLE, AlarmKind.TRANSCRIPTION})
# Of the style sheet that wavesurfer 8.0.1 puts into its own corner of the page; a browser names it where it refuses it.
WAVE_STYLE = "sha256-9SfrHdOLGeJ9IEr71EpmpCjtP/RYIJ2yGgDBKCLmeEE="
DOUBT = 0.6  # a turn heard with less confidence is drawn with a dashed line


@dataclass(frozen=True, slots=True)
class Track:
    """One sound file of a recording. ``url`` None: no browser plays it."""

    leg: Leg
    url: str | None
    download: str


@dataclass(frozen=True, slots=True)
class Talk:
    """When an agent talked with the caller, in seconds of the recording."""

    agent: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Player:
    """One recording: the tracks to play together, all tracks to download, and how long it is in seconds.

    ``number``: in addresses. ``talk``: which agent talked when, as far as it is known. ``said``: the transcript is of
    this recording. ``withheld``: why it is not for whoever asks.
    """

    number: int
    together: tuple[Track, ...]
    tracks: tuple[Track, ...]
    recording: RecordingRow
    seconds: float
    talk: tuple[Talk, ...]
    said: bool
    withheld: Why | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A turn on the player's lanes, in per cent of the recording."""

    speaker: str
    x: float
    width: float


def players(page: CallPage, withheld: Mapping[str, Why]) -> list[Player]:
    """What the transcript is of comes first. Both legs together where both can be played, else the mix, or what is."""
    found = []
    for number, recording in enumerate(page.recordings):
        tracks = tuple(
            _track(page.item.key, number, leg, name)
            for leg in (Leg.CALLER, Leg.AGENT, Leg.MIX)
            if recording.deleted is None and (name := name_of(recording, leg)) is not None
        )
        heard = [track for track in tracks if track.url]
        legs = tuple(track for track in heard if track.leg is not Leg.MIX)
        both = len(legs) == len((Leg.CALLER, Leg.AGENT))
        together = legs if both else tuple(heard[-1:])
        said = recording is page.spoken
        seconds = recording.seconds or (_end(page) if said else 0.0)
        why = withheld.get(recording.name)
        found.append(Player(number, together, tracks, recording, seconds, _talk(page, recording), said, why))
    return sorted(found, key=lambda player: not player.said)


async def withheld(request: web.Request, page: CallPage) -> Mapping[str, Why]:
    """The recordings, by name, that are not for whoever asks."""
    unmasked = may(Role(request[SESSION].user.role), Right.UNMASKED)
    return await request.app[DEPS].hears.withheld(page, unmasked=unmasked)


def bars(turns: Sequence[Turn], seconds: float) -> list[Bar]:
    """The turns as bars."""
    length = max(seconds, max((turn.end for turn in turns), default=0.0)) or 1.0
    return [
        Bar(
            turn.speaker.value,
            round(100 * turn.start / length, 3),
            max(0.2, round(100 * (turn.end - turn.start) / length, 3)),
        )
        for turn in turns
    ]


def transcript_state(page: CallPage) -> str:
    """Why there is a transcript or none yet: ``ready talking model recording none working failed deleted``."""
    if page.transcript is not None:
        return "ready"
    if page.item.ended is None:
        return "talking"
    if page.item.waiting is Waiting.MODEL:
        return "model"
    if any(alarm.kind in HOPELESS for alarm in page.alarms):
        return "failed"
    if page.recordings:
        return "deleted" if page.spoken is None else "working"
    return "recording" if page.item.answered is not None or page.item.waiting is Waiting.RECORDING else "none"


async def call(request: web.Request) -> web.Response:
    """``GET /calls/{key}``."""
    return await show(request, await the_call(request))


async def show(
    request: web.Request, page: CallPage, code: int = 200, *, trouble: str = "", typed: Sequence[str] = ()
) -> web.Response:
    """A call's page; ``trouble``: why what somebody entered could not be kept, ``typed``: that."""
    turns = page.transcript.turns if page.transcript else ()
    recordings = players(page, await withheld(request, page))
    answer = render(
        request,
        "call.html",
        code,
        words=spoken(request, words.CALL),
        full=await in_full(request, str(page.item.key)),
        players=recordings,
        bars=bars(turns, recordings[0].seconds) if recordings and recordings[0].said else [],
        state=transcript_state(page),
        share=request.app[SHARES].of(page.item.key),
        doubt=DOUBT,
        formats=tuple(Format),
        sees_listens=may(Role(request[SESSION].user.role), Right.LISTENS),
        sees_all=may(Role(request[SESSION].user.role), Right.ALL_CALLS),
        **_summary(page, trouble, typed),
    )
    answer.headers["Content-Security-Policy"] = f"{POLICY}; style-src 'self' '{WAVE_STYLE}'"
    return answer


async def summary(request: web.Request) -> web.Response:
    """``GET /calls/{key}/summary``: the summary alone, for the page that has just corrected it."""
    page = await the_call(request)
    if page.summary is None:
        raise web.HTTPNotFound(text="this call has no summary")
    return render(request, "_call_summary.html", **_summary(page))


def _summary(page: CallPage, trouble: str = "", typed: Sequence[str] = ()) -> dict[str, Any]:
    """What the summary's part of the page is made of."""
    turns = page.transcript.turns if page.transcript else ()
    return {
        "page": page,
        "call": page.item,
        "turns": turns,
        "summed": summed(page.summary, page.machine, page.corrections, len(turns), page.polished)
        if page.machine is not None and page.summary is not None
        else None,
        "trouble": trouble,
        "typed": typed,
        "facts": [] if page.machine is None else facts_by_place(page.machine, page.corrections),
        "promises": [] if page.machine is None else promises_by_place(page.machine, page.corrections),
        "choices": {"category": words.CATEGORY, "urgency": words.URGENCY, "sentiment": words.SENTIMENT},
        "kinds": tuple(words.DETAIL),
    }


async def waiting(request: web.Request) -> web.Response:
    """``GET /calls/{key}/state``: how the transcript stands, alone. ``?sound=1``: ready once it can be heard, too."""
    page = await the_call(request)
    share, state = request.app[SHARES].of(page.item.key), transcript_state(page)
    if state == "ready" and request.query.get("sound") and Why.NOT_YET in (await withheld(request, page)).values():
        share, state = None, "working"
    return render(request, "_said_state.html", state=state, share=share)


def _track(call: CallKey, number: int, leg: Leg, name: str) -> Track:
    url = f"/calls/{call}/audio/{number}/{leg.value}"
    return Track(leg, url if kind_of(name) else None, f"{url}?download=1")


def _talk(page: CallPage, recording: RecordingRow) -> tuple[Talk, ...]:
    if recording.kind is not RecordingKind.CALL:
        return ()
    spans = windows(page.events, recording.began) or ()
    return tuple(Talk(agent, round(start, 2), round(end, 2)) for start, end, agent in spans)


def _end(page: CallPage) -> float:
    return max((turn.end for turn in page.transcript.turns), default=0.0) if page.transcript else 0.0


ROUTES = (Route("GET", "/calls/{key}/summary", summary, Right.READ),)
