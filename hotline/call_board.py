"""What the handlers of after-call jobs do around their work: read the call's page, have open pages look again."""

from dataclasses import dataclass

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
        await self.fanout.publish("tickets", {"type": "ticket", "id": ticket and ticket.id, "call": str(page.item.key)})
