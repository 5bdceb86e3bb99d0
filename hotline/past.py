"""Wiring of what happened while nobody listened: who listens, what was missed, where the PBXs keep their records."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from hotline.completion import Completion
from hotline.listening import Listening
from hotline.lookup import Lookup
from hotline.pbx_feed import PbxFeed
from hotline.pipeline import LineRules
from hotline.settings import Settings
from hotline.telephony_settings import Cdr, Pbx
from numbering.number import Number
from storage.database import Database
from storage.drain import Handler
from storage.fanout import Fanout
from storage.gaps import Gaps
from storage.ledger import Ledger
from storage.reads import Reads
from telephony.call import CallKey
from telephony.cdr import Records, RecordsError, TableRecords
from telephony.cdr_file import CsvRecords
from telephony.lines import Lines
from telephony.phones import Phones

SHOWN = 20  # gaps on the operator's page
WITHOUT = 5.0  # seconds until a gap is looked into where no records are configured


class Past:
    """One process's view of what it missed. ``feeds``: the service's list of them, which fills when it starts."""

    def __init__(
        self,
        settings: Settings,
        *,
        db: Database,
        ledger: Ledger,
        reads: Reads,
        lookup: Lookup,
        rules: Mapping[str, LineRules],
        identify: Callable[[str | None, str | None], Number],
        feeds: Sequence[PbxFeed],
        fanout: Fanout,
        wake: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._settings, self._feeds = settings, feeds
        self._gaps = Gaps(db, ledger)
        delays = {pbx.name: WITHOUT if pbx.cdr is None else pbx.cdr.delay for pbx in settings.pbx}
        self.listening = Listening(self._gaps, delays, clock, wake)
        self._completion = Completion(
            gaps=self._gaps,
            ledger=ledger,
            reads=reads,
            records={pbx.name: partial(records_of, pbx.cdr) for pbx in settings.pbx if pbx.cdr is not None},
            delays=delays,
            phones={pbx.name: phones_of(settings, pbx) for pbx in settings.pbx},
            lines=Lines({line.number: line.aliases for line in settings.line}),
            rules=rules,
            identify=identify,
            lookup=lookup,
            live=self._live,
            fanout=fanout,
            wake=wake,
            clock=clock,
        )

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return self._completion.handlers

    async def report(self) -> list[dict[str, Any]]:
        """The last gaps, for the operator; ``records``: whether there is anything to complete calls from."""
        with_records = {pbx.name for pbx in self._settings.pbx if pbx.cdr is not None}
        return [asdict(gap) | {"records": gap.pbx in with_records} for gap in await self._gaps.recent(SHOWN)]

    def _live(self, pbx: str) -> Collection[CallKey] | None:
        feed = next((feed for feed in self._feeds if feed.name == pbx), None)
        return feed.tracker.calls.keys() if feed is not None and self.listening.knows(pbx) else None


def phones_of(settings: Settings, pbx: Pbx) -> Phones:
    """Whose phone a channel of this PBX is."""
    return Phones(
        pbx.trunks, {interface: agent.extension for agent in settings.agent for interface in agent.interfaces}
    )


def records_of(cdr: Cdr) -> Records:
    """The call records as configured. Raises RecordsError when they cannot be."""
    zone = ZoneInfo(cdr.timezone)
    if cdr.file is not None:
        return CsvRecords(cdr.file, zone)
    url = cdr.url if cdr.url_env is None else os.environ.get(cdr.url_env)
    if not url:
        raise RecordsError(f"{cdr.url_env} is not set")
    return TableRecords(url, cdr.table, cdr.columns, zone)
