"""What Asterisk's identifiers tell by themselves: when a channel was made, whether a caller's number is one. Pure."""

import re

_EPOCH = re.compile(r"(?:.*-)?(\d{9,11})\.\d+", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}")


def made_at(uniqueid: str) -> float | None:
    """When a channel was made, by its Uniqueid (``1795290326.99``, or with a system name before it)."""
    found = _EPOCH.fullmatch(uniqueid)
    return None if found is None else float(found[1])


def is_number(text: str) -> bool:
    """Whether a caller's number may be one: whatever else a caller had put there is nobody's number."""
    return _NUMBER.fullmatch(text) is not None
