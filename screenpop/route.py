"""What a route is: an address, who may ask for it, and what the API's document says of it.

Every room of pages has a table ``ROUTES`` of its own; :mod:`screenpop.routes` joins them. The test of rights and the
API's document read nothing else.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from screenpop.rights import Right

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Scope(StrEnum):
    """What a program's token may be used for; never more than its owner may."""

    CALLS = "calls"  # read calls, their transcripts and recordings
    TICKETS = "tickets"  # read tickets and customers, search
    WRITE = "write"  # change tickets, summaries, customers; notes
    DESK = "desk"  # the agent's own state, phone and cards
    NUMBERS = "numbers"  # callers' numbers in full
    AUDIT = "audit"  # who looked at what
    PRIVACY = "privacy"  # export and erase what is kept of one person
    STATUS = "status"  # how the service does, deliveries


class Shape(BaseModel):
    """JSON that comes in or goes out, with nothing else in it. Times are epoch seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Api:
    """What the API's document tells of a route.

    ``summary``: one line. ``scope``: what a token needs; None: any will do. ``people``: none will, only a person's own
    login (passwords, second factors, tokens). ``query``: its parameters as fields. ``errors``: statuses beside those
    that every route may give (401, 403, 404 of an address with a key, 503). ``media``: where the answer is no JSON.
    """

    summary: str
    scope: Scope | None
    answer: type[Shape] | None = None
    body: type[Shape] | None = None
    query: type[Shape] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    media: str = "application/json"
    people: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``right`` None: for everybody, logged in or not. ``api``: of routes that programs use."""

    method: str
    path: str
    handler: Handle
    right: Right | None
    api: Api | None = None
