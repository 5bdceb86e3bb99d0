"""What a server that keeps the PBX's recordings must be able to do, and which of its names we would ever use.

Two kinds exist: :mod:`telephony.fetch_http`, :mod:`telephony.fetch_sftp`. Neither writes anything there.
"""

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from telephony.recordings import LONGEST_NAME

_PART = re.compile(r"[^/\\\x00-\x1f\x7f]+")
PIECE = 65536  # bytes read at once


class RemoteError(Exception):
    """The server did not give what was asked, for now; the text is for the operator."""


class TooLargeError(Exception):
    """A file larger than the limit: nothing of it is kept."""


class Store(Protocol):
    """The server's files below the configured folder, by relative names. All methods raise RemoteError."""

    async def size(self, name: str) -> int | None:
        """Bytes; None: there is no such file."""

    async def names(self, folder: str) -> Sequence[str] | None:
        """Names of the files in a folder, none where there is no folder; None: this server cannot list."""

    async def fetch(self, name: str, into: Path) -> None:
        """Write a whole file to ``into``, a draft. Raises TooLargeError as soon as it is known."""


class Remote(Protocol):
    """A server. ``base``: its folder as the PBX itself knows it, "" where that is not known."""

    base: str

    def open(self) -> AbstractAsyncContextManager[Store]:
        """A connection. Raises RemoteError."""


def below(name: str, base: str = "") -> str | None:
    """The name to ask for, of one that was told: relative, below the folder; None for one that could lead elsewhere.

    Of a path on the PBX what stands behind ``base`` counts, or behind Asterisk's own folder of recordings.
    """
    if len(name) > LONGEST_NAME:
        return None
    if name.startswith("/"):
        for root in (base.rstrip("/") + "/", "/var/spool/asterisk/monitor/"):
            if len(root) > 1 and name.startswith(root):
                name = name.removeprefix(root)
                break
        else:
            return None
    parts = name.split("/")
    return name if all(_PART.fullmatch(part) and part not in (".", "..") for part in parts) else None
