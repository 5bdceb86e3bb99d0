"""A house with calls and tickets on a real database, a CRM in memory behind the guard, and the jobs between them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crm.connector import Note
from crm.guarded import Guarded
from hotline.crm_settings import Crm
from hotline.settings import Server, Settings, Site
from hotline.telephony_settings import Agent
from hotline.writeback import WriteBack
from numbering.identify import identify
from storage.database import Database
from storage.edits import TicketField
from storage.fanout import MemoryFanout
from storage.following import Follow
from storage.jobs import HopelessError, Job, JobError, JobState, Wait
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import CallPage, TicketPage
from storage.reads import Reads
from storage.records import Known, RecordingRow
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over
from tests.hotline.shop_crm import Case, Shop
from tickets.ticket import Status
from transcription.account import Category, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

ARRIVED = 1_795_290_138.0  # 2026-11-22 03:42:18 in Shanghai
PHONE = "13812345678"
LEASE = 60.0
SAID = Summary(
    "热水器漏水",
    Category.REPAIR,
    Urgency.HIGH,
    Sentiment.NEUTRAL,
    (),
    (Promise("agent", "明天上午上门维修", "2026-11-23", 1), Promise("caller", "准备发票", "", 2)),
    {},
)


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = ARRIVED + 60

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@dataclass
class House:
    """Everything. ``back`` is another one for a second service on the same database."""

    db: Database
    shop: Shop
    clock: Clock
    ledger: Ledger
    reads: Reads
    outbox: Outbox
    settings: Settings
    guarded: Guarded
    back: WriteBack
    known: Known
    phone: str = PHONE
    calls: int = 0
    fanout: MemoryFanout = field(default_factory=MemoryFanout)

    def another(self) -> WriteBack:
        """What another process would have: a guard and a hand of its own."""
        return WriteBack(
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            outbox=self.outbox,
            fanout=self.fanout,
            connector=Guarded(self.shop, self.clock),
            clock=self.clock,
            settings=self.settings,
        )

    async def call(self, *, known: bool = True) -> CallKey:
        """A call arrives and is a real one."""
        self.calls += 1
        key = CallKey("hq", f"1795290138.{self.calls}")
        line = "4007002505"
        arrived = Arrived(call=key, at=ARRIVED, caller=self.phone, caller_name=None, number=line, dialled=line)
        await self.tell(arrived, known=known)
        await self.tell(Confirmed(call=key, at=ARRIVED + 0.1), known=known)
        return key

    async def tell(self, fact: Fact, *, known: bool = True) -> None:
        """A fact is kept."""
        number = identify(self.phone)
        await self.ledger.record(fact, now=self.clock(), number=number, known=self.known if known else None)

    async def whole(self, key: CallKey) -> None:
        """It is answered, talked, recorded, written down."""
        await self.answer(key)
        await self.tell(Left(call=key, at=ARRIVED + 65, agent="1001", why=Over.ENDED))
        await self.tell(Ended(call=key, at=ARRIVED + 65, outcome=Outcome.ANSWERED))
        await self.ledger.link_recording(key, RecordingRow("rx.wav", "tx.wav", None, 60.0), self.clock())
        await self.say(key)

    async def answer(self, key: CallKey) -> None:
        """An agent talks."""
        await self.tell(Answered(call=key, at=ARRIVED + 5, agent="1001", queue="sales"))

    async def say(self, key: CallKey) -> None:
        """The summary is there."""
        turns = (Turn(Speaker.CALLER, 0.0, 1.0, "热水器漏水", 1.0),)
        transcript = Transcript(turns, "scripted", "m", "zh")
        await self.ledger.said(key, transcript, SAID, self.clock())

    async def page(self, key: CallKey) -> CallPage:
        """The call's page."""
        found = await self.reads.call(key)
        assert found is not None
        return found

    async def ticket(self, key: CallKey) -> TicketPage:
        """The page of its ticket."""
        link = (await self.page(key)).item.ticket
        assert link is not None
        found = await self.reads.ticket(link.id)
        assert found is not None
        return found

    async def move(self, key: CallKey, status: Status) -> None:
        """An agent moves the ticket."""
        page = await self.ticket(key)
        self.clock.now += 1
        await self.ledger.edit_ticket(
            page.item.ticket.id,
            {TicketField.STATUS: status.value},
            who="wang",
            now=self.clock(),
            version=page.item.version,
        )

    async def claim(self, kinds: tuple[str, ...] = ()) -> Job | None:
        """The next job that is due."""
        return await self.outbox.claim(kinds or tuple(self.back.handlers), self.clock(), LEASE)

    async def do(self, job: Job, back: WriteBack | None = None) -> None:
        """Do a job and settle it, as the loop does."""
        answer: Wait | None
        try:
            answer = await (back or self.back).handlers[job.kind](job)
        except JobError as error:
            await self.outbox.retry(job, str(error), self.clock(), at=error.at)
        except HopelessError as error:
            await self.outbox.dead(job, str(error), self.clock())
        else:
            if answer is None:
                await self.outbox.done(job, self.clock())
            else:
                await self.outbox.defer(job, answer.until, answer.why, self.clock())

    async def work(self, most: int = 60) -> int:
        """Do all that is due; how many jobs beside the rounds."""
        done = 0
        for _ in range(most):
            job = await self.claim()
            if job is None:
                return done
            await self.do(job)
            done += job.kind != "crm-tickets"
        raise AssertionError(f"still jobs after {most}")

    async def settle(self) -> None:
        """Let time pass until nothing is left to do but to listen."""
        for _ in range(20):
            await self.work()
            self.clock.now += 100
            left = [job for job in await self.outbox.list() if job.kind != "crm-tickets"]
            if all(job.state in (JobState.DONE, JobState.DEAD) for job in left) and not await self.work():
                return
        raise AssertionError([job for job in await self.outbox.list() if job.state is not JobState.DONE])

    @property
    def case(self) -> Case:
        """The only ticket there."""
        (case,) = self.shop.cases.values()
        return case

    @property
    def case_id(self) -> str:
        """Its number."""
        (number,) = self.shop.cases
        return number

    @property
    def note(self) -> Note:
        """The only note of a call there."""
        (note,) = (note for note in self.shop.notes.values() if note.key.endswith(":note"))
        return note


@asynccontextmanager
async def opened(url: str, folder: Path, shop: Shop | None = None) -> AsyncIterator[House]:
    """A house on a migrated database; the caller of a first call is known as a customer of the shop."""
    db, clock, shop = Database.open(url), Clock(), shop or Shop()
    ledger = Ledger(db, follow=Follow(calls=("crm-call",), tickets=("crm-ticket",)))
    settings = Settings(
        data=folder,
        site=Site(name="shop-hotline"),
        server=Server(url="https://calls.example/"),
        agent=(Agent(extension="1001", name="王芳"),),
        crm=Crm(connector="rest"),
    )
    reads, outbox, guarded = Reads(db), Outbox(db), Guarded(shop, clock)
    customer = shop.add_customer("张伟", PHONE)
    fanout = MemoryFanout()
    back = WriteBack(
        db=db,
        ledger=ledger,
        reads=reads,
        outbox=outbox,
        fanout=fanout,
        connector=guarded,
        clock=clock,
        settings=settings,
    )
    known = Known(customer, "张伟")
    house = House(db, shop, clock, ledger, reads, outbox, settings, guarded, back, known, fanout=fanout)
    await back.start()
    try:
        yield house
    finally:
        await db.close()
