"""`hotline dialplan`'s output in a real Asterisk, unchanged: real calls, a service in any state, callers who forge."""

import asyncio
import csv
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlencode

import pytest
from aiohttp import web

from hotline.routing import Question, Router
from hotline.routing_http import RouteApp
from telephony.call import Arrived, Ended, LeftMessage, Outcome, Queued, Rang, Recorded
from telephony.recordings import resolve
from telephony.routing import Route, RouteReason, words
from tests.pbx import admin
from tests.pbx.answers import drip, full_backlog, hang, says, service
from tests.pbx.callers import Caller, Day, appears, loudness
from tests.pbx.labs import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(280)]

SAMPLE = ("dead", "hung", "wicked", "a whole event in the number", "a shell's words in both")
"""States and forgers tried without --long."""
SOON = 1.0
"""Seconds after which a call is in its queue, whatever became of the service."""
EVENT = "%0D%0A%0D%0AEvent%3A%20Fake{}%0D%0AExten%3A%204007002505%0D%0AUniqueid%3A%201.1"
FORGED_NUMBERS = {
    "a whole event behind a number of ours": f"4007002505{EVENT.format('Uri')}",
    "a whole event behind another number": f"4000000999{EVENT.format('Uri')}",
    "a header behind a +86 form": "+864007002505%0D%0AFakeUri%3A%201.1",
    "another extension of the dialplan": "s",
    "a context's own word": "ring",
    "nothing of ours": "4001112222",
}
FORGED_CALLERS = {
    "a whole event in the number": {"from_user": f"138{EVENT.format('From')}"},
    "a header in the number": {"from_user": "138%0D%0ALinkedid%3A%201.1"},
    "a header in the name": {"display": "Wang,Did: 4008001234"},
    "a shell's words in both": {"from_user": "$(touch+x);%60id%60", "display": "${SHELL(id)}$[1+1]"},
    "a path": {"from_user": "..%2F..%2F..%2Ftmp%2Fx"},
}
ROUTED = Route(
    reason=RouteReason.TICKET_OWNER, queue="sales", priority=10, agent="1003", dial="PJSIP/1003", announcement="beep"
)
PAUSED = Route(reason=RouteReason.TICKET_OWNER, queue="ringall", agent="1001", dial="PJSIP/1001")
STATES: dict[str, Callable[[int], AbstractAsyncContextManager[None]]] = {
    "hung": lambda port: service(port, hang),
    "dripping": lambda port: service(port, drip),
    "unreachable": full_backlog,
    "refusing": lambda port: service(port, says(403, "queue=sales")),
    "broken": lambda port: service(port, says(500, "queue=sales")),
    "moved": lambda port: service(port, says(302, "queue=sales&agent=1003")),
    "wicked": lambda port: service(
        port,
        says(200, urlencode({"queue": 'x")${SHELL(id)}', "agent": "008613812345678", "dial": "PJSIP/0085@carrier"})),
    ),
}


@asynccontextmanager
async def _routing(port: int, day: Day) -> AsyncIterator[None]:
    """The service's own page for such questions, whose rules always prefer 1003."""

    class Rules:
        async def route(self, question: Question) -> Route:
            day.questions.append(question)
            return ROUTED

    runner = web.AppRunner(RouteApp(cast("Router", Rules()), admin.TOKEN).build())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def _spend(day: Day, port: int) -> None:
    def tried(names: Iterable[str]) -> list[str]:
        return [name for name in names if day.whole or name in SAMPLE]

    async with admin.phones(day.lab) as phones, admin.listening(day.lab) as ear, admin.wire(day.lab) as wire:
        caller = Caller(day, phones, ear)
        async with asyncio.TaskGroup() as group:  # nobody answers these, so they may overlap
            for name in tried(FORGED_CALLERS):
                group.create_task(caller.queued(name, **FORGED_CALLERS[name]))
            group.create_task(caller.queued("dead"))
            group.create_task(caller.queued("hyphens", "400-800-1234"))
            group.create_task(caller.message("message", 1.5))
            group.create_task(caller.message("silence", 0.0))
            for name, number in FORGED_NUMBERS.items():
                group.create_task(caller.refused(name, number))
        for name in tried(STATES):
            async with STATES[name](port):
                await caller.queued(name)
        phones.answer = {"1001": 0.2, "1003": 0.2}
        if day.whole:
            await caller.answered("answered", "+864007002505", "1001", digits="9")
        await caller.answered("menu", "01062802505", "1001", digits="1")
        async with _routing(port, day):
            await caller.answered("routed", "4008001234", "1003")
            phones.answer = {}
            await caller.queued("agent away")
        if day.whole:
            await asyncio.to_thread(day.lab.cli, "queue pause member PJSIP/1001 queue ringall")
            async with service(port, says(200, urlencode(words(PAUSED)))):
                await caller.queued("agent paused")
        await appears(day.lab.recordings, f"*/*/*/*{day.calls['agent away']}.done")
        day.facts, day.wire = ear.facts, bytes(wire)
        assert ear.link is not None
        day.refused = ear.link.counts.forged_lines + ear.link.counts.forged_events
    day.log = (day.lab.root / "var/log/asterisk/messages").read_text(errors="replace")


@pytest.fixture(
    scope="module",
    params=["22", *(pytest.param(f"{suite} whole", marks=pytest.mark.long) for suite in ("22", "16"))],
)
def day(
    request: pytest.FixtureRequest, own_lab: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Day]:
    """A day on a PBX with nothing but what was printed for it."""
    suite, _, whole = request.param.partition(" ")
    lab = own_lab(f"dialplan {whole}", suite=suite)
    with admin.port_of_nobody() as port:
        folder = tmp_path_factory.mktemp("printed")
        files = admin.printed(lab, folder, port)
    admin.install(lab, files)
    made = Day(lab, bool(whole), folder / "hotline.toml")
    asyncio.run(_spend(made, port))
    yield made
    lab.stop()


def test_a_call_reaches_its_queue_whatever_the_service_does(day: Day) -> None:
    """Within a second of the question's beginning, and into the queue of its line; no phone rings before."""
    for state in day.calls.keys() & {"dead", *STATES}:
        began = next(fact for fact in day.of(state) if isinstance(fact, Recorded) and fact.files)
        queued = day.one(state, Queued)
        assert began.at is not None
        assert queued.at is not None
        assert queued.queue == "ringall", state
        assert queued.at - began.at < SOON, state
        assert all(fact.queue == "ringall" for fact in day.of(state) if isinstance(fact, Rang)), state


def test_a_call_is_recorded_with_both_legs_and_its_mark(day: Day) -> None:
    """Found by the service as it stands: three files of one length, complete by the mark, sound in the right legs."""
    for name in day.calls.keys() & {"answered", "menu", "routed"}:
        legs = day.legs(name)
        assert legs.caller is not None
        assert legs.agent is not None
        assert legs.mix is not None
        assert not legs.repaired
        assert legs.seconds == pytest.approx(loudness(legs.caller)[0], abs=0.3)
        assert loudness(legs.caller)[1] > 300
        told = {name for fact in day.of(name) if isinstance(fact, Recorded) for name in fact.files}
        assert {resolve(day.lab.recordings, name) for name in told} == {legs.caller, legs.agent, legs.mix}


def test_the_menu_works_without_the_service(day: Day) -> None:
    """Key 1 is another queue; no key the line's own."""
    if day.whole:
        assert day.one("answered", Queued).queue == "support"
    assert day.one("menu", Queued).queue == "sales"
    assert day.one("menu", Arrived).dialled == "01062802505"


def test_hyphens_are_passed_over_by_asterisk_and_by_us(day: Day) -> None:
    """Else such a call would be taken and nobody told."""
    arrived = day.one("hyphens", Arrived)
    assert (arrived.dialled, arrived.number) == ("400-800-1234", "4008001234")


def test_the_preferred_agent_rings_before_the_queue(day: Day) -> None:
    """Asked with what the dialplan knows, by its token; 1003 answers outside any queue."""
    assert [(fact.agent, fact.queue) for fact in day.of("routed") if isinstance(fact, Rang)] == [("1003", None)]
    assert not [fact for fact in day.of("routed") if isinstance(fact, Queued)]
    assert day.one("routed", Ended).outcome is Outcome.ANSWERED
    assert day.questions[0] == Question(
        did="4008001234", caller="13812345678", menu=None, call=day.calls["routed"], pbx="lab", peer="127.0.0.1"
    )


def test_an_agent_who_does_not_answer_costs_the_configured_time(day: Day) -> None:
    """Then the queue that routing named."""
    facts = day.of("agent away")
    rang = next(fact for fact in facts if isinstance(fact, Rang))
    queued = next(fact for fact in facts if isinstance(fact, Queued))
    assert (rang.agent, rang.queue, queued.queue) == ("1003", None, "sales")
    assert rang.at is not None
    assert queued.at is not None
    assert queued.at - rang.at == pytest.approx(1.0, abs=0.4)


def test_no_number_but_ours_makes_even_a_channel(day: Day) -> None:
    """The PBX answers 404."""
    assert day.codes == dict.fromkeys(FORGED_NUMBERS, 404)


def test_nothing_reaches_ami_by_the_number_called(day: Day) -> None:
    """Not even the user who reads everything saw a line of it."""
    assert b"FakeFrom" in day.wire  # so it would be seen
    assert b"FakeUri" not in day.wire
    assert b"4000000999" not in day.wire
    assert b"4001112222" not in day.wire


def test_a_forging_caller_is_a_call_and_nothing_more(day: Day) -> None:
    """Told as his own call: the line, the queue, the end; and recorded under its own name."""
    for name in day.calls.keys() & FORGED_CALLERS.keys():
        facts, arrived = day.of(name), day.one(name, Arrived)
        assert (arrived.number, arrived.dialled) == ("4008001234", "4008001234"), name
        assert day.one(name, Queued).queue == "ringall", name
        assert isinstance(facts[-1], Ended | Recorded), name
        files = [file for fact in facts if isinstance(fact, Recorded) for file in fact.files]
        assert len(files) == 3, name
        assert all(Path(file).name.startswith(f"4008001234-{day.calls[name]}") for file in files), name


def test_forgers_make_no_calls_of_their_own(day: Day) -> None:
    """As many calls as were made; what was forged is counted."""
    assert {fact.call.linkedid for fact in day.facts} == set(day.calls.values())
    assert day.refused > 0
    assert not list(day.lab.root.glob("tmp/x*"))


def test_what_a_caller_writes_goes_no_further_than_his_first_events(day: Day) -> None:
    """Past the dialplan's first lines neither AMI nor the queue's log repeats it."""
    log = (day.lab.root / "var/log/asterisk/queue_log").read_text(errors="replace")
    assert "EventFakeFrom" in log  # his number, as a word
    assert all(line.count("|") >= 4 for line in log.splitlines())
    begun = max(day.wire.rindex(b"\r\n\r\nEvent: FakeFrom"), 0)
    last = day.wire.rindex(b"Event: MixMonitorStart", 0, day.wire.rindex(b"138EventFakeFrom"))
    assert begun < last


def test_a_message_is_told_and_is_there(day: Day) -> None:
    """Though the caller just hung up; a second of sound at least, below the recordings root."""
    message = day.message("message")
    assert message.seconds == pytest.approx(1.5, abs=0.5)
    assert message.caller is not None
    assert loudness(message.caller)[1] > 300
    assert day.one("message", Ended).outcome is Outcome.VOICEMAIL


def test_who_hangs_up_at_the_tone_left_no_message(day: Day) -> None:
    """He gave up."""
    assert not [fact for fact in day.of("silence") if isinstance(fact, LeftMessage)]
    assert day.one("silence", Ended).outcome is Outcome.ABANDONED


def test_call_records_say_which_line_it_was_and_that_a_message_was_left(day: Day) -> None:
    """For calls that nobody heard: in the field that the lab's cdr.conf writes, in the call's last row."""
    with day.lab.cdr.open(newline="", errors="replace") as file:
        last = {row[16]: row[17] for row in csv.reader(file) if len(row) > 17}
    assert last[day.calls["menu"]] == "did=4007002505"
    assert last[day.calls["message"]] == "did=4008001234&voicemail=1"
    assert last[day.calls["silence"]] == "did=4008001234"


def test_the_pbx_finds_no_fault_with_it(day: Day) -> None:
    """Every line was understood, every application and function was there. A busy machine's complaints are others."""
    about = re.compile(r"(?:WARNING|ERROR)\[.*\] (?:pbx\w*|app_\w+|func_(?!curl)\w+|config\w*|manager)\.c: ")
    assert "\n".join(line for line in day.log.splitlines() if about.search(line)) == ""


def test_the_doctor_finds_no_fault_with_it(day: Day) -> None:
    """Who sets a PBX up like this is told that it is sound."""
    if day.whole:
        code, said = admin.hotline("doctor", "--config", str(day.config), "--pbx-config", str(day.lab.etc))
        assert code == 0, said


async def _ask(lab: Lab, user: str, action: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.ami_port)
    login = f"Action: Login\r\nUsername: {user}\r\nSecret: {admin.SECRET}\r\nEvents: off\r\n\r\n"
    writer.write(f"{login}Action: {action}\r\nActionID: asked\r\n\r\n".encode())
    said = b""
    async with asyncio.timeout(5):
        while b"ActionID: asked" not in said or not said.endswith(b"\r\n\r\n"):
            said += await reader.read(65536)
    writer.transport.abort()
    return said.decode(errors="replace")


def test_an_agent_who_has_paused_is_left_in_peace(day: Day) -> None:
    """The queue at once."""
    if day.whole:
        began = next(fact for fact in day.of("agent paused") if isinstance(fact, Recorded) and fact.files)
        queued = day.one("agent paused", Queued)
        assert began.at is not None
        assert queued.at is not None
        assert queued.at - began.at < SOON
        assert "1001" not in {fact.agent for fact in day.of("agent paused") if isinstance(fact, Rang)}


@pytest.mark.parametrize(
    "action",
    [
        "Originate\r\nChannel: Local/600@from-internal\r\nApplication: Echo",
        "Command\r\nCommand: core show version",
        "Setvar\r\nVariable: X\r\nValue: 1",
        "Hangup\r\nChannel: PJSIP/1001-0",
        "Redirect\r\nChannel: x\r\nContext: x\r\nExten: x\r\nPriority: 1",
        "MixMonitor\r\nChannel: x\r\nFile: x",
        "GetConfig\r\nFilename: manager.conf",
        "QueuePause\r\nInterface: PJSIP/1001\r\nPaused: true",
    ],
)
async def test_the_printed_user_may_only_look(day: Day, action: str) -> None:
    """Nothing that changes, calls or reads secrets."""
    assert "Permission denied" in await _ask(day.lab, "hotline", action)


async def test_the_printed_user_may_list_what_is_there(day: Day) -> None:
    """What the service asks after a break of the link."""
    for action in ("CoreShowChannels", "Status", "QueueStatus", "Ping"):
        assert "Response: Success" in (await _ask(day.lab, "hotline", action)).partition("ActionID: asked")[0][-80:]


@pytest.mark.long
async def test_the_printed_recorder_may_record(own_lab: Callable[..., Lab], tmp_path: Path) -> None:
    """Its rights suffice for that and, as the file says, for more; it may not originate."""
    lab = own_lab("recorder")
    admin.install(lab, admin.printed(lab, tmp_path, 9, pbx='[pbx.recorder]\nuser = "recorder"'))
    for action in ("MixMonitor\r\nChannel: x\r\nFile: x", "StopMixMonitor\r\nChannel: x"):
        assert "No such channel" in await _ask(lab, "recorder", action)
    assert "Permission denied" in await _ask(lab, "recorder", "Command\r\nCommand: core show version")
    assert "MixMonitor" not in (lab.etc / "hotline_extensions.conf").read_text()
