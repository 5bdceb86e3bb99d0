"""Who may do what: one table, read by every page, and by the test that walks every route as every role.

Pure. Rights that depend on the row (whose call, whose list) are told apart by name: ``ALL_CALLS`` beside ``DESK``.
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is here."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Right(StrEnum):
    """Something a page or an endpoint asks for."""

    DESK = "desk"  # own cards, own calls with their recordings, own tickets
    TICKETS = (
        "tickets"  # read and edit any ticket one is led to: a colleague's case goes on when the caller rings again
    )
    ALL_TICKETS = "all_tickets"  # list everybody's tickets, and be told of new ones
    ALL_CALLS = "all_calls"  # open any call and hear its recording
    UNMASKED = "unmasked"  # hear recordings without a tone over what is masked in their transcripts
    LISTENS = "listens"  # see who listened
    STATUS = "status"  # how the service is doing: links, jobs


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.AGENT: frozenset({Right.DESK, Right.TICKETS}),
    Role.SUPERVISOR: frozenset(
        {Right.DESK, Right.TICKETS, Right.ALL_TICKETS, Right.ALL_CALLS, Right.UNMASKED, Right.LISTENS}
    ),
    Role.ADMIN: frozenset(Right),
}


def may(role: Role, right: Right) -> bool:
    """Whether a role has a right."""
    return right in RIGHTS[role]
