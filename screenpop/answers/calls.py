"""Calls as the API tells them, and what people may correct of their summaries."""

from typing import Any, Self

from pydantic import Field, JsonValue

from numbering.display import mask
from numbering.identify import identify
from screenpop.answers.names import CustomerName, TalkerOfCall, TicketOfCall
from screenpop.call_pages import Player, transcript_state
from screenpop.route import Shape
from screenpop.sounds import Why
from storage.pages import CallItem, CallPage
from storage.records import AlarmKind, EventKind, Phase, RecordingKind, Waiting
from telephony.call import Outcome
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Step, Summary, Urgency
from transcription.corrections import Correction, Part
from transcription.transcript import Speaker, Turn


class Call(Shape):
    """A call of a list. ``agents``: the extensions that talked, by first talk, ``talkers``: who sat there.

    ``duration`` in seconds.
    """

    call: str = Field(description="its key: the PBX's name, a colon, its Linkedid", examples=["main:1795147200.1"])
    caller: str | None = Field(description="as it arrived, or masked (138****5678); null: withheld")
    e164: str | None = Field(description="null where the number is masked")
    region: str | None
    line: str
    phase: Phase
    outcome: Outcome | None
    arrived: float
    answered: float | None
    ended: float | None
    duration: float | None
    agents: tuple[str, ...]
    talkers: tuple[TalkerOfCall, ...]
    customer: CustomerName | None
    ticket: TicketOfCall | None
    recorded: bool
    waiting: Waiting | None = Field(description="what its transcript waits for")

    @classmethod
    def of(cls, item: CallItem, *, full: bool = False) -> Self:
        """From the row; ``full``: with the caller's number."""
        return cls(**fields_of(item, full=full))


class CallEvent(Shape):
    """Something that happened to a call. ``subject``: the agent or queue, empty for the call as a whole."""

    at: float
    kind: EventKind
    subject: str
    detail: dict[str, JsonValue]


class CallListen(Shape):
    """Somebody heard the recording. ``who``: a login."""

    who: str
    at: float


class AgentTalk(Shape):
    """An agent talked with the caller, in seconds of the recording."""

    agent: str
    start: float
    end: float


class Recording(Shape):
    """A recording. ``legs``: where each voice is heard, null where no browser plays the format.

    ``withheld``: why it may not be heard by whoever asks. ``repaired``: the file's length was set right.
    """

    kind: RecordingKind
    began: float | None
    seconds: float
    repaired: bool
    deleted: float | None
    withheld: Why | None
    legs: dict[str, str | None]
    talk: tuple[AgentTalk, ...]

    @classmethod
    def of(cls, player: Player) -> Self:
        """From what the page plays."""
        row = player.recording
        return cls(
            kind=row.kind,
            began=row.began,
            seconds=player.seconds,
            repaired=row.repaired,
            deleted=row.deleted,
            withheld=player.withheld,
            legs={track.leg.value: track.url for track in player.tracks},
            talk=tuple(AgentTalk(agent=one.agent, start=one.start, end=one.end) for one in player.talk),
        )


class SpokenTurn(Shape):
    """One stretch of speech, in seconds of the recording; ``confidence`` 0 to 1."""

    speaker: Speaker
    agent: str | None
    start: float
    end: float
    text: str
    confidence: float

    @classmethod
    def of(cls, turn: Turn) -> Self:
        """From the transcript."""
        return cls(
            speaker=turn.speaker,
            agent=turn.agent,
            start=turn.start,
            end=turn.end,
            text=turn.text,
            confidence=turn.confidence,
        )


class SaidFact(Shape):
    """A value that was said, in which turns. ``sure`` false: the recogniser was in doubt. ``by`` null: the machine."""

    kind: FactKind
    value: str
    speaker: str
    at: float
    sure: bool
    turns: tuple[int, ...]
    by: str | None

    @classmethod
    def of(cls, fact: Detail) -> Self:
        """From the summary."""
        return cls(
            kind=fact.kind,
            value=fact.value,
            speaker=fact.speaker,
            at=fact.at,
            sure=fact.sure,
            turns=turns_of(fact),
            by=fact.by,
        )


class SaidPromise(Shape):
    """Who (``caller`` or ``agent``) promised what, and by when. ``by`` null: the machine heard it."""

    who: str
    what: str
    by_when: str
    turns: tuple[int, ...]
    by: str | None

    @classmethod
    def of(cls, promise: Promise) -> Self:
        """From the summary."""
        return cls(who=promise.who, what=promise.what, by_when=promise.by_when, turns=turns_of(promise), by=promise.by)


class NextStep(Shape):
    """Of the promises the one that falls due first."""

    who: str
    what: str
    by_when: str
    turns: tuple[int, ...]

    @classmethod
    def of(cls, step: Step) -> Self:
        """From the summary."""
        return cls(who=step.who, what=step.what, by_when=step.by_when, turns=step.turns)


class CallSummary(Shape):
    """A summary as people have it. ``evidence``: its sentences, and the turns each is taken from."""

    issue: str | None
    category: Category
    urgency: Urgency
    sentiment: Sentiment
    facts: tuple[SaidFact, ...]
    promises: tuple[SaidPromise, ...]
    next_step: NextStep | None
    evidence: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """From the summary with people's corrections laid over it."""
        return cls(
            issue=summary.issue,
            category=summary.category,
            urgency=summary.urgency,
            sentiment=summary.sentiment,
            facts=tuple(SaidFact.of(fact) for fact in summary.facts),
            promises=tuple(SaidPromise.of(promise) for promise in summary.promises),
            next_step=None if summary.next_step is None else NextStep.of(summary.next_step),
            evidence={sentence: tuple(turns) for sentence, turns in summary.evidence.items()},
        )


class SummaryCorrection(Shape):
    """A correction that holds. ``value`` null: it is not so; ``machine``: what the machine had said there."""

    part: Part
    key: str
    value: dict[str, str] | None
    machine: dict[str, str] | None
    who: str
    at: float

    @classmethod
    def of(cls, one: Correction) -> Self:
        """From the row."""
        return cls(
            part=one.part,
            key=one.key,
            value=None if one.value is None else dict(one.value),
            machine=None if one.machine is None else dict(one.machine),
            who=one.who,
            at=one.at,
        )


class CallAlarm(Shape):
    """Something people should look at."""

    kind: AlarmKind
    detail: str | None
    at: float


class WholeCall(Call):
    """A call whole. ``transcript``: why there are turns, or none yet. ``corrected``: send it back as ``seen``."""

    dialled: str
    events: tuple[CallEvent, ...]
    recordings: tuple[Recording, ...]
    transcript: str = Field(examples=["ready"], description="ready talking recording working model failed deleted none")
    turns: tuple[SpokenTurn, ...]
    summary: CallSummary | None
    corrected: int
    corrections: tuple[SummaryCorrection, ...]
    polished: dict[str, JsonValue] | None = Field(description="a language model's sentences that the turns bear out")
    alarms: tuple[CallAlarm, ...]
    listens: tuple[CallListen, ...] | None = Field(description="null: whoever asks does not see who listened")
    share: float | None = Field(description="how much is written down by now, 0 to 1; null: nothing was heard of late")

    @classmethod
    def of_page(
        cls,
        page: CallPage,
        players: list[Player],
        *,
        full: bool = False,
        listens: bool = False,
        share: float | None = None,
    ) -> Self:
        """From the rows, and what whoever asks may play; ``listens``: they see who listened."""
        return cls(
            **fields_of(page.item, full=full),
            dialled=page.dialled,
            events=tuple(
                CallEvent(at=event.at, kind=event.kind, subject=event.subject, detail=dict(event.detail))
                for event in page.events
            ),
            recordings=tuple(Recording.of(player) for player in players),
            transcript=transcript_state(page),
            turns=tuple(SpokenTurn.of(turn) for turn in (page.transcript.turns if page.transcript else ())),
            summary=None if page.summary is None else CallSummary.of(page.summary),
            corrected=page.corrected,
            corrections=tuple(SummaryCorrection.of(one) for one in page.corrections),
            polished=None if page.polished is None else dict(page.polished),
            alarms=tuple(CallAlarm(kind=one.kind, detail=one.detail, at=one.at) for one in page.alarms),
            listens=tuple(CallListen(who=one.who, at=one.at) for one in page.listens) if listens else None,
            share=share,
        )


def hidden(number: str | None) -> str | None:
    """A number with its middle hidden; null: withheld."""
    return mask(identify(number)) or None


def turns_of(said: Detail | Promise) -> tuple[int, ...]:
    """The turns that bear something out."""
    return tuple(said.turns or ((said.turn,) if said.turn >= 0 else ()))


def fields_of(call: CallItem, *, full: bool = False) -> dict[str, Any]:
    """The fields of a call of a list, for Shapes that hold more; ``full``: with the caller's number."""
    customer = None
    if call.customer_id is not None:
        customer = CustomerName(id=call.customer_id, name=call.customer_name, vip=call.vip)
    ticket = call.ticket
    return {
        "call": str(call.key),
        "caller": call.caller if full else hidden(call.e164 or call.caller),
        "e164": call.e164 if full else None,
        "region": call.region,
        "line": call.line,
        "phase": call.phase,
        "outcome": call.outcome,
        "arrived": call.arrived,
        "answered": call.answered,
        "ended": call.ended,
        "duration": call.duration,
        "agents": call.agents,
        "talkers": tuple(TalkerOfCall(extension=one.extension, login=one.login, name=one.name) for one in call.talkers),
        "customer": customer,
        "ticket": ticket and TicketOfCall(id=ticket.id, number=ticket.number, joined=ticket.joined),
        "recorded": call.recorded,
        "waiting": call.waiting,
    }
