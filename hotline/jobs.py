"""What is done after a call: its recording found, then what was said put down in writing.

Each handler may be run again at any moment and from the start: whatever it writes is written over. What waits for
something (a recording still growing, a speech model) says so where people see it, and burns no attempt.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from hotline.metrics import JOBS
from hotline.recorder import Recorder
from hotline.speech import Speech
from storage.drain import Handler
from storage.fanout import Fanout
from storage.jobs import Job, JobError, Wait
from storage.ledger import Ledger
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import AlarmKind, EventKind, NewJob, RecordingRow, Waiting
from storage.talk import began, windows
from telephony.call import CallKey
from telephony.recordings import Problem, RecordingError
from transcription.summary import summarise
from transcription.transcript import Transcript, Turn
from transcription.trouble import AudioProblem, Trouble
from transcription.worker import NoModel, Poisoned, TranscriptionError

log = structlog.get_logger()

Mask = Callable[[Sequence[Turn]], Sequence[Turn]]

RECORDING, TRANSCRIBE = "recording", "transcribe"
LOOK_AGAIN = 2.0  # seconds until a recording that is not complete is looked at again
MODEL_AGAIN = 15.0
PATIENCE = 120.0  # seconds after a call's end until its missing recording is an alarm
GROWING_PATIENCE = 4 * 3600.0  # a recording may outlive its call: voicemail, a conference that goes on

_ALARMS = {
    Problem.MISSING: AlarmKind.MISSING,
    Problem.GROWING: AlarmKind.TRUNCATED,
    Problem.EMPTY: AlarmKind.EMPTY,
    Problem.NOT_AUDIO: AlarmKind.UNREADABLE,
    Problem.UNREADABLE: AlarmKind.UNREADABLE,
    Trouble.SILENT: AlarmKind.SILENT,
    Trouble.NO_SPEECH: AlarmKind.SILENT,
    Trouble.EMPTY: AlarmKind.EMPTY,
    Trouble.NO_SOUND: AlarmKind.EMPTY,
    Trouble.MISSING: AlarmKind.MISSING,
}


class AfterCall:
    """The handlers.

    ``unrecorded``: lines whose calls need no recording; ``masks``: what a line hides in the turns before they are kept.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        reads: Reads,
        recorder: Recorder | None,
        speech: Speech,
        fanout: Fanout,
        clock: Callable[[], float],
        zone: ZoneInfo,
        unrecorded: frozenset[str] = frozenset(),
        masks: Mapping[str, Mask] | None = None,
    ) -> None:
        self._ledger, self._reads, self._recorder, self._speech = ledger, reads, recorder, speech
        self._fanout, self._clock, self._zone = fanout, clock, zone
        self._unrecorded, self._masks = unrecorded, dict(masks or {})

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {RECORDING: self.recording, TRANSCRIBE: self.transcribe}

    async def recording(self, job: Job) -> Wait | None:
        """Attach the call's recording and have it transcribed; what stays away becomes an alarm."""
        call = CallKey.parse(str(job.payload["call"]))
        page = await self._page(call)
        if self._recorder is None or page.item.line in self._unrecorded:
            return None
        since = self._clock() - (page.item.ended or page.item.arrived)
        try:
            row = await self._recorder.of_call(call.linkedid, page.item.arrived, _hints(page))
        except RecordingError as error:
            return await self._no_recording(job, call, page, error, since)
        await self._ledger.waiting(call, None)
        jobs = (NewJob(TRANSCRIBE, f"{call}:transcribe", {"call": str(call)}),)
        row = replace(row, began=began(page.events, row.seconds, page.item.ended, page.item.outcome, (row.name,)))
        await self._ledger.link_recording(call, row, self._clock(), jobs)
        await self._told(call, page)
        JOBS.labels(RECORDING, "done").inc()
        return None

    async def _no_recording(
        self, job: Job, call: CallKey, page: CallPage, error: RecordingError, since: float
    ) -> Wait | None:
        patience = GROWING_PATIENCE if error.problem is Problem.GROWING else PATIENCE
        if error.problem in (Problem.MISSING, Problem.GROWING) and since < patience:
            if job.attempts == 1 and page.item.waiting is None:
                await self._ledger.waiting(call, Waiting.RECORDING)
            # A clock that jumped ahead ends the waiting early; one that jumped back must not make it endless.
            return Wait(self._clock() + max(LOOK_AGAIN, min(since / 10, 60.0)), str(error))
        await self._ledger.waiting(call, None)
        await self._ledger.alarm(call, _ALARMS[error.problem], str(error), self._clock())
        await self._told(call, page)
        log.warning("a call without a usable recording", call=str(call), problem=error.problem, error=str(error))
        JOBS.labels(RECORDING, error.problem.value).inc()
        return None

    async def transcribe(self, job: Job) -> Wait | None:
        """Write down what was said, and the summary of it, in one transaction."""
        call = CallKey.parse(str(job.payload["call"]))
        page = await self._page(call)
        if not page.recordings or self._recorder is None:
            return None
        transcriber = await self._speech.transcriber()
        if transcriber is None:
            if page.item.waiting is not Waiting.MODEL:
                await self._ledger.waiting(call, Waiting.MODEL)
                await self._told(call, page)
            return Wait(
                self._clock() + MODEL_AGAIN, "no speech model yet: hotline model get, or hotline model add PATH"
            )
        legs = page.recordings[-1]
        try:
            caller, agent = self._legs(legs)
            talk = windows(page.events, legs.began)
            transcript = await transcriber.transcribe(caller, agent, talk=talk)
        except NoModel as error:
            await self._speech.forget()
            await self._ledger.waiting(call, Waiting.MODEL)
            return Wait(self._clock() + MODEL_AGAIN, str(error))
        except (AudioProblem, Poisoned, LookupError) as error:
            trouble = error.trouble if isinstance(error, AudioProblem) else None
            await self._ledger.waiting(call, None)
            kind = _ALARMS.get(trouble, AlarmKind.UNREADABLE) if trouble else AlarmKind.TRANSCRIPTION
            await self._ledger.alarm(call, kind, str(error), self._clock())
            await self._told(call, page)
            JOBS.labels(TRANSCRIBE, "refused").inc()
            return None
        except TranscriptionError as error:
            raise JobError(str(error)) from error
        await self._keep(call, page, transcript)
        JOBS.labels(TRANSCRIBE, "done").inc()
        return None

    async def _keep(self, call: CallKey, page: CallPage, transcript: Transcript) -> None:
        mask = self._masks.get(page.item.line)
        turns = transcript.turns if mask is None else mask(transcript.turns)
        called_at = datetime.fromtimestamp(page.item.arrived, self._zone)
        summary = summarise(turns, called_at)
        await self._ledger.said(call, replace(transcript, turns=tuple(turns)), summary, self._clock())
        for leg in transcript.troubles:
            text = f"{leg.speaker}: {leg.text}"
            await self._ledger.alarm(call, AlarmKind.ONE_SIDED, text, self._clock())
        await self._told(call, page)

    def _legs(self, row: RecordingRow) -> tuple[Path | None, Path | None]:
        """The files to hear: both legs, or the mixed one as if it were the caller's. LookupError when gone."""
        assert self._recorder is not None
        if row.rx is None and row.tx is None:
            assert row.mix is not None
            return self._recorder.path(row.mix), None
        caller, agent = (None if name is None else self._recorder.path(name) for name in (row.rx, row.tx))
        return caller, agent

    async def _page(self, call: CallKey) -> CallPage:
        page = await self._reads.call(call)
        if page is None:
            raise JobError(f"there is no call {call}")
        return page

    async def _told(self, call: CallKey, page: CallPage) -> None:
        """Have open pages look again."""
        ticket = page.item.ticket
        await self._fanout.publish("tickets", {"type": "ticket", "id": ticket and ticket.id, "call": str(call)})


def _hints(page: CallPage) -> Sequence[str]:
    """Names the PBX told of: untrusted."""
    told = [event.detail.get("files") or () for event in page.events if event.kind is EventKind.RECORDED]
    return [str(name) for names in told for name in names]
