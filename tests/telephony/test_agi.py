"""FastAGI: Asterisk's words are understood, a caller's are not, and nobody is kept waiting."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import agi
from telephony.agi import AgiServer, quoted
from telephony.agi_environment import MOST_LINES, ORDER, Environment

VALUES = {
    "network": "yes",
    "network_script": "route",
    "request": "agi://127.0.0.1:4573/route",
    "channel": "PJSIP/carrier-00000000",
    "language": "en",
    "type": "PJSIP",
    "uniqueid": "1795307511.0",
    "version": "22.10.1",
    "callerid": "13812345678",
    "calleridname": "张三",
    "callingpres": "0",
    "callingani2": "0",
    "callington": "0",
    "callingtns": "0",
    "dnid": "4007002505",
    "rdnis": "unknown",
    "context": "in-400",
    "extension": "4007002505",
    "priority": "2",
    "enhanced": "0.0",
    "accountcode": "",
    "threadid": "140026587371200",
    "arg_1": "4007002505",
    "arg_2": "1",
}


def environment(**changed: str) -> str:
    """What Asterisk 22.10 writes, with some values changed; a caller's may hold line ends."""
    return "".join(f"agi_{name}: {value}\n" for name, value in (VALUES | changed).items()) + "\n"


def understood(text: str) -> Environment:
    """The environment read from a text, line by line until it is complete."""
    found = Environment()
    for line in text.split("\n"):
        if found.take(line):
            break
    return found


def test_what_asterisk_says_is_understood() -> None:
    """Script, channel, caller and the dialplan's two arguments."""
    found = understood(environment())
    assert found.complete
    assert found.strange == 0
    assert (found.script, found.uniqueid, found.caller) == ("route", "1795307511.0", "13812345678")
    assert (found.argument(1), found.argument(2), found.argument(3)) == ("4007002505", "1", None)


@pytest.mark.parametrize("caller", ["unknown", "anonymous", "", "张三", "1381234'; DROP", "1" * 21])
def test_what_is_no_number_is_no_caller(caller: str) -> None:
    """Asterisk says ``unknown`` where there is none."""
    assert understood(environment(callerid=caller)).caller is None


def test_an_empty_key_is_none() -> None:
    """``AGI(...,4007002505,)``: the caller pressed nothing."""
    assert understood(environment(arg_2="")).argument(2) is None


FORGED = [
    {"callerid": "13812345678\r\nagi_arg_1: 4008001234\r\n\r\n200 result=1"},
    {"callerid": "13812345678\nagi_threadid: 1\nagi_arg_1: 4008001234\n\n"},
    {"calleridname": "x\nagi_uniqueid: 1.1\nagi_arg_1: 4008001234\n\n"},
    {"dnid": "x\nagi_rdnis: unknown\nagi_context: a\nagi_threadid: 1\nagi_arg_1: 400\n\n"},
    {"callerid": "1\nagi_calleridname: x\nagi_callingpres: 0\nagi_callingani2: 0\n"},
]


@pytest.mark.parametrize("changed", FORGED, ids=range(len(FORGED)))
def test_a_caller_writes_no_arguments_and_loses_his_number(changed: dict[str, str]) -> None:
    """As seen on 22.10: CR LF and blank lines of the user part arrive as they are."""
    found = understood(environment(**changed))
    assert found.complete
    assert found.strange > 0
    assert found.caller is None
    assert (found.uniqueid, found.argument(1), found.argument(2)) == ("1795307511.0", "4007002505", "1")


@given(st.text(max_size=79), st.text(max_size=79))
def test_whatever_a_caller_writes_arguments_and_channel_are_asterisks(number: str, name: str) -> None:
    """79 bytes in each of two fields are never a whole environment."""
    found = understood(environment(callerid=number, calleridname=name))
    assert found.complete
    assert (found.uniqueid, found.argument(1), found.argument(2)) == ("1795307511.0", "4007002505", "1")


@given(
    st.lists(
        st.sampled_from([f"agi_{name}: 1" for name in ORDER] + ["", "agi_arg_1: 4008001234", "200 result=1"]),
        max_size=79 // 10,
    )
)
def test_no_lines_of_agis_own_that_fit_a_field_reach_the_arguments(lines: list[str]) -> None:
    """The grammar of a forger who knows it."""
    written = "\n".join(["1", *lines])[:79]
    for field in ("callerid", "calleridname"):
        found = understood(environment(**{field: written}))
        assert found.complete
        assert found.argument(1) == "4007002505"


def test_what_never_ends_is_refused() -> None:
    """Memory is not a caller's."""
    found = Environment()
    for _ in range(MOST_LINES):
        found.take("agi_nothing: here")
    with pytest.raises(ValueError, match="more than"):
        found.take("agi_nothing: here")


def test_a_value_is_one_argument_and_never_a_second_command() -> None:
    """Quotes and backslashes are Asterisk's own; a line end would begin a new command."""
    assert quoted('a "b" \\') == '"a \\"b\\" \\\\"'
    for bad in ("a\nHANGUP", "a\rb", "a\0"):
        with pytest.raises(ValueError, match="control"):
            quoted(bad)


class Runner:
    """Runs conversations and lets a test wait for them."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """As the service's crew does."""
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))


@asynccontextmanager
async def server(
    allow: tuple[str, ...] = ("127.0.0.1",), answer: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[AgiServer, int, Runner]]:
    """A server on a free port that answers everybody alike."""
    runner = Runner()

    async def reply(_asked: Environment, _peer: str) -> Mapping[str, str]:
        return {"HOTLINE_QUEUE": "support", "HOTLINE_REASON": "line"} if answer is None else answer

    agis = AgiServer("route", reply, allow=allow, start=runner.start)
    port = await agis.open("127.0.0.1", 0)
    try:
        yield agis, port, runner
    finally:
        agis.close()
        await asyncio.gather(*runner.tasks)


async def asterisk(port: int, sent: bytes, replies: list[bytes]) -> list[str]:
    """What a PBX that says this, and answers each command so, is told."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    told = []
    async with asyncio.timeout(5):
        while line := await reader.readline():
            told.append(line.decode().rstrip("\n"))
            if replies:
                writer.write(replies.pop(0))
    writer.close()
    return told


TAKEN = b"200 result=1\n"


async def test_the_variables_are_set_one_by_one_and_the_channel_goes_on() -> None:
    """The connection ends by itself: the dialplan waits for that."""
    async with server() as (agis, port, _):
        told = await asterisk(port, environment().encode(), [TAKEN, TAKEN])
    assert told == ['SET VARIABLE HOTLINE_QUEUE "support"', 'SET VARIABLE HOTLINE_REASON "line"']
    assert (agis.counts.answered, agis.counts.broken, agis.counts.strange) == (1, 0, 0)


async def test_a_hangup_told_in_between_is_no_answer() -> None:
    """Asterisk writes HANGUP into the stream when the caller goes."""
    async with server() as (agis, port, _):
        told = await asterisk(port, environment().encode(), [b"HANGUP\n" + TAKEN, TAKEN])
    assert len(told) == 2
    assert agis.counts.answered == 1


@pytest.mark.parametrize(
    ("sent", "replies"),
    [
        (environment().encode(), [b"511 Command Not Permitted on a dead channel\n"]),
        (environment(network_script="other").encode(), []),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * MOST_LINES, []),
        (b"agi_network: " + b"y" * 5000 + b"\n", []),
    ],
    ids=["a dead channel", "another script", "no AGI at all", "an endless line"],
)
async def test_what_goes_wrong_ends_the_conversation_and_is_counted(sent: bytes, replies: list[bytes]) -> None:
    """The dialplan goes on by itself; nothing is raised."""
    async with server() as (agis, port, _):
        told = await asterisk(port, sent, replies)
    assert len(told) <= 1
    assert (agis.counts.answered, agis.counts.broken) == (0, 1)


async def test_half_an_environment_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects and says nothing is let go."""
    monkeypatch.setattr(agi, "PATIENCE", 0.05)
    async with server() as (agis, port, _):
        assert await asterisk(port, b"agi_network: yes\n", []) == []
    assert agis.counts.broken == 1


@pytest.mark.parametrize(
    ("allow", "heard"),
    [(("127.0.0.1",), True), (("127.0.0.0/8",), True), (("10.0.0.1", "::1"), False), ((), False)],
)
async def test_only_the_pbx_is_heard(allow: tuple[str, ...], heard: bool) -> None:  # noqa: FBT001
    """FastAGI has no password: the address is all there is."""
    async with server(allow) as (agis, port, _):
        told = await asterisk(port, environment().encode() if heard else b"", [TAKEN, TAKEN])
    assert bool(told) is heard
    assert agis.counts.refused == (0 if heard else 1)


async def test_no_more_are_heard_at_once_than_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes on top of them goes on by himself, at once."""
    monkeypatch.setattr(agi, "MOST_AT_ONCE", 1)
    async with server() as (agis, port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(environment().encode())
        assert await reader.readline()  # the first is being served
        assert await asterisk(port, b"", []) == []
        writer.close()
    assert agis.counts.refused == 1
