"""The key every write to a CRM goes under: the same call and the same intent give the same key, always. Pure.

``hotline:<site>:<pbx>:<linkedid>:<kind>``, at most :data:`LONGEST` characters, without spaces and colons in its parts:
it fits where systems keep it (Odoo's external id, a custom field of Request Tracker, Zammad's ``callId`` of 250).
"""

import re
from dataclasses import dataclass
from hashlib import sha256

LONGEST = 200  # characters of a whole key
NOTE = "note"
TICKET = "ticket"

_LONGEST_PART = 45
_UNFIT = re.compile(r"[^\w.@+~-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """The parts of a key. A part that was unfit or too long is kept as it was written into the key."""

    site: str
    pbx: str
    linkedid: str
    kind: str


def key_of(site: str, pbx: str, linkedid: str, kind: str) -> str:
    """The key of one intent (``note``, ``ticket``, ``status-3``) about one call. ValueError when a part is empty.

    ``site`` is the installation's name: renamed, its calls get other keys, and older notes are not found again.
    """
    parts = (site, pbx, linkedid, kind)
    if not all(part.strip() for part in parts):
        raise ValueError(f"a key needs all of site, pbx, call and kind: {parts}")
    return ":".join(("hotline", *map(_fit, parts)))


def read_key(text: str) -> Key | None:
    """The parts of a key of ours; None for anything else."""
    head, *parts = text.split(":")
    if head != "hotline" or len(parts) != 4 or any(not part or _fit(part) != part for part in parts):  # noqa: PLR2004
        return None
    return Key(*parts)


def _fit(part: str) -> str:
    """The part if it may stand in a key; else what of it may, with a digest of the whole to keep it apart."""
    if not _UNFIT.search(part) and len(part) <= _LONGEST_PART:
        return part
    digest = sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{_UNFIT.sub('_', part)[: _LONGEST_PART - 13]}~{digest}"
