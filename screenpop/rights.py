"""Who may do what: one table, read by every page, and by the test that walks every route as every role.

Pure. Rights that depend on the row (whose call, whose list) are told apart by name: ``ALL_CALLS`` beside ``READ``.
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is here."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Right(StrEnum):
    """Something a page or an endpoint asks for."""

    ACCOUNT = "account"  # be logged in; one's own sessions, second factor and tokens
    DESK = "desk"  # own state, own cards, a phone: ring back, call by a click
    READ = "read"  # open own calls with their recordings, and any ticket one is led to; search among them
    TICKETS = "tickets"  # edit tickets one is led to: a colleague's case goes on when the caller rings again
    ALL_TICKETS = "all_tickets"  # list everybody's tickets, and be told of new ones
    ALL_CALLS = "all_calls"  # open any call and hear its recording
    UNMASKED = "unmasked"  # hear recordings without a tone over what is masked in their transcripts
    NUMBERS = "numbers"  # have callers' numbers shown in full; each look is audited
    LISTENS = "listens"  # see who listened
    AUDIT = "audit"  # read the audit trail
    PRIVACY = "privacy"  # export and erase what is kept of one person
    STATUS = "status"  # how the service is doing: links, jobs, deliveries


_AGENT = frozenset({Right.ACCOUNT, Right.DESK, Right.READ, Right.TICKETS, Right.NUMBERS})
_SUPERVISOR = _AGENT | {Right.ALL_TICKETS, Right.ALL_CALLS, Right.UNMASKED, Right.LISTENS}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.AGENT: _AGENT,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMIN: frozenset(Right),
    Role.AUDITOR: frozenset(
        {Right.ACCOUNT, Right.READ, Right.ALL_TICKETS, Right.ALL_CALLS, Right.LISTENS, Right.AUDIT}
    ),
}


def may(role: Role, right: Right) -> bool:
    """Whether a role has a right."""
    return right in RIGHTS[role]
