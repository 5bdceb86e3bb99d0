"""What comparing both sides found: rounds with their figures, and the differences that are left.

A round is written on with every page it compared, in one transaction with what that page showed, so that one broken
off goes on where it was. A difference keeps its number for as long as it is seen; one that is seen no more is gone.
Times are epoch seconds. All methods raise StorageError.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, update

from crm.instep import Difference, Mend, What, agreeing
from storage.crm_sync_tables import crm_differences, crm_rounds
from storage.database import Database
from storage.once import insert_into, insert_once, update_by_id
from storage.plain import plain
from telephony.call import CallKey

LONGEST_TEXT = 4000
LONGEST_ID = 255
KEPT = 400 * 86400.0  # seconds for which rounds are remembered
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Round:
    """A comparison of both sides. ``place``: where it goes on; ``since``: records made before were left out.

    ``total``: records to be compared, as counted at its beginning; ``waiting``: left out, as a job had not yet written
    what we know. ``quality``: how often what is wrong with the CRM's customers.
    """

    id: int
    key: str
    since: float
    began: float
    ended: float | None
    place: str
    total: int
    compared: int
    differing: int
    waiting: int
    quality: Mapping[str, Any] | None
    trouble: str | None

    @property
    def accuracy(self) -> float | None:
        """Of those compared, how many agreed, in percent."""
        return agreeing(self.compared, self.differing)


@dataclass(frozen=True, slots=True)
class Found:
    """A subject that was compared, and how it differs; ``call`` and ``ticket``: (id, number), where it is one of ours.

    ``waits``: it could not be compared, a job is about to bring it in line.
    """

    subject: str
    differences: Sequence[Difference] = ()
    call: CallKey | None = None
    ticket: tuple[int, str] | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """A difference that is left. ``mending``: since when it is being repaired; ``trouble``: why it could not be."""

    id: int
    difference: Difference
    call: CallKey | None
    ticket_id: int | None
    ticket_number: str | None
    found: float
    seen: float
    mending: float | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many subjects differ just now, and the differences of each kind."""

    subjects: int = 0
    kinds: Mapping[What, int] = field(default_factory=dict)


class CrmSync:
    """Keeps rounds and differences."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, key: str, *, since: float, total: int, now: float) -> Round:
        """The round of this key: begun now, or found as it was broken off (or over)."""
        row = {
            "key": key,
            "since": since,
            "began": now,
            "place": "",
            "total": total,
            "compared": 0,
            "differing": 0,
            "waiting": 0,
        }

        def write(conn: Connection) -> Round:
            conn.execute(delete(crm_rounds).where(crm_rounds.c.began < now - KEPT))
            insert_once(conn, crm_rounds, row, ("key",))
            return _round(conn.execute(select(crm_rounds).where(crm_rounds.c.key == key)).one())

        return await self._db.transact(write)

    async def onward(self, round_id: int, place: str, found: Sequence[Found], now: float) -> None:
        """These were compared: what is left of them, and where the round goes on."""
        compared = [each for each in found if not each.waits]
        counts = {
            "place": place,
            "compared": crm_rounds.c.compared + len(compared),
            "differing": crm_rounds.c.differing + sum(1 for each in compared if each.differences),
            "waiting": crm_rounds.c.waiting + len(found) - len(compared),
            "trouble": None,
        }

        def write(conn: Connection) -> None:
            for each in compared:
                _settle(conn, each, now)
            conn.execute(update(crm_rounds).where(crm_rounds.c.id == round_id).values(counts))

        await self._db.transact(write)

    async def settle(self, found: Found, now: float) -> None:
        """One subject was looked at again."""
        if not found.waits:
            await self._db.transact(lambda conn: _settle(conn, found, now))

    async def end(self, round_id: int, now: float, quality: Mapping[str, Any] | None = None) -> None:
        """The round has compared everything."""
        values = {"ended": now, "trouble": None, "quality": None if quality is None else dict(quality)}
        await self._db.transact(lambda conn: conn.execute(update_by_id(crm_rounds), {"the_id": round_id, **values}))

    async def trouble(self, round_id: int, text: str) -> None:
        """What the round waits for."""
        values = {"trouble": plain(text, LONGEST_TEXT)}
        await self._db.transact(lambda conn: conn.execute(update_by_id(crm_rounds), {"the_id": round_id, **values}))

    async def rounds(self, limit: int = 2) -> Sequence[Round]:
        """The rounds that began last, the last one first."""
        query = select(crm_rounds).order_by(crm_rounds.c.began.desc(), crm_rounds.c.id.desc()).limit(limit)
        return await self._db.look(lambda conn: [_round(row) for row in conn.execute(query)])

    async def last(self) -> Round | None:
        """The round that came to its end last."""
        query = select(crm_rounds).where(crm_rounds.c.ended.is_not(None)).order_by(crm_rounds.c.ended.desc()).limit(1)
        row = await self._db.look(lambda conn: conn.execute(query).first())
        return None if row is None else _round(row)

    async def differences(self, *, after: int = 0, limit: int = 1000) -> Sequence[Open]:
        """What is left, by number, behind the number ``after``."""
        return await self._open(crm_differences.c.id > after, limit)

    async def get(self, ids: Collection[int]) -> Sequence[Open]:
        """Differences by their numbers; those that are gone are left out."""
        return await self._open(crm_differences.c.id.in_(sorted(set(ids))), len(set(ids)))

    async def unseen(self, before: float, limit: int = CHUNK) -> Sequence[Open]:
        """Differences that were not looked at since then."""
        return await self._open(crm_differences.c.seen < before, limit)

    async def standing(self) -> Standing:
        """How many are left."""
        subjects = select(func.count(crm_differences.c.subject.distinct()))
        kinds = select(crm_differences.c.what, func.count()).group_by(crm_differences.c.what)

        def look(conn: Connection) -> Standing:
            found = {What(row[0]): int(row[1]) for row in conn.execute(kinds)}
            return Standing(conn.execute(subjects).scalar_one(), found)

        return await self._db.look(look)

    async def mending(self, ids: Collection[int], now: float | None, trouble: str | None = None) -> None:
        """These are being repaired since ``now``; None: they are not any more, for ``trouble``."""
        values = {"mending": now, "trouble": plain(trouble, LONGEST_TEXT)}
        which = update(crm_differences).where(crm_differences.c.id.in_(sorted(set(ids)))).values(values)
        await self._db.transact(lambda conn: conn.execute(which))

    async def _open(self, which: ColumnElement[bool], limit: int) -> Sequence[Open]:
        query = select(crm_differences).where(which).order_by(crm_differences.c.id).limit(limit)
        return await self._db.look(lambda conn: [_as_open(row) for row in conn.execute(query)])


_OF_SUBJECT = select(crm_differences.c.id, crm_differences.c.what, crm_differences.c.theirs_id).where(
    crm_differences.c.subject == bindparam("of_subject")
)


def _settle(conn: Connection, found: Found, now: float) -> None:
    """Keep what is seen of a subject, forget what is not."""
    there = {(row.what, row.theirs_id): row.id for row in conn.execute(_OF_SUBJECT, {"of_subject": found.subject})}
    insert = insert_into(conn, crm_differences)
    renewed = {name: insert.excluded[name] for name in ("ours", "theirs", "mend", "detail", "seen")}
    keep = insert.on_conflict_do_update(index_elements=["subject", "what", "theirs_id"], set_=renewed)
    for each in found.differences:
        theirs_id = plain(each.detail.get("id", ""), LONGEST_ID)
        there.pop((each.what.value, theirs_id), None)
        row = {
            "subject": plain(found.subject, LONGEST_ID),
            "what": each.what.value,
            "theirs_id": theirs_id,
            "ours": plain(each.ours, LONGEST_TEXT),
            "theirs": plain(each.theirs, LONGEST_TEXT),
            "mend": each.mend.value,
            "detail": dict(each.detail),
            "call": None if found.call is None else str(found.call),
            "ticket_id": None if found.ticket is None else found.ticket[0],
            "ticket_number": None if found.ticket is None else found.ticket[1],
            "found": now,
            "seen": now,
        }
        conn.execute(keep, row)
    if there:
        conn.execute(delete(crm_differences).where(crm_differences.c.id.in_(sorted(there.values()))))


def _round(row: Row[Any]) -> Round:
    return Round(
        id=row.id,
        key=row.key,
        since=row.since,
        began=row.began,
        ended=row.ended,
        place=row.place,
        total=row.total,
        compared=row.compared,
        differing=row.differing,
        waiting=row.waiting,
        quality=row.quality,
        trouble=row.trouble,
    )


def _as_open(row: Row[Any]) -> Open:
    difference = Difference(row.subject, What(row.what), row.ours, row.theirs, Mend(row.mend), row.detail or {})
    return Open(
        id=row.id,
        difference=difference,
        call=None if row.call is None else CallKey.parse(row.call),
        ticket_id=row.ticket_id,
        ticket_number=row.ticket_number,
        found=row.found,
        seen=row.seen,
        mending=row.mending,
        trouble=row.trouble,
    )
