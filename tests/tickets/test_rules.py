"""Which ticket a call belongs to."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.rules import Incoming, Join, JoinReason, LinePolicy, Open, OpenReason, place
from tickets.ticket import Status, Ticket

NOW = 1_795_147_200.0
HOUR = 3600.0
LINE, OTHER_LINE = "4007002505", "4008001234"
LI, WANG = "+8613812345678", "+8613900000000"

CALL = Incoming(line=LINE, caller=LI, customer_id=None, now=NOW)
BASE = Ticket(
    id=1,
    number="20261120-0001",
    status=Status.WORKING,
    line=LINE,
    title="",
    caller=LI,
    customer_id=None,
    customer_name=None,
    category=None,
    urgency=None,
    owner=None,
    opened=NOW - HOUR,
    changed=NOW - HOUR,
)


def ticket(number: int = 1, **changes: object) -> Ticket:
    """A ticket of Li on our line an hour ago, but for what is named."""
    return replace(BASE, id=number, **changes)  # type: ignore[arg-type]


CASES = [
    ("a first call opens a ticket", CALL, [], LinePolicy(), Open(OpenReason.FIRST)),
    ("a second call joins", CALL, [ticket()], LinePolicy(), Join(1, JoinReason.NUMBER)),
    ("a stranger's ticket is none of ours", CALL, [ticket(caller=WANG)], LinePolicy(), Open(OpenReason.FIRST)),
    ("another line is another matter", CALL, [ticket(line=OTHER_LINE)], LinePolicy(), Open(OpenReason.FIRST)),
    ("solved is over", CALL, [ticket(status=Status.SOLVED)], LinePolicy(), Open(OpenReason.FIRST)),
    ("closed is over", CALL, [ticket(status=Status.CLOSED)], LinePolicy(), Open(OpenReason.FIRST)),
    ("a line may want a ticket a call", CALL, [ticket()], LinePolicy(join_open=False), Open(OpenReason.POLICY)),
    (
        "within the window",
        CALL,
        [ticket()],
        LinePolicy(join_window_s=HOUR),
        Join(1, JoinReason.NUMBER),
    ),
    ("after the window", CALL, [ticket()], LinePolicy(join_window_s=HOUR - 1), Open(OpenReason.STALE)),
    (
        "a clock that went back does not age a ticket",
        replace(CALL, now=NOW - 2 * HOUR),
        [ticket()],
        LinePolicy(join_window_s=1),
        Join(1, JoinReason.NUMBER),
    ),
    (
        "the same customer from another telephone",
        replace(CALL, caller=WANG, customer_id="C1"),
        [ticket(customer_id="C1")],
        LinePolicy(),
        Join(1, JoinReason.CUSTOMER),
    ),
    (
        "customer before number, however old",
        replace(CALL, customer_id="C1"),
        [ticket(1, customer_id="C1", caller=WANG, changed=NOW - 9 * HOUR), ticket(2)],
        LinePolicy(),
        Join(1, JoinReason.CUSTOMER),
    ),
    (
        "among several the one something happened on last",
        CALL,
        [ticket(1, changed=NOW - 3 * HOUR), ticket(2, changed=NOW - 1), ticket(3, changed=NOW - 2 * HOUR)],
        LinePolicy(),
        Join(2, JoinReason.NUMBER),
    ),
    (
        "at one moment the younger ticket",
        CALL,
        [ticket(2), ticket(3), ticket(1)],
        LinePolicy(),
        Join(3, JoinReason.NUMBER),
    ),
    (
        "a caller not yet looked up joins the customer's ticket by number",
        CALL,
        [ticket(customer_id="C1")],
        LinePolicy(),
        Join(1, JoinReason.NUMBER),
    ),
    (
        "a customer found joins the ticket nobody had a name for",
        replace(CALL, customer_id="C1"),
        [ticket()],
        LinePolicy(),
        Join(1, JoinReason.NUMBER),
    ),
    (
        "two customers behind one switchboard do not meet on a ticket",
        replace(CALL, customer_id="C2"),
        [ticket(customer_id="C1")],
        LinePolicy(),
        Open(OpenReason.FIRST),
    ),
    (
        "a withheld caller has nobody's ticket",
        replace(CALL, caller=None),
        [ticket(caller=None)],
        LinePolicy(),
        Open(OpenReason.WITHHELD),
    ),
    (
        "not even a customer's",
        replace(CALL, caller=None, customer_id="C1"),
        [ticket(customer_id="C1")],
        LinePolicy(),
        Open(OpenReason.WITHHELD),
    ),
]


@pytest.mark.parametrize(
    ("incoming", "tickets", "policy", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_call_finds_its_ticket(
    incoming: Incoming, tickets: list[Ticket], policy: LinePolicy, expected: Join | Open
) -> None:
    """The table above."""
    assert place(incoming, tickets, policy) == expected


customers = st.sampled_from([None, "C1", "C2"])
callers = st.sampled_from([None, LI, WANG])
lines = st.sampled_from([LINE, OTHER_LINE])
moments = st.floats(NOW - 5 * HOUR, NOW)
incomings = st.builds(Incoming, line=lines, caller=callers, customer_id=customers, now=st.just(NOW))
policies = st.builds(LinePolicy, join_open=st.booleans(), join_window_s=st.none() | st.floats(0, 6 * HOUR))
some_tickets = st.lists(
    st.builds(
        ticket,
        st.integers(1, 9),
        status=st.sampled_from(Status),
        line=lines,
        caller=callers,
        customer_id=customers,
        changed=moments,
    ),
    max_size=6,
    unique_by=lambda it: it.id,
)


@given(incomings, some_tickets, policies)
def test_nobody_lands_on_a_strangers_ticket(incoming: Incoming, tickets: list[Ticket], policy: LinePolicy) -> None:
    """Whatever lies about: a joined ticket is open, on the line, and the caller's own by customer or number."""
    decision = place(incoming, tickets, policy)
    if isinstance(decision, Join):
        joined = next(it for it in tickets if it.id == decision.ticket_id)
        assert joined.status.open
        assert joined.line == incoming.line
        assert incoming.caller is not None
        known = incoming.customer_id is not None and incoming.customer_id == joined.customer_id
        unclaimed = incoming.customer_id is None or joined.customer_id is None
        assert known or (incoming.caller == joined.caller and unclaimed)


@given(incomings, some_tickets, policies)
def test_the_order_tickets_come_in_does_not_matter(
    incoming: Incoming, tickets: list[Ticket], policy: LinePolicy
) -> None:
    """The database may tell them in any order."""
    mixed = sorted(tickets, key=lambda it: (it.id * 7919) % 10)
    assert place(incoming, mixed, policy) == place(incoming, tickets, policy)
