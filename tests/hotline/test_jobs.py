"""After a call: what waits says so, what cannot be had is an alarm, and nothing kept is lost."""

import json
import os
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile

from hotline.attach import PATIENCE
from hotline.jobs import AfterCall, lanes, only_ours
from hotline.need import FIRST
from hotline.recorder import Recorder, Recorders
from hotline.said import Said
from hotline.speech import Speech
from screenpop.progress import TOPIC
from storage.database import Database
from storage.edits import TicketField
from storage.fanout import MemoryFanout
from storage.jobs import Job, JobError, JobState, Wait
from storage.ledger import Ledger
from storage.migrate import upgrade
from storage.outbox import Outbox
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import AlarmKind, NewJob, Waiting
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Left, Outcome, Over
from telephony.recordings import Rules
from transcription.engines import EngineSpec

ARRIVED = 1795290138.0
KEY = CallKey("hq", "1795290138.1")
LINE = "4007002505"
SPEECH = soundfile.read(Path(__file__).parents[1] / "audio/zh_caller.wav", dtype="int16")[0].tobytes()


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = ARRIVED + 60

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@dataclass
class Desk:
    """The handlers on a real database, one ended call in it."""

    after: AfterCall
    ledger: Ledger
    reads: Reads
    outbox: Outbox
    clock: Clock
    root: Path
    spec: list[EngineSpec]
    fanout: MemoryFanout

    async def do(self, kind: str) -> Wait | None:
        """Claim the next job of a kind and do it, as the loop would."""
        job = await self.outbox.claim([kind], self.clock(), 60)
        assert job is not None, f"no {kind} job is due"
        answer = await self.after.handlers[kind](job)
        if answer is None:
            await self.outbox.done(job, self.clock())
        else:
            await self.outbox.defer(job, answer.until, answer.why, self.clock())
        return answer

    async def page(self) -> CallPage:
        """The call's page."""
        found = await self.reads.call(KEY)
        assert found is not None
        return found

    def record(self, leg: str = "", sound: bytes = b"\0\1" * 8000 * 3, *, size: int | None = None) -> Path:
        """A WAV of three seconds, last written when the call ended."""
        path = self.root / "2026/11/21" / f"{LINE}-{KEY.linkedid}{leg}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        claimed = len(sound) if size is None else size
        head = b"RIFF" + struct.pack("<I", claimed + 36) + b"WAVEfmt "
        head += struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data" + struct.pack("<I", claimed)
        path.write_bytes(head + sound)
        os.utime(path, (ARRIVED + 30, ARRIVED + 30))
        return path


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """One answered call that has ended, its recording job waiting."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    db = Database.open(url)
    clock, ledger, reads, outbox = Clock(), Ledger(db), Reads(db), Outbox(db)
    rules = Rules(mark=".done", quiet=20.0, repairs=tmp_path / "repaired")
    root = tmp_path / "monitor"
    root.mkdir()
    spec: list[EngineSpec] = []
    fanout = MemoryFanout()
    speech = Speech(lambda _line: spec[0] if spec else None)
    after = AfterCall(
        ledger=ledger,
        reads=reads,
        recorders=Recorders({KEY.pbx: Recorder(root, rules, clock)}),
        speech=speech,
        fanout=fanout,
        clock=clock,
        said=Said(ledger=ledger, clock=clock, zone=ZoneInfo("Asia/Shanghai")),
    )
    facts = (
        Arrived(call=KEY, at=ARRIVED, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=KEY, at=ARRIVED),
        Answered(call=KEY, at=ARRIVED + 5, agent="1001"),
        Left(call=KEY, at=ARRIVED + 30, agent="1001", why=Over.ENDED),
    )
    for fact in facts:
        await ledger.record(fact, now=clock())
    ended = Ended(call=KEY, at=ARRIVED + 30, outcome=Outcome.ANSWERED)
    await ledger.record(ended, now=clock(), jobs=[NewJob("recording", f"{KEY}:recording", {"call": str(KEY)})])
    yield Desk(after, ledger, reads, outbox, clock, root, spec, fanout)
    await speech.close()
    await db.close()


def script(folder: Path, **more: object) -> EngineSpec:
    """An engine that says one sentence for every span of speech."""
    path = folder / "script.json"
    path.write_text(
        json.dumps({"texts": ["我要投诉，上次的师傅没有来。"], **more}, ensure_ascii=False), encoding="utf-8"
    )
    return EngineSpec("scripted", path)


async def test_a_recording_that_is_not_there_yet_is_waited_for_then_an_alarm(desk: Desk) -> None:
    """Two minutes of patience, visibly; then people are told."""
    waiting = await desk.do("recording")
    assert isinstance(waiting, Wait)
    assert (await desk.page()).item.waiting is Waiting.RECORDING
    desk.clock.now = ARRIVED + 30 + PATIENCE + 1
    assert await desk.do("recording") is None
    page = await desk.page()
    assert [alarm.kind for alarm in page.alarms] == [AlarmKind.MISSING]
    assert page.item.waiting is None


async def test_the_recording_is_linked_and_waits_for_a_model_visibly(desk: Desk) -> None:
    """Without a model the call, its ticket and its recording are whole, and no attempt is burnt."""
    for leg in ("", "-rx", "-tx"):
        desk.record(leg)
    assert await desk.do("recording") is None
    page = await desk.page()
    assert page.recordings[0].rx == f"2026/11/21/{LINE}-{KEY.linkedid}-rx.wav"
    for _ in range(3):
        waiting = await desk.do("transcribe")
        assert isinstance(waiting, Wait)
        desk.clock.now = waiting.until
    assert (await desk.page()).item.waiting is Waiting.MODEL
    assert not (await desk.page()).alarms


async def test_silence_is_an_alarm_and_no_retry(desk: Desk, tmp_path: Path) -> None:
    """Nothing can be heard: said once, in words."""
    desk.record("", b"\0\0" * 8000 * 3)
    desk.spec.append(script(tmp_path))
    await desk.do("recording")
    assert await desk.do("transcribe") is None
    assert [alarm.kind for alarm in (await desk.page()).alarms] == [AlarmKind.SILENT]


async def test_a_leg_too_faint_and_one_too_loud_are_alarms_beside_the_transcript(desk: Desk, tmp_path: Path) -> None:
    """What was heard is kept, with how loud it was; each fault is an alarm of its own that says whose leg."""
    voice = np.frombuffer(SPEECH, dtype=np.int16).astype(np.float64)
    desk.record("-rx", (voice / 25).astype(np.int16).tobytes())
    desk.record("-tx", np.clip(np.roll(voice[::-1], 4000) * 12, -32_768, 32_767).astype(np.int16).tobytes())
    desk.record()
    desk.spec.append(script(tmp_path))
    await desk.do("recording")
    assert await desk.do("transcribe") is None
    page = await desk.page()
    assert page.transcript is not None
    quiet, loud = page.transcript.levels
    assert (quiet.dbfs < -40, loud.clipped > 0.01) == (True, True)
    told = {alarm.kind: alarm.detail for alarm in page.alarms}
    assert {AlarmKind.FAINT, AlarmKind.CLIPPED} <= told.keys()
    assert (told[AlarmKind.FAINT] or "").startswith("caller: ")
    assert (told[AlarmKind.CLIPPED] or "").startswith("agent: ")


async def test_pages_hear_how_far_it_has_come(desk: Desk, tmp_path: Path) -> None:
    """At most once a second: the first share at once, the rest of a quick one never."""
    desk.record("", SPEECH)
    desk.spec.append(script(tmp_path))
    await desk.do("recording")
    async with desk.fanout.subscribe(TOPIC) as heard:
        assert await desk.do("transcribe") is None
        await desk.fanout.publish(TOPIC, {"call": "end"})
        told = [await anext(heard) for _ in range(2)]
    assert told == [(TOPIC, {"call": str(KEY), "share": 1.0}), (TOPIC, {"call": "end"})]
    assert (await desk.page()).transcript is not None


async def test_a_recording_that_kills_is_set_aside_even_across_a_restart(desk: Desk, tmp_path: Path) -> None:
    """The first death is written on the job; the next service's first is the second, and people are told."""
    desk.record("", SPEECH)
    desk.spec.append(script(tmp_path, do="segv"))
    await desk.do("recording")
    job = await desk.outbox.claim(["transcribe"], desk.clock(), 60)
    assert job is not None
    with pytest.raises(JobError, match="SIGSEGV") as died:
        await desk.after.handlers["transcribe"](job)
    await desk.outbox.retry(job, str(died.value), desk.clock())
    restarted = await desk.after._speech.transcriber(LINE)
    assert restarted is not None
    restarted._deaths.clear()
    desk.clock.now += 3600
    assert await desk.do("transcribe") is None, "no third attempt"
    (alarm,) = (await desk.page()).alarms
    assert alarm.kind is AlarmKind.TRANSCRIPTION
    assert "set aside after 2 workers died" in (alarm.detail or "")


async def test_open_trouble_is_written_down_before_what_is_newer(desk: Desk) -> None:
    """A complaint on an open ticket: its job says so."""
    desk.record("", SPEECH)
    link = (await desk.page()).item.ticket
    assert link is not None
    found = await desk.reads.ticket(link.id)
    assert found is not None
    typed = {TicketField.CATEGORY: "投诉"}
    await desk.ledger.edit_ticket(link.id, typed, who="wang", now=desk.clock(), version=found.item.version)
    await desk.do("recording")
    (job,) = await desk.outbox.list(kind="transcribe")
    assert job.payload["need"] == ARRIVED + FIRST


async def test_an_empty_recording_is_named(desk: Desk) -> None:
    """A zero-byte file is neither missing nor silent."""
    path = desk.record()
    path.write_bytes(b"")
    os.utime(path, (ARRIVED + 30, ARRIVED + 30))
    assert await desk.do("recording") is None
    assert [alarm.kind for alarm in (await desk.page()).alarms] == [AlarmKind.EMPTY]


async def test_a_recording_of_a_killed_pbx_is_played_from_its_repaired_copy(desk: Desk) -> None:
    """The name in the database leads to the copy; the original stays."""
    original = desk.record(size=0).read_bytes()
    assert await desk.do("recording") is None
    (row,) = (await desk.page()).recordings
    assert row.repaired
    assert row.mix is not None
    assert desk.after._recorders.path(KEY, row.mix).read_bytes()[40:44] != b"\0\0\0\0"
    assert (desk.root / "2026/11/21" / f"{LINE}-{KEY.linkedid}.wav").read_bytes() == original


async def test_a_jumping_clock_neither_hurries_nor_hangs(desk: Desk) -> None:
    """A clock set back by a day: the recording that is there is found all the same."""
    desk.record()
    desk.clock.now = ARRIVED - 86400
    job = Job(1, "recording", "x", {"call": str(KEY)}, JobState.RUNNING, 1, 1, 0.0, None, None, 0.0, 0.0)
    waiting = await desk.after.handlers["recording"](job)
    assert isinstance(waiting, Wait)
    assert 0 < waiting.until - desk.clock.now <= 60
    (desk.root / "2026/11/21" / f"{LINE}-{KEY.linkedid}.done").touch()
    assert await desk.after.handlers["recording"](job) is None


async def test_a_call_of_another_services_pbx_is_left_to_it(desk: Desk) -> None:
    """Two services on one database, each with a PBX: who cannot reach the recording does not call it missing."""
    desk.record()
    job = Job(1, "recording", "x", {"call": str(KEY)}, JobState.RUNNING, 1, 1, 0.0, None, None, 0.0, 0.0)
    there = only_ours(desk.after.handlers, {"branch"}, desk.clock)
    waiting = await there["recording"](job)
    assert isinstance(waiting, Wait)
    assert KEY.pbx in waiting.why
    assert not (await desk.page()).recordings
    here = only_ours(desk.after.handlers, {KEY.pbx}, desk.clock)
    assert await here["recording"](job) is None
    assert (await desk.page()).recordings


@pytest.mark.parametrize("leave", [lambda p: p.unlink(), lambda p: p.write_bytes(b"<html>")])
async def test_a_file_that_changed_after_it_was_linked_is_an_alarm(
    desk: Desk, tmp_path: Path, leave: Callable[[Path], object]
) -> None:
    """Deleted or overwritten between linking and decoding: said, not retried for ever."""
    path = desk.record()
    await desk.do("recording")
    leave(path)
    desk.spec.append(script(tmp_path))
    assert await desk.do("transcribe") is None
    assert len((await desk.page()).alarms) == 1


def test_what_a_call_waits_for_never_waits_for_a_transcript() -> None:
    """Every kind in one lane, and no lane without work: two long decodes hold up no recording that must begin now."""

    async def nothing(_job: Job) -> None:
        """Done."""

    kinds = ("recording", "transcribe", "record", "complete")
    told = lanes(dict.fromkeys(kinds, nothing), 3)
    assert [(name, sorted(some), at_once) for name, some, at_once in told] == [
        ("now", ["record"], 4),
        ("transcripts", ["transcribe"], 3),
        ("jobs", ["complete", "recording"], 2),
    ]
    assert [name for name, _, _ in lanes({"recording": nothing}, 1)] == ["jobs"]
