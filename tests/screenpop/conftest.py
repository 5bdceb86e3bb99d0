"""A house with four people, a real database and the web application, and visitors who log in to it."""

import asyncio
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from crm.customer import Candidate
from numbering.identify import identify
from screenpop.asks import Voice
from screenpop.card import Chosen, Filled, Json, LineInfo, Recalled, Ticketed
from screenpop.deps import Deps
from screenpop.desk import Desk, Withdraw
from screenpop.finding import Finding
from screenpop.hands import Hand
from screenpop.meter import Rate
from screenpop.standings import Standings
from screenpop.web import build_app
from storage.accounts import Accounts
from storage.agent_states import AgentStates
from storage.audit import Audit
from storage.callbacks import Callbacks
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.ledger import Ledger
from storage.reads import Reads
from storage.records import Known, RecordingRow
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over, Queued, Rang
from tests.screenpop.browser import complaints, open_page, server  # noqa: F401 - fixtures
from tickets.proposals import Rule

NOON = 1_795_147_200.0  # 2026-11-20 12:00 in Shanghai
LINE = "4007002505"
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PEOPLE = {  # login: name, role, extension
    "li": ("李 明", "agent", "1001"),
    "wang": ("王 芳", "agent", "1002"),
    "zhao": ("赵 主管", "supervisor", None),
    "root": ("管理员", "admin", None),
    "shen": ("审计员", "auditor", None),
}
SECONDS = 2


@dataclass
class House:
    """Everything behind the pages. ``time`` is what the clock says, epoch seconds."""

    db: Database
    recordings: Path
    time: float = NOON
    beat: float = 20.0
    fanout: MemoryFanout = field(default_factory=MemoryFanout)
    desk: Desk = field(default_factory=lambda: Desk({LINE: LineInfo("售后", "0755")}))
    told: dict[str, Any] = field(default_factory=dict)
    calls: int = 0
    offers: tuple[Candidate, ...] = ()
    kept: dict[CallKey, Json] = field(default_factory=dict)  # cards as they were last
    hand: Hand | None = None

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.db)
        self.reads = Reads(self.db)
        self.accounts = Accounts(self.db)
        self.audit = Audit(self.db)
        self.standings = Standings(AgentStates(self.db), self.fanout, lambda: self.time)
        self.voice = Voice(self.fanout, self.desk.page, lambda: self.time)

    async def offered(self, _call: CallKey) -> tuple[Candidate, ...]:
        """Whom any call's number may be."""
        return self.offers

    async def card(self, call: CallKey, _agent: str) -> Json | None:
        """The card of a call that is over."""
        return self.kept.get(call)

    async def status(self) -> dict[str, Any]:
        """What the status page is told."""
        return self.told

    def recording(self, _call: CallKey, name: str) -> Path:
        """A file below the recordings root."""
        path = (self.recordings / name).resolve()
        if not path.is_relative_to(self.recordings.resolve()) or not path.is_file():
            raise LookupError(name)
        return path

    @property
    def deps(self) -> Deps:
        """What the application is built from."""
        return Deps(
            ledger=self.ledger,
            reads=self.reads,
            accounts=self.accounts,
            audit=self.audit,
            fanout=self.fanout,
            now=lambda: self.time,
            voice=self.voice,
            standings=self.standings,
            phones=lambda: ("1001", "1002", "1003"),
            recording=self.recording,
            finding=Finding.of(self.db, {LINE: {"投诉": Rule("高", "wang")}}),
            callbacks=Callbacks(self.db),
            hand=self.hand,
            offered=self.offered,
            card=self.card,
            status=self.status,
            site="沐川热线",
            lines={LINE: "售后", "4008001234": "投诉"},
            hasher=CHEAP,
            rate=Rate(per_minute=1e6, burst=10_000),  # tests ask a lot
            beat=self.beat,
        )

    def app(self, **changes: Any) -> web.Application:
        """The application."""
        return build_app(replace(self.deps, **changes))

    async def tell(self, *facts: Fact | Filled | Ticketed | Recalled | Chosen) -> None:
        """Have the desk told, and its pages."""
        for fact in facts:
            for change in self.desk.apply(fact, self.time):
                if not isinstance(change, Withdraw):
                    self.kept[change.card.call] = change.card.json()
                await self.voice.tell(change)

    def key(self) -> CallKey:
        """A call nobody had before."""
        self.calls += 1
        return CallKey("main", f"1795147200.{self.calls}")

    async def answered(
        self, agent: str = "1001", caller: str = "13812345678", known: Known | None = None, *, recorded: bool = True
    ) -> CallKey:
        """A finished call that an agent answered; its key."""
        key = self.key()
        at = self.time
        facts: list[Fact] = [
            Arrived(call=key, at=at, caller=caller, caller_name=None, number=LINE, dialled=LINE),
            Confirmed(call=key, at=at + 0.1),
            Queued(call=key, at=at + 1, queue="support"),
            Rang(call=key, at=at + 2, agent=agent, queue="support"),
            Answered(call=key, at=at + 5, agent=agent, queue="support"),
            Left(call=key, at=at + 30, agent=agent, why=Over.ENDED),
            Ended(call=key, at=at + 30, outcome=Outcome.ANSWERED),
        ]
        for fact in facts:
            await self.ledger.record(fact, now=at, number=identify(caller), known=known)
        if recorded:
            names = {leg: f"{key.linkedid}-{leg}.wav" for leg in ("rx", "tx")}
            for name in names.values():
                sound(self.recordings / name)
            await self.ledger.link_recording(key, RecordingRow(names["rx"], names["tx"], None, float(SECONDS)), at)
        return key

    async def ticket_of(self, call: CallKey) -> int:
        """The id of a call's ticket."""
        page = await self.reads.call(call)
        assert page is not None
        assert page.item.ticket is not None
        return page.item.ticket.id


WAVES = b"".join(sample.to_bytes(2, "little") for sample in range(200))


def sound(path: Path) -> None:
    """Two seconds of quiet 8 kHz audio, each sample different from the next."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(WAVES * (8000 * SECONDS // 200))


class Visitor:
    """A browser of ours, logged in or not: says where it comes from, as browsers do."""

    def __init__(self, client: TestClient[web.Request, web.Application]) -> None:
        self.client = client
        self.origin = f"http://{client.host}:{client.port}"

    async def ask(self, method: str, path: str, **more: Any) -> ClientResponse:
        """One request; redirects are not followed."""
        headers = {"Origin": self.origin, "Accept": "text/html", **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, allow_redirects=False, **more)

    async def get(self, path: str, **more: Any) -> ClientResponse:
        """GET."""
        return await self.ask("GET", path, **more)

    async def post(self, path: str, data: dict[str, str] | None = None, **more: Any) -> ClientResponse:
        """POST a form."""
        return await self.ask("POST", path, data=data, **more)

    async def text(self, path: str, **more: Any) -> str:
        """A page that is there."""
        answer = await self.get(path, **more)
        assert answer.status == 200, (path, answer.status, await answer.text())
        return await answer.text()

    async def json(self, path: str) -> Any:
        """An answer of the API that is there."""
        answer = await self.get(path, headers={"Accept": "application/json"})
        assert answer.status == 200, (path, answer.status, await answer.text())
        return await answer.json()


async def until(true: Callable[[], bool]) -> None:
    """Wait for what happens inside aiohttp or the fan-out and has no event of its own."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)


Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
def until_true() -> Until:
    """Wait until something is true."""
    return until


Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture
def house(request: pytest.FixtureRequest) -> House:
    """The house, with its people. Those of browsers live on the loop of the run's Chromium."""
    browsers = request.node.get_closest_marker("browser") is not None
    house = request.getfixturevalue("house_of_browsers" if browsers else "house_of_visitors")
    assert isinstance(house, House)
    return house


@pytest_asyncio.fixture(loop_scope="session")
async def house_of_browsers(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """For a test in a real browser."""
    async with _built(sqlite_url, tmp_path) as house:
        yield house


@pytest.fixture
async def house_of_visitors(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """For all other tests."""
    async with _built(sqlite_url, tmp_path) as house:
        yield house


@asynccontextmanager
async def _built(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    db = Database.open(sqlite_url)
    house = House(db, recordings)
    hashed = CHEAP.hash(PASSWORD)
    for login, (name, role, extension) in PEOPLE.items():
        await house.accounts.add(login, name=name, role=role, password=hashed, now=NOON, extension=extension)
    yield house
    await house.fanout.close()
    await db.close()


@pytest.fixture
async def visit(house: House) -> AsyncIterator[Visit]:
    """Somebody's browser, by login, logged in; None for nobody's."""
    ours = TestServer(house.app())
    await ours.start_server()
    clients: list[TestClient[web.Request, web.Application]] = []

    async def arrive(login: str | None = None) -> Visitor:
        client: TestClient[web.Request, web.Application] = TestClient(ours)
        clients.append(client)
        visitor = Visitor(client)
        if login is not None:
            answer = await visitor.post("/login", {"login": login, "password": PASSWORD})
            assert answer.status == 303, await answer.text()
        return visitor

    yield arrive
    for client in clients:
        await client.close()
    await ours.close()
