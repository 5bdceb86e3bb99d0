"""What a summary is made of. :mod:`transcription.summary` makes one from turns; every piece points at its turns.

Kinds, categories and labels: see ``docs/summary.md``.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """What the call is about."""

    INVALID = "无效"
    PRAISE = "表扬"
    COMPLAINT = "投诉"
    INVOICE = "发票"
    RETURNS = "退换"
    REPAIR = "报修"
    LOGISTICS = "物流"
    PROGRESS = "进度"
    QUESTION = "咨询"


class Urgency(StrEnum):
    """How soon somebody must act."""

    HIGH = "高"
    MIDDLE = "中"
    LOW = "低"


class Sentiment(StrEnum):
    """The caller's mood over the whole call, from the words."""

    GOOD = "正面"
    NEUTRAL = "中性"
    BAD = "负面"


class FactKind(StrEnum):
    """Kinds of detail worth keeping."""

    ORDER_NO = "order_no"
    TICKET_NO = "ticket_no"
    MODEL = "model"
    FAULT_CODE = "fault_code"
    PHONE = "phone"
    ID_CARD = "id_card"
    BANK_CARD = "bank_card"
    TAX_NO = "tax_no"
    EMAIL = "email"
    AMOUNT = "amount"
    DATE = "date"
    TIME = "time"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Detail:
    """A value that was said: canonical ``value``, who said it, at which second, in which turn.

    ``turns`` are all turns that say it: its pieces where it was said in several, read-backs of it. Values of identity
    and bank cards are masked (``****1234``). ``sure`` is False where the recogniser was in doubt (confidence below 0.5)
    and nobody repeated the value: shown, but flagged.
    """

    kind: FactKind
    value: str
    speaker: str
    at: float
    turn: int
    turns: tuple[int, ...] = ()
    sure: bool = True
    by: str | None = None  # who put it there; None: the machine


@dataclass(frozen=True, slots=True)
class Promise:
    """Who (``caller`` or ``agent``) bound himself or his company to what, and by when.

    ``by_when`` is the last moment in the line's local time: ``YYYY-MM-DD``, ``YYYY-MM-DDTHH:MM`` or a window
    ``YYYY-MM-DDTHH:MM/HH:MM``; '' when no time was said. ``turns`` are the turns that say it.
    """

    who: str
    what: str
    by_when: str
    turn: int
    turns: tuple[int, ...] = ()
    by: str | None = None  # who put it there; None: the machine


@dataclass(frozen=True, slots=True)
class Step:
    """The next thing somebody must do: of the promises, the one that falls due first. Fields as in :class:`Promise`."""

    who: str
    what: str
    by_when: str
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The call in short. ``evidence`` maps each sentence shown to the turns (indexes) that say it.

    ``reasons`` maps ``category``, ``urgency`` and ``sentiment`` to the turns that decided them; a label without an
    entry is the default, which nothing spoke against.
    """

    issue: str | None  # None: not detected
    category: Category
    urgency: Urgency
    sentiment: Sentiment
    facts: tuple[Detail, ...]
    promises: tuple[Promise, ...]
    evidence: dict[str, tuple[int, ...]]
    reasons: dict[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def next_step(self) -> Step | None:
        """What somebody must do next and by when; None where nobody promised anything.

        The soonest day first (one without an hour before its hours), then what has no day, the company's before the
        caller's. It follows corrections: whoever takes a promise out takes it out here.
        """
        if not self.promises:
            return None
        first = min(self.promises, key=lambda promise: (promise.by_when or "~", promise.who))
        return Step(first.who, first.what, first.by_when, first.turns or ((first.turn,) if first.turn >= 0 else ()))
