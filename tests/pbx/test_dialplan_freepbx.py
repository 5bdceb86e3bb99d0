"""`hotline dialplan --for freepbx` in an Asterisk whose dialplan is laid out as FreePBX and Issabel lay theirs.

Neither is here to be installed. Their contexts are written below as their own generators name them: from-pstn with its
inbound routes and its catch-all, ext-queues, from-queue, ext-local with its hints, a queue's fail-over destination.
"""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from telephony.call import Answered, Arrived, Ended, Outcome, Queued, Rang
from telephony.routing import Route, RouteReason, words
from tests.pbx import admin
from tests.pbx.answers import says, service
from tests.pbx.callers import Caller, Day, appears
from tests.pbx.labs import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.long, pytest.mark.timeout(280)]

OTHERS = """
[from-pstn]
include => from-pstn-custom
include => ext-did
include => ext-did-catchall
[ext-did-catchall]
exten => _X.,1,Hangup(17)
exten => s,1,Hangup(17)
[ext-did]
exten => 01062809999,1,Goto(ext-local,1002,1)
[ext-queues]
exten => support,1,Queue(support,t,,,2)
 same => n,Goto(hotline-voicemail,s,1)
exten => ringall,1,Queue(ringall,t,,,1)
 same => n,Goto(hotline-voicemail,s,1)
exten => sales,1,Queue(sales,t,,,2)
[from-queue]
exten => _100X,1,Dial(PJSIP/${EXTEN},20)
 same => n,Hangup()
[ext-local]
exten => 1001,hint,PJSIP/1001
exten => 1002,hint,PJSIP/1002
exten => 1003,hint,PJSIP/1003
exten => _100X,1,Dial(PJSIP/${EXTEN},20)
"""
ROUTED = Route(reason=RouteReason.TICKET_OWNER, queue="support", agent="1003", dial="Local/1003@from-queue/n")


async def _spend(day: Day, port: int) -> None:
    async with admin.phones(day.lab) as phones, admin.listening(day.lab) as ear:
        caller = Caller(day, phones, ear)
        await caller.message("message", 1.5)
        phones.answer = {"1001": 0.2, "1002": 0.2, "1003": 0.2}
        await caller.answered("answered", "+864007002505", "1001", digits="9")
        async with service(port, says(200, urlencode(words(ROUTED)))):
            await caller.answered("routed", "4008001234", "1003")
        for number in ("01062809999", "01062808888", "01062809999%0D%0AExten%3A%204008001234"):
            call = await phones.call(number)
            await asyncio.wait_for(call.final.wait(), 5)
            day.codes[number] = call.code
            call.hangup()
        await appears(day.lab.recordings, f"*/*/*/*{day.calls['routed']}.done")
        day.facts = ear.facts


@pytest.fixture(scope="module", params=["22", "16"])
def day(
    request: pytest.FixtureRequest, own_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Day]:
    """A few calls."""
    lab = own_lab("freepbx", suite=request.param)
    with admin.port_of_nobody() as port:
        folder = tmp_path_factory.mktemp("printed")
        files = admin.printed(lab, folder, port, "--for", "freepbx")
    admin.add(lab, "extensions.conf", OTHERS)
    admin.install(lab, files)
    made = Day(lab, whole=True, config=folder / "hotline.toml")
    asyncio.run(_spend(made, port))
    yield made
    lab.stop()


def test_a_call_goes_to_the_queue_of_the_web_pages(day: Day) -> None:
    """Begun, recorded and told by ours, queued by theirs."""
    assert day.one("answered", Queued).queue == "support"
    assert day.one("answered", Answered).agent == "1001"
    legs = day.legs("answered")
    assert None not in (legs.caller, legs.agent, legs.mix)


def test_the_preferred_agent_rings_through_from_queue(day: Day) -> None:
    """By the phone's hint, as a Local channel has no state of its own."""
    assert day.one("routed", Answered).agent == "1003"
    assert [fact.agent for fact in day.of("routed") if isinstance(fact, Rang)] == ["1003"]
    assert not [fact for fact in day.of("routed") if isinstance(fact, Queued)]


def test_a_message_is_taken_at_the_fail_over_destination(day: Day) -> None:
    """Where their queue sends who was not answered."""
    assert (day.message("message").seconds or 0) > 1
    assert day.one("message", Ended).outcome is Outcome.VOICEMAIL


def test_other_numbers_take_their_inbound_routes(day: Day) -> None:
    """With or without one; a forged one reaches neither. None is a call of ours."""
    route, without, forged = day.codes.values()
    assert (route, without, forged) == (200, 486, 404)
    assert {fact.call.linkedid for fact in day.facts} == set(day.calls.values())
    assert sum(isinstance(fact, Arrived) for fact in day.facts) == len(day.calls)


def test_recordings_are_below_the_root(day: Day) -> None:
    """In folders of the day."""
    assert all(Path(name).suffix == ".wav" for name in map(str, day.lab.recordings.glob("*/*/*/*.wav")))
    assert list(day.lab.recordings.glob("*/*/*/*.done"))
