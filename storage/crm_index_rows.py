"""Rows of the copy of a CRM's customers: how news become some, and how they are written. Private to storage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from crm.customer import Customer
from crm.index_keys import keys_of
from storage.crm_index_tables import index_customers, index_phones
from storage.customer_json import card_text, customer_of, details_text, only_parts
from storage.customer_news import note
from storage.customer_words import Kept
from storage.once import insert_into
from storage.plain import plain

LONGEST_ID = 128
_IDS_A_STATEMENT = 1000  # SQLite takes 32,766 parameters, older ones 999 and some


@dataclass(frozen=True, slots=True)
class News:
    """What the CRM said of a customer when it was asked at ``seen`` (epoch seconds); ``customer`` None: gone.

    ``load``: the number of the load whose page it stood on. ``looked``: it was a single look, that brings more than a
    listing; ``bare``: purchases and contracts may only have been late, so that none means nothing.
    """

    id: str
    customer: Customer | None
    seen: float
    version: str | None = None
    merged: str | None = None
    load: int | None = None
    looked: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What news were news: customers that were not there, are another now, or are there no more."""

    added: int = 0
    changed: int = 0
    gone: int = 0

    def __add__(self, other: "Written") -> "Written":
        """Both together."""
        return Written(self.added + other.added, self.changed + other.changed, self.gone + other.gone)


def prepare(news: Iterable[News], area: str | None) -> Sequence[Mapping[str, Any]]:
    """The news as rows, the last of each customer, numbers read. In one order, so that two writers do not entangle."""
    last = {each.id: each for each in news if 0 < len(each.id) <= LONGEST_ID and "\0" not in each.id}
    return [_row(each, area) for _, each in sorted(last.items())]


def _row(news: News, area: str | None) -> Mapping[str, Any]:
    customer = news.customer
    phones = () if customer is None else customer.phones
    details = None
    if customer is not None and (news.looked or customer.purchases or customer.contracts):
        details = _whole(details_text(customer))
    return {
        "news": news,
        "card": None if customer is None else _whole(card_text(customer)),
        "details": details,
        "keys": frozenset((key[:32], plain(ext or "", 16)) for phone in phones for key, ext in keys_of(phone, area)),
    }


def _whole(text: str) -> str:
    """What both databases keep, nothing cut off."""
    return plain(text, len(text))


def write(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> Written:
    """Write rows, those left out that are older than what stands."""
    written = Written()
    for start in range(0, len(rows), _IDS_A_STATEMENT):
        written += _write(conn, rows[start : start + _IDS_A_STATEMENT])
    return written


_OLD = select(index_customers).where(index_customers.c.id.in_(bindparam("ids", expanding=True)))
_OLD_KEYS = select(index_phones.c.customer_id, index_phones.c.number, index_phones.c.ext).where(
    index_phones.c.customer_id.in_(bindparam("ids", expanding=True))
)
_NO_KEY = delete(index_phones).where(
    index_phones.c.customer_id == bindparam("the_id"),
    index_phones.c.number == bindparam("the_number"),
    index_phones.c.ext == bindparam("the_ext"),
)


def _write(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> Written:
    ids = {"ids": [row["news"].id for row in rows]}
    old: dict[str, Mapping[str, Any]] = {row["id"]: dict(row) for row in conn.execute(_OLD, ids).mappings()}
    had: dict[str, set[tuple[str, str]]] = {}
    for owner, number, ext in conn.execute(_OLD_KEYS, ids):
        had.setdefault(owner, set()).add((number, ext))
    added = changed = gone = 0
    upserts, fewer, more, renamed = [], [], [], []
    for row in rows:
        news: News = row["news"]
        before = old.get(news.id)
        if before is not None and before["seen"] > news.seen:
            continue
        after = _after(before, row)
        upserts.append(after)
        was = (None, None) if before is None else (before["card"], before["details"])
        if after["card"] is None:
            gone += was[0] is not None
        elif was[0] is None:
            added += 1
        else:
            changed += was != (after["card"], after["details"])
        if was[0] != after["card"]:
            renamed.append(news.id)
        keys, owned = row["keys"], had.get(news.id, set())
        fewer += [{"the_id": news.id, "the_number": number, "the_ext": ext} for number, ext in owned - keys]
        more += [{"customer_id": news.id, "number": number, "ext": ext} for number, ext in keys - owned]
    if upserts:
        insert = insert_into(conn, index_customers)
        renewed = {name: insert.excluded[name] for name in upserts[0] if name != "id"}
        conn.execute(insert.on_conflict_do_update(index_elements=["id"], set_=renewed), upserts)
    if fewer:
        conn.execute(_NO_KEY, fewer)
    if more:
        conn.execute(insert_into(conn, index_phones).on_conflict_do_nothing(), more)
    note(conn, Kept.CRM, renamed)
    return Written(added, changed, gone)


def _after(before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """What stands of a customer once the row is written, given what stood."""
    news: News = row["news"]
    card, details = row["card"], row["details"]
    looked = news.seen if card is None or details is not None else None
    if before is not None and card is not None and before["card"] is not None:
        card, details = _merged(before, row)
        if looked is None and card == before["card"]:
            looked = before["looked"]
    return {
        "id": news.id,
        "card": card,
        "details": details,
        "version": _whole(news.version) if news.version is not None else before and before["version"],
        "merged": plain(news.merged, LONGEST_ID),
        "seen": news.seen,
        "load": news.load if news.load is not None else 0 if before is None else before["load"],
        "looked": None if _hurried(news) else looked,
    }


def _hurried(news: News) -> bool:
    """Whether it was a look that may have missed what takes longer."""
    return news.bare and news.customer is not None and not (news.customer.purchases or news.customer.contracts)


def _merged(before: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, str | None]:
    """A listing does not take away what a look brought, and a look does not make its findings the listing's."""
    news: News = row["news"]
    card, details = row["card"], row["details"]
    if not news.looked:
        kept = before["details"] if card == before["card"] else only_parts(before["details"])
        return card, details or kept
    assert news.customer is not None
    if _hurried(news):
        details = before["details"]
    listed = before["card"]
    same = customer_of(news.id, listed, details) == news.customer
    return (listed if same else card), details
