"""What becomes of a transcript before it is kept: blackened by the line's policy, summed up, then one transaction.

Everything that reads the words after this reads the blackened ones; nothing else is written anywhere.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from storage.ledger import Ledger
from storage.pages import CallPage
from storage.records import NewJob
from transcription.account import Summary
from transcription.lexicon import Lexicon
from transcription.summary import summarise
from transcription.transcript import Transcript

Mask = Callable[[Transcript], Transcript]
Jobs = Callable[[CallPage, Transcript], Sequence[NewJob]]


class Said:
    """Keeps what was said.

    By line: ``masks`` what it hides in turns, words and sound; ``lexicons`` its own words; ``zones`` where it is not
    the site's. ``follow``: the jobs that a new transcript leads to.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Callable[[], float],
        zone: ZoneInfo,
        masks: Mapping[str, Mask] | None = None,
        lexicons: Mapping[str, Lexicon] | None = None,
        zones: Mapping[str, ZoneInfo] | None = None,
        follow: Sequence[Jobs] = (),
    ) -> None:
        self._ledger, self._clock, self._zone = ledger, clock, zone
        self._masks, self._lexicons, self._zones = dict(masks or {}), dict(lexicons or {}), dict(zones or {})
        self._follow = tuple(follow)

    async def keep(self, page: CallPage, transcript: Transcript) -> None:
        """The transcript as it may be kept, with its summary; said again replaces both."""
        kept, summary = await asyncio.to_thread(self._made, page, transcript)  # takes a while: no card waits for it
        jobs = [job for follow in self._follow for job in follow(page, kept)]
        await self._ledger.said(page.item.key, kept, summary, self._clock(), jobs)

    def _made(self, page: CallPage, transcript: Transcript) -> tuple[Transcript, Summary]:
        line = page.item.line
        mask = self._masks.get(line)
        kept = transcript if mask is None else mask(transcript)
        called_at = datetime.fromtimestamp(page.item.arrived, self._zones.get(line, self._zone))
        summary = summarise(kept.turns, called_at, self._lexicons.get(line))
        return kept, summary
