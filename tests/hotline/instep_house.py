"""A house with many tickets that stand in a CRM on paper, for tests of comparing both sides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crm.connector import Connector
from crm.customer import Customer, Phone
from crm.guarded import Guarded
from hotline.crm_settings import Crm
from hotline.instep import CRM_INSTEP, InStep, mend_job
from hotline.settings import Server, Settings, Site
from hotline.writeback import WriteBack
from numbering.identify import identify
from storage.crm_index import CrmIndex
from storage.crm_sync import Open, Round
from storage.database import Database
from storage.edits import TicketField
from storage.fanout import MemoryFanout
from storage.following import Follow
from storage.jobs import HopelessError, JobError, JobState
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.records import Entry, Known, NewJob
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Outcome
from tests.crm.papercrm import PaperCrm
from tickets.ticket import Status

BEGAN = 1_795_290_138.0  # 2026-11-22 03:42:18 in Shanghai


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = BEGAN

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@dataclass
class Made:
    """A call of ours that stands in the CRM, with its ticket; ``note`` and ``task`` are theirs."""

    call: CallKey
    customer: str
    phone: str
    ticket: int
    number: str
    note: str
    task: str


class House:
    """Everything. What changes here goes through ``ledger``, what the CRM must not hear of through ``quiet``."""

    def __init__(self, url: str, folder: Path, crm: Connector, site: str = "shop") -> None:
        self.db, self.clock = Database.open(url), Clock()
        self.guarded = Guarded(crm, self.clock)
        self.ledger = Ledger(self.db, follow=Follow(calls=("crm-call",), tickets=("crm-ticket",)))
        self.quiet = Ledger(self.db)
        self.reads, self.outbox = Reads(self.db), Outbox(self.db)
        self.settings = Settings(
            data=folder, site=Site(name=site), server=Server(url="https://calls.example"), crm=Crm(connector="rest")
        )
        self.back = WriteBack(
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            outbox=self.outbox,
            fanout=MemoryFanout(),
            connector=self.guarded,
            clock=self.clock,
            settings=self.settings,
        )
        self.instep = self.comparer()
        self.asked = 0

    def comparer(self, index: CrmIndex | None = None) -> InStep:
        """Another service's, for one that was killed; ``index``: the copy of the CRM's customers."""
        return InStep(
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            outbox=self.outbox,
            connector=self.guarded,
            clock=self.clock,
            settings=self.settings,
            index=index,
            rest=_at_once,
        )

    async def ring(self, people: Sequence[Customer]) -> list[Made]:
        """An answered call of each, all of them written into the CRM."""
        keys = []
        for position, one in enumerate(people):
            phone, line = one.phones[0].raw, "4007002505"
            key, known = CallKey("hq", f"1795290138.{position}"), Known(one.id, one.name)
            facts = (
                Arrived(call=key, at=BEGAN, caller=phone, caller_name=None, number=line, dialled=line),
                Confirmed(call=key, at=BEGAN + 0.1),
                Answered(call=key, at=BEGAN + 5, agent="1001", queue="sales"),
                Ended(call=key, at=BEGAN + 65, outcome=Outcome.ANSWERED),
            )
            await self.ledger.record_all([Entry(fact, BEGAN, identify(phone), known) for fact in facts])
            keys.append((key, one.id, phone))
        await self.work()
        return [await self._made(*each) for each in keys]

    async def _made(self, call: CallKey, customer: str, phone: str) -> Made:
        page = await self.reads.call(call)
        assert page is not None
        assert page.item.ticket is not None
        task = await self.back.refs.of_ticket(page.item.ticket.id)
        note = await self.back.refs.of_call(call)
        assert task is not None
        assert note is not None
        assert task.id is not None
        assert note.id is not None
        return Made(call, customer, phone, page.item.ticket.id, page.item.ticket.number, note.id, task.id)

    async def move(self, made: Made, status: Status, *, quietly: bool = False) -> None:
        """An agent moves a ticket; ``quietly``: and the job that tells it is lost."""
        page = await self.reads.ticket(made.ticket)
        assert page is not None
        changes = {TicketField.STATUS: status.value}
        ledger = self.quiet if quietly else self.ledger
        await ledger.edit_ticket(made.ticket, changes, who="wang", now=self.clock(), version=page.item.version)

    async def compare(self, instep: InStep | None = None) -> Round:
        """Everything, once more."""
        self.asked += 1
        self.clock.now += 1000
        await self.outbox.add_now(NewJob(CRM_INSTEP, f"asked:{self.asked}"), self.clock())
        await self.work(instep)
        last = await self.instep.sync.last()
        assert last is not None
        assert last.key == f"asked:{self.asked}"
        return last

    async def left(self) -> list[Open]:
        """The differences."""
        return list(await self.instep.sync.differences())

    async def mend(self, *some: Open) -> None:
        """Repair them."""
        for left in some:
            await self.outbox.add_now(mend_job(left.id, self.clock()), self.clock())
        await self.work()

    async def work(self, instep: InStep | None = None) -> None:
        """Do all jobs there are, letting time pass where one waits."""
        for _ in range(50):
            await self.work_once(instep)
            ready = await self.outbox.list(state=JobState.READY)
            if not ready:
                return
            self.clock.now = max(self.clock.now, min(job.due for job in ready))
        raise AssertionError("jobs without an end")

    async def work_once(self, instep: InStep | None = None) -> None:
        """Do all that is due now."""
        handlers = {**self.back.handlers, **(instep or self.instep).handlers}
        while (job := await self.outbox.claim(tuple(handlers), self.clock(), 60.0)) is not None:
            try:
                answer = await handlers[job.kind](job)
            except JobError as error:
                await self.outbox.retry(job, str(error), self.clock(), at=error.at)
            except HopelessError as error:
                await self.outbox.dead(job, str(error), self.clock())
            else:
                if answer is None:
                    await self.outbox.done(job, self.clock())
                else:
                    await self.outbox.defer(job, answer.until, answer.why, self.clock())


class PaperHouse(House):
    """With a CRM on paper."""

    def __init__(self, url: str, folder: Path, crm: PaperCrm) -> None:
        super().__init__(url, folder, crm)
        self.crm = crm

    async def calls(self, count: int) -> list[Made]:
        """So many calls of as many customers."""
        people = []
        for _ in range(count):
            customer = self.crm.new_id()
            phone = f"138{int(customer):08d}"
            people.append(Customer(customer, f"客户{customer}", (Phone(phone, f"+86{phone}"),)))
        self.crm.customers |= {one.id: one for one in people}
        return await self.ring(people)


@asynccontextmanager
async def opened(url: str, folder: Path, crm: PaperCrm | None = None) -> AsyncIterator[PaperHouse]:
    """A house on a migrated database."""
    house = PaperHouse(url, folder, crm or PaperCrm())
    try:
        yield house
    finally:
        await house.db.close()


async def _at_once(_: float) -> None:
    """Paper needs no rest."""
