"""What there is to tell of a call by now, in the order it is told. Pure.

Made anew from the call's page whenever something of it changed: what was told already is known by its name. Nothing is
told of a call that may be a forgery: it is on a ticket, or it is not told of.
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from crm.push import Ending, Happening, Told, What
from storage.pages import CallPage
from storage.records import EventKind, RecordingRow
from telephony.call import CallKey
from transcription.account import Summary


class Teller:
    """Tells of calls. ``names``: of agents by extension. ``link``: where people see a call, None where nobody can."""

    def __init__(self, site: str, names: Mapping[str, str], link: Callable[[CallKey], str | None]) -> None:
        self._site, self._names, self._link = site, names, link

    def happenings(self, page: CallPage) -> Iterator[Happening]:
        """Everything that happened to the call."""
        if page.item.ticket is None:
            return
        told, item = self._told(page), page.item
        names = {**self._names, **item.names}
        yield Happening("arrived", What.ARRIVED, item.arrived, told)
        if item.customer_id is not None:
            yield Happening(f"identified:{_short(item.customer_id)}", What.IDENTIFIED, None, told)
        for event in page.events:
            if event.kind is EventKind.ANSWERED:
                name = f"answered:{event.subject}:{event.at:.3f}"
                who, queue = (event.subject, names.get(event.subject)), event.detail.get("queue")
                yield _by(who, name, What.ANSWERED, event.at, told, queue=queue)
        if item.outcome is not None:
            last = item.agents[-1] if item.agents else None
            ending = Ending(item.outcome.value)
            yield _by(
                (last, names.get(last or "")),
                f"ended:{ending}",
                What.ENDED,
                item.ended,
                told,
                ending=ending,
                seconds=item.duration,
            )
        for row in page.recordings:
            if row.deleted is None:
                detail = {"recording": _recording(row)}
                yield Happening(f"recorded:{_short(row.name)}", What.RECORDED, None, told, detail=detail)
        if page.summary is not None and item.said is not None:
            detail = {"summary": _summary(page.summary)}
            yield Happening(f"summarised:{item.said:.3f}", What.SUMMARISED, item.said, told, detail=detail)

    def _told(self, page: CallPage) -> Told:
        item = page.item
        return Told(
            site=self._site,
            call=str(item.key),
            line=item.line,
            caller=item.e164 or item.caller,
            arrived=item.arrived,
            customer=None if item.customer_id is None else (item.customer_id, item.customer_name or item.customer_id),
            vip=item.vip,
            ticket=None if item.ticket is None else item.ticket.number,
            link=self._link(item.key),
        )


def _by(
    who: tuple[str | None, str | None],
    name: str,
    what: What,
    at: float | None,
    told: Told,
    *,
    queue: str | None = None,
    ending: Ending | None = None,
    seconds: float | None = None,
) -> Happening:
    """``who``: the agent's extension, and name."""
    detail = {} if seconds is None else {"seconds": round(seconds, 3)}
    return Happening(name, what, at, told, *who, queue, ending, detail)


def _recording(row: RecordingRow) -> Mapping[str, Any]:
    return {"kind": row.kind.value, "seconds": row.seconds}


def _summary(summary: Summary) -> Mapping[str, Any]:
    """What an outsider can use: without where in the talk it was said."""
    return {
        "issue": summary.issue,
        "category": summary.category,
        "urgency": summary.urgency,
        "sentiment": summary.sentiment,
        "facts": [{"kind": fact.kind, "value": fact.value, "speaker": fact.speaker} for fact in summary.facts],
        "promises": [{"who": each.who, "what": each.what, "by_when": each.by_when} for each in summary.promises],
    }


def _short(text: str) -> str:
    """A name of any length as sixteen digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
