"""After a call was written down: a tone is laid over what is masked, and the originals are sealed or dropped.

One job a call, to be run again at any moment from the start. The order makes every step safe: a copy or a sealed file
is written beside, read again and held against the original; then the database names it; only then the plain original
goes. A full disk or a crash in between costs nothing but the work.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from hotline.call_board import CallBoard
from hotline.metrics import JOBS
from hotline.originals import LEGS, Originals, of
from screenpop.sounds import ClosedError, of_leg
from storage.audit import What
from storage.drain import Handler
from storage.fanout import Fanout
from storage.jobs import Job, JobError, Wait
from storage.outbox import Outbox
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import NewJob, RecordingRow
from storage.sealed_file import SealError, held_against, seal
from storage.sounds import Safe
from storage.sounds import Sound as Known
from telephony.call import CallKey
from transcription.beeped import beep
from transcription.bleeping import masked_bleeps
from transcription.transcript import Transcript
from transcription.trouble import AudioProblem

log = structlog.get_logger()

SEAL = "seal"
SEAL_ROUND = "seal-round"
EVERY = 600.0
PATIENCE = 3600.0  # until an original that nobody wrote down is sealed all the same
_DAY = 86400.0
_AT_ONCE = 1000  # calls a round
_NEAR = 2.0  # seconds by which lengths and beginnings of recordings may differ
_UNSURE = 0.5  # seconds: margin where a bleep was moved from one recording to another

Spans = Sequence[tuple[float, float]]


class Sealing:
    """The handler, and the round that finds what was missed."""

    def __init__(
        self,
        *,
        originals: Originals,
        reads: Reads,
        outbox: Outbox,
        fanout: Fanout,
        clock: Callable[[], float],
        lines: Sequence[str],
    ) -> None:
        self._originals, self._outbox, self._clock = originals, outbox, clock
        self._board = CallBoard(reads, fanout)
        self._bleeped = [line for line in lines if originals.policy(line).bleeped]
        self._sealed = [line for line in lines if originals.policy(line).originals == "encrypt"]

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {SEAL: self.seal, SEAL_ROUND: self.round}

    def follow(self, page: CallPage, _transcript: Transcript) -> list[NewJob]:
        """The job that a new transcript leads to."""
        policy = self._originals.policy(page.item.line)
        return [wanted(page.item.key)] if policy.bleeped or policy.originals != "keep" else []

    async def add(self) -> None:
        """Add the round of now, once."""
        now = self._clock()
        if self._bleeped or self._sealed:
            await self._outbox.prune(now - 2 * _DAY, [SEAL_ROUND])
            await self._outbox.add_now(NewJob(SEAL_ROUND, f"{SEAL_ROUND}:{int(now // EVERY)}"), now)

    async def round(self, _job: Job) -> Wait | None:
        """Have done what was not: recordings of before the policy, of calls that nobody wrote down."""
        now = self._clock()
        missed = await self._originals.sounds.undone(
            bleeped=self._bleeped, sealed=self._sealed, before=now - PATIENCE, job=SEAL, limit=_AT_ONCE
        )
        for call in missed:
            await self._outbox.add_now(wanted(call), now)
        return None

    async def seal(self, job: Job) -> Wait | None:
        """Bleep and seal the recordings of a call, as its line wants them."""
        page = await self._board.page(job)
        call, policy = page.item.key, self._originals.policy(page.item.line)
        known = await self._originals.sounds.of(call)
        try:
            for row in page.recordings:
                if row.deleted is not None:
                    continue
                number = await self._originals.sounds.recording_id(call, row.name)
                assert number is not None
                one = _One(self._originals, page, row, number=number, known=known, now=self._clock())
                if policy.bleeped and page.item.said is not None:
                    await one.bleep()
                if policy.originals == "encrypt":
                    await one.seal()
                elif policy.originals == "drop":
                    await one.drop()
        except (OSError, ClosedError, SealError) as error:  # kept as it is, and tried again
            raise JobError(f"the recording stays as it is: {error}") from error
        await self._board.changed(page)
        JOBS.labels(SEAL, "done").inc()
        return None


def wanted(call: CallKey) -> NewJob:
    """The job of a call."""
    return NewJob(SEAL, f"{call}:{SEAL}", {"call": str(call)}, again=True)


class _One:
    """One recording being seen to."""

    def __init__(
        self,
        originals: Originals,
        page: CallPage,
        row: RecordingRow,
        *,
        number: int,
        known: Mapping[tuple[str, str], Known],
        now: float,
    ) -> None:
        self._originals, self._page, self._row, self._number, self._now = originals, page, row, number, now
        self._legs = [leg for leg in LEGS if of_leg(row, leg) is not None]
        self._known = {leg: known.get((row.name, leg)) or Known(0, number, row.name, leg) for leg in self._legs}

    async def bleep(self) -> None:
        """Decide for each leg whether it may be heard, and lay the tone over it where it may not."""
        said = self._page.item.said
        assert said is not None
        spans = covered(self._page, self._row)
        for leg in self._legs:
            if self._known[leg].said == said and self._originals.there(self._known[leg]):
                continue
            safe, name = (Safe.NEVER, None) if spans is None else (Safe.CLEAN, None)
            if spans:
                safe, name = await self._tone(leg, spans)
            with self._originals.unless_told("bleeped", name):
                await self._originals.sounds.decided(self._number, leg, said=said, safe=safe, bleeped=name)
            await asyncio.to_thread(self._originals.remove, "bleeped", self._known[leg].bleeped)

    async def _tone(self, leg: str, spans: Spans) -> tuple[Safe, str | None]:
        call = self._page.item.key
        try:
            async with self._originals.plain(call, self._row, leg) as source:
                target, name = self._originals.new_copy(self._number, leg)
                await asyncio.to_thread(beep, source, target, spans)
        except (AudioProblem, LookupError) as error:
            log.warning("no tone can be laid over a recording", call=str(call), leg=leg, error=str(error))
            return Safe.NEVER, None
        return Safe.BLEEPED, name

    async def seal(self) -> None:
        """Encrypt what lies in the clear, then remove it."""
        call, keys = self._page.item.key, self._originals.keys
        if keys is None:
            raise ClosedError("no sealing key is configured: add it to [[sealing.keys]]")
        for leg in self._legs:
            source, before = self._plain(leg), self._known[leg]
            if source is None or await self._sealed_already(source, before):
                continue
            target, name = self._originals.new_sealed(self._number, leg)
            size = await asyncio.to_thread(seal, source, target, keys, of(call, self._known[leg]))
            with self._originals.unless_told("sealed", name):
                await self._originals.sounds.sealed(self._number, leg, name=name, key=keys.current, size=size)
            await asyncio.to_thread(self._originals.remove, "sealed", before.sealed)
        now_known = await self._originals.sounds.of(call)
        if all((one := now_known.get((self._row.name, leg))) is not None and one.sealed for leg in self._legs):
            await self._remove(What.RECORDING_SEALED, {"key": keys.current, "cipher": keys.cipher.value})

    async def _sealed_already(self, source: Path, known: Known) -> bool:
        """Whether a file that could not be removed lies sealed, and sound."""
        if known.sealed is None:
            return False
        try:
            opened = await asyncio.to_thread(self._originals.open, self._page.item.key, known)
            await asyncio.to_thread(held_against, source, opened)
        except (ClosedError, SealError, LookupError):
            return False
        return True

    async def drop(self) -> None:
        """Remove the original where something in it is masked and the copy is there."""
        known = await self._originals.sounds.of(self._page.item.key)
        ours = [known.get((self._row.name, leg)) for leg in self._legs]
        if all(one is not None and one.safe is Safe.BLEEPED and one.said == self._page.item.said for one in ours):
            await self._remove(What.RECORDING_DROPPED, {})

    def _plain(self, leg: str) -> Path | None:
        name = of_leg(self._row, leg)
        assert name is not None
        try:
            return self._originals.recorders.path(self._page.item.key, name)
        except LookupError:
            return None

    async def _remove(self, what: What, detail: Mapping[str, str]) -> None:
        call = self._page.item.key
        recorder = self._originals.recorders.of(call)
        if recorder is None:
            return
        gone = await asyncio.to_thread(recorder.forget, self._row, call.linkedid)
        await self._originals.sounds.removed(
            call, self._number, self._legs, what=what, detail={**detail, "files": gone}, now=self._now
        )


def covered(page: CallPage, row: RecordingRow) -> Spans | None:
    """What must not be heard of a recording, in its own seconds. None: the transcript does not say.

    The transcript is of one recording of the call. Another one is covered where its sound is all within that one's.
    """
    transcript, spoken = page.transcript, page.spoken
    if transcript is None or spoken is None:
        return None
    if spoken.seconds is not None and transcript.seconds and abs(spoken.seconds - transcript.seconds) > _NEAR:
        return None  # another recording was linked meanwhile: this transcript is of none that is here
    bleeps = transcript.bleeps or masked_bleeps(transcript.turns)
    spans = [(bleep.start, bleep.end) for bleep in bleeps]
    if row is spoken:
        return spans
    if row.began is None or spoken.began is None or row.seconds is None or spoken.seconds is None:
        return None
    later = row.began - spoken.began
    if later < -_NEAR or later + row.seconds > spoken.seconds + _NEAR:
        return None
    return [(start - later - _UNSURE, end - later + _UNSURE) for start, end in spans if end - later > 0]
