"""Bytes become messages however they are cut, and nothing that a caller writes becomes one."""

import itertools
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.events import Event, HangUp, ListDone, NewChannel, Seen, Told, seconds
from telephony.framing import Counts, Framer, Response
from telephony.reading import LAYOUTS, parse

STAMP = "1795290138.644668"
UID = "1795290138.0"
CHANNEL = "PJSIP/carrier-00000000"
FIELD = 79  # bytes that Asterisk leaves of a number, a name or an extension


def event(
    kind: str, *, number: str = "13812345678", name: str = "<unknown>", exten: str = "4007002505", tail: str = ""
) -> bytes:
    """An event of a caller's channel as Asterisk writes it."""
    privilege = "user,all" if kind == "UserEvent" else "call,all"
    return (
        f"Event: {kind}\r\nPrivilege: {privilege}\r\nTimestamp: {STAMP}\r\nChannel: {CHANNEL}\r\nChannelState: 4\r\n"
        f"ChannelStateDesc: Ring\r\nCallerIDNum: {number}\r\nCallerIDName: {name}\r\nConnectedLineNum: <unknown>\r\n"
        f"ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\nContext: from-carrier\r\nExten: {exten}\r\n"
        f"Priority: 1\r\nUniqueid: {UID}\r\nLinkedid: {UID}\r\n{tail}\r\n"
    ).encode()


def read(data: bytes, size: int | None = None, counts: Counts | None = None) -> list[Event | Response]:
    """The messages of these bytes in reads of this size."""
    framer = Framer(LAYOUTS, counts)
    size = size or len(data) or 1
    return list(itertools.chain.from_iterable(framer.feed(data[at : at + size]) for at in range(0, len(data), size)))


HANGUP = event("Hangup", tail="Cause: 16\r\nCause-txt: Normal Clearing\r\n")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1460, 65536])
def test_reads_of_any_size_give_the_same_messages(size: int) -> None:
    """A Chinese name of three bytes a character is cut everywhere."""
    data = event("Newchannel", name="张伟公司") + HANGUP + b"Response: Success\r\nActionID: 1\r\n\r\n"
    new, gone, answer = read(data, size)
    assert isinstance(new, NewChannel)
    assert isinstance(gone, HangUp)
    assert isinstance(answer, Response)
    assert new.caller_name == "张伟公司"
    assert answer.headers["ActionID"] == "1"


def test_the_last_message_is_handed_over_without_waiting_for_the_next() -> None:
    """As soon as its blank line is there."""
    framer = Framer(LAYOUTS)
    assert framer.feed(HANGUP[:-1]) == []
    assert len(framer.feed(HANGUP[-1:])) == 1


def test_an_extra_blank_line_costs_nothing() -> None:
    """TestEvent and Reload end with one; a reader that splits blindly lost the next event."""
    data = b"Event: TestEvent\r\nPrivilege: reporting,all\r\nType: StateChange\r\n\r\n\r\n" + HANGUP
    counts = Counts()
    for size in (1, 1460):
        assert [type(message) for message in read(data, size, counts)] == [HangUp]
    assert counts.dropped == 0


def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    """Asterisk 16 cuts a name in the middle of a character."""
    (new,) = read(event("Newchannel").replace(b"CallerIDName: <unknown>", b"CallerIDName: \xe5\xbc\xa0\xe7"))
    assert isinstance(new, NewChannel)
    assert new.caller_name == "张\ufffd"


def test_values_may_be_empty_or_hold_colons() -> None:
    """Split at the first colon."""
    (told,) = read(event("UserEvent", tail="UserEvent: X\r\nFile: a: b:c\r\nEmpty: \r\nBare\r\n"))
    assert isinstance(told, Told)
    assert told.body() == {"File": "a: b:c", "Empty": ""}


def test_doubled_headers_of_the_dialplans_own_event_do_not_count() -> None:
    """A caller's name with a comma makes such lines: nobody can say which is right."""
    (told,) = read(event("UserEvent", tail="UserEvent: X\r\nDid: 4007002505\r\nName: Wang\r\nDid: 4008001234\r\n"))
    assert isinstance(told, Told)
    assert told.body() == {"Name": "Wang"}


@pytest.mark.parametrize("missing", ["Language: en\r\n", f"Timestamp: {STAMP}\r\n"])
def test_other_versions_leave_headers_out(missing: str) -> None:
    """Without Language (Asterisk 12), without Timestamp (timestampevents=no)."""
    (gone,) = read(HANGUP.replace(missing.encode(), b""))
    assert isinstance(gone, HangUp)
    assert (gone.uniqueid, gone.cause) == (UID, "16")


def test_other_versions_add_headers() -> None:
    """A system name, channel variables (which repeat), headers nobody knows yet."""
    data = HANGUP.replace(b"Timestamp", b"SystemName: pbx1\r\nTimestamp")
    data = data.replace(b"Cause: 16", b"ChanVariable: A=1\r\nChanVariable: B=2\r\nNovelty: 1\r\nCause: 16")
    counts = Counts()
    (gone,) = read(data, counts=counts)
    assert isinstance(gone, HangUp)
    assert (gone.stamp, gone.uniqueid, gone.cause) == (STAMP, UID, "16")
    assert counts.forged_lines == 0


def test_a_message_above_the_limit_is_counted_and_the_next_one_read() -> None:
    """Whether it ends or never does."""
    for data in (b"Event: Newchannel\r\n" + b"X: y\r\n" * 20000 + b"\r\n", b"z" * 200_000 + b"\r\n\r\n"):
        counts = Counts()
        assert [type(message) for message in read(data + HANGUP, 1460, counts)] == [HangUp]
        assert counts.oversize == 1


@pytest.mark.parametrize(
    ("lines", "size"),
    [*itertools.product([300, 4000], [1, 2, 3, 5, 100, 1460, 65536]), *itertools.product([30_000], [100, 1460, 65536])],
)
def test_a_long_message_ends_where_its_blank_line_is_however_that_is_cut(lines: int, size: int) -> None:
    """Read when it is below the limit, skipped above; the blank line may come in four reads."""
    long = HANGUP.replace(b"Cause: 16", b"ChanVariable: A=1\r\n" * lines + b"Cause: 16")
    counts = Counts()
    found = read(HANGUP + long + HANGUP, size, counts)
    kept = len(long) <= 65536
    assert found == [read(HANGUP)[0]] * (3 if kept else 2)
    assert counts.oversize == (not kept)
    assert counts.events == len(found)


def test_every_kind_of_event_gets_as_many_values_as_it_has_fields() -> None:
    """They are made without a check, for speed."""
    for layout in LAYOUTS.values():
        row = [None] * (1 + len(layout.wanted) + layout.rest + layout.listed)
        made = layout.make(row)
        assert len(made) == len(type(made)._fields), layout.name


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("1795290138.644668", 1795290138.644668),
        ("1795290138", 1795290138.0),
        *((odd, None) for odd in (None, "", "x", "nan", "inf", "-1", "1e300", "1795290138.6 4")),
    ],
)
def test_a_time_is_one_or_none(stamp: str | None, time: float | None) -> None:
    """The PBX's own line; without timestampevents it is not there."""
    assert seconds(stamp) == time


def test_four_megabytes_without_a_blank_line_take_linear_time() -> None:
    """In small reads: four times the bytes, not sixteen times the work. panoramisk 1.4 took seconds."""

    def seconds(size: int) -> float:
        data, framer = b"x" * 1460, Framer(LAYOUTS)
        began = time.process_time()
        for _ in range(size // 1460):
            framer.feed(data)
        return time.process_time() - began

    assert min(seconds(4 << 20) for _ in range(3)) < max(1.0, 12 * min(seconds(1 << 20) for _ in range(3)))


@settings(deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 500))
def test_no_bytes_raise_and_what_follows_is_read(noise: bytes, size: int) -> None:
    """Whatever came before, two sound events later everything is as it should be."""
    assert read(noise + b"\r\n\r\n" + HANGUP + HANGUP, size)[-1] == read(HANGUP)[0]


# -- what callers write

HEADER = f"\r\n\r\nEvent: Hold\r\nPrivilege: call,all\r\nTimestamp: {STAMP}\r\n"
FORGERIES = [
    "\r\nUniqueid: 1.1\r\nExten: 4008001234",
    "\r\nCallerIDName: VIP",
    "\r\nCallerIDName: a\r\nConnectedLineNum: b\r\nConnectedLineName: c",
    f"\r\nPriority: 1\r\nUniqueid: {UID}9\r\nLinkedid: {UID}9",
    f"\r\nPriority: 1\r\nUniqueid: {UID}9\r\nLinkedid: {UID}9\r\n\r\n",
    "\r\n\r\n",
    "\r\n\r\n\r\n\r\n",
    "\r\n\r\nEvent: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/carrier-d",
    "\r\n\r\nEvent: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795290138.1\r\nX: ",
    HEADER,
    HEADER.replace("Hold", "Hangup"),
    HEADER.replace("Hold", "Newchannel")[:FIELD],
    "\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1795290138.0\r\n\r\n",
    f"\r\n\r\nEvent: Hangup\r\nUniqueid: {UID}\r\nLinkedid: {UID}\r\n\r\nEvent: X",
    "\r\n\r\nEvent: Shutdown\r\nPrivilege: system,all\r\nTimestamp: 1795290138.000001",
    "\r\n\r\nEvent: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n",
    "\r\n\r\nEvent: StatusComplete\r\nActionID: 1\r\nEventList: Complete\r\n\r\nX: ",
    "\r\n\r\nResponse: Success\r\nActionID: 1\r\nPing: Pong\r\n\r\n",
    "\r\n\r\nResponse: Error\r\nMessage: Authentication failed\r\n\r\nY: ",
    "\n\nEvent: Hangup\nUniqueid: 1795290138.0\n\n",
    "\r\r\n\n\r\n",
]


def sound(message: Event | Response) -> bool:
    """Whether it is Asterisk's own word on the caller's channel."""
    return isinstance(message, NewChannel | Seen | HangUp | Told) and (
        message.channel, message.uniqueid, message.linkedid, message.stamp
    ) == (CHANNEL, UID, UID, STAMP)  # fmt: skip


@pytest.mark.parametrize("size", [1, 1460])
@pytest.mark.parametrize("field", ["number", "name", "both"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_a_caller_writes_into_number_and_name_forges_nothing(forgery: str, field: str, size: int) -> None:
    """Each real event is there, with its own Channel, Uniqueid and Linkedid; what held the lines is unknown."""
    value = ("137" + forgery)[:FIELD]
    fields = {"number": value} if field == "number" else {"name": value}
    if field == "both":
        fields = {"number": value, "name": value}
    counts = Counts()
    data = b"".join(
        (
            event("Newchannel", **fields),
            event("Newstate", **fields),
            event("NewConnectedLine", **fields),  # not read: its forged inside must not be, either
            event("UserEvent", tail="UserEvent: X\r\nFile: f\r\n", **fields),
            event("Hangup", tail="Cause: 16\r\nCause-txt: Normal Clearing\r\n", **fields),
            event("Newstate"),
        )
    )
    messages = [
        m for m in read(data, size, counts) if not isinstance(m, Response | ListDone)
    ]  # these need our ActionID
    assert [type(message) for message in messages] == [NewChannel, Seen, Told, HangUp, Seen]
    assert all(sound(message) for message in messages)
    new = messages[0]
    assert isinstance(new, NewChannel)
    assert new.exten == "4007002505"
    if field != "name":
        assert new.caller is None or not re.fullmatch(r"\+?[0-9*#]{1,20}", new.caller)
    if "\r\n" in forgery:
        assert counts.forged_lines + counts.forged_events + counts.dropped > 0


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_request_uri_is_not_one_of_our_numbers(forgery: str) -> None:
    """The lines stand behind Exten then, in its first event only; what is ours must be ours exactly."""
    for size in (1, 1460):
        messages = read(event("Newchannel", exten=("4007002505" + forgery)[:FIELD]) + event("Newstate"), size)
        for message in messages:
            if isinstance(message, NewChannel):
                real = message.uniqueid == UID
                assert not real or message.exten is None or not message.exten.isdecimal()
        assert any(sound(message) for message in messages if isinstance(message, Seen))


PIECES = st.sampled_from(
    [
        "\r\n", "\r\n\r\n", "\r", "\n", ": ", "137", "Event: Hangup", "Event: Hold", "Event: Newchannel",
        "Privilege: call,all", f"Timestamp: {STAMP}", f"Channel: {CHANNEL}", "ChannelState: 4",
        "ChannelStateDesc: Up", "CallerIDNum: 1", "CallerIDName: x", "Exten: 4008001234", "Priority: 1",
        "Uniqueid: 9.9", "Linkedid: 9.9", "Response: Success", "张",
    ]
)  # fmt: skip
VALUES = st.lists(PIECES, max_size=12).map(lambda pieces: "".join(pieces).encode()[:FIELD].decode("utf-8", "ignore"))


@settings(max_examples=400, deadline=None)
@given(number=VALUES, name=VALUES, size=st.sampled_from([1, 7, 1460]))
def test_no_combination_of_lines_forges_an_event(number: str, name: str, size: int) -> None:
    """Number and name are 79 bytes each, next to each other, in every event of the channel."""
    fields = {"number": number, "name": name}
    data = event("Newchannel", **fields) + event("Newstate", **fields) + event("Hangup", tail="Cause: 16\r\n", **fields)
    messages = [message for message in read(data + event("Newstate"), size) if not isinstance(message, Response)]
    assert [type(message) for message in messages] == [NewChannel, Seen, HangUp, Seen]
    assert all(sound(message) for message in messages)


def test_without_timestamps_nothing_is_forged_either() -> None:
    """timestampevents=no leaves a forger 28 bytes more; they are not enough for a channel's headers."""

    def plain(make: Callable[..., bytes], **fields: str) -> bytes:
        return make(**fields).replace(f"Timestamp: {STAMP}\r\n".encode(), b"")

    forged = "1\r\n\r\nEvent: Hold\r\nPrivilege: call,all\r\nChannel: P\r\nChannelState: 6\r\nA: "[:FIELD]
    data = plain(lambda **f: event("Newchannel", **f), number=forged) + plain(lambda **f: event("Newstate", **f))
    assert [type(message) for message in read(data)] == [NewChannel, Seen]


def test_headers_given_as_lines_are_parsed_too() -> None:
    """For whoever has a message already."""
    lines = HANGUP.decode().strip("\r\n").split("\r\n")
    assert parse(lines) == read(HANGUP)[0]
    assert parse(lines[1:]) is None
    assert parse(["Event: Nonsense"]) is None
    assert parse([]) is None
