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
_SEAM = 3  # bytes of a blank line that may have come with the read before
_CR = 13  # what such a read ends with, and the next begins with, is not above it
_LONG = 4096  # bytes; Asterisk's longest events have half of that
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
        self._kinds = {
            b"Event: " + name: (layout.sound.fullmatch, layout.make, layout.needle, layout)
            for name, layout in layouts.items()
        }
        self._limit = limit
        self._left = b""  # the beginning of a message, while it is short
        self._last = b""  # the last read of a long one
        self._pieces: list[bytes] | None = None  # all of it; None when it is too long to be read
        self._size = 0
        self._open: tuple[Layout[T], list[str], int] | None = None

    def feed(self, data: bytes) -> list[T | Response]:  # noqa: C901, PLR0912 - a call less for every read
        """Every message that these bytes complete."""
        if self._last:
            joint = data if len(data) >= _SEAM and data[0] > _CR else self._last[-_SEAM:] + data
            if joint.find(_END) < 0:
                self._last = joint
                if self._pieces is not None:
                    self._keep(data)
                return []
            data = self._ended(data)
        elif self._left:
            data = self._left + data
        blocks = data.split(_END)
        self._left = blocks.pop()
        if len(data) > _LONG:
            blocks = self._bounded(blocks)
        self.counts.messages += len(blocks)
        out: list[T | Response] = []
        kind_of = self._kinds.get
        for block in blocks:
            kind = kind_of(block[: block.find(b"\r\n")])
            if kind is None:
                if self._open is not None or block[:7] != b"Event: ":
                    self._unusual(block, out)
            elif self._open is not None:
                self._unusual(block, out)
            else:
                sound, make, needle, layout = kind
                if needle and needle not in block:
                    continue
                text = block.decode("utf-8", "replace")
                match = sound(text)
                if match is not None:
                    out.append(make(match.groups()))
                else:
                    self._beside(layout, text.split("\r\n"), 1, out)
        self.counts.events += len(out)
        return out

    def _bounded(self, blocks: list[bytes]) -> list[bytes]:
        """Those that are not too long to be read. An undivided rest that grows long is not searched again each time."""
        left = self._left
        if len(left) > _LONG:
            self._left, self._last, self._pieces, self._size = b"", left, [], 0
            self._keep(left)
        return [block for block in blocks if self._short(block)]

    def _ended(self, data: bytes) -> bytes:
        """What there is to read now that a long message is complete: with it, or behind it where it was too long."""
        joint, self._last = self._last[-_SEAM:] + data, b""
        if self._pieces is None:
            return joint[joint.find(_END) + len(_END) :]
        return b"".join((*self._pieces, data))

    def _keep(self, data: bytes) -> None:
        """More of a long message, unless it has grown too long."""
        self._size += len(data)
        if self._pieces is not None and self._size <= self._limit:
            self._pieces.append(data)
        else:
            self._pieces = None
            self.counts.oversize += 1

    def _short(self, block: bytes) -> bool:
        if len(block) <= self._limit:
            return True
        self.counts.oversize += 1
        return False

    def _unusual(self, block: bytes, out: list[T | Response]) -> None:
        """A block that is no event, one after an extra blank line, or one while a cut event waits for its rest."""
        block = block.lstrip(b"\r\n")  # TestEvent and Reload end with one blank line more (Asterisk 16 and 22)
        lines = block.decode("utf-8", "replace").split("\r\n")
        kind = self._kinds.get(block[: block.find(b"\r\n")])
        if lines[0].startswith("Asterisk Call Manager") and self.banner is None:
            self.banner = lines.pop(0)
        waiting = self._open
        if waiting is not None:
            names = [line.partition(":")[0] for line in lines]
            if kind is not None and kind[3].begins(lines, names) is not None:
                self._open = None
                self.counts.dropped += 1
                self._beside(kind[3], lines, 1, out)
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
        elif kind is not None:
            if kind[2] in block:
                self._beside(kind[3], lines, 1, out)
        elif lines and lines != [""] and not lines[0].startswith("Event: "):
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
