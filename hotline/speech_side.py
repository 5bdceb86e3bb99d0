"""The side of the house that writes down what was said: the engine, what becomes of a transcript, and its jobs."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from hotline import lexicons
from hotline.bursting import Bursting
from hotline.jobs import AfterCall
from hotline.originals import Originals
from hotline.polishing import open_polishing
from hotline.recorder import Recorders
from hotline.said import Jobs, Mask, Said
from hotline.settings import Settings
from hotline.speech import open_speech
from storage.database import Database
from storage.drain import Handler
from storage.fanout import Fanout
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from transcription.redaction import Policy, redact_transcript


class SpeechSide:
    """Put together from the settings; the children of the engine end with ``close``.

    Raises LexiconError where a line's own words cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        db: Database,
        ledger: Ledger,
        reads: Reads,
        outbox: Outbox,
        recorders: Recorders,
        fanout: Fanout,
        clock: Callable[[], float],
        originals: Originals,
        follow: Sequence[Jobs],
    ) -> None:
        self.speech = open_speech(settings)
        self._outbox, self._clock = outbox, clock
        self._bursting = Bursting(db=db, fanout=fanout, clock=clock)
        zone = settings.site.zone
        self._polishing = open_polishing(settings, ledger=ledger, reads=reads, fanout=fanout, clock=clock)
        said = Said(
            ledger=ledger,
            clock=clock,
            zone=zone,
            masks={line.number: _mask(line.policy.redact) for line in settings.line},
            lexicons=lexicons.by_line(settings),
            zones={line.number: ZoneInfo(line.timezone) for line in settings.line if line.timezone},
            follow=[*follow, self._bursting.follow, *([self._polishing.follow] if self._polishing else [])],
        )
        self._after = AfterCall(
            ledger=ledger,
            reads=reads,
            recorders=recorders,
            speech=self.speech,
            fanout=fanout,
            clock=clock,
            said=said,
            originals=originals,
            unrecorded=frozenset(line.number for line in settings.line if not line.record),
        )

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        polishing = {} if self._polishing is None else self._polishing.handlers
        return {**self._after.handlers, **self._bursting.handlers, **polishing}

    async def start(self) -> None:
        """Have what an older version kept indexed."""
        await self._outbox.add_now(self._bursting.at_start(), self._clock())

    def report(self) -> str | None:
        """What stands in the way of transcripts; None: nothing that is known of."""
        return self.speech.report()

    async def close(self) -> None:
        """End the engine's children."""
        await self.speech.close()


def _mask(kinds: Collection[str]) -> Mask:
    return partial(redact_transcript, policy=Policy.of(kinds))
