"""What people do to our tickets in the CRM: heard of by its list of changes, or by looking where it has none.

Nothing is decided here: whichever ticket of ours may be another than we know gets its job (:mod:`writeback_tickets`),
which looks and brings both in line. So a repeat costs a look, and a webhook of the CRM's only makes it sooner.
"""

from collections.abc import Iterator, Sequence

import structlog

from crm.connector import Can, Change, Of
from crm.trouble import CrmError, InvalidError, UnsupportedError
from hotline.writeback_hands import TROUBLE_AGAIN, Hands, waiting
from hotline.writeback_tickets import CRM_TICKET
from storage.crm_refs import CrmRef
from storage.jobs import Job, Wait
from storage.records import NewJob

log = structlog.get_logger()

CRM_TICKETS = "crm-tickets"
LOOKS = 50  # tickets looked at in a round where there is no list of changes
PAGES = 20  # of changes in one round


class TicketFeed:
    """The handler of the one job ``crm-tickets``, which never ends. ``every``: seconds between rounds."""

    def __init__(self, hands: Hands, every: float) -> None:
        self._hands, self._every = hands, every
        self.heard: float | None = None  # when the CRM last told what changed
        self.trouble: str | None = None

    async def start(self) -> None:
        """Have the rounds going, if the CRM keeps tickets; whichever service on this database is free does each."""
        if Can.TICKET in self._hands.crm.can:
            await self._hands.outbox.add_now(NewJob(CRM_TICKETS, "feed", again=True), self._hands.clock())

    async def handle(self, _job: Job) -> Wait | None:
        """One round."""
        hands = self._hands
        if Can.TICKET not in hands.crm.can:
            return None
        try:
            if Can.FEED not in hands.crm.can or not await self._listen():
                await self._look_round()
        except CrmError as error:
            self.trouble, now = str(error), hands.clock()
            hands.weather.bad = True
            return waiting(error, now, CRM_TICKETS, now) or Wait(now + max(self._every, TROUBLE_AGAIN), str(error))
        await hands.answered()
        self.heard, self.trouble = hands.clock(), None
        return Wait(self.heard + self._every, f"asks {hands.crm.name} every {self._every:g} s what changed")

    async def take(self, changes: Sequence[Change]) -> None:
        """Changes of tickets that the CRM told by itself. Raises StorageError."""
        for job in await self._jobs(changes):
            await self._hands.outbox.add_now(job, self._hands.clock())

    async def _listen(self) -> bool:
        """Take what changed. False where the CRM tells that of customers only."""
        hands, name = self._hands, self._hands.crm.name
        cursor = await hands.refs.cursor(name)
        for _ in range(PAGES):
            try:
                page = await hands.crm.changes(Of.TICKET, cursor)
            except InvalidError as error:
                if cursor is None:
                    raise
                log.warning("the place in the CRM's changes is lost: all tickets are looked at", error=str(error))
                page = await hands.crm.changes(Of.TICKET, None)
                await hands.refs.move(name, page.cursor, hands.clock(), await self._everything())
                break
            except UnsupportedError:
                return False
            await hands.refs.move(name, page.cursor, hands.clock(), await self._jobs(page.changes))
            if not page.more:
                break
            cursor = page.cursor
        hands.outbox.wake()
        return True

    async def _look_round(self) -> None:
        hands, name = self._hands, self._hands.crm.name
        after = await hands.refs.cursor(name) or ""
        some = await hands.refs.open_tickets(after, LOOKS)
        onto = some[-1].key if len(some) == LOOKS else ""
        await hands.refs.move(name, onto, hands.clock(), list(_jobs(some)))
        hands.outbox.wake()

    async def _jobs(self, changes: Sequence[Change]) -> list[NewJob]:
        """The jobs of tickets of ours that are not as we saw them last."""
        theirs = {change.ref.id: change for change in changes if change.ref.of is Of.TICKET}
        ours = await self._hands.refs.of_records(Of.TICKET, theirs)
        return list(_jobs(ref for number, ref in ours.items() if _news(theirs[number], ref)))

    async def _everything(self) -> list[NewJob]:
        found: list[NewJob] = []
        after = ""
        while some := await self._hands.refs.open_tickets(after, 500):
            found += _jobs(some)
            after = some[-1].key
        return found


def _news(change: Change, ref: CrmRef) -> bool:
    """Whether a change tells of something that we do not know."""
    item = change.item
    if change.gone or item is None or item.ref.version is None:
        return True
    return item.ref.version != ref.version or item.said != ref.said


def _jobs(refs: Sequence[CrmRef] | Iterator[CrmRef]) -> Iterator[NewJob]:
    for ref in refs:
        if ref.ticket_id is not None:
            yield NewJob(CRM_TICKET, str(ref.ticket_id), {"ticket": ref.ticket_id}, again=True)
