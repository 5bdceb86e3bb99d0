"""Which agent spoke when, held against the phones: what each said and when is known, and not from AMI."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hotline.replay import facts_of
from storage.pages import CallEvent
from storage.records import EventKind
from storage.talk import began, windows
from telephony.call import Answered, Ended, Fact, Held, Left, Recorded, Resumed
from telephony.lines import Lines
from telephony.tracker import Tracker

SHARED = Path(os.environ.get("HOTLINE_SHARED", Path(__file__).parents[3] / "shared")) / "captures"
KINDS = {
    Answered: EventKind.ANSWERED,
    Held: EventKind.HELD,
    Resumed: EventKind.RESUMED,
    Left: EventKind.LEFT,
    Recorded: EventKind.RECORDED,
    Ended: EventKind.ENDED,
}


def captures() -> list[Any]:
    """Every capture with its truth; one that is skipped where there is none."""
    found = [path for path in sorted(SHARED.rglob("*.truth.json")) if _stream(path).exists()]
    skip = pytest.mark.skip(reason=f"no captures with their truth at {SHARED}: set HOTLINE_SHARED")
    if not found:
        return [pytest.param(SHARED, marks=skip)]
    return [pytest.param(path, id=str(path.relative_to(SHARED)).removesuffix(".truth.json")) for path in found]


def _stream(truth: Path) -> Path:
    return truth.with_name(truth.name.replace(".truth.json", ".crm.ami"))


def event(fact: Fact) -> CallEvent | None:
    """A fact as the database keeps it."""
    kind = KINDS.get(type(fact))
    if kind is None or fact.at is None:
        return None
    detail = {"files": list(fact.files), "stopped": fact.stopped} if isinstance(fact, Recorded) else {}
    return CallEvent(fact.at, kind, getattr(fact, "agent", ""), detail)


@pytest.mark.parametrize("truth", captures())
def test_what_an_agent_said_to_the_caller_lies_in_that_agents_window(truth: Path) -> None:
    """To within the second; and when the recording began is told alike by the PBX's word and by the file's length."""
    told = json.loads(truth.read_text(encoding="utf-8"))
    lines = Lines({"4007002505": ("01062802505",), "4008001234": ()})
    tracker = Tracker("pbx", lines, ("PJSIP/carrier",), voicemail_event="CC400Voicemail")
    calls: dict[str, list[Fact]] = {}
    for fact in facts_of([_stream(truth).read_bytes()], tracker):
        calls.setdefault(fact.call.linkedid, []).append(fact)
    for uniqueid, facts in calls.items():
        ended = next((fact for fact in facts if isinstance(fact, Ended)), None)
        file = next((f for f in told["recordings"] if f["file"].endswith(f"-{uniqueid}.wav") and "seconds" in f), None)
        if ended is None or ended.at is None or file is None or "voicemail" in file["file"]:
            continue
        events = [made for fact in facts if (made := event(fact)) is not None]
        by_word = began(events, None, ended.at, ended.outcome)
        silent = [one for one in events if one.kind is not EventKind.RECORDED]
        by_length = began(silent, file["seconds"], ended.at, ended.outcome)
        assert by_word == pytest.approx(by_length, abs=0.5)
        if len(calls) == 1:
            start = began(events, file["seconds"], ended.at, ended.outcome, [file["file"]])
            assert start is not None
            _spoke(events, told["speech"], start)


def _spoke(events: list[CallEvent], speech: list[dict[str, Any]], start: float) -> None:
    talk = windows(events, start)
    assert talk is not None
    for said in speech:
        if said["phone"] == "carrier" or "call_id" not in said:
            continue
        begin, end = said["t"] - start, said["t"] + said["seconds"] - start
        shared = {window: min(end, window[1]) - max(begin, window[0]) for window in talk}
        if _held(events, said["phone"], said["t"]):  # said to a colleague while the caller hears music
            assert all(seconds < 1 for seconds in shared.values())
            continue
        best = max(shared, key=lambda window: shared[window])
        assert best[2] == said["phone"], said
        assert shared[best] > 0.8 * (end - begin), said


def _held(events: list[CallEvent], agent: str, at: float) -> bool:
    """Whether the agent had the caller on hold then."""
    state = None
    for one in events:
        if one.subject == agent and one.at <= at:
            state = one.kind
    return state is EventKind.HELD
