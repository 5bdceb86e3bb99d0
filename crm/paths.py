"""Where something stands in a record that came as JSON. Pure.

A path names a field, parted by dots into what lies in it (``company.name``); a list on the way is walked through
(``phones.number`` are all numbers), a number picks one (``phones.0.number``). Whatever a record holds, looking into it
raises nothing: what is not there is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SECONDS = 9  # digits of an epoch time: fewer are a day such as 20261122
_MILLISECONDS = 12


def values(record: Any, path: str) -> list[Any]:
    """Everything that stands at ``path``, lists taken apart; the record itself, or its parts, for an empty path."""
    found = [record]
    for step in path.split(".") if path else ():
        found = [inner for each in found for inner in _step(each, step)]
    return [item for each in found for item in (each if isinstance(each, list | tuple) else (each,))]


def texts(record: Any, path: str) -> list[str]:
    """What stands at ``path``, as text; nothing, null, false and blanks are left out. An empty path is nothing."""
    return [text for item in values(record, path) if (text := _text(item))] if path else []


def first(record: Any, paths: Sequence[str]) -> str | None:
    """The first text at the first path that has one."""
    return next((text for path in paths for text in texts(record, path)), None)


def holds(record: Any, path: str) -> bool:
    """Whether there is such a place, with something in it or not; an empty list on the way may have had it."""
    found = [record]
    for step in path.split(".") if path else ():
        if any(each == [] for each in found):
            return True
        found = [inner for each in found for inner in _step(each, step)]
    return bool(found)


def records(record: Any, path: str) -> list[Mapping[str, Any]]:
    """The objects that stand at ``path``."""
    return [item for item in values(record, path) if isinstance(item, Mapping)]


def moment(text: str | None) -> float | None:
    """Epoch seconds of ISO 8601 or of digits; without a zone it is UTC, as APIs have it. None when it is neither."""
    if text is None:
        return None
    whole, _, rest = text.partition(".")
    if whole.isdecimal() and len(whole) >= _SECONDS and (not rest or rest.isdecimal()):
        return float(text) / (1000 if len(whole) >= _MILLISECONDS else 1)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _step(value: Any, step: str) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if step in value:
            yield value[step]
    elif isinstance(value, list | tuple):
        if step.isdecimal():
            yield from value[int(step) : int(step) + 1]
        else:
            for item in value:
                yield from _step(item, step)


def _text(value: Any) -> str:
    if value is None or value is False or isinstance(value, Mapping):
        return ""
    return "true" if value is True else str(value).strip()
