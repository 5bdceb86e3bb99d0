"""Under which keys calls and tickets stand in a CRM. Pure; the same call gives the same key on every machine.

A ticket's key names the call that opened it and its own number: split off, one call may have opened two.
"""

from crm.keys import NOTE, TICKET, key_of
from storage.pages import TicketPage, TimelineItem
from storage.records import TimelineKind
from telephony.call import CallKey

_NOBODY = CallKey("hotline", "ticket")  # of a ticket whose calls were all deleted


class Keys:
    """Makes keys. ``site``: this installation's name."""

    def __init__(self, site: str) -> None:
        self._site = site.strip() or "hotline"

    def note(self, call: CallKey) -> str:
        """Of a call's note."""
        return key_of(self._site, call.pbx, call.linkedid, NOTE)

    def ticket(self, page: TicketPage) -> str:
        """Of a ticket."""
        return self._of_ticket(page, f"{TICKET}-{page.item.ticket.number}")

    def move(self, page: TicketPage, line: TimelineItem) -> str:
        """Of the note on a change of a ticket's status."""
        return self._of_ticket(page, f"moved-{page.item.ticket.number}-{round(line.at * 1000)}")

    def stale(self, page: TicketPage, line: TimelineItem) -> str:
        """Of the comment that tells such a change where it could not be made."""
        return self._of_ticket(page, f"stale-{page.item.ticket.number}-{round(line.at * 1000)}")

    def _of_ticket(self, page: TicketPage, kind: str) -> str:
        opened = (line.call for line in page.timeline if line.kind is TimelineKind.OPENED and line.call is not None)
        call = next(opened, _NOBODY)
        return key_of(self._site, call.pbx, call.linkedid, kind)
