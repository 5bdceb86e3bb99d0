"""What agrees and what does not: each way to differ by itself, and never a difference where there is none."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.connector import Item, Of, Ref, Seen, Status
from crm.customer import Customer
from crm.instep import Difference, Mend, OurCustomer, OurNote, OurTicket, What, agreeing, customer, note, ticket

NAMED = [status for status in Status if status is not Status.UNKNOWN]
LATER = {Status.WORKING, Status.SOLVED, Status.CLOSED}
OURS = OurTicket("ticket:7", "20261122-0007", Status.ACCEPTED, "c1", "t1", Status.ACCEPTED, Status.ACCEPTED, LATER)
THEIRS = Item(Ref(Of.TICKET, "t1", "v1"), "20261122-0007 热水器漏水", Status.ACCEPTED, "新建", customer_id="c1")
NOTE = OurNote("call:hq:1.1", "hq:1.1", {"c1"}, "n1", ("等待 0:05 后接听。", "问题：热水器漏水"))
SEEN = Seen(Ref(Of.NOTE, "n1"), "c1", "来电\n等待 0:05\n后接听。\n问题： 热水器漏水\n客户很急")
WANG = Customer("c1", "王芳", level="金牌", vip=True)


def kinds(found: list[Difference]) -> list[tuple[What, Mend]]:
    """What differs, and what is done about it."""
    return [(each.what, each.mend) for each in found]


@pytest.mark.parametrize(
    ("ours", "there", "expected"),
    [
        (OURS, THEIRS, []),
        (replace(OURS, id=None), None, [(What.MISSING, Mend.TICKET)]),
        (OURS, None, [(What.GONE, Mend.TICKET)]),
        (replace(OURS, refused="no such stage"), THEIRS, [(What.REFUSED, Mend.TICKET)]),
        (replace(OURS, status=Status.WORKING), THEIRS, [(What.OURS_NEWER, Mend.TICKET)]),
        (OURS, replace(THEIRS, status=Status.SOLVED), [(What.THEIRS_NEWER, Mend.FOLLOW)]),
        (replace(OURS, may_become=()), replace(THEIRS, status=Status.SOLVED), [(What.THEIRS_NEWER, Mend.PERSON)]),
        (replace(OURS, status=Status.CLOSED), replace(THEIRS, status=Status.WORKING), [(What.APART, Mend.PERSON)]),
        (replace(OURS, theirs=Status.SOLVED), replace(THEIRS, status=Status.SOLVED), [(What.APART, Mend.PERSON)]),
        (OURS, replace(THEIRS, status=Status.UNKNOWN, said="等待配件"), [(What.UNNAMED, Mend.PERSON)]),
        (OURS, replace(THEIRS, customer_id="c2"), [(What.CUSTOMER, Mend.ASSIGN)]),
        (OURS, replace(THEIRS, customer_id=None), [(What.CUSTOMER, Mend.PERSON)]),
        (replace(OURS, customer_id=None), THEIRS, [(What.CUSTOMER, Mend.ASSIGN)]),
        (
            OURS,
            replace(THEIRS, customer_id="c2", status=Status.SOLVED),
            [(What.CUSTOMER, Mend.ASSIGN), (What.THEIRS_NEWER, Mend.FOLLOW)],
        ),
    ],
)
def test_a_ticket(ours: OurTicket, there: Item | None, expected: list[tuple[What, Mend]]) -> None:
    """Each by itself, and two at once."""
    assert kinds(ticket(ours, there, None)) == expected


def test_a_copy_counts_while_it_is_open() -> None:
    """Not the record itself, and not one that was closed."""
    copy = replace(THEIRS, ref=Ref(Of.TICKET, "t2"))
    closed = replace(copy, status=Status.CLOSED)
    [found] = ticket(OURS, THEIRS, "t2", [THEIRS, copy, closed])
    assert (found.what, found.mend, found.detail) == (What.TWICE, Mend.CLOSE, {"id": "t2"})


@pytest.mark.parametrize(
    ("ours", "there", "expected"),
    [
        (NOTE, SEEN, []),
        (replace(NOTE, id=None), None, [(What.MISSING, Mend.CALL)]),
        (NOTE, None, [(What.GONE, Mend.CALL)]),
        (replace(NOTE, mend=Mend.TICKET), None, [(What.GONE, Mend.TICKET)]),
        (replace(NOTE, refused="too long"), SEEN, [(What.REFUSED, Mend.CALL)]),
        (NOTE, replace(SEEN, customer_id="c2"), [(What.CUSTOMER, Mend.CALL)]),
        (NOTE, replace(SEEN, customer_id=None), []),
        (replace(NOTE, customers={"c1", "c2"}), replace(SEEN, customer_id="c2"), []),
        (NOTE, replace(SEEN, text="来电 问题：热水器漏水"), [(What.ALTERED, Mend.CALL)]),
        (NOTE, replace(SEEN, text=""), []),
        (replace(NOTE, says=None), replace(SEEN, text=""), []),
        (replace(NOTE, says=None), replace(SEEN, text="其他"), []),
    ],
)
def test_a_note(ours: OurNote, there: Seen | None, expected: list[tuple[What, Mend]]) -> None:
    """What people there add is theirs to add, and what they emptied theirs to empty."""
    assert kinds(note(ours, there, None)) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (OurCustomer("c1", {("王芳", True)}, WANG, needed=True), WANG, []),
        (OurCustomer("c1", {("王方", True)}, WANG), WANG, [(What.COPY, Mend.REFRESH)]),
        (OurCustomer("c1", {("王芳", False)}, WANG), WANG, [(What.COPY, Mend.REFRESH)]),
        (OurCustomer("c1", {("王芳", True)}, replace(WANG, level="银牌")), WANG, [(What.COPY, Mend.REFRESH)]),
        (OurCustomer("c1", {("王芳", True)}), None, []),
        (OurCustomer("c1", {("王芳", True)}, WANG), None, [(What.NOBODY, Mend.REFRESH)]),
        (OurCustomer("c1", {("王芳", True)}, needed=True), None, [(What.NOBODY, Mend.SEARCH)]),
        (OurCustomer("c1", (), needed=True), replace(WANG, id="c2"), [(What.NOBODY, Mend.SEARCH)]),
    ],
)
def test_a_customer(ours: OurCustomer, theirs: Customer | None, expected: list[tuple[What, Mend]]) -> None:
    """Names and marks on tickets, the card of the index; what is over keeps the name it had."""
    assert kinds(customer(ours, theirs)) == expected


statuses = st.sampled_from(NAMED)


@settings(max_examples=200, deadline=None)
@given(ours=statuses, theirs=st.sampled_from(list(Status)), told=statuses | st.none(), seen=statuses | st.none())
def test_statuses_agree_when_they_are_the_same_and_a_repair_never_undoes_a_move(
    ours: Status, theirs: Status, told: Status | None, seen: Status | None
) -> None:
    """Whoever moved alone is followed; where both moved nobody is."""
    found = ticket(replace(OURS, status=ours, told=told, theirs=seen), replace(THEIRS, status=theirs), None)
    assert bool(found) is (ours is not theirs)
    for each in found:
        if each.mend is Mend.TICKET:
            assert theirs is seen or seen is None
        if each.mend is Mend.FOLLOW:
            assert ours is told or told is None


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.text(min_size=1, max_size=20), max_size=5), between=st.text(" \n\t", max_size=3))
def test_a_note_reads_the_same_however_the_crm_breaks_its_lines(words: list[str], between: str) -> None:
    """And whatever stands before and behind."""
    text = f"标题{between}{between.join(words)}{between}后来添加"
    assert note(replace(NOTE, says=words), replace(SEEN, text=text), None) == []


@pytest.mark.parametrize(
    ("compared", "differing", "percent"),
    [(0, 0, None), (1, 0, 100.0), (3, 1, 66.66), (1_000_000, 1, 99.99), (100, 100, 0.0)],
)
def test_accuracy_is_never_rounded_up(compared: int, differing: int, percent: float | None) -> None:
    """One of a million still shows."""
    assert agreeing(compared, differing) == percent
