"""What the handlers of after-call jobs do around their work: read the call's page, have open pages look again."""

from dataclasses import dataclass

from screenpop.telling import ticket_changed
from storage.fanout import Fanout
from storage.jobs import Job, JobError
from storage.pages import CallPage
from storage.reads import Reads
from telephony.call import CallKey


@dataclass(frozen=True, slots=True)
class CallBoard:
    """The calls that jobs speak of."""

    reads: Reads
    fanout: Fanout

    async def page(self, job: Job) -> CallPage:
        """The call a job is about. JobError when it was never written."""
        call = CallKey.parse(str(job.payload["call"]))
        page = await self.reads.call(call)
        if page is None:
            raise JobError(f"there is no call {call}")
        return page

    async def changed(self, page: CallPage) -> None:
        """Tell open pages."""
        ticket = page.item.ticket
        await ticket_changed(self.fanout, None if ticket is None else ticket.id, page.item.key, page.item.agents)
