"""Reading the CRM into the copy of its customers: all of them once, then what changed.

Only for whoever has the turn. Each page is written together with the place behind it, so that a reading that is broken
off, by a kill or by the CRM, goes on there.
"""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace

import structlog

from crm.connector import Can, Change, Connector, Of
from crm.trouble import InvalidError
from hotline.index_plan import goes_on, may_follow, may_load, suspicious
from storage.crm_index_rows import News
from storage.crm_index_state import Told
from storage.crm_index_turn import Turn

log = structlog.get_logger()


class Reading:
    """``poll``: seconds after which changes are looked at in the middle of a load. ``told``: how far it is."""

    def __init__(self, turn: Turn, connector: Connector, clock: Callable[[], float], poll: float, told: Told) -> None:
        self._turn, self._crm, self._clock, self._poll = turn, connector, clock, poll
        self.told = told

    async def load(self) -> None:
        """Read everybody, or the rest of it. Raises CrmError, StorageError, LostTurnError."""
        if not may_load(self._crm.can):
            return
        if not goes_on(self.told, self._clock(), follows=may_follow(self._crm.can, self._crm.traits)):
            await self._begin()
        before = self.told
        try:
            await self._pages()
        except InvalidError:
            if before.place is not None and self.told.place == before.place:
                log.warning("the load begins anew: the CRM does not go on from where it was", place=before.place)
                self.told = replace(self.told, place=None, count=0, spent=0.0)
            raise
        await self._end()

    async def follow(self) -> None:
        """Take what changed, until there is no more for now. Raises CrmError, StorageError, LostTurnError."""
        if not may_follow(self._crm.can, self._crm.traits):
            return
        more = True
        while more:
            asked = self._clock()
            page = await self._crm.changes(Of.CUSTOMER, self.told.feed)
            news = await news_of(page.changes, self._crm, asked, self._clock)
            more = page.more and page.cursor != self.told.feed
            told = replace(self.told, feed=page.cursor, error=None, error_at=None)
            self.told = told if more else replace(told, fed=asked)
            written = await self._turn.step(self.told, news, self._clock())
            self.told = replace(
                self.told,
                news=self.told.news + written.added + written.changed + written.gone,
                known=self.told.known + written.added - written.gone,
            )

    async def look_at(self, most: int, before: float) -> None:
        """Look at some customers by themselves: a listing has no purchases. Raises CrmError, StorageError.

        Those never looked at first, then those not since ``before``. None while it is in doubt whether a customer that
        the CRM does not have is gone, or our key sees less.
        """
        if Can.GET not in self._crm.can or self.told.held:
            return
        for customer_id in await self._turn.index.unlooked(most, before):
            await self._turn.index.learn(await _looked(customer_id, self._crm, self._clock))

    async def _begin(self) -> None:
        """The cursor first: what changes while the load runs is told behind it."""
        start = None
        if may_follow(self._crm.can, self._crm.traits):
            start = (await self._crm.changes(Of.CUSTOMER, None)).cursor
        now, last = self._clock(), self.told
        self.told = Told(
            load=last.load + 1,
            began=now,
            paged=now,
            start=start,
            whole=last.whole,
            feed=last.feed,
            fed=last.fed,
            held=last.held,
            known=last.known,
        )
        await self._turn.begin(self.told, now)
        log.info("reading all customers of the CRM", connector=self._crm.name, load=self.told.load)

    async def _pages(self) -> None:
        pages = self._crm.load(self.told.place)
        asked = self._clock()
        try:
            async for customers, place in pages:
                news = [News(customer.id, customer, asked, load=self.told.load) for customer in customers]
                now = self._clock()
                self.told = replace(
                    self.told,
                    place=place,
                    paged=now,
                    count=self.told.count + len(customers),
                    error=None,
                    error_at=None,
                )
                written = await self._turn.step(self.told, news, now)
                self.told = replace(
                    self.told,
                    added=self.told.added + written.added,
                    changed=self.told.changed + written.changed,
                    known=self.told.known + written.added,
                    spent=self.told.spent + self._clock() - asked,
                )
                if self.told.whole is not None and self._clock() - (self.told.fed or 0.0) >= self._poll:
                    await self.follow()
                asked = self._clock()
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()

    async def _end(self) -> None:
        """Drop who was not listed; but if those are most of all, only once a second load says the same."""
        began = self.told.began
        assert began is not None
        vanished = await self._turn.vanished(self.told.load, began)
        drop = not suspicious(vanished, self.told.count) or self.told.held > 0
        if not drop:
            log.error(
                "the CRM lists few customers: the others are kept until another load says the same",
                connector=self._crm.name,
                listed=self.told.count,
                missing=vanished,
            )
        there = (await self._turn.index.sizes()).customers
        self.told = replace(
            self.told,
            known=there - vanished if drop else there,
            ended=self._clock(),
            whole=began,
            place=None,
            feed=self.told.start or self.told.feed,
            fed=self.told.fed if self.told.fed is not None else began,
            dropped=vanished if drop else 0,
            held=0 if drop else vanished,
        )
        await self._turn.end(self.told, self._clock(), drop=drop)
        told = self.told
        log.info(
            "all customers of the CRM are read",
            connector=self._crm.name,
            customers=told.count,
            a_second=told.rate and round(told.rate),
            added=told.added,
            changed=told.changed,
            dropped=told.dropped,
        )


async def news_of(changes: Iterable[Change], crm: Connector, asked: float, clock: Callable[[], float]) -> list[News]:
    """What changes mean for the copy; a customer that is not told with its change is asked for. Raises CrmError."""
    news: list[News] = []
    for change in changes:
        ref = change.ref
        if ref.of is not Of.CUSTOMER:
            continue
        if change.gone:
            news.append(News(ref.id, None, asked, ref.version, merged=change.merged))
            if change.merged is not None:
                news += await _looked(change.merged, crm, clock)
        elif change.customer is not None:
            news += _under_its_id(ref.id, News(change.customer.id, change.customer, asked, ref.version))
        else:
            news += await _looked(ref.id, crm, clock)
    return news


async def _looked(customer_id: str, crm: Connector, clock: Callable[[], float]) -> list[News]:
    if Can.GET not in crm.can:
        return []
    asked = clock()
    customer = await crm.get(customer_id)
    if customer is None:
        return [News(customer_id, None, asked)]
    return _under_its_id(customer_id, News(customer.id, customer, asked, looked=True))


def _under_its_id(asked_for: str, news: News) -> list[News]:
    """Somebody who is told under another id than asked for was merged into that one."""
    if news.id == asked_for:
        return [news]
    return [News(asked_for, None, news.seen, merged=news.id), news]
