"""Finds customers by pieces of their names, companies and numbers: our own, and those of the CRM's copy.

:meth:`CustomerSearch.catch_up` indexes what was written since; the service calls it all the time. Whoever was found is
read from where it is kept: a customer who is gone is not found, whatever the index says.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from crm.customer import Customer, Phone
from storage.crm_index_tables import index_customers, index_state
from storage.customer_json import customer_of
from storage.customer_news import note_all
from storage.customer_search_tables import customer_news, customer_words
from storage.customer_tables import customer_phones, customers
from storage.customer_words import Clause, Kept, clauses, customer_tokens, has, name_token, rank
from storage.customers import whole
from storage.database import Database
from storage.once import insert_into, take_turn

MOST_SEEN = 200  # named by the index and looked at
TYPED = "hotline:"  # how the ids of customers begin that were entered at a desk
_INDEX = table("customer_index", column("rowid"), column("customer_index"))
_TURN = "customer words"


class CustomerSearch:
    """``source`` names the CRM whose copy counts (:class:`storage.crm_index.CrmIndex`), beside those entered here.

    None: our own customers are all there are. All methods raise StorageError.
    """

    def __init__(self, db: Database, source: str | None = None) -> None:
        self._db, self._source = db, source

    async def find(self, question: str, limit: int = 20, *, numbers: bool = True) -> Sequence[Customer]:
        """Customers who have all of the question, those it names best first; without purchases and contracts.

        ``numbers`` False: by whoever sees none.
        """
        wanted = clauses(question, numbers=numbers)
        if not wanted:
            return ()
        exact = name_token(question)

        def look(conn: Connection) -> list[Customer]:
            found = {}
            if exact:
                found = self._read(conn, _named(conn, (Clause(question, ((exact,),)),), limit))
            if len(found) < limit:
                found |= self._read(conn, _named(conn, wanted, MOST_SEEN))
            fitting = [one for key, one in found.items() if has(one, wanted) or name_token(one.name) == exact]
            return sorted(fitting, key=lambda one: rank(one, question))[:limit]

        return await self._db.look(look)

    async def get(self, customer_id: str) -> Customer | None:
        """A customer of this id with purchases and contracts, as far as we have a copy."""

        def look(conn: Connection) -> Customer | None:
            found = self._read(conn, [(kept, customer_id) for kept in Kept])
            return whole(conn, customer_id) if (Kept.OWN, customer_id) in found else next(iter(found.values()), None)

        return await self._db.look(look)

    async def catch_up(self, limit: int = 100) -> int:
        """Index what was written since, so many lines of it; how many. 0: nothing was."""
        return await self._db.transact(lambda conn: _catch_up(conn, limit))

    async def forget(self) -> None:
        """Have everybody indexed anew by :meth:`catch_up`; until then they are found as before."""

        def again(conn: Connection) -> None:
            for kept in Kept:
                note_all(conn, kept)

        await self._db.transact(again)

    def _read(self, conn: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Customer]:
        """The customers of these keys who count, in their order."""
        ours = [key for kept, key in keys if kept == Kept.OWN]
        theirs = [key for kept, key in keys if kept == Kept.CRM]
        if self._source is None:
            theirs = []
        else:
            ours = [key for key in ours if key.startswith(TYPED)]
            if theirs and conn.execute(select(index_state.c.source)).scalar() != self._source:
                theirs = []
        found = {(Kept.OWN, one.id): one for one in _own(conn, ours)}
        found |= {(Kept.CRM, one.id): one for one in _copied(conn, theirs)}
        return {(kept, key): found[Kept(kept), key] for kept, key in keys if (Kept(kept), key) in found}


def _named(conn: Connection, wanted: Sequence[Clause], limit: int) -> list[tuple[str, str]]:
    """Whom the index names."""
    query = select(customer_words.c.kept, customer_words.c.customer_id)
    if conn.dialect.name == "sqlite":
        asked = " AND ".join(_ways(clause, _sqlite, " OR ") for clause in wanted)
        ids = conn.execute(
            select(_INDEX.c.rowid).where(_INDEX.c.customer_index.match(asked)).order_by(_INDEX.c.rowid).limit(limit)
        )
        query = query.where(customer_words.c.id.in_(ids.scalars().all()))
    else:
        # Whoever comes first: in any order the rarest words would have all of their customers read.
        conn.exec_driver_sql("SET LOCAL plan_cache_mode = force_custom_plan")
        conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        asked = " & ".join(_ways(clause, _postgresql, " | ") for clause in wanted)
        found: ColumnElement[bool] = customer_words.c.tokens.op("@@")(cast(cast(literal(asked), Text), TSQUERY))
        query = query.where(found).limit(limit)
    return [(kept, key) for kept, key in conn.execute(query)]


def _ways(clause: Clause, spell: Callable[[Clause, Sequence[str]], str], way: str) -> str:
    """A clause as the index is asked; ``way``: how the ways are parted."""
    asked = [spell(clause, each) for each in clause.ways]
    if clause.begins is not None:
        asked.append(spell(replace(clause, start=True), (clause.begins,)))
    return f"({way.join(asked)})"


def _sqlite(clause: Clause, way: Sequence[str]) -> str:
    spelled = [f'"{token}"' for token in way]
    return f"({' AND '.join(spelled)}{' *' if clause.start else ''})"


def _postgresql(clause: Clause, way: Sequence[str]) -> str:
    spelled = [f"'{token}'" for token in way]
    return f"({' & '.join(spelled)}{':*' if clause.start else ''})"


def _own(conn: Connection, ids: Sequence[str]) -> list[Customer]:
    if not ids:
        return []
    phones: dict[str, list[Phone]] = {}
    query = select(customer_phones).where(customer_phones.c.customer_id.in_(ids))
    for row in conn.execute(query.order_by(customer_phones.c.customer_id, customer_phones.c.position)):
        phones.setdefault(row.customer_id, []).append(Phone(row.raw, row.e164, row.ext))
    return [
        Customer(
            row.id,
            row.name,
            tuple(phones.get(row.id, ())),
            company=row.company,
            level=row.level,
            vip=row.vip,
            owner=row.owner,
            note=row.note,
        )
        for row in conn.execute(select(customers).where(customers.c.id.in_(ids)))
    ]


def _copied(conn: Connection, ids: Sequence[str]) -> list[Customer]:
    if not ids:
        return []
    query = select(index_customers.c.id, index_customers.c.card, index_customers.c.details)
    rows = conn.execute(query.where(index_customers.c.id.in_(ids), index_customers.c.card.is_not(None)))
    return [customer_of(row.id, row.card, row.details) for row in rows]


def _catch_up(conn: Connection, limit: int) -> int:
    # One at a time: of two, the one that read a customer first might write last.
    take_turn(conn, [_TURN])
    lines = conn.execute(select(customer_news).order_by(customer_news.c.id).limit(limit)).all()
    if not lines:
        return 0
    rows: list[dict[str, Any]] = []
    for kept, read in ((Kept.OWN, _own), (Kept.CRM, _copied)):
        ids = list(dict.fromkeys(line.customer_id for line in lines if line.kept == kept))
        there = read(conn, ids)
        gone = set(ids).difference(one.id for one in there)
        if gone:
            conn.execute(
                delete(customer_words).where(customer_words.c.kept == kept, customer_words.c.customer_id.in_(gone))
            )
        rows += [{"kept": kept.value, "customer_id": one.id, "tokens": customer_tokens(one)} for one in there]
    if rows:
        _write(conn, rows)
    conn.execute(delete(customer_news).where(customer_news.c.id.in_([line.id for line in lines])))
    return len(lines)


def _write(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    values: dict[str, Any] = {name: bindparam(name) for name in ("kept", "customer_id", "tokens")}
    if conn.dialect.name == "sqlite":
        for row in rows:
            row["tokens"] = " ".join(row["tokens"])
    else:
        values["tokens"] = func.array_to_tsvector(bindparam("tokens", type_=ARRAY(Text())))
    statement = insert_into(conn, customer_words).values(values)
    news = {"tokens": statement.excluded.tokens}
    conn.execute(statement.on_conflict_do_update(index_elements=["kept", "customer_id"], set_=news), rows)
