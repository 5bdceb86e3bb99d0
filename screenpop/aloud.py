"""A sentence to read to somebody who asks how their matter goes: whose it is, how it stands, what comes next. Pure.

It says nothing that the ticket does not say, and promises nothing of its own. What was promised is told in the words of
the call, which are Chinese in either language.
"""

from collections.abc import Mapping
from datetime import date

from storage.recalled import OpenTicket
from tickets.ticket import Status
from transcription.account import Step

Sentences = Mapping[str, str]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_ZH = {Status.ACCEPTED: "已经受理", Status.WORKING: "正在处理", Status.SOLVED: "已经解决", Status.CLOSED: "已经办结"}
_EN = {
    Status.ACCEPTED: "has been accepted",
    Status.WORKING: "is being worked on",
    Status.SOLVED: "has been solved",
    Status.CLOSED: "is closed",
}


def aloud(open_ticket: OpenTicket, today: date | None) -> Sentences:
    """The sentence in both languages of the pages. ``today``: of the site; None: nobody is told that time ran out."""
    ticket, step = open_ticket.ticket, open_ticket.promise
    what = ticket.title or open_ticket.summary
    owner = open_ticket.owner_name or ticket.owner
    zh = f"您反映的“{_said_to(what)}”{_ZH[ticket.status]}" if what else f"您的问题{_ZH[ticket.status]}"
    en = f"Your matter “{what}” {_EN[ticket.status]}" if what else f"Your matter {_EN[ticket.status]}"
    if owner:
        zh, en = f"{zh}，由{owner}负责", f"{en}; {owner} looks after it"
    zh, en = f"{zh}。", f"{en}."
    if step is not None:
        zh, en = zh + _promised_zh(step, today), f"{en} {_promised_en(step, today)}"
    return {"zh_CN": zh, "en": en}


def _promised_zh(step: Step, today: date | None) -> str:
    what, when = _said_to(step.what), _when_zh(step.by_when, today)
    if step.who == "caller":
        return f"我们在等您：{what}{f'，{when}' if when else ''}。"
    if _over(step, today):
        return f"原来答应您：{what}，{when}。这个时间已经过了，我为您核实一下。"
    return f"我们答应您：{what}{f'，{when}' if when else ''}。"


def _promised_en(step: Step, today: date | None) -> str:
    when = _when_en(step.by_when, today)
    told = f"{step.what}, {when}" if when else step.what
    if step.who == "caller":
        return f"We are waiting for you: {told}."
    if _over(step, today):
        return f"We had promised you: {told}. That time has passed; let me look into it."
    return f"We promised you: {told}."


def _said_to(what: str) -> str:
    """What was said of the customer, said to the customer."""
    return what.replace("客户", "您")


def _over(step: Step, today: date | None) -> bool:
    """Whether the day of a promise has passed. Within the day it is not too late to keep it."""
    day, _, _ = _taken(step.by_when)
    return day is not None and today is not None and day < today


def _when_zh(by_when: str, today: date | None) -> str:
    day, begins, ends = _taken(by_when)
    if day is None:
        return by_when
    told = f"{day.month}月{day.day}日"
    if today is None or day.year != today.year:
        told = f"{day.year}年{told}"
    return f"{told}{begins}至{ends}" if ends else f"最晚{told}{begins}"


def _when_en(by_when: str, today: date | None) -> str:
    day, begins, ends = _taken(by_when)
    if day is None:
        return by_when
    told = f"{day.day} {_MONTHS[day.month - 1]}"
    if today is None or day.year != today.year:
        told = f"{told} {day.year}"
    if ends:
        return f"on {told} between {begins} and {ends}"
    return f"by {told} {begins}".rstrip()


def _taken(by_when: str) -> tuple[date | None, str, str]:
    """``YYYY-MM-DD[THH:MM[/HH:MM]]`` taken apart; no day where it is none: a person may have typed anything."""
    told, _, ends = by_when.partition("/")
    day, _, begins = told.partition("T")
    try:
        return date.fromisoformat(day), begins, ends
    except ValueError:
        return None, "", ""
