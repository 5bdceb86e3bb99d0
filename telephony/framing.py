"""AMI bytes as they arrive, cut anywhere, to the messages in them. Pure; knows no socket and no meaning.

A blank line ends a message only where the message's own headers are complete (:mod:`telephony.layouts`): a caller can
put blank lines and whole events into his number and name. That needs no look at what follows, so the last message of a
read is handed over at once, and bytes one by one give the same messages as all together. What is left of a forged event
begins like nothing that Asterisk writes and is dropped. Messages we do not read cost a search and a dictionary look-up.
Nothing is raised, whatever arrives; what was refused is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from telephony.layouts import Layout, Verdict

T = TypeVar("T")

_END = b"\r\n\r\n"
_MOST_PIECES = 256  # blocks of one cut event: 79 bytes hold 19 blank lines, a transfer has a dozen such fields


class Response(NamedTuple):
    """The PBX's answer to an action, or the end of a list it sent (``event`` set). Doubled headers are left out."""

    headers: dict[str, str]
    event: str | None = None


@dataclass(slots=True)
class Counts:
    """What was read and what was refused, for the operator's page."""

    messages: int = 0  # blocks ended by a blank line, read or not
    events: int = 0  # handed over
    forged_lines: int = 0  # lines inside an event that Asterisk did not write there
    forged_events: int = 0  # events that a forged blank line had cut, put together again
    dropped: int = 0  # pieces that begin like nothing of Asterisk's, cut events never completed
    oversize: int = 0  # messages above the limit


class Framer(Generic[T]):
    """Bytes of one connection to messages. ``layouts`` are the events to read, by name; ``limit`` bytes a message."""

    def __init__(self, layouts: Mapping[bytes, Layout[T]], counts: Counts | None = None, limit: int = 65536) -> None:
        self.counts = Counts() if counts is None else counts
        self.banner: str | None = None
        self._layouts = layouts
        self._limit = limit
        self._left = b""
        self._skipping = False
        self._open: tuple[Layout[T], list[str], int] | None = None

    def feed(self, data: bytes) -> list[T | Response]:
        """Every message that these bytes complete."""
        out: list[T | Response] = []
        blocks = self._blocks(self._left + data if self._left else data)
        self.counts.messages += len(blocks)
        layouts = self._layouts
        for block in blocks:
            if block[:2] == b"\r\n":  # TestEvent and Reload end with one blank line more (Asterisk 16 and 22)
                block = block.lstrip(b"\r\n")  # noqa: PLW2901
            layout = layouts.get(block[7 : block.find(b"\r\n", 7)])
            if self._open is not None or block[:7] != b"Event: ":
                self._unusual(block, layout, out)
            elif layout is not None and layout.needle in block and self._short(block):
                text = block.decode("utf-8", "replace")
                match = layout.sound.fullmatch(text)
                if match is not None:
                    out.append(layout.make(match.groups()))
                else:
                    self._beside(layout, text.split("\r\n"), 1, out)
        self.counts.events += len(out)
        return out

    def _blocks(self, data: bytes) -> list[bytes]:
        """What blank lines divide; the undivided rest is kept for the next read, unless it grew too long."""
        if self._skipping:
            end = data.find(_END)
            if end < 0:
                self._left = data[-3:]
                return []
            data = data[end + 4 :]
            self._skipping = False
        blocks = data.split(_END)
        left = blocks.pop()
        if not self._short(left):
            self._skipping = True
            left = left[-3:]
        self._left = left
        return blocks

    def _short(self, block: bytes) -> bool:
        if len(block) <= self._limit:
            return True
        self.counts.oversize += 1
        return False

    def _unusual(self, block: bytes, layout: Layout[T] | None, out: list[T | Response]) -> None:
        """A block that is no event, or one that comes while a cut event waits for its rest."""
        if not self._short(block):
            return
        lines = block.decode("utf-8", "replace").split("\r\n")
        if lines[0].startswith("Asterisk Call Manager") and self.banner is None:
            self.banner = lines.pop(0)
        waiting = self._open
        if waiting is not None:
            names = [line.partition(":")[0] for line in lines]
            if layout is not None and lines[0].startswith("Event: ") and layout.begins(lines, names) is not None:
                self._open = None
                self.counts.dropped += 1
                self._beside(layout, lines, 1, out)
                return
            host, begun, pieces = waiting
            if pieces < _MOST_PIECES:
                begun += ["", *lines]  # the blank line is no line of Asterisk's
                if any(line.startswith(host.finals) for line in lines):
                    self._beside(host, begun, pieces + 1, out)
                else:
                    self._open = (host, begun, pieces + 1)
                return
            self._open = None
            self.counts.dropped += 1
        if lines and lines[0].startswith("Response: "):
            out.append(Response(_headers(lines)))
        elif lines and lines != [""]:
            self.counts.dropped += 1

    def _beside(self, layout: Layout[T], lines: list[str], pieces: int, out: list[T | Response]) -> None:
        """An event that is not in order: what of it can be told."""
        found = layout.align(lines)
        if found is Verdict.CUT:
            self._open = (layout, lines, pieces)
            return
        self._open = None
        if isinstance(found, Verdict):
            self.counts.dropped += 1
            return
        values, foreign = found
        self.counts.forged_lines += foreign
        self.counts.forged_events += pieces - 1
        out.append(layout.make(values))


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    doubled = set()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            continue
        if name in found:
            doubled.add(name)
        found[name] = value.removeprefix(" ")
    return {name: value for name, value in found.items() if name not in doubled}
