"""What routing asks of the database: whose phone is whose, and who spoke with a caller last. Nothing here writes.

Both questions go through one connection, and both are small: the dialplan waits for the answer.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from storage.account_tables import users
from storage.database import Database
from storage.tables import call_agents, calls
from telephony.call import Outcome
from telephony.routing import Talk

MOST_ROWS = 20  # of agents in the caller's last calls; the newest few are what counts


@dataclass(frozen=True, slots=True)
class PhoneOf:
    """An active user who has a phone."""

    login: str
    name: str
    extension: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """The phones of everybody who has one, and the caller's last talks, newest first."""

    phones: tuple[PhoneOf, ...]
    talks: tuple[Talk, ...]


class RouteReads:
    """Reads for routing. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def remembered(self, customer_id: str | None, e164: str | None, since: float) -> Remembered:
        """All phones, and the talks of a customer or number in answered calls that arrived since then (epoch seconds).

        A known customer's talks are those of that customer, and calls from the same number whose caller nobody
        recognised; not those of another customer behind the same switchboard.
        """
        of_users = select(users.c.login, users.c.name, users.c.extension).where(
            users.c.active.is_(True), users.c.extension.is_not(None)
        )
        same = _same(customer_id, e164)
        async with self._db.read() as conn:
            phones = tuple(PhoneOf(*row) for row in await conn.execute(of_users.order_by(users.c.login)))
            if same is None:
                return Remembered(phones, ())
            spoke: Any = (
                select(calls.c.id, call_agents.c.agent, call_agents.c.talked, calls.c.ended)
                .join_from(calls, call_agents)
                .where(
                    same,
                    calls.c.arrived >= since,
                    calls.c.outcome == Outcome.ANSWERED.value,
                    call_agents.c.talked.is_not(None),
                )
                .order_by(calls.c.arrived.desc(), call_agents.c.talked.desc(), call_agents.c.id.desc())
                .limit(MOST_ROWS)
            )
            rows = (await conn.execute(spoke)).all()
        last: dict[int, Talk] = {}
        for call_id, agent, talked, ended in rows:
            last.setdefault(call_id, Talk(agent, max(0.0, (ended or talked) - talked)))
        return Remembered(phones, tuple(last.values()))


def _same(customer_id: str | None, e164: str | None) -> ColumnElement[bool] | None:
    """Calls of this caller; None when there is nothing to recognise the caller by."""
    same: list[ColumnElement[bool]] = []
    if customer_id is not None:
        same.append(calls.c.customer_id == customer_id)
    if e164 is not None:
        nobody_else = calls.c.e164 == e164
        same.append(nobody_else if customer_id is None else and_(nobody_else, calls.c.customer_id.is_(None)))
    return or_(*same) if same else None
