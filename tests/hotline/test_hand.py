"""The PBX's hand: which phone, which way out, what is refused; and what becomes of a call told to desk and list."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from hotline.calls_out import LONGEST, CallsOut
from hotline.hand import PbxHand
from hotline.settings import Settings
from numbering.identify import identify
from screenpop.answers.socket import DialMessage
from screenpop.hands import Cannot, HandError
from storage.callback import Callback, CallbackState, Result
from storage.callbacks import Callbacks
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.ledger import Ledger
from telephony.acting import Actor, Order
from telephony.ami import AmiError, AmiSettings, RefusedError
from telephony.call import Arrived, CallKey, Confirmed, Ended, Outcome, Queued
from telephony.events import MemberRow, Originated
from telephony.outgoing import Out, OutCall

NOON = 1_795_147_200.0
MOBILE, LINE = "+8613812345678", "4007002505"


class FakeActor(Actor):
    """Does at once what it is asked, or fails as it is told."""

    def __init__(self, settings: AmiSettings, told: Any) -> None:
        super().__init__(settings, told)
        self.login.up.set()
        self.login.trouble = None
        self.orders: list[Order] = []
        self.paused: list[tuple[str, str | None, bool]] = []
        self.trouble: Exception | None = None
        self.rows: list[MemberRow] = []

    async def members(self) -> Sequence[MemberRow]:
        """Who is in the queues."""
        if self.trouble is not None:
            raise self.trouble
        return self.rows

    async def pause(self, interface: str, reason: str | None, *, paused: bool) -> None:
        """Note it."""
        self.paused.append((interface, reason, paused))

    async def originate(self, order: Order) -> None:
        """Note it."""
        self.orders.append(order)
        if self.trouble is not None:
            raise self.trouble


def settings(*desks: dict[str, Any], **more: Any) -> Settings:
    """A PBX a desk login; the first is ``main``."""
    pbxs = [
        {
            "name": name,
            "user": "hotline",
            "trunks": ["PJSIP/carrier"],
            **({"desk": {"user": "desk"} | desk} if desk else {}),
        }
        for name, desk in zip(("main", "branch"), desks, strict=False)
    ]
    lines = [{"number": LINE, "aliases": ["01062802505"], "record": False}]
    return Settings.model_validate({"pbx": pbxs, "line": lines, **more})


OUT = {"originate": True, "context": "agents-out"}


@dataclass
class Office:
    """A hand, and all that hears of what it does."""

    callbacks: Callbacks
    ledger: Ledger
    out: CallsOut
    fanout: MemoryFanout
    time: list[float]
    heard: list[dict[str, Any]] = field(default_factory=list)
    actors: dict[str, FakeActor] = field(default_factory=dict)

    def hand(self, *desks: dict[str, Any], **more: Any) -> PbxHand:
        """One by these settings."""

        def actor(login: AmiSettings, out: CallsOut) -> Actor:
            made = self.actors[login.name] = FakeActor(login, out.take)
            return made

        return PbxHand(settings(*(desks or (OUT,)), **more), self.out, lambda: self.time[0], actor)

    async def missed(self, uid: str = "1795147200.1") -> Callback:
        """Somebody gives up; the row."""
        key = CallKey("main", uid)
        facts = (
            Arrived(call=key, at=NOON, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
            Confirmed(call=key, at=NOON),
            Queued(call=key, at=NOON + 1, queue="support"),
            Ended(call=key, at=NOON + 9, outcome=Outcome.ABANDONED),
        )
        for fact in facts:
            await self.ledger.record(fact, now=NOON, number=identify("13812345678"))
        return (await self.callbacks.waiting(NOON + 10)).items[0]

    async def tell(self, *news: OutCall | Originated) -> list[tuple[str, str | None]]:
        """What the PBX tells; what the desk is told because of it."""
        before = len(self.heard)
        for one in news:
            self.out.take(one)
        await self.out.settled()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        said = [one["dial"] for one in self.heard[before:] if one["type"] == "dial"]
        for one in said:
            DialMessage.model_validate({"type": "dial", "dial": one})  # as the socket's document has it
        return [(one["state"], one["why"]) for one in said]


@pytest.fixture
async def office(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """One office; the clock stands at noon."""
    for name in ("MAIN", "BRANCH"):
        monkeypatch.setenv(f"HOTLINE_PBX_{name}_DESK_SECRET", "secret")
    db = Database.open(sqlite_url)
    fanout, time = MemoryFanout(), [NOON + 60]
    callbacks = Callbacks(db)
    out = CallsOut(callbacks, fanout, identify, lambda: time[0])
    made = Office(callbacks, Ledger(db), out, fanout, time)

    async def hear(ready: asyncio.Event) -> None:
        async with fanout.subscribe("desk:1001", "callbacks") as messages:
            ready.set()
            async for _, message in messages:
                made.heard.append(dict(message))

    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(hear(ready)), loop.create_task(out.run())]
    await ready.wait()
    yield made
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await fanout.close()
    await db.close()


def went(order: Order, state: Out, at: float = NOON + 70) -> OutCall:
    """What a PBX tells of a call by a click."""
    return OutCall("main", order.uniqueid, "1001", "" if state is Out.OVER else "13812345678", state, at)


@pytest.mark.parametrize(
    ("desk", "more", "number", "wanted"),
    [
        ({}, {}, MOBILE, ("PJSIP/1001", "13812345678", LINE)),
        ({"prefix": "9"}, {}, MOBILE, ("PJSIP/1001", "913812345678", LINE)),
        ({"caller_id": "02188886666"}, {}, MOBILE, ("PJSIP/1001", "13812345678", "02188886666")),
        ({}, {"agent": [{"extension": "1001", "interfaces": ["SIP/li"]}]}, MOBILE, ("SIP/li", "13812345678", LINE)),
        ({"phone": "Local/{extension}@desks"}, {}, MOBILE, ("Local/1001@desks", "13812345678", LINE)),
        ({}, {"routing": {"dial": "SIP/{extension}"}}, MOBILE, ("SIP/1001", "13812345678", LINE)),
        ({}, {}, "+8675588886666", ("PJSIP/1001", "075588886666", LINE)),
        ({}, {}, "+864008001111", ("PJSIP/1001", "4008001111", LINE)),
        ({"abroad": True}, {}, "+85291234567", ("PJSIP/1001", "0085291234567", LINE)),
    ],
)
async def test_the_way_a_number_goes_out(
    office: Office, desk: dict[str, Any], more: dict[str, Any], number: str, wanted: tuple[str, str, str]
) -> None:
    """Which phone rings, what is dialled, what the called one sees; in the configured context alone."""
    await office.hand(OUT | desk, **more).dial("1001", number, ticket=7, who="li")
    (order,) = office.actors["main"].orders
    assert (order.phone, order.exten, order.caller_id) == wanted
    assert (order.context, order.callback) == ("agents-out", "7")


@pytest.mark.parametrize(
    "number",
    ["+85291234567", "+14155552671", "95588", "110", "8021", "", "4007002505", "+864007002505", "+861062802505"],
)
async def test_numbers_that_are_not_called(office: Office, number: str) -> None:
    """Abroad, short codes, extensions, and our own lines: nobody calls himself."""
    with pytest.raises(HandError) as refused:
        await office.hand().dial("1001", number)
    assert refused.value.kind is Cannot.NOT_ALLOWED
    assert not office.actors["main"].orders


async def test_the_line_that_was_called_is_shown(office: Office) -> None:
    """And the PBX of the call calls back, where it may."""
    hand = office.hand(OUT, OUT)
    await hand.dial("1001", MOBILE, CallKey("branch", "1.1"), line="4008001234", who="li")
    (order,) = office.actors["branch"].orders
    assert order.caller_id == "4008001234"
    assert not office.actors["main"].orders


async def test_one_call_at_a_time_from_a_phone(office: Office) -> None:
    """Until the number talks, the phone is put down, or a while has gone by; another phone may meanwhile."""
    hand = office.hand()
    await asyncio.gather(hand.dial("1001", MOBILE), *(refused(hand, "1001") for _ in range(2)))
    await hand.dial("1002", MOBILE)
    (order, _) = office.actors["main"].orders
    await office.tell(went(order, Out.CALLING))
    await refused(hand, "1001")
    await office.tell(went(order, Out.TALKING))
    await hand.dial("1001", MOBILE)
    await refused(hand, "1001")
    office.time[0] += LONGEST
    await hand.dial("1001", MOBILE)


async def refused(hand: PbxHand, extension: str, kind: Cannot = Cannot.BUSY) -> None:
    """A click that is refused."""
    await asyncio.sleep(0)
    with pytest.raises(HandError) as error:
        await hand.dial(extension, MOBILE)
    assert error.value.kind is kind


@pytest.mark.parametrize(
    ("trouble", "kind", "may_again"),
    [
        (RefusedError("Extension does not exist."), Cannot.REFUSED, True),
        (RefusedError("Permission denied"), Cannot.REFUSED, True),
        (AmiError("PBX main did not answer Originate in 5 s"), Cannot.PBX_AWAY, False),
    ],
)
async def test_what_the_pbx_says(office: Office, trouble: Exception, kind: Cannot, *, may_again: bool) -> None:
    """An order whose answer is lost may ring all the same: nobody clicks again at once."""
    hand = office.hand()
    actor = office.actors["main"]
    actor.trouble = trouble
    await refused(hand, "1001", kind)
    actor.trouble = None
    if may_again:
        await hand.dial("1001", MOBILE)
    else:
        await refused(hand, "1001")
    assert len(actor.orders) == 1 + may_again


async def test_a_login_that_is_down_is_said_at_once(office: Office) -> None:
    """Nothing was asked, so one may click again."""
    hand = office.hand()
    login = office.actors["main"].login
    login.up.clear()
    login.trouble = "127.0.0.1:5038 does not answer"
    await refused(hand, "1001", Cannot.PBX_AWAY)
    login.up.set()
    await hand.dial("1001", MOBILE)


async def test_without_a_login_nothing_is_done(office: Office) -> None:
    """Nor offered."""
    hand = office.hand({})
    assert (hand.may_pause, hand.may_dial, hand.pauses) == (False, False, ())
    await refused(hand, "1001", Cannot.NOT_ALLOWED)
    with pytest.raises(HandError):
        await hand.pause("1001", paused=True)
    only_pauses = office.hand({"user": "desk"})
    assert (only_pauses.may_pause, only_pauses.may_dial) == (True, False)
    assert only_pauses.pauses == ("休息", "用餐", "会议", "培训")


async def test_a_pause_reaches_every_name_of_the_phone(office: Office) -> None:
    """On every PBX that has it in a queue; nobody else's."""
    hand = office.hand(OUT, {"user": "desk"})
    for name in ("main", "branch"):
        office.actors[name].rows = [
            MemberRow(None, "support", "PJSIP/1001", "0", "", "a"),
            MemberRow(None, "sales", "PJSIP/1001", "0", "", "a"),
            MemberRow(None, "sales", "Local/1001@from-queue/n", "0", "", "a"),
            MemberRow(None, "support", "PJSIP/1002", "0", "", "a"),
            MemberRow(None, "support", "PJSIP/carrier", "0", "", "a"),
        ]
    await hand.pause("1001", paused=True, reason="用餐")
    for actor in office.actors.values():
        assert actor.paused == [("PJSIP/1001", "用餐", True), ("Local/1001@from-queue/n", "用餐", True)]
    with pytest.raises(HandError) as nobody:
        await hand.pause("1005", paused=True)
    assert nobody.value.kind is Cannot.NO_PHONE
    office.actors["branch"].trouble = AmiError("closed by the PBX")
    with pytest.raises(HandError) as away:
        await hand.pause("1001", paused=False)
    assert away.value.kind is Cannot.PBX_AWAY
    assert office.actors["main"].paused[-1] == ("Local/1001@from-queue/n", None, False)


async def test_a_call_that_reaches_somebody(office: Office) -> None:
    """The desk sees it ring, call and talk; the caller is off the list from the first word on."""
    row = await office.missed()
    await office.hand().dial("1001", MOBILE, row.call, who="li")
    (order,) = office.actors["main"].orders
    up = Originated(None, "Success", "4", order.uniqueid)
    assert await office.tell(up, went(order, Out.CALLING)) == [("ringing", None), ("calling", None)]
    assert await office.tell(went(order, Out.TALKING)) == [("talking", None)]
    assert {"type": "callbacks"} in office.heard
    found = await office.callbacks.get(row.id, NOON + 80)
    assert found.state is CallbackState.REACHED
    assert await office.tell(went(order, Out.OVER)) == [("over", None)]
    assert await office.tell(went(order, Out.OVER)) == []


@pytest.mark.parametrize(
    ("states", "result"),
    [
        ([Out.BUSY], Result.BUSY),
        ([Out.NO_ANSWER], Result.NO_ANSWER),
        ([Out.FAILED, Out.OVER], Result.FAILED),
        ([Out.FAILED, Out.CALLING, Out.BUSY], Result.BUSY),  # the dialplan had another trunk
    ],
)
async def test_a_call_in_vain(office: Office, states: list[Out], result: Result) -> None:
    """Is told with its reason, and the caller stays on the list."""
    row = await office.missed()
    await office.hand().dial("1001", MOBILE, row.call, who="li")
    (order,) = office.actors["main"].orders
    said = await office.tell(*(went(order, state, NOON + 70 + at) for at, state in enumerate([Out.CALLING, *states])))
    assert said[-1] == ("over", result.value)
    found = await office.callbacks.get(row.id, NOON + 80)
    assert (found.state, found.result, found.tries) == (CallbackState.NOT_REACHED, result, 1)


@pytest.mark.parametrize("channel_first", [False, True])
@pytest.mark.parametrize(("reason", "why"), [("3", "phone_no_answer"), ("0", "phone_unreachable")])
async def test_a_phone_that_is_not_taken_up(office: Office, reason: str, why: str, *, channel_first: bool) -> None:
    """Nothing was called: no try is counted, and the next click may come.

    Why comes over the desk's login, the end of the phone's channel over the one that listens: in either order.
    """
    row = await office.missed()
    hand = office.hand()
    await hand.dial("1001", MOBILE, row.call, who="li")
    (order,) = office.actors["main"].orders
    news = [Originated(None, "Failure", reason, order.uniqueid), went(order, Out.OVER)]
    said = await office.tell(*(reversed(news) if channel_first else news))
    assert said == [("ringing", None), ("over", why)]
    assert (await office.callbacks.get(row.id, NOON + 80)).tries == 0
    await hand.dial("1001", MOBILE)


async def test_an_end_whose_reason_never_comes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told all the same, a moment later; of a phone that was taken up and put down again, at once."""
    monkeypatch.setattr("hotline.calls_out.WHY", 0.01)
    hand = office.hand()
    await hand.dial("1001", MOBILE, who="li")
    (order,) = office.actors["main"].orders
    assert await office.tell(went(order, Out.OVER)) == [("ringing", None)]
    async with asyncio.timeout(10):
        while len(office.heard) < 2:  # noqa: ASYNC110 - no event of its own
            await asyncio.sleep(0.005)
    assert (office.heard[-1]["dial"]["state"], office.heard[-1]["dial"]["why"]) == ("over", None)
    assert await office.tell(Originated(None, "Failure", "3", order.uniqueid)) == []
    await hand.dial("1001", MOBILE, who="li")
    order = office.actors["main"].orders[-1]
    said = await office.tell(Originated(None, "Success", "4", order.uniqueid), went(order, Out.OVER))
    assert said == [("ringing", None), ("over", None)]


async def test_calls_dialled_by_hand_count_too(office: Office) -> None:
    """As they were dialled; what failed before it rang is no try."""
    row = await office.missed()
    by_hand = [
        OutCall("main", "1795.1", "1002", "013812345678", state, NOON + 60) for state in (Out.CALLING, Out.FAILED)
    ]
    assert await office.tell(*by_hand) == []
    assert (await office.callbacks.get(row.id, NOON + 80)).tries == 0
    await office.tell(by_hand[0]._replace(state=Out.NO_ANSWER, at=NOON + 65))
    assert (await office.callbacks.get(row.id, NOON + 80)).state is CallbackState.NOT_REACHED
    await office.tell(by_hand[0]._replace(state=Out.TALKING, at=None), by_hand[0]._replace(number="8021"))
    assert (await office.callbacks.get(row.id, NOON + 80)).state is CallbackState.REACHED
