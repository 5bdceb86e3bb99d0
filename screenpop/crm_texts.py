"""What the CRM's people read of our calls and tickets: plain text in the site's language. Connectors make HTML of it.

Texts depend on nothing but what is told, so that telling the same again gives the same text, and nothing is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from numbering.display import display
from numbering.identify import identify
from screenpop import words
from screenpop.i18n import Reader
from screenpop.words import N_
from storage.pages import CallItem, CallPage, TicketPage, TimelineItem
from telephony.call import Outcome
from transcription.account import Promise, Step, Summary
from transcription.transcript import Speaker

Links = tuple[tuple[str, str], ...]

CALLED = N_("{when}: called {line}.")
TALKING = N_("Answered by {agents} after {wait}; still talking.")
TALKED = N_("Answered by {agents} after {wait}; talked {talk}.")
GAVE_UP = N_("Nobody answered: the caller hung up after {wait}.")
MESSAGE = N_("Nobody answered: the caller left a message.")
LOST = N_("How the call ended is not known.")
MATTER = N_("Matter: {issue}")
SORT = N_("Category: {category}; urgency: {urgency}; mood: {mood}")
PROMISE = N_("Promise of the {who}: {what}")
PROMISE_UNTIL = N_("Promise of the {who}: {what} (until {until})")
DETAILS = N_("Details: {details}")
NEXT = N_("Next step: {what}")
NEXT_UNTIL = N_("Next step: {what} (until {until})")
CALL_BACK = N_("call the customer back")
TICKET = N_("Ticket {number}")
CALL_FROM = N_("Call from {caller}")
HEAR = N_("Recording and transcript")
SEE_CALL = N_("Details of the call")
SEE_TICKET = N_("The ticket in the call centre")
MOVED = N_("Ticket {number}: {before} → {after}")
MOVED_BY = N_("{when}, by {who}")
STALE = N_(
    "Ticket {number} went from {before} to {after} in the call centre ({when}, by {who}). Its status was changed here "
    "meanwhile, so it was left as it is."
)


@dataclass(frozen=True, slots=True)
class Text:
    """A heading, paragraphs and links (what, address)."""

    title: str
    paragraphs: tuple[str, ...]
    links: Links = ()


class Pen:
    """Writes. ``lines`` and ``agents``: names by number and by extension. ``url``: our pages' public address.

    Without ``url`` there are no links: an address that only this machine knows would be dead text there.
    """

    def __init__(
        self, reader: Reader, *, lines: Mapping[str, str], agents: Mapping[str, str], url: str | None = None
    ) -> None:
        self._reader, self._lines, self._agents = reader, lines, agents
        self._url = None if url is None else url.rstrip("/")

    def call(self, page: CallPage) -> Text:
        """A call as it is known now."""
        item = page.item
        told = (
            self._called(item),
            self._course(item),
            *(() if page.summary is None else self._said(page.summary)),
            *self._next(page),
        )
        ticket = () if item.ticket is None else (self._say(TICKET, number=item.ticket.number),)
        link = self._link(SEE_CALL if page.spoken is None else HEAR, f"/calls/{item.key}")
        state = self._label(words.PHASE, item.phase) if item.outcome is None else self._how(item)
        return Text(f"{self._caller(item)} · {state}", (*told, *ticket), link)

    def ticket(self, page: TicketPage) -> Text:
        """A ticket, to be made there. Its number stands first: titles may be cut."""
        ticket = page.item.ticket
        first = min(page.calls, key=lambda call: call.arrived, default=None)
        what = ticket.title or ("" if first is None else self._caller(first))
        paragraphs = () if first is None else (self._called(first),)
        link = self._link(SEE_TICKET, f"/tickets/{ticket.id}")
        return Text(f"{ticket.number} {what}".strip(), paragraphs, link)

    def move(self, page: TicketPage, line: TimelineItem) -> Text:
        """A change of a ticket's status, for the customer's timeline."""
        told = self._move(page, line)
        link = self._link(SEE_TICKET, f"/tickets/{page.item.ticket.id}")
        return Text(self._say(MOVED, **told), (self._say(MOVED_BY, **told),), link)

    def stale(self, page: TicketPage, line: TimelineItem) -> str:
        """The same as a comment on their ticket, whose status was left alone."""
        return self._say(STALE, **self._move(page, line))

    def _move(self, page: TicketPage, line: TimelineItem) -> dict[str, str]:
        return {
            "number": page.item.ticket.number,
            "before": self._label(words.STATUS, line.detail.get("from", "")),
            "after": self._label(words.STATUS, line.detail.get("to", "")),
            "when": self._reader.when(line.at),
            "who": line.who or "hotline",
        }

    def _called(self, item: CallItem) -> str:
        line = self._lines.get(item.line) or display(identify(item.line))
        return self._say(CALLED, when=self._reader.when(item.arrived), line=line)

    def _course(self, item: CallItem) -> str:
        names = {**self._agents, **item.names}
        agents = ", ".join(names.get(agent) or agent for agent in item.agents)
        if item.answered is not None:
            wait = self._reader.lasted(item.answered - item.arrived)
            if item.ended is None:
                return self._say(TALKING, agents=agents, wait=wait)
            return self._say(TALKED, agents=agents, wait=wait, talk=self._reader.lasted(item.ended - item.answered))
        if item.outcome is Outcome.VOICEMAIL:
            return self._say(MESSAGE)
        if item.outcome is Outcome.ABANDONED:
            return self._say(GAVE_UP, wait=self._reader.lasted(item.duration))
        return self._say(LOST)

    def _how(self, item: CallItem) -> str:
        missed = item.answered is None and item.outcome is Outcome.ABANDONED
        how = self._label(words.REACH, "missed") if missed else self._label(words.OUTCOME, item.outcome)
        talked = None if item.answered is None or item.ended is None else item.ended - item.answered
        return how if talked is None else f"{how} {self._reader.lasted(talked)}"

    def _said(self, summary: Summary) -> Iterator[str]:
        if summary.issue:
            yield self._say(MATTER, issue=summary.issue)
        yield self._say(
            SORT,
            category=self._label(words.CATEGORY, summary.category),
            urgency=self._label(words.URGENCY, summary.urgency),
            mood=self._label(words.SENTIMENT, summary.sentiment),
        )
        for promise in summary.promises:
            who = self._label(words.SPEAKER, promise.who)
            text = PROMISE_UNTIL if promise.by_when else PROMISE
            yield self._say(text, who=who, what=promise.what, until=_until(promise))
        details = [f"{self._label(words.DETAIL, fact.kind)} {fact.value}" for fact in summary.facts if fact.sure]
        if details:
            yield self._say(DETAILS, details="; ".join(details))

    def _next(self, page: CallPage) -> Iterator[str]:
        """What is to be done: call back whom nobody spoke with, else what was promised, the soonest first."""
        item = page.item
        step = None if page.summary is None else page.summary.next_step
        if item.answered is None and item.outcome in (Outcome.ABANDONED, Outcome.VOICEMAIL):
            yield self._say(NEXT, what=self._reader.say(CALL_BACK))
        elif step:
            who = "" if step.who == Speaker.AGENT else f"{self._label(words.SPEAKER, step.who)}: "
            yield self._say(NEXT_UNTIL if step.by_when else NEXT, what=f"{who}{step.what}", until=_until(step))

    def _caller(self, item: CallItem) -> str:
        shown = display(identify(item.e164 or item.caller))
        return self._say(CALL_FROM, caller=shown or self._reader.say(words.DESK["withheld"]))

    def _link(self, text: str, path: str) -> Links:
        return () if self._url is None else ((self._reader.say(text), f"{self._url}{path}"),)

    def _label(self, table: words.Words, code: object) -> str:
        text = str(getattr(code, "value", code))
        return self._reader.say(table[text]) if text in table else text

    def _say(self, text: str, **holes: str) -> str:
        return self._reader.say(text).format_map(holes)


def _until(promise: Promise | Step) -> str:
    return promise.by_when.replace("T", " ").replace("/", "–")
