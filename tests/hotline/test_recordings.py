"""Messages, recordings of several PBXs and of other machines, alarms, and what comes round: on a real database."""

import json
import math
import os
import shutil
import struct
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hotline.attach import PATIENCE
from hotline.jobs import AfterCall
from hotline.pipeline import jobs_of
from hotline.record_job import RecordCall
from hotline.recorder import Recorder, Recorders
from hotline.said import Said
from hotline.speech import Speech
from hotline.upkeep import DAY, EVERY, RETENTION, SETTLED, STRAYS, Upkeep
from storage.audit import Audit, What
from storage.database import Database
from storage.drain import Handler
from storage.fanout import MemoryFanout
from storage.jobs import JobError, Wait
from storage.ledger import Ledger
from storage.migrate import upgrade
from storage.outbox import Outbox
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import AlarmKind, NewJob, RecordingKind
from storage.retention import Retention
from storage.strays import Stray, Strays
from telephony.ami import AmiError, RefusedError
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Left,
    LeftMessage,
    Outcome,
    Over,
    Recorded,
)
from telephony.mirror import Mirror, Wanted
from telephony.mixmonitor import Files, Start, Starter
from telephony.recordings import Problem, RecordingError, Rules
from telephony.remote import RemoteError
from transcription.engines import EngineSpec

ARRIVED = 1795290138.0
UID = "1795290138.1"
HQ, BRANCH = CallKey("hq", UID), CallKey("branch", UID)
LINE = "4007002505"
DAYS = "2026/11/21"
TONE = array("h", (int(9000 * math.sin(n / 3)) for n in range(8000 * 30))).tobytes()
SILENCE = bytes(len(TONE))


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = ARRIVED + 90

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


def wav(path: Path, sound: bytes = TONE, changed: float = ARRIVED + 40) -> Path:
    """Half a minute as MixMonitor writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = b"RIFF" + struct.pack("<I", len(sound) + 36) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data" + struct.pack("<I", len(sound))
    path.write_bytes(head + sound)
    os.utime(path, (changed, changed))
    return path


@dataclass
class House:
    """Two PBXs with folders of their own, a database, and every handler of theirs."""

    db: Database
    folder: Path
    clock: Clock
    spec: list[EngineSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger, self.reads, self.outbox = Ledger(self.db), Reads(self.db), Outbox(self.db)
        self.speech = Speech(lambda _line: self.spec[0] if self.spec else None)
        self.recorders = Recorders({name: self.recorder(name) for name in ("hq", "branch")})
        self.keep: dict[str, float] = {}

    def root(self, pbx: str) -> Path:
        """Where a PBX's recordings are."""
        return self.folder / pbx / "monitor"

    def recorder(self, pbx: str, mirror: Mirror | None = None) -> Recorder:
        """With Asterisk's folder of messages beside the recordings."""
        messages = self.folder / pbx / "voicemail"
        for folder in (self.root(pbx), messages):
            folder.mkdir(parents=True, exist_ok=True)
        rules = Rules(mark=".done", quiet=20.0, repairs=self.folder / "repaired" / pbx)
        return Recorder(self.root(pbx), rules, self.clock, mirror=mirror, messages=messages)

    @property
    def upkeep(self) -> Upkeep:
        """What comes round."""
        return Upkeep(
            outbox=self.outbox,
            retention=Retention(self.db),
            strays=Strays(self.db),
            recorders=self.recorders,
            keep=self.keep,
            clock=self.clock,
        )

    @property
    def handlers(self) -> dict[str, Handler]:
        """After a call."""
        return AfterCall(
            ledger=self.ledger,
            reads=self.reads,
            recorders=self.recorders,
            speech=self.speech,
            fanout=MemoryFanout(),
            clock=self.clock,
            said=Said(ledger=self.ledger, clock=self.clock, zone=ZoneInfo("Asia/Shanghai")),
        ).handlers

    async def happened(self, *facts: Fact) -> None:
        """Facts as the pipeline writes them, with the jobs they cause."""
        for fact in facts:
            await self.ledger.record(fact, now=fact.at or self.clock(), jobs=jobs_of(fact))

    async def do(self, kind: str, handlers: dict[str, Handler] | None = None) -> Wait | None:
        """Claim the next job of a kind and do it, as the loop would."""
        job = await self.outbox.claim([kind], self.clock(), 60)
        assert job is not None, f"no {kind} job is due"
        try:
            answer = await (handlers or self.handlers)[kind](job)
        except JobError as error:
            await self.outbox.retry(job, str(error), self.clock(), at=self.clock())
            raise
        if answer is None:
            await self.outbox.done(job, self.clock())
        else:
            await self.outbox.defer(job, answer.until, answer.why, self.clock())
        return answer

    async def page(self, call: CallKey = HQ) -> CallPage:
        """A call's page."""
        found = await self.reads.call(call)
        assert found is not None
        return found

    async def alarms(self, call: CallKey = HQ) -> list[AlarmKind]:
        """What people should look at."""
        return [alarm.kind for alarm in (await self.page(call)).alarms]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The house."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    house = House(Database.open(url), tmp_path, Clock())
    yield house
    await house.speech.close()
    await house.db.close()


def answered(call: CallKey = HQ) -> list[Fact]:
    """A call of which 1001 and then 1003 took half each."""
    return [
        Arrived(call=call, at=ARRIVED, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=call, at=ARRIVED),
        Answered(call=call, at=ARRIVED + 10, agent="1001"),
        Left(call=call, at=ARRIVED + 20, agent="1001", why=Over.TRANSFERRED),
        Answered(call=call, at=ARRIVED + 21, agent="1003"),
        Left(call=call, at=ARRIVED + 30, agent="1003", why=Over.ENDED),
        Ended(call=call, at=ARRIVED + 30, outcome=Outcome.ANSWERED),
    ]


def message(file: str | None = f"voicemail/{LINE}-{UID}.wav", call: CallKey = HQ) -> list[Fact]:
    """A call nobody answered, whose caller spoke to voicemail."""
    return [
        *answered(call)[:2],
        LeftMessage(call=call, at=ARRIVED + 40, file=file),
        Ended(call=call, at=ARRIVED + 41, outcome=Outcome.VOICEMAIL),
    ]


@pytest.fixture
def voice() -> Callable[[Path], Path]:
    """Puts somebody's real voice into a file."""

    def put(path: Path) -> Path:
        shutil.copy(Path(__file__).parents[1] / "audio/zh_caller.wav", path)
        return path

    return put


def script(folder: Path, text: str) -> EngineSpec:
    """An engine that says one sentence for every span of speech."""
    path = folder / "script.json"
    path.write_text(json.dumps({"texts": [text]}, ensure_ascii=False), encoding="utf-8")
    return EngineSpec("scripted", path)


async def test_a_message_is_played_and_written_down_like_any_recording(house: House) -> None:
    """Its own recording, of which the transcript is; the call's whole recording is there beside it."""
    for leg in ("", "-rx", "-tx"):
        wav(house.root("hq") / DAYS / f"{LINE}-{UID}{leg}.wav")
    wav(house.folder / "hq/voicemail" / f"{LINE}-{UID}.wav")
    await house.happened(*message())
    assert await house.do("message") is None
    assert await house.do("recording") is None
    page = await house.page()
    assert sorted((row.kind, row.name) for row in page.recordings) == [
        (RecordingKind.CALL, f"{DAYS}/{LINE}-{UID}.wav"),
        (RecordingKind.VOICEMAIL, f"message:{LINE}-{UID}.wav"),
    ]
    assert page.spoken is not None
    assert page.spoken.kind is RecordingKind.VOICEMAIL
    path = house.recorders.path(HQ, page.spoken.name)
    assert path == (house.folder / "hq/voicemail" / f"{LINE}-{UID}.wav").resolve()
    assert not page.alarms
    waiting = [job.key for job in await house.outbox.list(kind="transcribe")]
    assert waiting == [f"{HQ}:transcribe:message"]


async def test_the_words_of_a_message_are_the_callers(house: House, voice: Callable[[Path], Path]) -> None:
    """All of them, though nobody talked: no window of an agent's talk can leave them out."""
    spoken = voice(house.folder / "hq/voicemail" / f"{LINE}-{UID}.wav")
    os.utime(spoken, (ARRIVED, ARRIVED))
    house.spec.append(script(house.folder, "请给我回电话"))
    await house.happened(*message())
    await house.do("message")
    await house.do("transcribe")
    page = await house.page()
    assert page.transcript is not None
    assert {(turn.speaker.value, turn.agent) for turn in page.transcript.turns} == {("caller", None)}
    assert "回电话" in page.transcript.turns[0].text
    assert page.item.ticket is not None
    ticket = await house.reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert ticket.item.reach == "voicemail"


async def test_a_message_whose_file_is_gone_is_in_the_calls_recording(house: House) -> None:
    """An alarm, and what was recorded of the call is written down instead."""
    for leg in ("", "-rx", "-tx"):
        wav(house.root("hq") / DAYS / f"{LINE}-{UID}{leg}.wav")
    await house.happened(*message())
    await house.do("recording")
    house.clock.now = ARRIVED + 41 + PATIENCE
    assert await house.do("message") is None
    assert await house.alarms() == [AlarmKind.MISSING]
    assert [job.key for job in await house.outbox.list(kind="transcribe")] == [f"{HQ}:transcribe"]


async def test_a_message_told_while_the_call_goes_on_is_waited_for(house: House) -> None:
    """Whether somebody talks after it decides what is written down."""
    await house.happened(*message()[:-1])
    assert isinstance(await house.do("message"), Wait)


async def test_a_forged_name_of_a_message_leads_nowhere(house: House) -> None:
    """The file of another call is not attached to this one."""
    wav(house.folder / "hq/voicemail/4007002505-1795290000.7.wav")
    await house.happened(*message("voicemail/4007002505-1795290000.7.wav"))
    house.clock.now = ARRIVED + 41 + PATIENCE
    assert await house.do("message") is None
    assert not (await house.page()).recordings


async def test_a_message_without_a_name_is_no_job() -> None:
    """The dialplan said no more than that there is one: it is in the call's recording."""
    told = message(None)[2]
    assert jobs_of(told) == ()
    long = LeftMessage(call=HQ, at=1.0, file="x" * 9000)
    (job,) = jobs_of(long)
    assert len(job.key) < 255
    assert job.key != jobs_of(LeftMessage(call=HQ, at=1.0, file="x" * 9001))[0].key


async def test_two_pbxs_with_the_same_uniqueid_keep_their_own(house: House) -> None:
    """Each from its own folder; a third one without any has none."""
    for pbx, sound in (("hq", TONE), ("branch", TONE[: 8000 * 2 * 10])):
        wav(house.root(pbx) / DAYS / f"{LINE}-{UID}.wav", sound)
    third = CallKey("third", UID)
    await house.happened(*answered(), *answered(BRANCH), *answered(third))
    for _ in range(3):
        await house.do("recording")
    assert [(await house.page(call)).recordings[0].seconds for call in (HQ, BRANCH)] == [30.0, 10.0]
    name = (await house.page(BRANCH)).recordings[0].name
    assert house.recorders.path(BRANCH, name).is_relative_to(house.root("branch").resolve())
    assert not (await house.page(third)).recordings
    with pytest.raises(LookupError):
        house.recorders.path(third, name)


@pytest.mark.parametrize(
    ("caller", "agent", "expected"),
    [
        (TONE, TONE, []),
        (TONE, SILENCE, [AlarmKind.ONE_SIDED]),
        (SILENCE, TONE, [AlarmKind.ONE_SIDED]),
        (SILENCE, SILENCE, [AlarmKind.SILENT]),
        (TONE, None, [AlarmKind.ONE_SIDED]),
        # the announcement before the answer is heard, the agent is not
        (TONE, TONE[: 16000 * 9] + SILENCE[16000 * 9 :], [AlarmKind.ONE_SIDED]),
        # after the transfer the PBX recorded nothing of the second agent
        (TONE, TONE[: 16000 * 20] + SILENCE[16000 * 20 :], [AlarmKind.ONE_SIDED]),
    ],
)
async def test_who_cannot_be_heard_is_an_alarm_without_any_model(
    house: House, caller: bytes, agent: bytes | None, expected: list[AlarmKind]
) -> None:
    """Looked at where the agents talked."""
    for leg, sound in (("rx", caller), ("tx", agent)):
        if sound is not None:
            wav(house.root("hq") / DAYS / f"{LINE}-{UID}-{leg}.wav", sound)
    await house.happened(*answered())
    await house.do("recording")
    assert await house.alarms() == expected


async def test_a_call_nobody_answered_may_be_silent_or_unrecorded(house: House) -> None:
    """Where a dialplan records from the answer on, giving up in the queue is no alarm; unless the PBX told of one."""
    gave_up = [*answered()[:2], Ended(call=HQ, at=ARRIVED + 9, outcome=Outcome.ABANDONED)]
    await house.happened(*gave_up)
    house.clock.now = ARRIVED + 9 + PATIENCE
    assert await house.do("recording") is None
    assert await house.alarms() == []
    told = Recorded(call=BRANCH, at=ARRIVED, files=(f"{DAYS}/x-{UID}.wav",))
    await house.happened(*answered(BRANCH)[:2], told, Ended(call=BRANCH, at=ARRIVED + 9, outcome=Outcome.ABANDONED))
    assert await house.do("recording") is None
    assert await house.alarms(BRANCH) == [AlarmKind.MISSING]


async def test_when_a_recording_began_is_kept_so_that_agents_words_find_their_agent(house: House) -> None:
    """The PBX told of it; had it not, its end and length would tell."""
    wav(house.root("hq") / DAYS / f"{LINE}-{UID}.wav", TONE[: 16000 * 28])
    wav(house.root("branch") / DAYS / f"{LINE}-{UID}.wav", TONE[: 16000 * 25])
    told = Recorded(call=HQ, at=ARRIVED + 2, files=(f"{DAYS}/{LINE}-{UID}.wav",))
    await house.happened(*answered()[:2], told, *answered()[2:])
    await house.happened(*answered(BRANCH))
    for _ in range(2):
        await house.do("recording")
    began = [(await house.page(call)).recordings[0].began for call in (HQ, BRANCH)]
    assert began == [ARRIVED + 2, ARRIVED + 5]


class Far(Mirror):
    """A server that does what the test says."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def bring(self, _wanted: Wanted) -> None:
        """It does not."""
        raise self.error


async def test_a_server_that_does_not_answer_is_tried_again_and_no_alarm(house: House) -> None:
    """A file too large is one, at once."""
    await house.happened(*answered())
    house.recorders = Recorders({"hq": house.recorder("hq", Far(RemoteError("refuses us")))})
    with pytest.raises(JobError, match="refuses us"):
        await house.do("recording")
    assert await house.alarms() == []
    too_large = RecordingError(Problem.UNREADABLE, "larger than max_mb allows")
    house.recorders = Recorders({"hq": house.recorder("hq", Far(too_large))})
    await house.do("recording")
    assert await house.alarms() == [AlarmKind.UNREADABLE]


# -- what comes round


async def test_recordings_older_than_their_line_keeps_them_are_deleted_and_audited(house: House) -> None:
    """All files and their marks, of calls and messages; the call, its words and what is younger stay."""
    base = house.root("hq") / DAYS / f"{LINE}-{UID}"
    for leg in ("", "-rx", "-tx"):
        wav(base.with_name(base.name + leg + ".wav"))
    base.with_name(base.name + ".done").touch()
    note = wav(house.folder / "hq/voicemail" / f"{LINE}-{UID}.wav")
    other = wav(house.root("hq") / DAYS / f"{LINE}-{UID}0.wav")
    await house.happened(*message())
    await house.do("message")
    await house.do("recording")
    house.keep = {LINE: 30 * DAY}
    await house.upkeep.add()
    await house.do(RETENTION, house.upkeep.handlers)
    assert note.exists()
    house.clock.now = ARRIVED + 31 * DAY
    await house.upkeep.add()
    await house.upkeep.add()  # another service
    await house.do(RETENTION, house.upkeep.handlers)
    assert [path for path in house.root("hq").rglob("*") if path.is_file()] == [other]
    assert not note.exists()
    page = await house.page()
    assert {row.deleted for row in page.recordings} == {house.clock.now}
    rows = await Audit(house.db).rows(what=What.RECORDING_DELETED)
    assert {(row.who, row.subject) for row in rows} == {("policy", str(HQ))}
    assert len(rows) == 2
    assert await house.outbox.claim([RETENTION], house.clock(), 60) is None


async def test_a_repaired_copy_goes_with_its_original(house: House) -> None:
    """Both hold the caller's voice."""
    path = wav(house.root("hq") / DAYS / f"{LINE}-{UID}.wav")
    broken = path.read_bytes()
    path.write_bytes(broken[:40] + bytes(4) + broken[44:])
    os.utime(path, (ARRIVED, ARRIVED))
    await house.happened(*answered())
    await house.do("recording")
    (row,) = (await house.page()).recordings
    assert row.repaired
    copy = house.recorders.path(HQ, row.name)
    house.keep, house.clock.now = {LINE: DAY}, ARRIVED + 2 * DAY
    await house.upkeep.add()
    await house.do(RETENTION, house.upkeep.handlers)
    assert not path.exists()
    assert not copy.exists()


async def test_what_cannot_be_deleted_is_told_and_not_called_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder we may only read: the job fails with what to do, the rest is deleted all the same."""
    for pbx in ("hq", "branch"):
        wav(house.root(pbx) / DAYS / f"{LINE}-{UID}.wav")
    await house.happened(*answered(), *answered(BRANCH))
    for _ in range(2):
        await house.do("recording")
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.is_relative_to(house.root("hq")):
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    house.keep, house.clock.now = {LINE: DAY}, ARRIVED + 2 * DAY
    upkeep = house.upkeep
    await upkeep.add()
    with pytest.raises(JobError, match="right to write"):
        await house.do(RETENTION, upkeep.handlers)
    assert "Permission denied" in (upkeep.undeletable or "")
    assert [(await house.page(call)).recordings[0].deleted for call in (HQ, BRANCH)] == [None, house.clock.now]
    monkeypatch.undo()
    await house.do(RETENTION, upkeep.handlers)
    assert upkeep.undeletable is None
    assert (await house.page()).recordings[0].deleted


async def test_files_that_belong_to_no_call_are_listed_until_they_do(house: House) -> None:
    """Not those of our calls, nor of before our first call, nor what still changes."""
    await house.happened(*answered())
    house.clock.now = ARRIVED + SETTLED + 100
    wav(house.root("hq") / DAYS / f"{LINE}-{UID}.wav")
    wav(house.root("hq") / DAYS / f"{LINE}-1795290145.2.wav")
    wav(house.root("hq") / DAYS / f"{LINE}-1795290000.1.wav", changed=ARRIVED - 100)
    wav(house.root("hq") / DAYS / f"{LINE}-1795290150.3.wav", changed=house.clock.now - 5)

    async def listed() -> list[tuple[str, str]]:
        await house.upkeep.add()
        while (job := await house.outbox.claim([STRAYS], house.clock(), 60)) is not None:
            await house.upkeep.handlers[STRAYS](job)
            await house.outbox.done(job, house.clock())
        return [(stray.pbx, stray.name) for stray in (await Strays(house.db).newest())[1]]

    assert await listed() == [("hq", f"{DAYS}/{LINE}-1795290145.2.wav")]
    await house.happened(*answered(CallKey("hq", "1795290145.2")))  # completed from the PBX's own records
    house.clock.now += SETTLED
    assert await listed() == [("hq", f"{DAYS}/{LINE}-1795290150.3.wav")]


async def test_a_folder_that_is_gone_is_no_clean_bill(house: House) -> None:
    """Unmounted: it is said, and the last list stays; mounted again, that is over."""
    stray = Stray("hq", "x-1795290145.2.wav", 1, ARRIVED)
    await Strays(house.db).replace("hq", [stray], ARRIVED)
    (house.folder / "hq/monitor").rmdir()
    upkeep = house.upkeep
    await upkeep.add()
    for _ in range(2):
        assert await house.do(STRAYS, upkeep.handlers) is None
    assert set(upkeep.unsearchable) == {"hq"}
    assert (await Strays(house.db).newest())[0] == 1
    (house.folder / "hq/monitor").mkdir()
    house.clock.now += EVERY
    await upkeep.add()
    for _ in range(2):
        await house.do(STRAYS, upkeep.handlers)
    assert upkeep.unsearchable == {}
    assert (await Strays(house.db).newest())[0] == 0


async def test_rounds_of_long_ago_are_forgotten_and_other_jobs_are_not(house: House) -> None:
    """A round every ten minutes would fill the table; a call's jobs stay, as their keys keep repeats away."""
    await house.happened(*answered())
    await house.do("recording")
    await house.upkeep.add()
    for _ in range(2):
        await house.do(STRAYS, house.upkeep.handlers)
    house.clock.now += 3 * DAY
    await house.upkeep.add()
    jobs = await house.outbox.list()
    assert sorted((job.kind, job.state.value) for job in jobs) == [
        ("recording", "ready"),
        (STRAYS, "ready"),
        (STRAYS, "ready"),
    ]


# -- recorded by us


class Ready(Starter):
    """A recorder login that does as told."""

    def __init__(self, *answers: Start | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Files]] = []

    async def start(self, uniqueid: str, names: Files) -> Start:
        """The next answer."""
        self.asked.append((uniqueid, names))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def by_us(house: House, starter: Starter, *, unrecorded: frozenset[str] = frozenset()) -> dict[str, Handler]:
    """The handler of a PBX that does not record."""
    return RecordCall(
        starters={"hq": starter},
        ledger=house.ledger,
        reads=house.reads,
        clock=house.clock,
        zone=ZoneInfo("Asia/Shanghai"),
        unrecorded=unrecorded,
    ).handlers


async def confirmed(house: House) -> None:
    """A call that goes on, and its job."""
    await house.happened(*answered()[:2])
    async with house.db.write() as conn:
        await house.outbox.add(conn, NewJob("record", f"{HQ}:record", {"call": str(HQ)}), house.clock())


async def test_a_call_we_record_has_its_names_told_like_any_other(house: House) -> None:
    """So that it is found, and when it began is known. The day is the site's."""
    starter = Ready(AmiError("no answer"), Start.STARTED)
    await confirmed(house)
    with pytest.raises(JobError, match="no answer"):
        await house.do("record", by_us(house, starter))
    assert await house.do("record", by_us(house, starter)) is None
    assert starter.asked[-1][0] == UID
    assert starter.asked[-1][1].mix == f"2026/11/22/{LINE}-{UID}.wav"
    (event,) = [event for event in (await house.page()).events if event.kind == "recorded"]
    assert event.detail["files"] == list(starter.asked[-1][1])
    assert event.at == house.clock.now


@pytest.mark.parametrize("answer", [Start.ALREADY, Start.GONE, RefusedError("Permission denied")])
async def test_what_we_do_not_record_is_not_called_recorded(house: House, answer: Start | Exception) -> None:
    """The dialplan does, the caller is gone, or we may not: nothing is tried again."""
    await confirmed(house)
    assert await house.do("record", by_us(house, Ready(answer))) is None
    assert [event.kind for event in (await house.page()).events if event.kind == "recorded"] == []


async def test_a_call_that_is_over_or_of_a_line_without_recording_is_left_alone(house: House) -> None:
    """Nobody is asked."""
    starter = Ready()
    await confirmed(house)
    assert await house.do("record", by_us(house, starter, unrecorded=frozenset({LINE}))) is None
    await house.happened(answered()[-1])
    job = NewJob("record", "again", {"call": str(HQ)})
    async with house.db.write() as conn:
        await house.outbox.add(conn, job, house.clock())
    assert await house.do("record", by_us(house, starter)) is None
    assert starter.asked == []
