"""What Asterisk says of a channel when a FastAGI connection opens. Pure: lines in, an environment out.

A caller writes lines of his own into it: ``agi_callerid``, ``agi_calleridname``, ``agi_dnid`` and ``agi_extension`` are
sent as they came, CR LF and blank lines included (Asterisk 22.10 was seen doing it, with ``%0D%0A`` in the user part
of From). So a header counts only in its place in the order Asterisk writes them, and the environment ends only where
all of them were there: that is more than the 79 bytes a caller has in one field. Every other line is counted and
dropped, and the number of a caller who sent such lines is unknown.
"""

import re

from telephony.identity import is_number

ORDER = (
    *("network", "network_script", "request", "channel", "language", "type", "uniqueid", "version"),
    *("callerid", "calleridname", "callingpres", "callingani2", "callington", "callingtns", "dnid", "rdnis"),
    *("context", "extension", "priority", "enhanced", "accountcode", "threadid"),
)
"""The headers of 22.10 and 16.28, without their ``agi_``; the arguments follow."""

MOST_LINES = 200

_HEADER = re.compile(r"agi_([a-z0-9_]+): (.*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNIQUEID = re.compile(r"[A-Za-z0-9_.-]{1,150}")


class Environment:
    """One channel's environment. :meth:`take` lines until it says that all is there."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._arguments: list[str] = []
        self._lines = 0
        self.strange = 0
        self.complete = False

    @property
    def script(self) -> str:
        """What was asked for: the path of ``agi://host/path``, without its query."""
        return self._values.get("network_script", "").partition("?")[0]

    @property
    def uniqueid(self) -> str | None:
        """The channel's Uniqueid; None when it is none."""
        found = self._values.get("uniqueid", "")
        return found if _UNIQUEID.fullmatch(found) else None

    @property
    def caller(self) -> str | None:
        """The caller's number as it arrived; None when it is withheld, no number, or in doubt."""
        found = self._values.get("callerid", "")
        return found if not self.strange and is_number(found) else None

    def argument(self, position: int) -> str | None:
        """An argument by its position from 1; None when it is not there, empty or holds control characters."""
        if position > len(self._arguments):
            return None
        found = self._arguments[position - 1]
        return found if found and not _CONTROL.search(found) else None

    def take(self, line: str) -> bool:
        """Take a line without its end; true when it was the last one. ValueError for what never ends."""
        self._lines += 1
        if self._lines > MOST_LINES:
            raise ValueError(f"more than {MOST_LINES} lines")
        found = _HEADER.fullmatch(line)
        known = len(self._values)
        if known < len(ORDER):
            if found is not None and found[1] == ORDER[known]:
                self._values[found[1]] = found[2]
            else:
                self.strange += 1
        elif not line:
            self.complete = True
        elif found is not None and found[1] == f"arg_{len(self._arguments) + 1}":
            self._arguments.append(found[2])
        else:
            self.strange += 1
        return self.complete
