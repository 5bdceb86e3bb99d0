#!/usr/bin/env python3
"""AMI bytes to facts: what we take for it beside panoramisk, cacofonisk and a parser that only builds dicts.

    .venv/bin/python bench/ami.py [--rounds 5] [--repeat 12] [--read 65536 1460]

Everybody gets the same bytes (thirty overlapping calls, over and over) in the same reads, in this process, through its
own protocol, without a socket. A busy PBX fills large reads, an idle one small ones, which cost everybody more; what is
wanted is the ratio of the first size given:

* ours: framing, typed events, tracker, facts;
* panoramisk 1.4 with one handler that does nothing, for the event ``*``;
* cacofonisk 0.7.10 with its call tracking, on panoramisk as its own runner does it, with a reporter that does nothing;
* the minimal parser: split at blank lines, a dict of every event, nothing else.

One round runs each once, in turn; the ratio of a round is theirs to ours in that round, so that a busy neighbour hits
both. Told are the median of the rounds and their spread. Then what four megabytes without a blank line cost in small
reads beside large ones, and the memory of a tracked call.
"""

import argparse
import asyncio
import gc
import gzip
import logging
import statistics
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cacofonisk.handlers import EventHandler
from cacofonisk.reporters import BaseReporter
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from telephony.call import Ended
from telephony.events import Dialled, HangUp, Joined, MemberAnswered, MemberCalled, NewChannel, Seen
from telephony.framing import Framer, Response
from telephony.lines import Lines
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker

CAPTURE = Path(__file__).parent.parent / "tests" / "captures" / "thirty_calls" / "asterisk22.ami.gz"
CALLS = 30
LINES = Lines({"4007002505": ("01062802505",), "4008001234": ()})
TRUNKS = ("PJSIP/carrier",)

Feed = Callable[[bytes], object]


def ours(check: list[int]) -> Feed:
    """Our framing and tracker; counts the calls that ended, so that nobody is fast by doing nothing."""
    framer, tracker = Framer(LAYOUTS), Tracker("pbx", LINES, TRUNKS, voicemail_event="CC400Voicemail")

    def feed(data: bytes) -> None:
        for message in framer.feed(data):
            if not isinstance(message, Response):
                for fact in tracker.feed(message):
                    if type(fact) is Ended:
                        check[0] += 1

    return feed


def _panoramisk(manager: Any) -> Feed:
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory, protocol.queue, protocol.encoding = manager, deque(), "utf8"
    manager.protocol = protocol
    feed: Feed = protocol.data_received
    return feed


def panoramisk(check: list[int]) -> Feed:
    """The client panoramisk with one handler that does nothing but count."""
    manager = Manager(loop=asyncio.get_running_loop())

    def handler(_manager: Any, _event: Any) -> None:
        check[0] += 1

    manager.register_event("*", handler)
    return _panoramisk(manager)


def cacofonisk(check: list[int]) -> Feed:
    """The tracker cacofonisk as its AmiRunner wires it."""

    class Reporter(BaseReporter):  # type: ignore[misc]
        def on_event(self, event: Any) -> None:
            check[0] += event["Event"] == "Hangup" and event["Uniqueid"] == event["Linkedid"]

    manager = Manager(loop=asyncio.get_running_loop())
    handler = EventHandler(reporter=Reporter(), hostname="pbx", logger=logging.getLogger("cacofonisk"))

    def on_event(_manager: Any, event: Any) -> None:
        handler.on_event(event)

    for name in handler.event_handlers() if handler.FILTER_EVENTS else ["*"]:
        manager.register_event(name, on_event)
    return _panoramisk(manager)


def minimal(check: list[int]) -> Feed:
    """Every event to a dict."""
    left = ""

    def feed(data: bytes) -> None:
        nonlocal left
        blocks = (left + data.decode("utf-8", "replace")).split("\r\n\r\n")
        left = blocks.pop()
        for block in blocks:
            event = dict(line.split(": ", 1) for line in block.split("\r\n") if ": " in line)
            check[0] += event.get("Event") == "Hangup" and event.get("Uniqueid") == event.get("Linkedid")

    return feed


READERS: dict[str, Callable[[list[int]], Feed]] = {
    "ours": ours,
    "panoramisk, one empty handler": panoramisk,
    "cacofonisk with tracking": cacofonisk,
    "dict of every event, no tracking": minimal,
}
WANTED = {
    "panoramisk, one empty handler": 3.0,
    "cacofonisk with tracking": 10.0,
    "dict of every event, no tracking": 0.65,
}
ENDLESS = b"ChannelStateDesc: Ring\r\nCallerIDNum: 13812345678\r\n"  # what such a message may look like


def timed(make: Callable[[list[int]], Feed], reads: list[bytes], repeat: int) -> tuple[float, int]:
    """Seconds of processor time to read the bytes ``repeat`` times, and what the reader counted."""
    check = [0]
    feed = make(check)
    gc.collect()
    began = time.process_time()
    for _ in range(repeat):
        for data in reads:
            feed(data)
    return time.process_time() - began, check[0]


def endless(size: int) -> float:
    """Seconds of processor time for four megabytes without a blank line, in reads of this size."""
    data = (b"Event: Newchannel\r\n" + ENDLESS * (4 * 1024 * 1024 // len(ENDLESS) + 1))[: 4 << 20]
    reads = [data[at : at + size] for at in range(0, len(data), size)]
    framer = Framer(LAYOUTS)
    began = time.process_time()
    for read in reads:
        framer.feed(read)
    assert framer.counts.oversize == 1
    return time.process_time() - began


def memory(calls: int = 2000) -> float:
    """Bytes of a live call that was queued, rung at three phones and answered."""
    tracker = Tracker("pbx", LINES, TRUNKS)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(calls):
        call(tracker, f"1795290{number:06d}.{number}", number)
    gc.collect()
    used = (tracemalloc.get_traced_memory()[0] - before) / calls
    tracemalloc.stop()
    assert len(tracker.calls) == calls
    return used


def leftovers(calls: int = 100_000) -> int:
    """Objects that so many finished calls leave behind."""
    tracker = Tracker("pbx", LINES, TRUNKS)
    before = 0
    for number in range(-1000, calls):
        if number == 0:
            gc.collect()
            before = sys.getallocatedblocks()
        uid, name = f"1795290{abs(number):06d}.{number}", f"PJSIP/carrier-{number:08x}"
        call(tracker, uid, number)
        tracker.feed(HangUp("1795290140.0", name, uid, uid, "16"))
    gc.collect()
    assert not tracker.calls
    return sys.getallocatedblocks() - before


def call(tracker: Tracker, uid: str, number: int) -> None:
    """One call as far as the agent's answer; three phones ring."""
    name, caller = f"PJSIP/carrier-{number:08x}", f"1391{number:07d}"
    for event in (
        NewChannel("1795290138.5", name, "4", caller, "<unknown>", "4007002505", uid, uid),
        Seen("1795290138.6", name, uid, uid),
        Joined("1795290138.7", name, uid, uid, "support"),
    ):
        tracker.feed(event)
    for agent in ("1001", "1002", "1003"):
        leg = (f"PJSIP/{agent}-{number:08x}", f"{uid}{agent}", uid)
        tracker.feed(MemberCalled("1795290138.8", name, uid, uid, *leg, "support", f"PJSIP/{agent}"))
        tracker.feed(Dialled("1795290138.9", name, uid, uid, *leg))
    leg = (f"PJSIP/1001-{number:08x}", f"{uid}1001", uid)
    tracker.feed(MemberAnswered("1795290139.0", name, uid, uid, *leg, "support", "PJSIP/1001"))


def compare(data: bytes, size: int, rounds: int, repeat: int) -> bool:
    """Everybody in turn, in reads of this size; prints the table. Whether a wanted ratio was reached by all."""
    reads = [data[at : at + size] for at in range(0, len(data), size)]
    events = data.count(b"\r\n\r\n") * repeat
    for make in READERS.values():
        timed(make, reads, 1)
    times: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(rounds):
        for name, make in READERS.items():
            seconds, counted = timed(make, reads, repeat)
            assert name != "ours" or counted == CALLS * repeat, f"{counted} calls ended"
            assert counted, f"{name} read nothing"
            times[name].append(seconds)
    print(f"{events:,} events a round, {rounds} rounds, reads of {size:,} B\n")
    print(f"{'':34}{'us/event':>9}{'events/s':>11}{'x ours: median (spread)':>28}")
    reached = True
    for name, mine in times.items():
        each = statistics.median(mine) / events
        ratios = sorted(theirs / us for theirs, us in zip(mine, times["ours"], strict=True))
        middle = statistics.median(ratios)
        reached &= middle >= WANTED.get(name, 0.0)
        wanted = f"  wanted {WANTED[name]:g}" if name in WANTED else ""
        print(f"{name:34}{each * 1e6:9.2f}{1 / each:11,.0f}{middle:13.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}){wanted}")
    print()
    return reached


async def main() -> int:
    """Run the rounds and print the tables; 1 when something wanted was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=12)
    parser.add_argument("--read", type=int, nargs="+", default=[65536, 1460], help="bytes a read")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    data = gzip.decompress(CAPTURE.read_bytes())
    reached = [compare(data, size, options.rounds, options.repeat) for size in options.read]
    large, small = zip(*((endless(65536), endless(1460)) for _ in range(options.rounds * 10)), strict=True)
    slower = min(small) / min(large)
    print(f"4 MB without a blank line in 1,460 B reads: {slower:.2f} x the cost in 64 KiB reads (wanted at most 1.5)")
    live = memory()
    print(f"a tracked call, three phones: {live:,.0f} B (wanted at most 4,096)")
    print(f"100,000 finished calls leave {leftovers():,} objects behind")
    return int(not reached[0] or slower > 1.5 or live > 4096)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
