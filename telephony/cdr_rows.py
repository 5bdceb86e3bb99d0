"""One row of a PBX's call records: a line of cdr_csv's Master.csv or a row of a database table. Pure.

Asterisk writes a row for each party that a channel was connected to or tried; what a call was is told by all of them
(:mod:`telephony.cdr_calls`). Seen on Asterisk 16.28 and 22.10: a caller's CR LF stands in ``src`` and ``clid`` as it
came, so a record may have several lines, and one of them may be made to look like a record. What a caller cannot do is
write a single double quote: each becomes two. A line counts as a record only where quotes stand as Asterisk writes
them, which none inside a quoted field does.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from telephony.identity import made_at

_TEXT, _TIME, _INT = r'"(?:[^"]|"")*+"', r'(?:"[\d :-]*")?', r"-?\d*"
_BASE = rf"(?:{_TEXT},){{9}}(?:{_TIME},){{3}}{_INT},{_INT},{_TEXT},{_TEXT}"
# Then what cdr.conf adds: loguniqueid, loguserfield, newcdrcolumns (peeraccount, linkedid, sequence).
_RECORD = re.compile(rf"{_BASE}(?P<texts>(?:,{_TEXT}){{0,4}})(?P<sequence>,\d+)?\r?\n?", re.ASCII)
_NAME = re.compile(r'"(.*)" <.*>', re.DOTALL)
_BASE_FIELDS = 16
_HALF_AN_HOUR = 1800.0

# The columns of the usual tables (cdr_adaptive_odbc, cdr_mysql of FreePBX and Issabel, cdr_pgsql, cdr_sqlite3_custom).
ALIASES: Mapping[str, tuple[str, ...]] = {
    "uniqueid": ("uniqueid",),
    "linkedid": ("linkedid",),
    "sequence": ("sequence",),
    "channel": ("channel",),
    "dest": ("dstchannel",),
    "caller": ("src",),
    "name": ("clid",),
    "dialled": ("dst",),
    "did": ("did",),
    "userfield": ("userfield",),
    "app": ("lastapp",),
    "data": ("lastdata",),
    "start": ("start", "calldate"),
    "answer": ("answer",),
    "end": ("end",),
    "duration": ("duration",),
    "disposition": ("disposition",),
}
NEEDED = ("uniqueid", "channel", "dest", "start", "disposition")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One connection, or try of one, between ``channel`` and ``dest``. Times are epoch seconds, whole ones in a CSV.

    ``did`` is what a column of that name holds (FreePBX has one), ``dialled`` is ``dst``, which the dialplan and each
    transfer write over.
    ``answered``: the disposition says so; where ``dest`` is empty it tells of the caller's own
    channel only.
    """

    uniqueid: str
    channel: str
    dest: str
    start: float
    end: float
    answered: bool
    answer: float | None = None
    linkedid: str | None = None
    sequence: int = 0
    caller: str = ""
    caller_name: str = ""
    dialled: str = ""
    did: str = ""
    userfield: str = ""
    app: str = ""
    data: str = ""


def hours_off(rows: Iterable[Row]) -> float | None:
    """By how many hours the times of most rows miss those in their Uniqueids: they are of another zone. None: they fit.

    A row begins when its channel is made, or while that channel lives.
    """
    offs = sorted(row.start - made for row in rows if (made := made_at(row.uniqueid)) is not None)
    usual = offs[len(offs) // 2] if offs else 0.0
    return round(usual / 1800) / 2 if abs(usual) > _HALF_AN_HOUR else None


def is_record(text: str) -> bool:
    """Whether this is one whole record of a Master.csv, with or without its line end."""
    return _RECORD.fullmatch(text) is not None


def from_csv(text: str, zone: tzinfo) -> Row | None:
    """The row of a whole record; None for what is none, or has no Uniqueid (``loguniqueid=no``)."""
    sound = _RECORD.fullmatch(text)
    if sound is None:
        return None
    fields = next(csv.reader(io.StringIO(text, newline="")))
    sequence = fields.pop() if sound["sequence"] else "0"
    more = fields[_BASE_FIELDS:]
    linkedid = more.pop() if sound["sequence"] and len(more) > 1 else None  # before it: peeraccount, the last but one
    if linkedid is not None:
        more.pop()
    uniqueid = more[0] if more else ""
    if made_at(uniqueid) is None:
        return None
    start, end = _moment(fields[9], zone), _moment(fields[11], zone)
    if start is None:
        return None
    return Row(
        uniqueid=uniqueid,
        linkedid=linkedid or None,
        sequence=int(sequence),
        channel=fields[5],
        dest=fields[6],
        caller=fields[1],
        caller_name=_name(fields[4]),
        dialled=fields[2],
        userfield=more[1] if len(more) > 1 else "",
        app=fields[7],
        data=fields[8],
        start=start,
        end=start if end is None else max(start, end),
        answer=_moment(fields[10], zone),
        answered=fields[14] == "ANSWERED",
    )


def from_table(values: Mapping[str, Any], zone: tzinfo) -> Row | None:
    """The row of a database row by our names (:data:`ALIASES`); None where it has no Uniqueid or no time."""
    uniqueid, start = _text(values, "uniqueid"), _moment(values.get("start"), zone)
    if not uniqueid or start is None:
        return None
    end = _moment(values.get("end"), zone)
    if end is None:
        end = start + float(values.get("duration") or 0)
    return Row(
        uniqueid=uniqueid,
        linkedid=_text(values, "linkedid") or None,
        sequence=int(values.get("sequence") or 0),
        channel=_text(values, "channel"),
        dest=_text(values, "dest"),
        caller=_text(values, "caller"),
        caller_name=_name(_text(values, "name")),
        dialled=_text(values, "dialled"),
        did=_text(values, "did"),
        userfield=_text(values, "userfield"),
        app=_text(values, "app"),
        data=_text(values, "data"),
        start=start,
        end=max(start, end),
        answer=_moment(values.get("answer"), zone),
        answered=_text(values, "disposition").upper() in ("ANSWERED", "8"),
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _name(clid: str) -> str:
    found = _NAME.fullmatch(clid)
    return "" if found is None else found[1]


def _moment(value: object, zone: tzinfo) -> float | None:
    """Epoch seconds of a time as databases and files have it: naive ones are the zone's; None where there is none."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).timestamp()
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str) or not value or value.startswith("0000"):
        return None
    try:
        return _moment(datetime.fromisoformat(value.strip()), zone)
    except ValueError:
        return None


def written(moment: float, zone: tzinfo) -> datetime:
    """A moment as a naive time of the zone: what a table without time zones holds."""
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
