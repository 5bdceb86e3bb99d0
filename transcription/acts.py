"""An act somebody is bound to do. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from transcription.transcript import Speaker

MEETINGS = ("visit", "pickup")
ANSWERS = ("call", "notify", "reply", "apology")  # one act said twice: 核实后答复您, 给您回电话
MONEY = ("refund", "compensate", "bear")
_LATEST = 40  # acts among which a repetition is looked for


class Tie(StrEnum):
    """What the day of an act hangs on."""

    NONE = ""
    BEFORE = "before"  # 上门前打电话
    DAY_BEFORE = "day before"
    AFTER = "after"  # 修好了打电话


@dataclass(frozen=True, slots=True)
class Act:
    """One act that was promised. ``verbs``: what must be done before it, where it is tied to the end of that."""

    kind: str
    who: Speaker
    what: str
    by_when: str
    line: int
    turns: tuple[int, ...]
    sentence: tuple[int, int]  # line and start of its sentence
    tie: Tie = Tie.NONE
    verbs: str = ""
    counted: bool = False  # from the call (48小时内) or from an event (收到后三天), not a day that was named
    follows: bool = False  # begins with 让他们...: what was passed on in the clause before
    bare: bool = False  # only says when: of an act that was talked about

    @property
    def day(self) -> str:
        """The day it is due, or ''."""
        return self.by_when[:10]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is to happen on a day, whether or not somebody promised it."""

    line: int
    what: str
    day: str
