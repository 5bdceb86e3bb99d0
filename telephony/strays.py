"""Looks through a folder of recordings for sound files that may belong to no call. Blocking: call it in a thread.

Only names that hold a Uniqueid are looked at, and not those that say themselves that they are of another kind of call:
FreePBX records outbound and internal calls in the same folders.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from telephony.recordings import SUFFIXES

_UNIQUEID = re.compile(r"(?<![0-9.])([0-9]{9,11}\.[0-9]{1,9})(?![0-9])(?!\.[0-9])")
_OTHERS = ("out-", "internal-", "exten-", "external-", "oncall-")
MOST = 50_000  # files looked at


class Found(NamedTuple):
    """A sound file with a Uniqueid in its name, below the root; ``changed`` in epoch seconds."""

    name: str
    uniqueid: str
    bytes: int
    changed: float


def look(root: Path, *, since: float, before: float) -> list[Found]:
    """Sound files that changed since then and are older than ``before``, at most :data:`MOST` of them.

    In the root itself and in its day folders (YYYY/MM/DD). Raises OSError when the root cannot be read.
    """
    base = root.resolve()
    found: list[Found] = []
    for folder in ("", *_days(since, before)):
        if len(found) >= MOST:
            break
        found += [file for file in _folder(base, folder) if since <= file.changed < before]
    return found[:MOST]


def uniqueid_of(name: str) -> str | None:
    """The Uniqueid in a file's name, which begins with the seconds of the call's arrival; the last of several."""
    found = _UNIQUEID.findall(PurePosixPath(name).stem)
    return found[-1] if found else None


def _folder(base: Path, folder: str) -> Iterator[Found]:
    try:
        entries = list(os.scandir(base / folder))
    except FileNotFoundError:
        if not folder:
            raise
        return
    for entry in entries:
        uniqueid = uniqueid_of(entry.name)
        if uniqueid is None or not entry.name.endswith(SUFFIXES) or entry.name.lower().startswith(_OTHERS):
            continue
        try:
            if entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield Found(str(PurePosixPath(folder) / entry.name), uniqueid, stat.st_size, stat.st_mtime)
        except FileNotFoundError:
            continue  # deleted while we looked


def _days(since: float, before: float) -> Iterator[str]:
    """Day folders of this span; the PBX's zone may be another than ours, so one more on either side."""
    day = datetime.fromtimestamp(since, UTC) - timedelta(days=1)
    last = datetime.fromtimestamp(before, UTC) + timedelta(days=1)
    while day <= last:
        yield day.strftime("%Y/%m/%d")
        day += timedelta(days=1)
