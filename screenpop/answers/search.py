"""What a search finds, as the API tells it."""

from typing import Self

from pydantic import Field

from screenpop.answers.calls import Call, fields_of
from screenpop.answers.customers import FoundCustomer
from screenpop.answers.tickets import Ticket
from screenpop.route import Shape
from storage.search import CallHit
from storage.search_snippets import Snippet

LONGEST = 200
MOST = 100


class SearchQuery(Shape):
    """What to look for: words, beginnings and ends of numbers; all of them must be there."""

    q: str = Field(min_length=1, max_length=LONGEST, examples=["漏水"])
    line: str | None = Field(None, max_length=32)
    cursor: int | None = Field(None, ge=0, lt=10**18, description="from the answer before: older calls")
    limit: int = Field(20, ge=1, le=MOST)


class Said(Shape):
    """Where it was said: the turn, and in its text the marks (from, to) of what was looked for."""

    turn: int
    speaker: str
    agent: str | None
    start: float
    text: str
    marks: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, snippet: Snippet) -> Self:
        """From the search's answer."""
        return cls(
            turn=snippet.position,
            speaker=snippet.speaker,
            agent=snippet.agent,
            start=snippet.start,
            text=snippet.text,
            marks=tuple((mark[0], mark[1]) for mark in snippet.marks),
        )


class FoundCall(Call):
    """A call, and where it was said."""

    said: tuple[Said, ...]

    @classmethod
    def of_hit(cls, hit: CallHit, *, full: bool = False) -> Self:
        """From the search's answer; ``full``: with the caller's number."""
        return cls(**fields_of(hit.item, full=full), said=tuple(Said.of(one) for one in hit.snippets))


class Found(Shape):
    """Calls, newest first, with a cursor; with the first page the tickets, and customers best match first.

    ``limit`` goes for each of them. Lines have no customers: those are found whatever ``line`` says.
    """

    calls: tuple[FoundCall, ...]
    cursor: int | None
    tickets: tuple[Ticket, ...]
    customers: tuple[FoundCustomer, ...]
