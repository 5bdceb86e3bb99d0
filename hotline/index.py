"""The copy of the CRM's customers, kept up: loaded, followed, compared once a night.

One service at a time does it, whoever has the turn; all of them answer from it and learn from their lookups. A push is
taken at once and only hastens what the feed brings anyway.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from math import ceil
from secrets import token_hex
from typing import Any

import structlog

from crm.connector import Change, Connector
from crm.trouble import CrmError
from hotline.crm_settings import Crm
from hotline.index_plan import load_due, may_follow, may_load, rest
from hotline.index_reading import Reading, news_of
from hotline.settings import Settings
from storage.crm_index import CrmIndex
from storage.crm_index_state import Told
from storage.crm_index_turn import LostTurnError, Turn
from storage.database import Database
from storage.trouble import StorageError

log = structlog.get_logger()

OTHERS_TURN = 2.0  # seconds until the turn is asked for again
DATABASE_AWAY = 5.0
LOOKED_LONG_AGO = 7 * 86400.0  # purchases of those who do not call are no older


class Index:
    """The copy of the CRM that ``settings`` name, asked through ``connector``."""

    def __init__(self, *, db: Database, connector: Connector, clock: Callable[[], float], settings: Settings) -> None:
        self._crm, self._clock = connector, clock
        self._zone, self._poll = settings.site.zone, settings.crm.poll_every
        self._looks = ceil(settings.crm.look_ahead * self._poll / 60)
        self.copy = CrmIndex(db, source_of(settings.crm), settings.crm.area)
        self.turn = Turn(self.copy, token_hex(8))
        self._told = Told()
        self._reading: Reading | None = None
        self._row = 0  # troubles in a row
        self._poked = asyncio.Event()

    async def run(self) -> None:
        """Keep it up until cancelled."""
        while True:
            pause = await self.round()
            try:
                async with asyncio.timeout(pause):
                    await self._poked.wait()
            except TimeoutError:
                continue

    def poke(self) -> None:
        """Look for changes now."""
        self._poked.set()

    async def take(self, changes: Sequence[Change]) -> None:
        """Take changes that the CRM pushed. Raises CrmError, StorageError."""
        await self.copy.learn(await news_of(changes, self._crm, self._clock(), self._clock))
        self.poke()

    async def round(self) -> float:
        """Do what is due, if it is our turn; seconds until there may be more."""
        self._poked.clear()
        try:
            claim = await self.turn.take(self._clock())
            if claim is None:
                await self.look()
                return OTHERS_TURN
            try:
                return await self._mine(claim.told, wanted=claim.wanted)
            finally:
                await self.turn.release()
        except LostTurnError:
            log.warning("another service loads the CRM's customers now")
            return OTHERS_TURN
        except StorageError as error:
            log.warning("the copy of the CRM waits for the database", error=str(error))
            return DATABASE_AWAY

    @property
    def told(self) -> Told:
        """How far it is, as this service knows."""
        return self._told if self._reading is None else self._reading.told

    async def look(self) -> None:
        """See how far it is, whoever works at it. Raises StorageError."""
        if self._reading is None:
            self._told = await self.copy.told()

    def report(self) -> Mapping[str, Any]:
        """How far it is, for the operator. Times are epoch seconds."""
        told = self.told
        return {
            "state": self._state(),
            "customers": told.known,
            "loading": told.loading,
            "listed": told.count,
            "rate": told.rate and round(told.rate, 1),
            "loaded": told.ended,
            "as_of": max(told.fed or 0.0, told.whole or 0.0) or None,
            "found_by_load": {"added": told.added, "changed": told.changed, "dropped": told.dropped},
            "changes_since": told.news,
            "held": told.held,
            "error": told.error,
            "error_at": told.error_at,
        }

    def _state(self) -> str:
        if not may_load(self._crm.can):
            return "learns"  # the CRM does not list its customers: only who called is known
        if self.told.whole is None:
            return "loading"
        return "reloading" if self.told.loading else "following" if self._follows else "loaded"

    @property
    def _follows(self) -> bool:
        return may_follow(self._crm.can, self._crm.traits)

    async def _mine(self, told: Told, *, wanted: bool) -> float:
        reading = self._reading = Reading(self.turn, self._crm, self._clock, self._poll, told)
        try:
            await self._keeping(self._read(reading, wanted=wanted))
        except CrmError as error:
            now, self._row = self._clock(), self._row + 1
            log.warning("the copy of the CRM cannot be kept up", connector=self._crm.name, error=str(error))
            reading.told = replace(reading.told, error=str(error), error_at=now)
            await self.turn.step(reading.told, (), now)
            return rest(error, self._row, self._poll)
        finally:
            self._told, self._reading = reading.told, None
        self._row = 0
        return self._poll

    async def _read(self, reading: Reading, *, wanted: bool) -> None:
        if may_load(self._crm.can) and (wanted or load_due(reading.told, self._clock(), self._zone)):
            await reading.load()
        await reading.follow()
        await reading.look_at(self._looks, self._clock() - LOOKED_LONG_AGO)

    async def _keeping(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, keeping the turn. When that is lost, the work is broken off."""
        loop = asyncio.get_running_loop()
        both = loop.create_task(work, name="read the CRM"), loop.create_task(self._renew(), name="keep the turn")
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.turn.lease_s / 4)
            await self.turn.renew(self._clock())


def source_of(crm: Crm) -> str:
    """Which CRM, read how: what was copied under other settings or another mapping is not the same."""
    mapping = "" if crm.mapping is None else crm.mapping.read_text(encoding="utf-8-sig")
    how = json.dumps([crm.settings, mapping, crm.area], sort_keys=True, ensure_ascii=False, default=str)
    return f"{crm.connector[:40]}:{sha256(how.encode()).hexdigest()[:20]}"
