"""Our calls and tickets in the company's CRM, and what its people do to them brought home.

Three kinds of jobs, each wanted again whenever something changed: ``crm-call`` has a call's note stand on the
customer's timeline as the call is known now; ``crm-ticket`` brings a ticket in line on both sides; ``crm-tickets``
listens to what changed there. Nothing else writes to the CRM. What the CRM says of a customer is the CRM's: nothing of
that is written.
"""

from collections.abc import Callable, Mapping
from typing import Any

from crm.connector import Connector
from hotline.settings import Settings
from hotline.writeback_feed import CRM_TICKETS, TicketFeed
from hotline.writeback_hands import Hands
from hotline.writeback_keys import Keys
from hotline.writeback_notes import CRM_CALL, CallNotes, Notes
from hotline.writeback_tickets import CRM_TICKET, CrmTickets
from screenpop.crm_texts import Pen
from screenpop.i18n import Reader
from storage.crm_meeting import CrmMeeting
from storage.crm_refs import CrmRefs
from storage.database import Database
from storage.drain import Handler
from storage.fanout import Fanout
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads


class WriteBack:
    """The handlers, to be run where ``[crm] write_back`` says so. What ``ledger`` follows must hold their kinds."""

    def __init__(
        self,
        *,
        db: Database,
        ledger: Ledger,
        reads: Reads,
        outbox: Outbox,
        fanout: Fanout,
        connector: Connector,
        clock: Callable[[], float],
        settings: Settings,
    ) -> None:
        self.refs, self.connector = CrmRefs(db), connector
        self.keys = Keys(settings.site.name)
        area, kinds = settings.crm.area, (CRM_CALL, CRM_TICKET)
        hands = Hands(crm=connector, refs=self.refs, outbox=outbox, clock=clock, area=area, kinds=kinds)
        pen = pen_of(settings)
        notes = Notes(hands)
        self._calls = CallNotes(hands, notes, reads, self.keys, pen)
        self._tickets = CrmTickets(
            hands,
            notes,
            meeting=CrmMeeting(db, connector.name, ledger.follow),
            reads=reads,
            fanout=fanout,
            keys=self.keys,
            pen=pen,
            strangers=settings.crm.strangers,
        )
        self.feed = TicketFeed(hands, settings.crm.poll_every)

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {CRM_CALL: self._calls.handle, CRM_TICKET: self._tickets.handle, CRM_TICKETS: self.feed.handle}

    async def start(self) -> None:
        """Begin to listen. Raises StorageError."""
        await self.feed.start()

    async def report(self) -> Mapping[str, Any]:
        """How it goes, for the operator: records by state, when the CRM last told what changed."""
        return {
            "records": dict(await self.refs.counts()),
            "heard": self.feed.heard,
            "trouble": self.feed.trouble,
        }


def pen_of(settings: Settings) -> Pen:
    """Who writes for the CRM's people."""
    return Pen(
        Reader(settings.site.language, settings.site.zone),
        lines={line.number: line.name for line in settings.line if line.name},
        agents={agent.extension: agent.name for agent in settings.agent if agent.name},
        url=settings.server.url,
    )
