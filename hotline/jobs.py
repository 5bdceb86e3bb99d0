"""What is done after a call: its recording found (:mod:`hotline.attach`), then what was said put down in writing.

Each handler may be run again at any moment and from the start: whatever it writes is written over. What waits for
something (a recording still growing, a speech model) says so where people see it, and burns no attempt.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from hotline.attach import LOOK_AGAIN, TRANSCRIBE, Attach
from hotline.call_board import CallBoard
from hotline.metrics import JOBS
from hotline.originals import Originals
from hotline.polishing import POLISH
from hotline.record_job import RECORD
from hotline.recorder import Recorder, Recorders
from hotline.said import Said
from hotline.speech import NO_MODEL, Speech
from hotline.speech_progress import Progress
from screenpop.sounds import ClosedError, of_leg
from storage.drain import Handler
from storage.fanout import Fanout
from storage.jobs import Job, JobError, Wait
from storage.ledger import Ledger
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import AlarmKind, RecordingKind, RecordingRow, Waiting
from storage.talk import windows
from telephony.call import CallKey
from transcription.transcript import Transcript
from transcription.trouble import AudioProblem, Trouble
from transcription.worker import NoModel, NoRoom, Poisoned, Refused, TranscriptionError, WorkerDied

TRANSCRIPTS = "transcripts"  # the lane in which the job needed most goes first
MODEL_AGAIN = 15.0
DIED = "a speech worker died: "  # what a job's error begins with, so that the next service knows of it

_ALARMS = {
    Trouble.SILENT: AlarmKind.SILENT,
    Trouble.NO_SPEECH: AlarmKind.SILENT,
    Trouble.EMPTY: AlarmKind.EMPTY,
    Trouble.NO_SOUND: AlarmKind.EMPTY,
    Trouble.MISSING: AlarmKind.MISSING,
}
_OF_A_LEG = {Trouble.FAINT: AlarmKind.FAINT, Trouble.CLIPPED: AlarmKind.CLIPPED}  # it was heard all the same


def lanes(handlers: Mapping[str, Handler], transcriptions: int) -> list[tuple[str, dict[str, Handler], int]]:
    """Which jobs wait for which: names of loops, their handlers, how many each does at once.

    What must be done while a call goes on waits for nothing that takes minutes, and a recording is there to be played
    while others are still written down.
    """
    kinds = {"now": {RECORD}, TRANSCRIPTS: {TRANSCRIBE}, POLISH: {POLISH}}
    told = [(name, {kind: handlers[kind] for kind in own & handlers.keys()}) for name, own in kinds.items()]
    rest = {kind: handler for kind, handler in handlers.items() if kind not in set().union(*kinds.values())}
    at_once = {"now": 4, TRANSCRIPTS: max(1, transcriptions), POLISH: 1, "jobs": 2}
    return [(name, own, at_once[name]) for name, own in (*told, ("jobs", rest)) if own]


def only_ours(handlers: Mapping[str, Handler], pbxs: Collection[str], clock: Callable[[], float]) -> dict[str, Handler]:
    """The handlers, each for calls of our own PBXs: another service on this database has the recordings of the others.

    A job of theirs is put back; whichever of us asks next may take it.
    """

    def ours(handler: Handler) -> Handler:
        async def handle(job: Job) -> Wait | None:
            call = job.payload.get("call")
            pbx = None if call is None else CallKey.parse(str(call)).pbx
            if pbx is None or pbx in pbxs:
                return await handler(job)
            return Wait(clock() + LOOK_AGAIN, f"for the service that listens to PBX {pbx}")

        return handle

    return {kind: ours(handler) for kind, handler in handlers.items()}


class AfterCall:
    """The handlers: those of :class:`hotline.attach.Attach`, and what was said.

    ``unrecorded``: lines whose calls need no recording; ``said`` keeps a transcript.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        reads: Reads,
        recorders: Recorders,
        speech: Speech,
        fanout: Fanout,
        clock: Callable[[], float],
        said: Said,
        originals: Originals | None = None,
        unrecorded: frozenset[str] = frozenset(),
    ) -> None:
        self._ledger, self._recorders, self._speech, self._said = ledger, recorders, speech, said
        self._originals = originals
        self._clock = clock
        self._board = CallBoard(reads, fanout)
        self._progress = Progress(fanout)
        self.attach = Attach(ledger=ledger, board=self._board, recorders=recorders, clock=clock, unrecorded=unrecorded)

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {**self.attach.handlers, TRANSCRIBE: self.transcribe}

    async def transcribe(self, job: Job) -> Wait | None:
        """Write down what was said, and the summary of it, in one transaction."""
        page = await self._board.page(job)
        call, legs = page.item.key, page.spoken
        recorder = self._recorders.of(call)
        if legs is None or recorder is None:  # deleted by policy before there was a model
            if page.item.waiting is not None:
                await self._ledger.waiting(call, None)
            return None
        transcriber = await self._speech.transcriber(page.item.line)
        if transcriber is None:
            if page.item.waiting is not Waiting.MODEL:
                await self._ledger.waiting(call, Waiting.MODEL)
                await self._board.changed(page)
            return Wait(self._clock() + MODEL_AGAIN, self._lacks(page.item.line))
        try:
            talk = windows(page.events, legs.began) if legs.kind is RecordingKind.CALL else None
            async with self._files(call, recorder, legs) as (caller, agent):
                transcript = await transcriber.transcribe(
                    caller, agent, talk=talk, progress=self._progress.of(call), deaths=_deaths(job)
                )
        except NoModel as error:
            if not isinstance(error, NoRoom):
                await self._speech.forget(transcriber)
            await self._ledger.waiting(call, Waiting.MODEL)
            return Wait(self._clock() + MODEL_AGAIN, str(error))
        except (AudioProblem, Poisoned, Refused, LookupError) as error:
            await self._refused(page, legs, error)
            return None
        except WorkerDied as error:
            raise JobError(f"{DIED}{error}") from error
        except (TranscriptionError, ClosedError) as error:
            raise JobError(str(error)) from error
        await self._keep(page, legs, transcript)
        JOBS.labels(TRANSCRIBE, "done").inc()
        return None

    def _lacks(self, line: str) -> str:
        trouble = self._speech.trouble(line)
        if trouble in (None, NO_MODEL):
            return "no speech model yet: hotline model get, or hotline model add PATH"
        return str(trouble)

    @asynccontextmanager
    async def _files(
        self, call: CallKey, recorder: Recorder, row: RecordingRow
    ) -> AsyncIterator[tuple[Path | None, Path | None]]:
        """The files to hear, opened for as long where they lie sealed. LookupError when gone."""
        if self._originals is None:
            yield _legs(recorder, row)
            return
        async with AsyncExitStack() as opened:
            names = ("rx", "tx") if row.rx or row.tx else ("mix",)
            files = [
                await opened.enter_async_context(self._originals.plain(call, row, leg)) if of_leg(row, leg) else None
                for leg in names
            ]
            yield files[0], files[1] if len(files) > 1 else None

    async def _refused(self, page: CallPage, legs: RecordingRow, error: Exception) -> None:
        """Nothing can be written down. A call in which nobody talked may be silent."""
        trouble = error.trouble if isinstance(error, AudioProblem) else None
        kind = _ALARMS.get(trouble, AlarmKind.UNREADABLE) if trouble else AlarmKind.TRANSCRIPTION
        await self._ledger.waiting(page.item.key, None)
        if kind is not AlarmKind.SILENT or _talked(page, legs):
            await self._ledger.alarm(page.item.key, kind, str(error), self._clock())
        await self._board.changed(page)
        JOBS.labels(TRANSCRIBE, "refused").inc()

    async def _keep(self, page: CallPage, legs: RecordingRow, transcript: Transcript) -> None:
        await self._said.keep(page, transcript)
        found: dict[AlarmKind, list[str]] = {}
        for leg in transcript.troubles if _talked(page, legs) else ():
            found.setdefault(_OF_A_LEG.get(leg.trouble, AlarmKind.ONE_SIDED), []).append(f"{leg.speaker}: {leg.text}")
        for kind, texts in found.items():
            await self._ledger.alarm(page.item.key, kind, "; ".join(texts), self._clock())
        await self._board.changed(page)


def _legs(recorder: Recorder, row: RecordingRow) -> tuple[Path | None, Path | None]:
    """The files to hear: both legs, or the mixed one as if it were the caller's. LookupError when gone."""
    if row.rx is None and row.tx is None:
        assert row.mix is not None
        return recorder.path(row.mix), None
    caller, agent = (None if name is None else recorder.path(name) for name in (row.rx, row.tx))
    return caller, agent


def _deaths(job: Job) -> int:
    """Workers that the recording killed at its last attempt, which may have been another service's."""
    return 1 if job.error is not None and job.error.startswith(DIED) else 0


def _talked(page: CallPage, legs: RecordingRow) -> bool:
    """Whether somebody must be heard in this recording: an agent answered, or the caller left it as a message."""
    return page.item.answered is not None or legs.kind is RecordingKind.VOICEMAIL
