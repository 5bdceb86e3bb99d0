"""Captured streams and how their facts are written down for people."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from hotline.replay import facts_of
from telephony.call import Fact
from telephony.events import Event
from telephony.framing import Counts, Framer, Response
from telephony.lines import Lines
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker

CAPTURES = Path(__file__).parent.parent / "captures"

Stream = Callable[[str], bytes]
Tell = Callable[[Iterable[bytes]], list[Fact]]
Write = Callable[[Iterable[Fact]], str]
Events = Callable[[bytes], list[Event]]
NewTracker = Callable[[], Tracker]


def _tracker() -> Tracker:
    lines = Lines({"4007002505": ("01062802505",), "4008001234": ()})
    return Tracker("pbx", lines, ("PJSIP/carrier",), {"PJSIP/1001b": "1001"}, voicemail_event="CC400Voicemail")


def _text(fact: Fact, began: float | None) -> str:
    """``  12.345 left       1001 transferred``: seconds since the first fact, what happened, to whom, why."""
    names = [name for name in type(fact).__dataclass_fields__ if name not in ("call", "at")]
    values = [(name, getattr(fact, name)) for name in names]
    words = [
        " ".join(value) if isinstance(value, tuple) else name if value is True else f"{name}={value}"
        for name, value in values
        if value not in (None, False, ())
    ]
    when = "      ?.???" if fact.at is None or began is None else f"{fact.at - began:11.3f}"
    return f"{when} {fact.call.linkedid} {type(fact).__name__.lower():11} {' '.join(words)}".rstrip()


@pytest.fixture(scope="session")
def tracker() -> NewTracker:
    """A tracker of the captured company."""
    return _tracker


@pytest.fixture(scope="session")
def stream() -> Stream:
    """The bytes of ``situation/asterisk22``."""

    def load(name: str) -> bytes:
        return gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes())

    return load


@pytest.fixture(scope="session")
def tell() -> Tell:
    """The facts of a stream that arrives in these reads."""

    def told(reads: Iterable[bytes]) -> list[Fact]:
        return list(facts_of(reads, _tracker()))

    return told


@pytest.fixture(scope="session")
def write() -> Write:
    """Facts as people read them, one a line."""

    def written(facts: Iterable[Fact]) -> str:
        told = list(facts)
        began = next((fact.at for fact in told if fact.at is not None), None)
        return "".join(_text(fact, began) + "\n" for fact in told)

    return written


@pytest.fixture(scope="session")
def events() -> Events:
    """The typed events of a stream."""

    def read(data: bytes) -> list[Event]:
        return [message for message in Framer(LAYOUTS, Counts()).feed(data) if not isinstance(message, Response)]

    return read


def pytest_collection_finish() -> None:
    """Captures are read from disk by name: a folder without a stream is a mistake, not an empty test."""
    for folder in CAPTURES.iterdir():
        assert any(folder.glob("*.ami.gz")), f"{folder} holds no stream"
