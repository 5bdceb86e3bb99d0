"""The link to a PBX that is slow, dead, wrong, hostile or gone, against a small AMI server."""

import asyncio
import gzip
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from hotline.replay import facts_of
from telephony.ami import AmiError, AmiSettings, Login, RefusedError
from telephony.events import Event, HangUp, NewChannel, Seen, Snapshot
from telephony.framing import Framer, Response
from telephony.lines import Lines
from telephony.link import AmiLink, Link, LinkState
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker

CAPTURE = Path(__file__).parent.parent / "captures" / "answered" / "asterisk22.ami.gz"
SETTINGS = AmiSettings(
    name="pbx",
    host="127.0.0.1",
    port=0,
    user="hotline",
    secret="s3cret",
    ping_every=30.0,
    deadline=5.0,
    first_retry=0.01,
)
CHALLENGE = "157839481"
PATIENCE = 20.0  # seconds; generous, only a failing test waits that long


def channel(kind: str, uid: str, *, more: str = "", action_id: str = "", name: str | None = None) -> bytes:
    """An event, or a row of a list, with a carrier's channel."""
    head = f"ActionID: {action_id}" if action_id else "Privilege: call,all\r\nTimestamp: 1795290138.000001"
    return (
        f"Event: {kind}\r\n{head}\r\nChannel: {name or f'PJSIP/carrier-{uid}'}\r\nChannelState: 4\r\n"
        "ChannelStateDesc: Ring\r\nCallerIDNum: 13812345678\r\nCallerIDName: <unknown>\r\n"
        "ConnectedLineNum: <unknown>\r\nConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\n"
        f"Context: from-carrier\r\nExten: 4007002505\r\nPriority: 1\r\nUniqueid: {uid}\r\nLinkedid: {uid}\r\n{more}\r\n"
    ).encode()


@dataclass
class Pbx:
    """An AMI server. What it does with an action is in ``answers``; by default it behaves."""

    port: int = 0
    secret: str = "s3cret"
    banner: bytes = b"Asterisk Call Manager/11.0.0\r\n"
    denied: frozenset[str] = frozenset()
    silent: set[str] = field(default_factory=set)
    between: Callable[[], bytes] = lambda: b""  # events while it lists its channels
    channels: tuple[str, ...] = ()
    queued: bytes = b""
    actions: list[dict[str, str]] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    connections: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    writer: asyncio.StreamWriter | None = None

    def send(self, data: bytes) -> None:
        """To whoever is connected."""
        assert self.writer is not None
        self.writer.write(data)

    def drop(self) -> None:
        """Cut the connection."""
        assert self.writer is not None
        self.writer.transport.abort()

    async def seen(self, name: str, times: int = 1) -> dict[str, str]:
        """Wait for an action; the last of them."""
        async with asyncio.timeout(PATIENCE), self.came:
            await self.came.wait_for(lambda: self.count(name) >= times)
        return [action for action in self.actions if action["Action"] == name][-1]

    def count(self, name: str) -> int:
        """How often it was asked."""
        return sum(action["Action"] == name for action in self.actions)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self.writer = writer
        writer.write(self.banner)
        try:
            while text := await reader.readuntil(b"\r\n\r\n"):
                pairs = [line.split(": ", 1) for line in text.decode().strip().split("\r\n")]
                action = dict(pairs)
                async with self.came:
                    self.actions.append(action)
                    self.came.notify_all()
                if action["Action"] not in self.silent:
                    writer.write(self.answer(action))
        except (asyncio.IncompleteReadError, OSError):
            self.gone.set()
        finally:
            writer.close()

    def knows(self, action: dict[str, str]) -> bool:
        """Whether this login is the right one, plain or by the challenge."""
        if action.get("AuthType") == "MD5":
            return action["Key"] == hashlib.md5(f"{CHALLENGE}{self.secret}".encode()).hexdigest()  # noqa: S324
        return action["Secret"] == self.secret

    def answer(self, action: dict[str, str]) -> bytes:
        """What an Asterisk says."""
        name, action_id = action["Action"], action["ActionID"]
        if name == "Challenge":
            return f"Response: Success\r\nActionID: {action_id}\r\nChallenge: {CHALLENGE}\r\n\r\n".encode()
        if name == "Login" and not self.knows(action):
            return f"Response: Error\r\nActionID: {action_id}\r\nMessage: Authentication failed\r\n\r\n".encode()
        if name in self.denied:
            return f"Response: Error\r\nActionID: {action_id}\r\nMessage: Permission denied\r\n\r\n".encode()
        answer = f"Response: Success\r\nActionID: {action_id}\r\n\r\n".encode()
        if name == "CoreShowChannels":
            rows = b"".join(
                channel("CoreShowChannel", uid, action_id=action_id, more="Application: Queue\r\nBridgeId: \r\n")
                for uid in self.channels
            )
            end = f"Event: CoreShowChannelsComplete\r\nActionID: {action_id}\r\nEventList: Complete\r\n\r\n"
            return answer + rows + self.between() + end.encode()
        if name == "QueueStatus":
            answer += self.queued.replace(b"OUR-ID", action_id.encode())
        if name in ("Status", "QueueStatus"):
            return answer + f"Event: {name}Complete\r\nActionID: {action_id}\r\nEventList: Complete\r\n\r\n".encode()
        return answer


@pytest.fixture
async def pbx() -> AsyncIterator[Pbx]:
    """A PBX that listens on a free port."""
    made = Pbx()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    if made.writer is not None:
        made.writer.transport.abort()
    await server.wait_closed()


@asynccontextmanager
async def linked(pbx: Pbx, settings: AmiSettings = SETTINGS) -> AsyncIterator[AmiLink]:
    """A link to it, running."""
    link = AmiLink(replace(settings, port=pbx.port), time.monotonic)
    running = asyncio.get_running_loop().create_task(link.run())
    try:
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(link: AmiLink, wanted: Callable[[object], bool]) -> list[Event | Snapshot | LinkState]:
    """Everything up to the first that is wanted, that one included."""
    came: list[Event | Snapshot | LinkState] = []
    async with asyncio.timeout(PATIENCE):
        while not came or not wanted(came[-1]):
            came.append(await link.next())
    return came


def snapshot(item: object) -> bool:
    """Whether it is one."""
    return isinstance(item, Snapshot)


def state(link: Link) -> Callable[[object], bool]:
    """Whether it is this change of the connection."""
    return lambda item: isinstance(item, LinkState) and item.link is link


async def test_after_login_comes_what_is_there_then_what_happens(pbx: Pbx) -> None:
    """In one sequence, the snapshot first."""
    pbx.channels = ("1.0", "2.0")
    async with linked(pbx) as link:
        up, shot = await until(link, snapshot)
        assert isinstance(up, LinkState)
        assert up.link is Link.UP
        assert isinstance(shot, Snapshot)
        assert [row.uniqueid for row in shot.channels] == ["1.0", "2.0"]
        pbx.send(channel("Newchannel", "3.0"))
        assert isinstance((await until(link, lambda _: True))[0], NewChannel)
        assert link.status.banner == "Asterisk Call Manager/11.0.0"


async def test_a_stream_cut_into_single_bytes_gives_the_same_events(pbx: Pbx) -> None:
    """A real call, one byte a packet."""
    data = gzip.decompress(CAPTURE.read_bytes())[:6000]
    whole = [message for message in Framer(LAYOUTS).feed(data) if not isinstance(message, Response)]
    async with linked(pbx) as link:
        await until(link, snapshot)
        assert pbx.writer is not None
        for at in range(len(data)):
            pbx.writer.write(data[at : at + 1])
            await pbx.writer.drain()
        async with asyncio.timeout(PATIENCE):
            assert [await link.next() for _ in whole] == whole


async def test_garbage_and_four_megabytes_without_a_blank_line_cost_nothing_but_themselves(pbx: Pbx) -> None:
    """The next event is read, the refused is counted."""
    async with linked(pbx) as link:
        await until(link, snapshot)
        pbx.send(b"\xff\xfe\x00 no AMI at all\r\n\r\n" + b"x" * (4 << 20) + b"\r\n\r\n" + channel("Newchannel", "3.0"))
        (event,) = await until(link, lambda _: True)
        assert isinstance(event, NewChannel)
        assert (link.status.counts.dropped, link.status.counts.oversize) == (1, 1)


async def test_a_wrong_secret_is_told_once_with_what_to_check_and_not_retried_fast(pbx: Pbx) -> None:
    """Asterisk answers alike for a wrong secret, an unknown user and a refused address."""
    pbx.secret = "another"
    async with linked(pbx, replace(SETTINGS, refused_retry=0.05)) as link:
        (refused,) = await until(link, state(Link.REFUSED))
        assert isinstance(refused, LinkState)
        for word in ("Authentication failed", "secret", "permit", "[hotline]", "manager.conf"):
            assert word in refused.why
        await pbx.seen("Login", 3)
        pbx.secret = SETTINGS.secret
        assert [item.link for item in await until(link, state(Link.UP)) if isinstance(item, LinkState)] == [Link.UP]
    assert SETTINGS.refused_retry >= 30
    assert SETTINGS.secret not in repr(SETTINGS)


@pytest.mark.parametrize("secret", ["s3cret", "another"])
async def test_with_md5_the_secret_never_crosses_the_network(pbx: Pbx, secret: str) -> None:
    """It answers a challenge; a wrong one is refused like any other."""
    async with linked(pbx, replace(SETTINGS, login=Login.MD5, secret=secret)) as link:
        if secret == pbx.secret:
            await until(link, snapshot)
        else:
            (refused,) = await until(link, state(Link.REFUSED))
            assert isinstance(refused, LinkState)
            assert "Authentication failed" in refused.why
    assert [action["Action"] for action in pbx.actions[:2]] == ["Challenge", "Login"]
    assert not any(secret in value for action in pbx.actions for value in action.values())


async def test_a_gap_has_a_beginning_and_an_end(pbx: Pbx) -> None:
    """Before the first login of a process nobody knows; before the next one, it is when the PBX was last heard."""
    async with linked(pbx) as link:
        first = (await until(link, snapshot))[0]
        heard = time.monotonic()
        pbx.drop()
        down, up, _ = await until(link, snapshot)
        assert isinstance(first, LinkState)
        assert isinstance(down, LinkState)
        assert isinstance(up, LinkState)
        assert (first.since, first.until is None) == (None, False)
        assert up.since is not None
        assert up.until is not None
        assert up.since <= heard <= down.at <= up.until <= time.monotonic()


async def test_a_half_open_link_is_noticed_within_two_pings(pbx: Pbx) -> None:
    """The PBX is silent, the socket stands: only an unanswered ping tells."""
    async with linked(pbx, replace(SETTINGS, ping_every=0.3)) as link:
        await until(link, snapshot)
        pbx.silent = {"Ping"}
        await pbx.seen("Ping")
        began = asyncio.get_running_loop().time()
        down = (await until(link, state(Link.DOWN)))[-1]
        assert asyncio.get_running_loop().time() - began < 2 * 0.3 + 1.0
        assert isinstance(down, LinkState)
        assert "half-open" in down.why
        pbx.silent = set()
        await until(link, snapshot)
        assert pbx.connections == 2
        assert link.status.reconnects == 1


async def test_pings_that_are_answered_keep_the_link(pbx: Pbx) -> None:
    """For as long as it lasts."""
    async with linked(pbx, replace(SETTINGS, ping_every=0.02)) as link:
        await until(link, snapshot)
        await pbx.seen("Ping", 5)
        assert pbx.connections == 1
        assert link.status.link is Link.UP


async def test_after_a_break_the_pbx_is_asked_again(pbx: Pbx) -> None:
    """Down, up, snapshot; nothing of the half message that was on its way."""
    async with linked(pbx) as link:
        await until(link, snapshot)
        pbx.send(channel("Newchannel", "1.0")[:100])
        pbx.channels = ("2.0",)
        pbx.drop()
        came = await until(link, snapshot)
        assert [item.link for item in came if isinstance(item, LinkState)] == [Link.DOWN, Link.UP]
        assert len(came) == 3
        shot = came[-1]
        assert isinstance(shot, Snapshot)
        assert [row.uniqueid for row in shot.channels] == ["2.0"]


async def test_events_during_the_listing_are_right_where_they_contradict_it(pbx: Pbx) -> None:
    """A channel that hung up while the list was on its way must not come to life again."""
    pbx.channels = ("1.0", "2.0")
    pbx.between = lambda: channel("Hangup", "1.0", more="Cause: 16\r\n") + channel("Newchannel", "3.0")
    async with linked(pbx) as link:
        came = await until(link, snapshot)
        shot = came[-1]
        assert isinstance(shot, Snapshot)
        assert (shot.gone, shot.fresh) == (frozenset({"1.0"}), frozenset({"3.0"}))
        assert [type(item) for item in came[1:-1]] == [HangUp, NewChannel]
        tracker = Tracker("pbx", Lines({"4007002505": ()}), ["PJSIP/carrier"])
        for item in came[1:-1]:
            assert not isinstance(item, LinkState | Snapshot)
            tracker.feed(item, 1.0)
        tracker.resync(shot, 1.0)
        assert {key.linkedid for key in tracker.calls} == {"2.0", "3.0"}


async def test_who_waits_in_a_queue_is_known_from_rows_with_our_action_id_only(pbx: Pbx) -> None:
    """Such a row is short enough to be forged."""
    row = "Event: QueueEntry\r\nQueue: {}\r\nPosition: 1\r\nChannel: c\r\nUniqueid: 1.0\r\nCallerIDNum: 1\r\n{}\r\n"
    forged = row.format("forged", "") + row.format("forged", "ActionID: 1\r\n")
    pbx.queued = (row.format("support", "Wait: 1\r\nPriority: 0\r\nActionID: OUR-ID\r\n") + forged).encode()
    async with linked(pbx) as link:
        shot = (await until(link, snapshot))[-1]
    assert isinstance(shot, Snapshot)
    assert [(row.queue, row.uniqueid) for row in shot.waiting] == [("support", "1.0")]


async def test_a_slow_consumer_costs_events_but_never_the_reader(pbx: Pbx) -> None:
    """The gap is told, the PBX is asked again, and the calls are whole."""
    async with linked(pbx, replace(SETTINGS, inbox=10)) as link:
        await until(link, snapshot)
        began = time.monotonic()
        pbx.send(b"".join(channel("Newstate", f"{n}.0") for n in range(50)))
        await link.action("Ping")  # answered behind the fifty: they are read, although nobody took them
        assert link.status.dropped == 40
        came = await until(link, snapshot)
        assert [type(item) for item in came] == [*[Seen] * 10, LinkState, Snapshot]
        gap = came[-2]
        assert isinstance(gap, LinkState)
        assert gap.link is Link.GAP
        assert gap.since is not None
        assert gap.until is not None
        assert began <= gap.since <= gap.until <= time.monotonic()


@pytest.mark.parametrize("bad", ["x\r\nAction: Originate", "x\ny", "x\0", "y" * 2000])
async def test_nothing_that_breaks_a_line_is_ever_sent(pbx: Pbx, bad: str) -> None:
    """In a value or in a key: it would start an action of its own."""
    async with linked(pbx) as link:
        await until(link, snapshot)
        before = len(pbx.actions)
        with pytest.raises(ValueError, match="line break"):
            await link.action("Getvar", Variable=bad)
        if len(bad) < 1000:
            with pytest.raises(ValueError, match="line break"):
                await link.action("Getvar", **{bad: "x"})
        await link.action("Ping")
        assert [action["Action"] for action in pbx.actions[before:]] == ["Ping"]


async def test_an_action_has_a_deadline_fails_with_its_connection_and_is_never_sent_twice(pbx: Pbx) -> None:
    """An Originate that is sent again after a reconnect dials a customer twice."""
    pbx.silent = {"Originate"}
    async with linked(pbx, replace(SETTINGS, deadline=0.3)) as link:
        await until(link, snapshot)
        with pytest.raises(AmiError, match="did not answer Originate"):
            await link.action("Originate", Channel="PJSIP/1001")
    async with linked(pbx) as link:
        await until(link, snapshot)
        waiting = asyncio.get_running_loop().create_task(link.action("Originate", Channel="PJSIP/1002"))
        await pbx.seen("Originate", 2)
        pbx.drop()
        async with asyncio.timeout(2.0):
            with pytest.raises(AmiError, match="broke"):
                await waiting
        await until(link, snapshot)
        await link.action("Ping")
        assert pbx.count("Originate") == 2


async def test_a_refusal_is_an_error_with_the_pbxs_words(pbx: Pbx) -> None:
    """And no connection is one, too."""
    pbx.denied = frozenset({"Originate"})
    async with linked(pbx) as link:
        with pytest.raises(AmiError, match="no connection"):
            await link.action("Ping")
        await until(link, snapshot)
        with pytest.raises(RefusedError, match="Permission denied"):
            await link.action("Originate")


async def test_a_forged_answer_answers_nothing(pbx: Pbx) -> None:
    """A caller can put a Response into his name; he cannot guess the ActionID."""
    pbx.silent = {"Getvar"}
    async with linked(pbx, replace(SETTINGS, deadline=0.5)) as link:
        await until(link, snapshot)
        asking = asyncio.get_running_loop().create_task(link.action("Getvar", Variable="X"))
        await pbx.seen("Getvar")
        pbx.send(b"Response: Success\r\nActionID: 1\r\nValue: forged\r\n\r\nResponse: Success\r\nValue: forged\r\n\r\n")
        with pytest.raises(AmiError, match="did not answer"):
            await asking


async def test_without_the_right_to_list_channels_the_operator_is_told_what_to_grant(pbx: Pbx) -> None:
    """Events come all the same."""
    pbx.denied = frozenset({"CoreShowChannels"})
    async with linked(pbx) as link:
        came = await until(link, lambda item: isinstance(item, LinkState) and "write = reporting" in item.why)
        assert not any(snapshot(item) for item in came)
        pbx.send(channel("Newchannel", "3.0"))
        assert isinstance((await until(link, lambda _: True))[0], NewChannel)


async def test_cancelled_it_is_closed_for_good(pbx: Pbx) -> None:
    """No connection comes after the end."""
    async with linked(pbx) as link:
        await until(link, snapshot)
    async with asyncio.timeout(PATIENCE):
        await pbx.gone.wait()
    assert pbx.connections == 1
    with pytest.raises(AmiError, match="no connection"):
        await link.action("Ping")


async def test_cancelled_while_nobody_answers_it_ends_too() -> None:
    """Nobody listens on the port: DOWN with the reason, and the end is the end."""
    async with linked(Pbx(port=1), replace(SETTINGS, first_retry=30.0)) as link:
        (down,) = await until(link, state(Link.DOWN))
        assert isinstance(down, LinkState)
        assert "refused" in down.why.lower() or "connect" in down.why.lower()


async def test_something_else_than_an_asterisk_is_given_up(pbx: Pbx) -> None:
    """It connects and never answers the login."""
    pbx.banner = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    pbx.silent = {"Login"}
    async with linked(pbx, replace(SETTINGS, deadline=0.2)) as link:
        down = (await until(link, state(Link.DOWN)))[-1]
        assert isinstance(down, LinkState)
        assert "did not answer Login" in down.why


async def test_a_capture_keeps_the_bytes_with_their_times(pbx: Pbx, tmp_path: Path) -> None:
    """And replays to the facts of the call, over a break in the connection."""
    data = gzip.decompress(CAPTURE.read_bytes())
    file = tmp_path / "pbx.ami"
    async with linked(pbx, replace(SETTINGS, capture=file)) as link:
        await until(link, snapshot)
        pbx.drop()
        await until(link, snapshot)
        pbx.send(data)
        await until(link, lambda item: isinstance(item, HangUp) and item.uniqueid == "1795290138.0")
    kept = file.read_bytes()
    assert data in kept
    lines = [json.loads(line) for line in (tmp_path / "pbx.ami.jsonl").read_text().splitlines()]
    reads = [line for line in lines if "len" in line]
    notes = [line["note"] for line in lines if "note" in line]
    assert all(0 <= line["off"] <= line["off"] + line["len"] <= len(kept) for line in reads)
    assert any("connection cut" in note for note in notes)

    def told(stream: bytes) -> list[object]:
        tracker = Tracker("pbx", Lines({"4007002505": ()}), ["PJSIP/carrier"])
        return list(facts_of([stream], tracker))

    assert told(kept) == told(data)


async def test_a_capture_that_cannot_be_written_does_not_stop_the_service(pbx: Pbx, tmp_path: Path) -> None:
    """It says so and listens on."""
    async with linked(pbx, replace(SETTINGS, capture=tmp_path / "nowhere" / "x.ami")) as link:
        await until(link, snapshot)
        pbx.send(channel("Newchannel", "3.0"))
        assert isinstance((await until(link, lambda _: True))[0], NewChannel)
