"""What a repair writes into our own tables, all of it the CRM's to say: whose a ticket is, what a customer is called.

Whatever else is repaired is done by the jobs that write to the CRM anyway. Times are epoch seconds. All methods raise
StorageError.
"""

from sqlalchemy import Connection, or_, update

from storage.crm_ref_tables import crm_refs
from storage.database import Database
from storage.following import Follow
from storage.happened import customer_of
from storage.records import Known, TimelineKind
from storage.search_rows import index_ticket
from storage.tables import calls, tickets
from storage.ticket_rows import add_timeline, touch


class CrmMend:
    """Writes it. ``who``: what the CRM is called on our timeline; ``follow``: what jobs follow a change here."""

    def __init__(self, db: Database, who: str, follow: Follow = Follow()) -> None:  # noqa: B008 - frozen
        self._db, self._who, self._follow = db, who[:64], follow

    async def write_again(self, key: str) -> None:
        """Let the note of this key be written anew, whatever it said."""
        again = update(crm_refs).where(crm_refs.c.key == key).values(written=None)
        await self._db.transact(lambda conn: conn.execute(again))

    async def assign(self, ticket_id: int, known: Known, *, was: str | None, now: float) -> bool:
        """A ticket of ours is this customer's; False when it is not ``was``'s any more.

        Its calls that were the same customer's go with it.
        """
        values = customer_of(known)

        def write(conn: Connection) -> bool:
            ours = tickets.c.customer_id.is_(None) if was is None else tickets.c.customer_id == was
            row = conn.execute(
                update(tickets).where(tickets.c.id == ticket_id, ours).values(values).returning(tickets.c.id)
            ).first()
            if row is None:
                return False
            theirs = calls.c.customer_id.is_(None) if was is None else calls.c.customer_id == was
            moved = conn.execute(
                update(calls).where(calls.c.ticket_id == ticket_id, theirs).values(values).returning(calls.c.key)
            )
            keys = sorted(moved.scalars())
            touch(conn, ticket_id, now)
            index_ticket(conn, ticket_id)
            detail = {"id": values["customer_id"], "name": values["customer_name"], "was": was}
            add_timeline(conn, ticket_id, TimelineKind.CUSTOMER, now, who=self._who, detail=detail)
            self._follow.changed(conn, None, ticket_id, now)
            for key in keys:
                self._follow.changed(conn, key, None, now)
            return True

        return await self._db.transact(write)

    async def rename(self, known: Known) -> int:
        """What a customer is called, and whether it is a VIP, on every ticket and call of ours; how many changed.

        Copies of what is the CRM's: nothing happened on the tickets, nobody is told.
        """
        values = customer_of(known)

        def write(conn: Connection) -> int:
            changed = 0
            for table in (tickets, calls):
                other = or_(
                    table.c.customer_name.is_distinct_from(values["customer_name"]), table.c.vip != values["vip"]
                )
                which = update(table).where(table.c.customer_id == values["customer_id"], other)
                news = which.values(customer_name=values["customer_name"], vip=values["vip"]).returning(table.c.id)
                renamed = conn.execute(news).scalars().all()
                changed += len(renamed)
                for ticket_id in renamed if table is tickets else ():
                    index_ticket(conn, ticket_id)
            return changed

        return await self._db.transact(write)
