"""A copy of a CRM's customers, to know a caller at once and while the CRM is away.

Reading is one look, however many share a number. Writing: whatever is older than what stands is left out, so that a
page of a load that was asked for before a change cannot undo it. Who loads and follows the CRM has the turn
(:mod:`storage.crm_index_turn`); what a lookup learnt beside it is written by anybody. Who the caller is, is
:mod:`crm.matching`'s to decide.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, case, func, select

from crm.customer import Customer
from crm.index_keys import keys_for
from numbering.number import Number
from storage.crm_index_rows import News, Written, prepare, write
from storage.crm_index_state import Told
from storage.crm_index_tables import index_customers, index_phones, index_state
from storage.customer_json import customer_of
from storage.database import Database

MOST_FOUND = 200  # customers for one number: behind a trunk of that many nobody is recognised anyway
_FEW = 20  # are made ready at once, more beside the event loop


@dataclass(frozen=True, slots=True)
class Copy:
    """What the copy says of a number. ``whole``: it has all customers of the CRM, so nobody else shares the number.

    ``at``: it is the CRM's word of then (epoch seconds), the oldest of those found; None when nobody was found.
    """

    customers: tuple[Customer, ...] = ()
    at: float | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many customers the copy has, and numbers."""

    customers: int
    numbers: int


_STATE = select(index_state.c.source, index_state.c.told)
_STATE_HELD = _STATE.with_for_update(read=True)  # so that nothing is written beside the forgetting of another CRM's
# Those with the caller's extension first: should the limit cut, it cuts those who are less likely.
_CALLERS = (
    select(index_phones.c.customer_id)
    .where(index_phones.c.number.in_((bindparam("number"), bindparam("local"))))
    .order_by(case((index_phones.c.ext == bindparam("ext"), 0), else_=1), index_phones.c.customer_id)
    .limit(MOST_FOUND)
)
_CARDS = select(
    index_customers.c.id, index_customers.c.card, index_customers.c.details, index_customers.c.seen
).order_by(index_customers.c.id)
# One statement, as somebody waits: how far the copy is, and beside it whoever was found.
_FIND = (
    select(
        index_state.c.source,
        index_state.c.told,
        index_customers.c.id,
        index_customers.c.card,
        index_customers.c.details,
        index_customers.c.seen,
    )
    .select_from(index_state)
    .outerjoin(index_customers, and_(index_customers.c.id.in_(_CALLERS), index_customers.c.card.is_not(None)))
    .order_by(index_customers.c.id)
)
_KEPT = _CARDS.where(index_customers.c.id.in_(bindparam("ids", expanding=True)), index_customers.c.card.is_not(None))
_PAGE = _CARDS.where(index_customers.c.id > bindparam("after"), index_customers.c.card.is_not(None)).limit(
    bindparam("most")
)

_NEVER = select(index_customers.c.id).where(index_customers.c.looked.is_(None)).limit(bindparam("most"))
_LONG_AGO = (
    select(index_customers.c.id)
    .where(index_customers.c.looked < bindparam("before"), index_customers.c.card.is_not(None))
    .order_by(index_customers.c.looked)
    .limit(bindparam("most"))
)


class CrmIndex:
    """The copy. ``source`` names the CRM and how it is read: what was kept of another one is not there for us.

    ``area``: the area code of numbers written locally in the CRM.
    """

    def __init__(self, db: Database, source: str, area: str | None = None) -> None:
        self.db, self.source, self.area = db, source, area

    async def find(self, number: Number) -> Copy:
        """Everybody who may have this number, whatever extension. Raises StorageError."""
        keys = keys_for(number)
        if not keys:
            return Copy()
        wanted = {"number": keys[0], "local": keys[-1], "ext": number.ext or ""}

        def look(conn: Connection) -> Copy:
            rows = conn.execute(_FIND, wanted).all()
            if not rows or rows[0].source != self.source:
                return Copy()
            told = Told.read(rows[0].told)
            known = max(told.fed or 0.0, told.whole) if told.whole is not None else 0.0
            there = [row for row in rows if row.id is not None]
            found = tuple(customer_of(row.id, row.card, row.details) for row in there)
            at = min((max(row.seen, known) for row in there), default=None)
            return Copy(found, at, told.whole is not None)

        return await self.db.look(look)

    async def kept(self, ids: Sequence[str]) -> dict[str, Customer]:
        """The copy's customers of these ids, by id. Raises StorageError."""

        def look(conn: Connection) -> dict[str, Customer]:
            if _ours(conn, self.source) is None:
                return {}
            rows = conn.execute(_KEPT, {"ids": list(ids)})
            return {row.id: customer_of(row.id, row.card, row.details) for row in rows}

        return await self.db.look(look)

    async def page(self, after: str = "", most: int = 1000) -> Sequence[Customer]:
        """Customers by id, those behind ``after``; none when there are no more. Raises StorageError."""

        def look(conn: Connection) -> Sequence[Customer]:
            if _ours(conn, self.source) is None:
                return ()
            rows = conn.execute(_PAGE, {"after": after, "most": most})
            return [customer_of(row.id, row.card, row.details) for row in rows]

        return await self.db.look(look)

    async def unlooked(self, most: int, before: float) -> Sequence[str]:
        """Ids of customers never looked at by themselves, then of those not since ``before``. Raises StorageError."""

        def look(conn: Connection) -> Sequence[str]:
            if _ours(conn, self.source) is None:
                return ()
            never = list(conn.execute(_NEVER, {"most": most}).scalars())
            if len(never) < most:
                never += conn.execute(_LONG_AGO, {"before": before, "most": most - len(never)}).scalars()
            return never

        return await self.db.look(look)

    async def told(self) -> Told:
        """How far it is. Raises StorageError."""
        return await self.db.look(lambda conn: _ours(conn, self.source) or Told())

    async def sizes(self) -> Sizes:
        """How much there is; takes a second among a million. Raises StorageError."""

        def look(conn: Connection) -> Sizes:
            if _ours(conn, self.source) is None:
                return Sizes(0, 0)
            there = select(func.count()).where(index_customers.c.card.is_not(None))
            numbers = select(func.count()).select_from(index_phones)
            return Sizes(conn.execute(there).scalar_one(), conn.execute(numbers).scalar_one())

        return await self.db.look(look)

    async def learn(self, news: Sequence[News]) -> Written:
        """Keep what was learnt beside the loads, by a lookup or a push. Raises StorageError."""
        rows = await self.ready(news)

        def work(conn: Connection) -> Written:
            return Written() if _ours(conn, self.source, _STATE_HELD) is None else write(conn, rows)

        return await self.db.transact(work)

    async def ready(self, news: Sequence[News]) -> Sequence[Mapping[str, object]]:
        """Rows of them: numbers are read and texts are made, beside the event loop where they are many."""
        if len(news) <= _FEW:
            return prepare(news, self.area)
        return await asyncio.to_thread(prepare, news, self.area)


def _ours(conn: Connection, source: str, asked: Select[Any] = _STATE) -> Told | None:
    """How far the copy is; None when it is of another CRM, or none was begun."""
    row = conn.execute(asked).first()
    return None if row is None or row.source != source else Told.read(row.told)
