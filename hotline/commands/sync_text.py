"""What ``hotline sync`` says of rounds and differences: one line each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from crm.instep import Mend, What, agreeing
from crm.quality import Blemish, Fault
from hotline.instep_quality import CUSTOMERS
from storage.crm_sync import Open, Round

LONGEST_CELL = 40

WHAT = {
    What.MISSING: "never written there",
    What.GONE: "taken away there",
    What.TWICE: "there twice",
    What.CUSTOMER: "on another customer there",
    What.OURS_NEWER: "status newer here",
    What.THEIRS_NEWER: "status newer there",
    What.APART: "status differs, both know",
    What.UNNAMED: "their status has no word here",
    What.ALTERED: "note altered there",
    What.REFUSED: "the CRM refused it",
    What.COPY: "our copy of the customer differs",
    What.NOBODY: "no such customer there",
}
MEND = {
    Mend.CALL: "write the note again",
    Mend.TICKET: "write the ticket again",
    Mend.FOLLOW: "take their status",
    Mend.ASSIGN: "take their customer",
    Mend.REFRESH: "read the customer again",
    Mend.SEARCH: "search the customer again",
    Mend.CLOSE: "close the copy there",
    Mend.PERSON: "a person must decide",
}
FAULTS = {
    Fault.UNREADABLE: "numbers that no caller could show",
    Fault.PHONELESS: "customers without a number",
    Fault.SHARED: "numbers of several customers",
    Fault.LONGER: "texts longer than the CRM takes",
}


def open_line(left: Open) -> tuple[str, ...]:
    """A difference as a row: number, what, call, ticket, ours, theirs, what a repair does, why it could not."""
    each = left.difference
    subject = "" if left.call is None else str(left.call)
    if each.subject.startswith("customer:"):
        subject = each.subject
    mending = "is being repaired" if left.mending is not None else left.trouble or ""
    what = WHAT[each.what]
    return (str(left.id), what, subject, left.ticket_number or "", each.ours, each.theirs, MEND[each.mend], mending)


def round_line(found: Round | None, left: Sequence[Open], zone: ZoneInfo) -> str:
    """How far both sides agree."""
    if found is None or found.ended is None:
        return "both sides were never compared to the end"
    when = datetime.fromtimestamp(found.ended, zone).strftime("%Y-%m-%d %H:%M:%S")
    subjects = len({each.difference.subject for each in left})
    waiting = f", {found.waiting} not compared: about to be written" if found.waiting else ""
    agree = "nothing to compare" if found.accuracy is None else f"{found.accuracy:.2f} % in step"
    since = agreeing(found.compared, min(subjects, found.compared))
    by_now = "" if since in (None, found.accuracy) else f"; by now {since:.2f} %"
    return f"{when}: {agree}, {found.differing} of {found.compared} differ{waiting}{by_now}; {subjects} differ now"


def faults_line(counts: Mapping[str, int]) -> str:
    """What is wrong with how many."""
    parts = [f"{counts.get(fault.value, 0)} {text}" for fault, text in FAULTS.items()]
    return f"{counts.get(CUSTOMERS, 0)} customers; {'; '.join(parts)}"


def blemish_line(blemish: Blemish) -> str:
    """One of them."""
    others = f" also of {', '.join(blemish.others)}" if blemish.others else ""
    return f"{blemish.fault.value}: {blemish.customer_id} {blemish.name} {blemish.said}{others}".rstrip()


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns, long cells cut; nothing in a cell may end a line."""
    cells = [[_cut(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"
