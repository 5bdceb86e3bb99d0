"""Who asks, how the service does, and what its summaries are worth, as the API tells it."""

from typing import Self

from pydantic import ConfigDict, Field, JsonValue

from screenpop.answers.calls import Call
from screenpop.rights import Right, Role
from screenpop.route import Scope, Shape
from storage.bursts import Noticed
from storage.summary_edits import Corrected

Told = dict[str, JsonValue]


class Me(Shape):
    """Who is logged in. ``token``: the program's, null for a person; ``scopes``: what it may be used for."""

    login: str
    name: str
    role: Role
    extension: str | None = Field(description="the phone this login sits at")
    rights: tuple[Right, ...]
    token: str | None = None
    scopes: tuple[Scope, ...] | None = None


class CorrectionsQuery(Shape):
    """Of how many days."""

    days: int = Field(30, ge=1, le=3650)


class CorrectedLine(Shape):
    """How many of a line's summaries people ``edited``; ``parts``: how many of them in what."""

    line: str
    engine: str
    model: str
    summaries: int
    edited: int
    parts: dict[str, int]

    @classmethod
    def of(cls, one: Corrected) -> Self:
        """From the count."""
        return cls(
            line=one.line,
            engine=one.engine,
            model=one.model,
            summaries=one.summaries,
            edited=one.edited,
            parts=one.parts,
        )


class Corrections(Shape):
    """By line and model, most summaries first."""

    days: int
    corrected: tuple[CorrectedLine, ...]


class Burst(Shape):
    """Something that came more often than usual. ``kind``: what ``value`` is; ``peak`` came in one hour, not ``usual``.

    ``calls``: its newest.
    """

    id: int
    line: str
    kind: str = Field(examples=["fault_code"])
    value: str
    begins: float
    last: float
    over: bool
    callers: int
    peak: int
    usual: float
    noticed: float
    words: tuple[str, ...]
    calls: tuple[Call, ...]

    @classmethod
    def of(cls, one: Noticed, now: float) -> Self:
        """From the row."""
        burst = one.burst
        return cls(
            id=one.id,
            line=one.line,
            kind=one.kind,
            value=one.value,
            begins=burst.begins,
            last=burst.last,
            over=burst.over(now),
            callers=burst.callers,
            peak=burst.peak,
            usual=burst.usual,
            noticed=one.noticed,
            words=one.words,
            calls=tuple(Call.of(item) for item in one.samples),
        )


class BurstList(Shape):
    """Of the last day, the newest first."""

    bursts: tuple[Burst, ...]


class ServiceStatus(Shape):
    """What the status page shows. What is in a part is for people's eyes and may grow; further parts may follow.

    ``pbx``: each link; ``jobs``: how many by state; ``gaps``: when a PBX was not heard; ``crm``, ``routing``,
    ``speech``, ``recordings``: what stands in their way; ``database``: its trouble, null: none.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    pbx: tuple[Told, ...] = ()
    live_calls: int | None = None
    gaps: tuple[Told, ...] = ()
    shadow: Told | None = None
    jobs: dict[str, int] | None = None
    routing: JsonValue = None
    crm: Told | None = None
    speech: str | None = None
    recordings: Told | None = None
    database: str | None = None
    waiting_writes: int | None = None
    pages: int | None = Field(None, description="pages that are open in this process")
