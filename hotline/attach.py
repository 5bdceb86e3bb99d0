"""After a call: its recordings, and the message the caller left, found and hung on it.

Each handler may be run again at any moment and from the start: whatever it writes is written over. What waits for a
recording still growing says so where people see it, and burns no attempt. What cannot be had, or cannot be heard, is an
alarm; a server that does not answer is tried again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from hotline.call_board import CallBoard
from hotline.metrics import JOBS
from hotline.need import Matter, need
from hotline.recorder import Recorder, Recorders
from storage.drain import Handler
from storage.jobs import Job, JobError, Wait
from storage.ledger import Ledger
from storage.pages import CallPage
from storage.records import AlarmKind, EventKind, NewJob, RecordingKind, RecordingRow, Waiting
from storage.talk import began, windows
from telephony.call import Outcome
from telephony.loudness import loudest, silent
from telephony.recordings import Problem, RecordingError
from telephony.remote import RemoteError

log = structlog.get_logger()

RECORDING, MESSAGE, TRANSCRIBE = "recording", "message", "transcribe"
LOOK_AGAIN = 2.0  # seconds until a recording that is not complete is looked at again
PATIENCE = 120.0  # seconds after a call's end until its missing recording is an alarm
GROWING_PATIENCE = 4 * 3600.0  # a recording may outlive its call: a conference that goes on
SHORTEST_TALK = 5.0  # seconds; in a shorter one nobody need have said a word

ALARMS = {
    Problem.MISSING: AlarmKind.MISSING,
    Problem.GROWING: AlarmKind.TRUNCATED,
    Problem.EMPTY: AlarmKind.EMPTY,
    Problem.NOT_AUDIO: AlarmKind.UNREADABLE,
    Problem.UNREADABLE: AlarmKind.UNREADABLE,
}


class Attach:
    """The handlers. ``unrecorded``: lines whose calls need no recording; their messages are messages all the same."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        board: CallBoard,
        recorders: Recorders,
        clock: Callable[[], float],
        unrecorded: frozenset[str] = frozenset(),
    ) -> None:
        self._ledger, self._board, self._recorders, self._clock = ledger, board, recorders, clock
        self._unrecorded = unrecorded

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {RECORDING: self.recording, MESSAGE: self.message}

    async def recording(self, job: Job) -> Wait | None:
        """Attach the call's recordings and have them transcribed; what stays away becomes an alarm."""
        page = await self._board.page(job)
        recorder = self._recorders.of(page.item.key)
        if recorder is None or page.item.line in self._unrecorded:
            return None
        told, messages = _told(page), _messages(page)
        try:
            rows = await recorder.of_call(page.item.key.linkedid, page.item.arrived, told, messages)
        except RecordingError as error:
            # What was linked once may have been sealed or deleted since: that is no alarm.
            expected = (page.item.answered is not None or bool(told)) and not _had(page, RecordingKind.CALL)
            return await self._away(job, page, error, expected=expected)
        except RemoteError as error:
            raise JobError(str(error)) from error
        # Of a call that ended in a message, the message is what is written down.
        said = not (page.item.outcome is Outcome.VOICEMAIL and messages)
        await self._link(page, rows, [await self._transcribe(page)] if said else ())
        await self._listen(page, recorder, rows[0])
        await self._done(page, RECORDING)
        return None

    async def message(self, job: Job) -> Wait | None:
        """Attach the message the caller left."""
        page = await self._board.page(job)
        recorder = self._recorders.of(page.item.key)
        if recorder is None:
            return None
        if page.item.outcome is None:
            return Wait(self._clock() + LOOK_AGAIN, "the call still goes on")
        try:
            row = await recorder.message(page.item.key.linkedid, page.item.arrived, str(job.payload["file"]))
        except RecordingError as error:
            waits = await self._away(job, page, error, expected=not _had(page, RecordingKind.VOICEMAIL))
            if waits is None and page.recordings:  # the whole call was recorded: the message is in there
                await self._link(page, page.recordings, [await self._transcribe(page)])
            return waits
        except RemoteError as error:
            raise JobError(str(error)) from error
        jobs = [await self._transcribe(page, "message")] if page.item.outcome is Outcome.VOICEMAIL else ()
        await self._link(page, [row], jobs)
        await self._done(page, MESSAGE)
        return None

    async def _transcribe(self, page: CallPage, of: str = "") -> NewJob:
        call, link = str(page.item.key), page.item.ticket
        found = None if link is None else await self._board.reads.ticket(link.id)
        matter = None
        if found is not None:
            ticket = found.item.ticket
            matter = Matter(ticket.status, ticket.category, ticket.urgency, page.item.vip)
        payload = {"call": call, "need": need(page.item.arrived, matter)}
        return NewJob(TRANSCRIBE, f"{call}:transcribe{of and ':' + of}", payload)

    async def _link(self, page: CallPage, rows: Sequence[RecordingRow], jobs: Sequence[NewJob]) -> None:
        call, now = page.item.key, self._clock()
        await self._ledger.waiting(call, None)
        for row in rows:
            names = [name for name in (row.mix, row.rx, row.tx) if name is not None]
            start = row.began or began(page.events, row.seconds, page.item.ended, page.item.outcome, names)
            await self._ledger.link_recording(call, replace(row, began=start), now, jobs)

    async def _away(self, job: Job, page: CallPage, error: RecordingError, *, expected: bool) -> Wait | None:
        """There is nothing to attach: not yet, or for good, which is an alarm where there should be something."""
        call, since = page.item.key, self._clock() - (page.item.ended or page.item.arrived)
        patience = GROWING_PATIENCE if error.problem is Problem.GROWING else PATIENCE
        if error.problem in (Problem.MISSING, Problem.GROWING) and since < patience:
            if job.attempts == 1 and page.item.waiting is None:
                await self._ledger.waiting(call, Waiting.RECORDING)
            # A clock that jumped ahead ends the waiting early; one that jumped back must not make it endless.
            return Wait(self._clock() + max(LOOK_AGAIN, min(since / 10, 60.0)), str(error))
        await self._ledger.waiting(call, None)
        if expected or error.problem is not Problem.MISSING:
            await self._ledger.alarm(call, ALARMS[error.problem], str(error), self._clock())
            log.warning("a call without a usable recording", call=str(call), problem=error.problem, error=str(error))
        await self._board.changed(page)
        JOBS.labels(job.kind, error.problem.value).inc()
        return None

    async def _listen(self, page: CallPage, recorder: Recorder, row: RecordingRow) -> None:
        """Whether both sides can be heard while people talked; needs no model, so it is known at once."""
        start = began(page.events, row.seconds, page.item.ended, page.item.outcome, [row.name])
        talk = windows(page.events, start) or []
        spans = [(begin, end) for begin, end, _ in talk]
        if page.item.answered is None or sum(end - begin for begin, end in spans) < SHORTEST_TALK:
            return
        try:
            levels = {
                leg: await asyncio.to_thread(loudest, recorder.path(name), spans)
                for leg, name in (("caller", row.rx), ("agent", row.tx), ("both sides", row.mix))
                if name is not None
            }
            unheard = [] if row.tx is None else await asyncio.to_thread(_unheard, recorder.path(row.tx), talk)
        except (OSError, LookupError) as error:
            log.warning("a recording could not be looked at", call=str(page.item.key), error=str(error))
            return
        legs = {leg: levels[leg] for leg in ("caller", "agent") if leg in levels} or levels
        deaf = [leg for leg, level in legs.items() if silent(level)]
        missing = {"caller", "agent"} - legs.keys() if "both sides" not in levels else set()
        if len(deaf) == len(legs):
            await self._alarm(page, AlarmKind.SILENT, f"nothing is heard while {_who(talk)} talked")
        elif deaf or missing:
            of = f"nothing is heard of the {deaf[0]}" if deaf else f"there is no leg of the {missing.pop()}"
            await self._alarm(page, AlarmKind.ONE_SIDED, f"{of} while {_who(talk)} talked")
        elif unheard:  # one of several, after a transfer
            await self._alarm(page, AlarmKind.ONE_SIDED, f"nothing is heard of agent {', '.join(unheard)}")

    async def _alarm(self, page: CallPage, kind: AlarmKind, text: str) -> None:
        await self._ledger.alarm(page.item.key, kind, text, self._clock())
        log.warning("a recording that cannot be heard", call=str(page.item.key), kind=kind.value, text=text)

    async def _done(self, page: CallPage, kind: str) -> None:
        await self._board.changed(page)
        JOBS.labels(kind, "done").inc()


def _had(page: CallPage, kind: RecordingKind) -> bool:
    """Whether such a recording was linked."""
    return any(row.kind is kind for row in page.recordings)


def _told(page: CallPage) -> list[str]:
    """Names of recordings that the PBX told of: untrusted."""
    told = [event.detail.get("files") or () for event in page.events if event.kind is EventKind.RECORDED]
    return [str(name) for names in told for name in names]


def _messages(page: CallPage) -> list[str]:
    """Names of messages that the dialplan told of: untrusted."""
    told = (event.detail.get("file") for event in page.events if event.kind is EventKind.LEFT_MESSAGE)
    return [str(name) for name in told if name]


def _unheard(leg: Path, talk: Sequence[tuple[float, float, str]]) -> list[str]:
    """Agents of whom the agents' leg has nothing, though they talked long enough. Raises OSError."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for begin, end, agent in talk:
        spans.setdefault(agent, []).append((begin, end))
    long = {who: own for who, own in spans.items() if sum(end - begin for begin, end in own) >= SHORTEST_TALK}
    return [who for who, own in long.items() if silent(loudest(leg, own))]


def _who(talk: Sequence[tuple[float, float, str]]) -> str:
    return ", ".join(dict.fromkeys(agent for _, _, agent in talk))
