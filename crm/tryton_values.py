"""Values as Tryton's JSON has them, and the mark by which what we wrote is found again. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from crm.wording import Links, plain

LAST_ID = 2**31 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MARK = re.compile(r"\n?〔[^〔〕]+·\w+〕")
_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def readable(value: Any) -> Any:
    """A value of an answer with plain texts for times and amounts; related records stand under their field's own name.

    Tryton puts those beside the field, with a dot: ``status`` is an id, ``status.`` what was asked of that record.
    """
    if isinstance(value, list):
        return [readable(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "__class__" in value:
        return _SIMPLE.get(value["__class__"], _nothing)(value)
    own = {name: readable(each) for name, each in value.items() if not name.endswith(".")}
    return own | {name[:-1]: readable(each) for name, each in value.items() if name.endswith(".")}


def _time(value: Mapping[str, Any]) -> str:
    at = datetime(**{part: int(value[part]) for part in _PARTS}, tzinfo=UTC)
    return at.isoformat(timespec="microseconds")


def _day(value: Mapping[str, Any]) -> str:
    return date(int(value["year"]), int(value["month"]), int(value["day"])).isoformat()


def _amount(value: Mapping[str, Any]) -> str:
    return str(value["decimal"])


def _nothing(_: Mapping[str, Any]) -> None:
    """Pictures, durations: nothing that a card shows."""


_SIMPLE: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = {
    "datetime": _time,
    "date": _day,
    "Decimal": _amount,
}


def microseconds(text: Any) -> int:
    """Microseconds since the epoch of a time that :func:`readable` gave. ValueError when it is none."""
    return (datetime.fromisoformat(str(text)) - _EPOCH) // _MICROSECOND


def time_of(at: int) -> dict[str, Any]:
    """A time (microseconds since the epoch) as Tryton takes one."""
    when = _EPOCH + timedelta(microseconds=max(0, at))
    return {"__class__": "datetime", **{part: getattr(when, part) for part in _PARTS}}


def record_id(text: str) -> int | None:
    """An id as Tryton counts them; None of a text that can be none."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    return number if 0 < number <= LAST_ID else None


def digest(row: Mapping[str, Any]) -> str:
    """Another one whenever anything in the record is."""
    return sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()[:12]


def mark(key: str) -> str:
    """What stands in a text to tell that it is the one of ``key``; within brackets, as keys begin alike."""
    return f"〔{key}〕"


def note_mark(key: str) -> str:
    """How the mark of a note begins: it goes on with what our words come to, so that changed ones are known."""
    return f"〔{key}·"


def note_text(paragraphs: Sequence[str], links: Links, key: str, before: str = "") -> str:
    """The text of a note: ours, its mark, and whatever other people wrote into the text that stood there ``before``."""
    ours = plain([text for text in paragraphs if text.strip()], links).replace("\0", "").strip()
    return f"{ours}\n{note_mark(key)}{_sum(ours)}〕{_others(key, before)}"


def without_mark(text: str) -> str:
    """A note's words."""
    return _MARK.sub("", text).strip()


def _others(key: str, before: str) -> str:
    """What of a text is not ours: below our mark, and above it where somebody changed our words."""
    found = re.search(rf"{re.escape(note_mark(key))}(\w+)〕", before)
    if found is None:
        return f"\n{before}" if before.strip() else ""
    above, below = before[: found.start()].strip(), before[found.end() :]
    return below if _sum(above) == found[1] else f"\n{above}{below}"


def _sum(text: str) -> str:
    return sha256("".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def one_line(text: str) -> str:
    """A text as fields of one line take it: 7.8 refuses line ends there, and a backslash in names of works."""
    return " ".join(text.replace("\\", "＼").replace("\0", "").split())
