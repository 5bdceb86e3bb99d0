"""What of a Request Tracker is what for us: defaults over which the mapping file goes, rows made into records. Pure.

A record is what RT's REST interface says of a user or a ticket, its custom fields below ``cf`` by their names
(``cf.CustomerLevel``; spaces and dots of a name are written ``_``), Nobody left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from crm.connector import FieldInfo, Schema, Status
from crm.fieldmap import FieldMap, MappingError
from crm.terms import Terms

USER, TICKET = "user", "ticket"
LONGEST_TITLE = 200  # Tickets.Subject
LONGEST_PHONE = 30
CUSTOM = "CustomFields"
SYSTEM_USERS = frozenset({"RT_System", "Nobody"})

Record = dict[str, Any]
Also = Mapping[Status, Mapping[str, str]]

_DEFAULTS: Mapping[str, Any] = {
    "customer": {
        "object": USER,
        "name": ["RealName", "Name"],
        "phones": ["MobilePhone", "WorkPhone", "HomePhone", "PagerPhone"],
        "company": "Organization",
        "version": "LastUpdated",
    },
    "ticket": {
        "object": TICKET,
        "title": "Subject",
        "customer": "Requestor.id",
        "status": "Status",
        "owner": "Owner.id",
        "updated": "LastUpdated",
        "statuses": {"accepted": "new", "working": ["open", "stalled"], "solved": "resolved"},
    },
}
_PHONE = FieldInfo("text", LONGEST_PHONE)
_USER_FIELDS: Mapping[str, FieldInfo] = {
    **dict.fromkeys(("id", "Created", "LastUpdated", "Comments", "FreeformContactInfo"), FieldInfo("text")),
    **dict.fromkeys(("MobilePhone", "WorkPhone", "HomePhone", "PagerPhone"), _PHONE),
    **dict.fromkeys(("Name", "Organization", "Address1", "Address2"), FieldInfo("text", 200)),
    **dict.fromkeys(("RealName", "EmailAddress"), FieldInfo("text", 120)),
    **dict.fromkeys(("City", "State"), FieldInfo("text", 100)),
    **dict.fromkeys(("Country", "Timezone"), FieldInfo("text", 50)),
    **dict.fromkeys(("NickName", "Lang", "Gecos", "Zip"), FieldInfo("text", 16)),
}
_TICKET_FIELDS: Mapping[str, FieldInfo] = {
    "Subject": FieldInfo("text", LONGEST_TITLE),
    "Status": FieldInfo("text", 64),
    **dict.fromkeys(("id", "Owner", "Queue", "Requestor", "Creator", "LastUpdatedBy"), FieldInfo("text")),
    **dict.fromkeys(("Priority", "TimeWorked", "TimeLeft", "TimeEstimated"), FieldInfo("number")),
    **dict.fromkeys(("Created", "LastUpdated", "Started", "Starts", "Resolved", "Due"), FieldInfo("time")),
}


def mapping(given: Mapping[str, Any]) -> FieldMap:
    """The user's mapping over our defaults. Raises MappingError."""
    fields = FieldMap.read(given, _DEFAULTS)
    for name, table in (("purchases", fields.customer.purchases), ("contracts", fields.customer.contracts)):
        if table is not None and table.object:
            raise MappingError(f"customer.{name}.object: RT has no {table.object!r}: leave customer.{name} away")
    return fields


def unclear(fields: FieldMap, also: Also) -> str | None:
    """Why a status could not be set, or would be read as another; None when all is well."""
    words = fields.ticket.statuses
    ours = [status for status in Status if status is not Status.UNKNOWN]
    if missing := [status.value for status in ours if not words.get(status)]:
        return f"no word for {', '.join(missing)}"
    for one, other in combinations(ours, 2):
        if words[one][0] == words[other][0] and also.get(one, {}) == also.get(other, {}):
            return f"{one} and {other} are both {words[one][0]!r}: set also.{other} to a field that tells them apart"
    return None


def schema(custom: Mapping[str, Sequence[str]]) -> Schema:
    """What users and tickets have: RT tells its custom fields (``custom``: names by object), the rest is RT 5's."""
    return {
        name: {**held, **{f"cf.{label(each)}": FieldInfo("text") for each in custom.get(name, ())}}
        for name, held in ((USER, _USER_FIELDS), (TICKET, _TICKET_FIELDS))
    }


def asked_for(paths: Iterable[str]) -> str:
    """The ``fields`` of a request that brings what ``paths`` name."""
    heads = {path.partition(".")[0] for path in paths if path}
    return ",".join(sorted({"id", "Name", *(CUSTOM if head == "cf" else head for head in heads)}))


def customer_paths(fields: FieldMap) -> list[str]:
    """What is read of a user."""
    table = fields.customer
    paths = [*table.name, *table.phones, table.id, table.ext, table.company, table.level, table.vip, table.owner]
    lying = [part.within for part in (table.purchases, table.contracts) if part is not None]
    return [*paths, table.note, table.version, *lying]


def record(row: Mapping[str, Any]) -> Record:
    """A row of RT's as paths go through it."""
    found: Record = {name: value for name, value in row.items() if name != CUSTOM and not name.startswith("_")}
    held = row.get(CUSTOM)
    found["cf"] = {
        label(str(each.get("name", ""))): each.get("values") or []
        for each in (held if isinstance(held, list) else ())
        if isinstance(each, Mapping)
    }
    owner = found.get("Owner")
    if isinstance(owner, Mapping) and owner.get("id") in SYSTEM_USERS:
        del found["Owner"]
    return found


def label(name: str) -> str:
    """A custom field's name as a path may hold it."""
    return re.sub(r"[\s.]", "_", name)


def in_order(terms: Terms) -> str:
    """What LIKE is given to find a number however it was typed: its digits in their order, anything between them.

    RT puts % around it and leaves those inside alone (5.0.7 was seen doing it).
    """
    return "%".join(terms.national)


def quoted(text: str) -> str:
    """Text as TicketSQL takes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
