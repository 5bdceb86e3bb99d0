"""Others are told of our calls: all of it, in order, once; whatever the receiver does."""

import asyncio
import hmac
import json
import shutil
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from crm.breaker import IN_A_ROW
from crm.push_webhook import Webhook
from crm.registry import ConnectorError
from hotline.crm_settings import Crm, Push
from hotline.newcomer import with_demo_company
from hotline.push_target import Target
from hotline.pushing import DAY, KEEP, OLD, PATIENCE, Pushing, kind_of, kinds
from hotline.settings import Settings, Site
from hotline.telephony_settings import Agent
from numbering.identify import identify
from storage.database import Database
from storage.deliveries import Deliveries
from storage.following import Follow
from storage.jobs import HopelessError, Job, Wait
from storage.ledger import Ledger
from storage.migrate import upgrade
from storage.outbox import Outbox
from storage.pushed import Pushed
from storage.reads import Reads
from storage.records import Known, RecordingRow
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over
from tests.telephony.test_fetch_http import certificate
from transcription.account import Category, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Transcript

KEY = CallKey("hq", "1795290138.1")
ARRIVED = 1795290138.0
SECRETS = {"HOOK": "whsec_" + b64encode(bytes(range(32))).decode(), "TOKEN": "s3cr/t"}
SAID = Summary("热水器漏水", Category.REPAIR, Urgency.HIGH, Sentiment.BAD, (), (Promise("agent", "上门", "", 0),), {})
Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = ARRIVED + 60

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


@dataclass
class Receiver:
    """Somebody who is told. ``answers``: statuses to come, 200 when there are none; 0 breaks the connection off."""

    answers: list[int] = field(default_factory=list)
    heard: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    instead: Handle | None = None

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Hear it, then answer."""
        if self.instead is not None:
            return await self.instead(request)
        body = json.loads(await request.read())
        self.heard.append((request.path_qs, body, {name.lower(): value for name, value in request.headers.items()}))
        status = self.answers.pop(0) if self.answers else 200
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=status or 200, headers=self.headers, text=self.text)

    @property
    def types(self) -> list[str]:
        """What was heard, as CloudEvents name it."""
        return [body["type"].removeprefix("hotline.call.") for _, body, _ in self.heard]


@dataclass
class House:
    """Calls in a real database, a receiver, and what tells it."""

    db: Database
    ledger: Ledger
    outbox: Outbox
    receiver: Receiver
    pushing: Pushing
    clock: Clock
    kind: str
    another: Callable[[], Pushing]  # of a second service on this database

    async def facts(self, *facts: Fact) -> None:
        """Keep facts."""
        for fact in facts:
            await self.ledger.record(fact, now=self.clock(), number=identify("13812345678"))

    async def do(self) -> Wait | None:
        """Do the job that is due, as the loop would."""
        job = await self.outbox.claim([self.kind], self.clock(), 60)
        assert job is not None, "no job is due"
        answer = await self.pushing.handlers[self.kind](job)
        if answer is None:
            await self.outbox.done(job, self.clock())
        else:
            await self.outbox.defer(job, answer.until, answer.why, self.clock())
        return answer

    async def wait(self) -> Wait:
        """Do it, and it must wait; its time comes."""
        answer = await self.do()
        assert answer is not None
        assert answer.until > self.clock()
        self.clock.now = answer.until
        return answer

    async def due(self) -> Job | None:
        """The job, if one is due."""
        return await self.outbox.claim([self.kind], self.clock(), 0)


arrived = Arrived(
    call=KEY, at=ARRIVED, caller="13812345678", caller_name=None, number="4007002505", dialled="4007002505"
)
confirmed = Confirmed(call=KEY, at=ARRIVED + 0.1)
answered = Answered(call=KEY, at=ARRIVED + 5, agent="1001", queue="sales")
left = Left(call=KEY, at=ARRIVED + 30, agent="1001", why=Over.ENDED)
ended = Ended(call=KEY, at=ARRIVED + 30, outcome=Outcome.ANSWERED)


def settings_of(*pushes: Push) -> Settings:
    """A configuration with these receivers."""
    return Settings(site=Site(name="云杉"), agent=(Agent(extension="1001", name="王芳"),), crm=Crm(push=pushes))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of this version, made once."""
    path = tmp_path_factory.mktemp("migrated") / "hotline.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
async def make(migrated: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[House]]]:
    """A house whose receiver is of that kind."""
    shutil.copy(migrated, tmp_path)
    db, closing = Database.open(f"sqlite+aiosqlite:///{tmp_path}/hotline.db"), []

    async def made(
        kind: Literal["zammad", "webhook"] = "webhook", path: str = "/hook?a=b", secret: str | None = "HOOK"
    ) -> House:
        receiver = Receiver()
        app = web.Application()
        app.router.add_post("/{path:.*}", receiver.page)
        server = TestServer(app)
        await server.start_server()
        push = Push(kind=kind, url=f"http://127.0.0.1:{server.port}{path}", secret_env=secret)
        clock = Clock()

        def another() -> Pushing:
            return Pushing(
                settings=settings_of(push),
                reads=Reads(db),
                pushed=Pushed(db),
                deliveries=Deliveries(db),
                clock=clock,
                link=lambda key: f"https://hotline.example/calls/{key}",
                secret=SECRETS.__getitem__,
            )

        pushing = another()
        closing.extend([pushing.close, server.close])
        ledger = Ledger(db, follow=Follow(calls=kinds((push,))))
        return House(db, ledger, Outbox(db), receiver, pushing, clock, kind_of(push), another)

    yield made
    for close in closing:
        await close()
    await db.close()


Make = Callable[..., Awaitable[House]]


async def test_a_call_is_told_from_beginning_to_end(make: Make) -> None:
    """As it goes on, each happening once, in order, with what is known by then."""
    house = await make()
    await house.facts(arrived)
    assert await house.due() is None, "it may be a forgery"
    await house.facts(confirmed)
    await house.do()
    await house.ledger.know(KEY, Known("42", "林晓峰", vip=True), house.clock())
    await house.facts(answered)
    await house.do()
    await house.facts(left, ended)
    await house.ledger.link_recording(KEY, RecordingRow("in.wav", "out.wav", None, 25.0), house.clock())
    await house.do()
    await house.ledger.said(KEY, Transcript((), "vosk", "m", "zh"), SAID, house.clock())
    await house.do()
    told = ["arrived", "identified", "answered", "ended", "recorded", "summarised"]
    assert house.receiver.types == told
    path, body, headers = house.receiver.heard[2]
    assert (path, body["data"]["agent"]) == ("/hook?a=b", {"extension": "1001", "name": "王芳"})
    assert body["data"]["customer"] == {"id": "42", "name": "林晓峰", "vip": True}
    assert body["data"]["link"] == "https://hotline.example/calls/hq:1795290138.1"
    assert headers["webhook-signature"].startswith("v1,")
    assert house.receiver.heard[0][1]["data"]["customer"] is None
    assert house.receiver.heard[4][1]["data"]["recording"] == {"kind": "call", "seconds": 25.0}
    assert house.receiver.heard[5][1]["data"]["summary"]["promises"] == [
        {"who": "agent", "what": "上门", "by_when": ""}
    ]
    assert len({body["id"] for _, body, _ in house.receiver.heard}) == len(told)
    assert house.pushing.report()[0]["told"] == len(told)


async def test_zammad_hears_of_it_in_its_own_words(make: Make) -> None:
    """Its token, kept apart from the address, is quoted into it."""
    house = await make("zammad", "/api/v1/cti", "TOKEN")
    await house.facts(arrived, confirmed, answered, left, ended)
    await house.do()
    assert [body["event"] for _, body, _ in house.receiver.heard] == ["newCall", "answer", "hangup"]
    assert {path for path, _, _ in house.receiver.heard} == {"/api/v1/cti/s3cr%2Ft"}


async def test_a_receiver_that_is_away_hears_all_of_it_once_it_is_back(make: Make) -> None:
    """An hour long: nothing lost, nothing double, and it is not stormed meanwhile."""
    house = await make()
    await house.facts(arrived, confirmed, answered, left, ended)
    house.receiver.answers = [503] * 1000
    begun, looks = house.clock(), 0
    while house.clock() - begun < 3600:
        await house.wait()
        looks += 1
    assert looks < 60
    house.receiver.heard.clear()
    house.receiver.answers.clear()
    assert await house.do() is None
    assert house.receiver.types == ["arrived", "answered", "ended"]


async def test_in_trouble_it_is_left_alone(make: Make) -> None:
    """By the breaker, and as long as it asks for."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.receiver.answers = [500] * IN_A_ROW
    for _ in range(IN_A_ROW - 1):
        await house.wait()
    await house.do()
    assert house.pushing.report()[0]["state"] == "open"
    other = CallKey("hq", "1795290140.9")
    await house.facts(replace(arrived, call=other), replace(confirmed, call=other))
    assert "left alone" in (await house.wait()).why
    assert len(house.receiver.heard) == IN_A_ROW
    house.receiver.answers = [429]
    house.receiver.headers = {"Retry-After": "120"}
    before = house.clock()
    assert (await house.wait()).until - before >= 120


async def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(make: Make) -> None:
    """The receiver can tell."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.receiver.answers = [0]
    assert "may have been done" in (await house.wait()).why
    assert await house.do() is None
    first, second = (body["id"] for _, body, _ in house.receiver.heard)
    assert first == second


async def test_zammad_that_has_the_call_already_is_believed(make: Make) -> None:
    """It breaks at a second newCall; what follows is told all the same."""
    house = await make("zammad", "/api/v1/cti/t", None)
    await house.facts(arrived, confirmed, answered)
    house.receiver.answers = [0, 500]
    await house.wait()
    assert await house.do() is None
    assert [body["event"] for _, body, _ in house.receiver.heard] == ["newCall", "newCall", "answer"]


async def test_zammad_in_trouble_is_not_taken_for_one_that_knows(make: Make) -> None:
    """It answered, so nothing is in doubt."""
    house = await make("zammad", "/api/v1/cti/t", None)
    await house.facts(arrived, confirmed)
    house.receiver.answers = [500, 500]
    await house.wait()
    await house.wait()
    assert await house.do() is None
    assert len(house.receiver.heard) == 3


async def test_a_receiver_that_is_gone_is_told_no_more(make: Make) -> None:
    """410: of this call and of any other; said once in the log."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.receiver.answers = [410]
    with capture_logs() as logs:
        assert await house.do() is None
        await house.facts(answered)
        assert await house.do() is None
    assert len(house.receiver.heard) == 1
    assert [entry["event"] for entry in logs] == ["a receiver of pushes is gone and told no more"]
    assert house.pushing.report()[0]["gone"] == house.clock()


async def test_a_redirect_is_not_followed(make: Make) -> None:
    """Who hears of our calls stands in the configuration."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.receiver.answers = [307]
    house.receiver.headers = {"Location": "/elsewhere"}
    assert "redirect" in (await house.wait()).why
    assert len(house.receiver.heard) == 1


async def test_one_that_never_comes_back_is_given_up(make: Make) -> None:
    """A day later, where people see it; replayed it is tried again."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.clock.now = ARRIVED + PATIENCE + 1
    house.receiver.answers = [401]
    job = await house.due()
    assert job is not None
    with pytest.raises(HopelessError, match=r"given up after 24 hours: .*answered 401"):
        await house.pushing.handlers[house.kind](job)
    assert await house.pushing.handlers[house.kind](job) is None
    assert house.receiver.types == ["arrived", "arrived"]


async def test_old_news_is_told_to_nobody(make: Make) -> None:
    """A receiver configured today, a call of last week transcribed anew: nothing is told, and nothing told twice."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.clock.now = ARRIVED + OLD + 1
    assert await house.do() is None
    assert not house.receiver.heard
    house.clock.now = ARRIVED + KEEP + 2 * DAY
    await house.ledger.said(KEY, Transcript((), "vosk", "m", "zh"), SAID, house.clock())
    assert await house.do() is None
    assert house.receiver.types == ["summarised"]


async def test_a_lost_call_whose_end_is_found_is_told_again(make: Make) -> None:
    """With how it really ended."""
    house = await make()
    await house.facts(arrived, confirmed, Ended(call=KEY, at=ARRIVED + 30, outcome=Outcome.LOST))
    await house.do()
    await house.facts(ended)
    await house.do()
    outcomes = [body["data"]["outcome"] for _, body, _ in house.receiver.heard if body["type"].endswith("ended")]
    assert outcomes == ["lost", "answered"]


def test_nobody_is_told_of_made_up_calls() -> None:
    """Those that the built-in PBX plays while there is no real one; nor are they written into a CRM."""
    made_up = with_demo_company(settings_of(Push(kind="zammad", url="https://help.example/api/v1/cti/x")))
    assert (made_up.crm.push, made_up.crm.write_back) == ((), False)


def test_kinds_stay_the_same_when_others_come_and_go() -> None:
    """Jobs that wait must find their receiver again; a kind fits its column."""
    one = Push(kind="zammad", url="https://help.example/api/v1/cti/x")
    two = Push(kind="webhook", url=f"https://{'a' * 60}.example/", secret_env="HOOK")
    assert kinds((one, two))[1] == kinds((two,))[0]
    assert len({*kinds((one, two))}) == 2
    assert all(len(kind) <= 64 for kind in kinds((one, two)))
    assert kinds((one,))[0].startswith("push:help.example:")


@pytest.mark.parametrize(
    ("push", "told"),
    [
        (Push(kind="webhook", url="https://x.example", secret_env="NONE"), "set NONE"),
        (Push(kind="zammad", url="https://x.example", secret_env="NONE"), "set NONE"),
        (Push(kind="webhook", url="https://x.example", secret_env="TOKEN"), "TOKEN: a webhook's secret is whsec_"),
    ],
)
def test_a_secret_that_cannot_be_used_is_told_at_start(push: Push, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at the first call."""
    monkeypatch.setenv("TOKEN", "x")
    with pytest.raises(ConnectorError, match=told):
        Pushing(
            settings=settings_of(push),
            reads=None,  # type: ignore[arg-type]
            pushed=None,  # type: ignore[arg-type]
            deliveries=None,  # type: ignore[arg-type]
            clock=Clock(),
        )


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x", "https://a:b@x.example/", "https://x.example/#y", "ftp://x", "https://x:99999"]
)
def test_an_address_that_gives_calls_away_is_refused(url: str) -> None:
    """In the clear over a network, with a password that would stand in logs."""
    with pytest.raises(ValueError, match=r"clear|readable|password|#|address|pattern"):
        Push(kind="zammad", url=url)


async def test_each_attempt_is_kept_and_may_be_told_again(make: Make) -> None:
    """What was sent, what came back; told again under the same id, a month later too, and only that."""
    house = await make()
    house.receiver.answers = [500]
    house.receiver.text = "overloaded" * 100
    await house.facts(arrived, confirmed)
    await house.wait()
    await house.do()
    kept = Deliveries(house.db)
    second, first = await kept.page()
    assert (first.status, second.status, second.error) == (500, 200, None)
    assert "500" in (first.error or "")
    whole = await kept.get(first.id)
    assert whole is not None
    assert whole.answer == ("overloaded" * 100)[:500]
    assert json.loads(whole.sent) == house.receiver.heard[0][1]
    assert [one.id for one in await kept.page(failed=True)] == [first.id]
    assert await kept.counts(0.0) == {house.kind: (2, 1)}
    house.clock.now += 20 * DAY
    assert await kept.again(second.id, house.clock()) is not None
    await house.do()
    assert [body["id"] for _, body, _ in house.receiver.heard] == [house.receiver.heard[0][1]["id"]] * 3
    assert len({headers["webhook-timestamp"] for _, _, headers in house.receiver.heard}) == 3
    assert await kept.again(10**9, house.clock()) is None
    await kept.forget(house.clock() + 1)
    assert not await kept.page()


async def test_who_was_gone_is_asked_again_when_people_say_so(make: Make) -> None:
    """410 ends it, until somebody knows better."""
    house = await make()
    house.receiver.answers = [410]
    await house.facts(arrived, confirmed)
    await house.do()
    await house.facts(answered)
    await house.do()
    assert len(house.receiver.heard) == 1
    assert await Deliveries(house.db).gone() == {house.kind: house.clock()}
    assert await house.pushing.resume(house.kind)
    assert not await house.pushing.resume("nobody")
    await house.facts(left, ended)
    await house.do()
    assert house.receiver.types[1:] == ["arrived", "answered", "ended"]


async def given_up(house: House) -> int:
    """A day long nobody could be told of the call, and what came after it; the job is dead."""
    await house.facts(arrived, confirmed, answered)
    house.clock.now = ARRIVED + PATIENCE + 60
    house.receiver.answers = [500]
    job = await house.due()
    assert job is not None
    with pytest.raises(HopelessError):
        await house.pushing.handlers[house.kind](job)
    await house.outbox.dead(job, "given up", house.clock())
    house.receiver.heard.clear()
    return job.id


@pytest.mark.parametrize("days", [1, 20])
async def test_what_was_given_up_is_told_when_people_say_so_however_old_it_is(make: Make, days: int) -> None:
    """All of it; and a receiver that stumbles once more is waited for again, for a day."""
    house = await make()
    job = await given_up(house)
    house.clock.now += days * DAY
    assert await Deliveries(house.db).all_again(house.kind, house.clock()) == 1
    house.receiver.answers = [503]
    await house.wait()
    assert await house.do() is None
    assert house.receiver.types == ["arrived", "arrived", "answered"]
    assert not await house.outbox.replay(job + 1, house.clock())


async def test_one_that_failed_is_told_again_weeks_later(make: Make) -> None:
    """Its telling was forgotten as not told; that it is old news is for people to judge. It may stumble, too."""
    house = await make()
    await given_up(house)
    (failed,) = await Deliveries(house.db).page()
    house.clock.now += 20 * DAY
    assert await Deliveries(house.db).again(failed.id, house.clock()) is not None
    house.receiver.answers = [503]
    await house.wait()
    assert await Deliveries(house.db).again(failed.id, house.clock()) is not None
    house.receiver.heard.clear()
    assert await house.do() is None
    assert house.receiver.types[0] == "arrived"


async def test_people_do_not_wait_for_the_next_try(make: Make) -> None:
    """Who presses the button has mended something."""
    house = await make()
    await house.facts(arrived, confirmed)
    house.receiver.answers = [401]
    waits = await house.do()
    assert waits is not None
    assert await house.due() is None
    (failed,) = await Deliveries(house.db).page()
    await Deliveries(house.db).again(failed.id, house.clock())
    assert await house.do() is None
    assert house.receiver.types == ["arrived", "arrived"]


class Stubborn:
    """A receiver that says 200 and then goes on talking, or never ends."""

    def __init__(self, receiver: Receiver, *, huge: bool) -> None:
        self.receiver, self.huge = receiver, huge
        self.done = asyncio.Event()

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Take it, and answer."""
        self.receiver.heard.append((request.path_qs, json.loads(await request.read()), {}))
        answer = web.StreamResponse()
        await answer.prepare(request)
        with suppress(ConnectionError):
            while self.huge:
                await answer.write(b"x" * 65536)
            await answer.write(b"thanks")
            await self.done.wait()
        return answer


@pytest.mark.parametrize("huge", [True, False])
async def test_a_receiver_that_said_yes_is_not_heard_out(
    make: Make,
    huge: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its status is its answer: what follows it, endless or never ending, costs no second telling."""
    monkeypatch.setattr("crm.http.HEARD_OUT", 0.2)
    house = await make()
    stubborn = Stubborn(house.receiver, huge=huge)
    house.receiver.instead = stubborn.page
    await house.facts(arrived, confirmed)
    assert await house.do() is None
    stubborn.done.set()
    (kept,) = await Deliveries(house.db).page()
    whole = await Deliveries(house.db).get(kept.id)
    assert whole is not None
    assert (whole.status, whole.error, len(whole.answer or "")) == (200, None, 500 if huge else 6)
    assert house.receiver.types == ["arrived"]


async def test_who_is_gone_is_gone_for_every_service_on_the_database(make: Make) -> None:
    """Two of them share the work; one that starts later asks once more, and the others hear of it."""
    house = await make()
    other = house.another()
    house.receiver.answers = [410]
    await house.facts(arrived, confirmed)
    await house.do()
    await house.facts(answered)
    assert await replace(house, pushing=other).do() is None
    assert len(house.receiver.heard) == 1
    house.clock.now += 5
    await house.facts(left, ended)
    later = house.another()
    assert await replace(house, pushing=later).do() is None
    assert house.receiver.types[1:] == ["arrived", "answered", "ended"]
    assert not await Deliveries(house.db).gone()
    await house.ledger.said(KEY, Transcript((), "vosk", "m", "zh"), SAID, house.clock())
    assert await house.do() is None
    assert house.receiver.types[-1] == "summarised"
    await other.close()
    await later.close()


async def test_a_receiver_that_cannot_be_believed_or_found_is_told_nothing(make: Make, tmp_path: Path) -> None:
    """A certificate nobody vouches for, a name nobody knows: no byte of the call leaves, and the page says why."""
    house = await make()
    await house.facts(arrived, confirmed)
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            heard.append(await reader.read(100))
        writer.close()

    _, context = certificate(tmp_path)
    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    for url, says in (
        (f"https://127.0.0.1:{port}/hook", "certificate"),
        ("https://nobody.invalid/hook", "nobody.invalid"),
    ):
        push = Push(kind="webhook", url=url, secret_env="HOOK")
        target = Target("x", push, Webhook(SECRETS["HOOK"]), "/hook")
        house.pushing._targets[house.kind] = target
        waits = await house.wait()
        assert says in waits.why
        assert not [said for said in heard if said]
        await target.close()
    server.close()
    rows = await Deliveries(house.db).page()
    assert [(row.status, row.error is None) for row in rows] == [(None, False), (None, False)]


async def test_in_order_whatever_fails_and_whichever_service_tells(make: Make) -> None:
    """A call that goes on while its receiver is in all kinds of trouble, told by two services in turns.

    Each happening is taken once, after what came before it; what is told again has the same id and a signature of now.
    """
    house, rng, taken = await make(), Random(7), list[str]()
    services = (house, replace(house, pushing=house.another()))

    async def hear(request: web.Request) -> web.StreamResponse:
        body, told = await request.read(), request.headers
        message = json.loads(body)
        assert told["webhook-id"] == message["id"] == ids.setdefault(message["type"], message["id"])
        assert told["webhook-timestamp"] == str(int(house.clock()))
        signed = f"{message['id']}.{told['webhook-timestamp']}.".encode() + body
        key = b64decode(SECRETS["HOOK"].removeprefix("whsec_"))
        assert told["webhook-signature"] == f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
        fate = rng.choice((200, 204, 500, 503, 502, 307, 401, 429, 0)) if troubled else 200
        name = message["type"].removeprefix("hotline.call.")
        if fate < 300 and taken[-1:] != [name]:  # whose answer was lost comes again, and next
            taken.append(name)
        if fate == 0 and request.transport is not None:
            request.transport.abort()
        return web.Response(status=fate or 200)

    house.receiver.instead = hear
    ids, troubled = dict[str, str](), True
    for step in ((arrived, confirmed), (answered,), (left, ended)):
        await house.facts(*step)
        for _ in range(rng.randint(1, 6)):
            service = rng.choice(services)
            job = await service.due()
            if job is not None:
                waits = await service.pushing.handlers[house.kind](job)
                if waits is None:
                    await house.outbox.done(job, house.clock())
                    break
                await house.outbox.defer(job, waits.until, waits.why, house.clock())
                house.clock.now = waits.until
    troubled = False
    house.clock.now += 120
    while (job := await house.due()) is not None and (waits := await house.pushing.handlers[house.kind](job)):
        await house.outbox.defer(job, waits.until, waits.why, house.clock())
        house.clock.now = waits.until
    assert taken == ["arrived", "answered", "ended"]
    await services[1].pushing.close()
