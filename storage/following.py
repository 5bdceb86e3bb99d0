"""Which jobs follow a change: whoever must be kept in step with our calls and tickets hears of every one.

The job is written in the transaction of the change. There is one for each call and each ticket, made ready again when
it was done: what it brings in line is what is there when it runs, so it tells nobody anything that is no longer true.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from storage.jobs import add_job
from storage.records import NewJob
from telephony.call import Answered, Confirmed, Ended, Fact, LeftMessage

_TELLING = (Confirmed, Answered, LeftMessage, Ended)  # what others want to hear of a call while it goes on


@dataclass(frozen=True, slots=True)
class Follow:
    """Kinds of jobs that follow ``calls`` and ``tickets``; none for nobody.

    Their keys are the call's and the ticket's id; their payloads ``{"call": "pbx:linkedid"}`` and ``{"ticket": 7}``.
    """

    calls: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody follows."""
        return bool(self.calls or self.tickets)

    def told(self, conn: Connection, fact: Fact, ticket: int | None, now: float) -> None:
        """A new fact was kept, of a call that is on ``ticket`` by now."""
        if isinstance(fact, _TELLING):
            self.changed(conn, str(fact.call), ticket, now)

    def changed(self, conn: Connection, call: str | None, ticket: int | None, now: float) -> None:
        """What is known of a call, a ticket or both is another than before."""
        if call is not None:
            for kind in self.calls:
                add_job(conn, NewJob(kind, call, {"call": call}, again=True), now)
        if ticket is not None:
            for kind in self.tickets:
                add_job(conn, NewJob(kind, str(ticket), {"ticket": ticket}, again=True), now)
