"""What a card tells of the caller's past, and whom a person chose: the same card whatever came first."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm.customer import Candidate, Customer, Match, Reason
from screenpop.card import Chosen, Filled, LineInfo, Recalled, Ticketed
from screenpop.desk import Desk
from storage.recalled import Choice, LastCall, Memory, OpenTicket, Standing
from telephony.call import Arrived, CallKey, Fact, Outcome, Rang
from tickets.ticket import Status, Ticket
from transcription.account import Step

CALL = CallKey("main", "1.1")
EARLIER = CallKey("main", "0.9")
LINE = "4007002505"
TODAY = date(2026, 11, 20)
LIN, ZHOU, CHEN = (Customer(each, name) for each, name in (("A", "林晓峰"), ("B", "周晓雯"), ("hotline:1", "陈一")))
BOTH = Match(tuple(Candidate(each, Reason.SWITCHBOARD, "010-8888 6666") for each in (LIN, ZHOU)))
SURE = Match((Candidate(LIN, Reason.MOBILE, "138"),), LIN)
BEGUN: tuple[Fact, ...] = (
    Arrived(call=CALL, at=1.0, caller="01088886666", caller_name=None, number=LINE, dialled=LINE),
    Rang(call=CALL, at=2.0, agent="1001"),
)


def matter(number: int, customer: str | None, title: str) -> OpenTicket:
    """An open ticket with a promise."""
    ticket = Ticket(number, f"N{number}", Status.WORKING, LINE, title, None, customer, None, None, None, "li", 1.0, 2.0)
    return OpenTicket(ticket, "李明", title, Step("agent", "上门", "2026-11-22", ()))


def chosen(number: int, customer: Customer | None, entered: Candidate | None = None) -> Chosen:
    """The ``number``-th word of a person on this call."""
    choice = None if customer is None else Choice(customer.id, customer.name, "李明", float(number))
    return Chosen(CALL, Standing(number, choice), entered)


def recalled(customer: str | None, *tickets: OpenTicket, remembered: Choice | None = None) -> Recalled:
    """What the database knows of somebody."""
    last = LastCall(EARLIER, 0.5, LINE, Outcome.ANSWERED, f"问题{customer}", "报修", ("李明",))
    return Recalled(CALL, customer, Memory(tickets, (last,), remembered), TODAY)


def card(*news: Filled | Chosen | Recalled | Ticketed) -> dict[str, Any]:
    """The card after all that."""
    desk = Desk({LINE: LineInfo("售后", "010")})
    for fact in (*BEGUN, *news):
        desk.apply(fact, 3.0)
    (shown,) = desk.page("1001")
    return shown


def test_a_card_tells_the_past() -> None:
    """Last calls with what they were about and who spoke, open tickets with owner and promise, a sentence."""
    shown = card(Filled(CALL, SURE), recalled("A", matter(3, "A", "漏水")), Ticketed(CALL, 9, "N9", joined=False))
    assert shown["last_calls"] == [
        {
            "call": "main:0.9",
            "at": 0.5,
            "line": "售后",
            "outcome": "answered",
            "issue": "问题A",
            "category": "报修",
            "agents": ["李明"],
        }
    ]
    (ticket,) = shown["tickets"]
    assert (ticket["owner_name"], ticket["summary"]) == ("李明", "漏水")
    assert ticket["promise"] == {"who": "agent", "what": "上门", "by_when": "2026-11-22"}
    assert shown["aloud"]["zh_CN"] == "您反映的“漏水”正在处理，由李明负责。我们答应您：上门，最晚11月22日。"


def test_nobodys_matter_is_read_to_a_stranger() -> None:
    """With several customers behind a number nothing is read aloud until somebody said who it is; then theirs alone."""
    all_of_them = recalled(None, matter(3, "A", "漏水"), matter(4, "B", "发票"), matter(5, None, "咨询"))
    before = card(Filled(CALL, BOTH), all_of_them)
    assert before["aloud"] is None
    assert [ticket["id"] for ticket in before["tickets"]] == [3, 4, 5], "the agent sees what came from this number"
    after = card(Filled(CALL, BOTH), all_of_them, chosen(1, ZHOU), recalled("B", matter(4, "B", "发票")))
    assert "发票" in after["aloud"]["zh_CN"]
    assert [ticket["id"] for ticket in after["tickets"]] == [4]
    assert after["last_calls"][0]["issue"] == "问题B"
    assert not after["match"]["sure"], "a person's word is no match"


def test_chosen_before_the_past_is_read_shows_nobody_elses() -> None:
    """The card does not go on showing what it knew of the number."""
    all_of_them = recalled(None, matter(3, "A", "漏水"), matter(4, "B", "发票"))
    waiting = card(Filled(CALL, BOTH, (matter(3, "A", "漏水").ticket,)), all_of_them, chosen(1, ZHOU))
    assert (waiting["tickets"], waiting["last_calls"], waiting["aloud"]) == ([], [], None)


def test_the_joined_ticket_is_what_they_ask_about() -> None:
    """Of several open ones the sentence is about the one this call joined; never about the one it has just opened."""
    past = recalled("A", matter(3, "A", "漏水"), matter(4, "A", "发票"))
    assert "发票" in card(Filled(CALL, SURE), past, Ticketed(CALL, 4, "N4", joined=True))["aloud"]["en"]
    assert "漏水" in card(Filled(CALL, SURE), past, Ticketed(CALL, 9, "N9", joined=False))["aloud"]["en"]
    alone = recalled("A", matter(9, "A", "新的"))
    assert card(Filled(CALL, SURE), alone, Ticketed(CALL, 9, "N9", joined=False))["aloud"] is None


def test_who_was_chosen_before_is_remembered_and_never_sure() -> None:
    """It is told beside the choice, as long as it is one of those it may be."""
    was = Choice("B", "周晓雯", "王芳", 0.5)
    shown = card(Filled(CALL, BOTH), recalled(None, remembered=was))
    assert shown["remembered"] == {"id": "B", "name": "周晓雯", "who": "王芳", "at": 0.5}
    assert (shown["chosen"], shown["match"]["sure"]) == (None, False)
    gone = Choice("Z", "不在了", "王芳", 0.5)
    assert card(Filled(CALL, BOTH), recalled(None, remembered=gone))["remembered"] is None
    assert card(Filled(CALL, SURE), recalled("A", remembered=was))["remembered"] is None, "there is nothing to choose"


def test_an_unknown_caller_who_was_entered() -> None:
    """The customer stands on the card as chosen, whether or not the lookup has answered by then."""
    made = Candidate(CHEN, Reason.FIXED, "010-8888 6666")
    for news in ((Filled(CALL, Match()), chosen(1, CHEN, made)), (chosen(1, CHEN, made), Filled(CALL, Match()))):
        shown = card(*news)
        assert [customer["name"] for customer in shown["match"]["customers"]] == ["陈一"]
        assert shown["chosen"]["id"] == "hotline:1"
    undone = card(Filled(CALL, Match()), chosen(1, CHEN, made), chosen(2, None))
    assert undone["chosen"] is None
    assert [customer["id"] for customer in undone["match"]["customers"]] == ["hotline:1"], "to be chosen again"


def test_a_person_may_deny_what_the_machine_is_sure_of() -> None:
    """A number that changed hands: the new one is entered, the old one's record is not told any more."""
    made = Candidate(CHEN, Reason.MOBILE, "138")
    past = recalled("A", matter(3, "A", "漏水"))
    shown = card(Filled(CALL, SURE, items=()), past, chosen(1, CHEN, made))
    assert not shown["match"]["sure"]
    assert (shown["tickets"], shown["aloud"], shown["crm_tickets"]) == ([], None, None)
    assert card(Filled(CALL, SURE, items=()), past, chosen(1, LIN))["match"]["sure"]


word = st.one_of(
    st.sampled_from([Filled(CALL, BOTH), Filled(CALL, SURE), Filled(CALL, Match())]).map(lambda one: ("match", one)),
    st.sampled_from([recalled(each, matter(3, each, "漏水")) for each in (None, "A", "B", "hotline:1")]).map(
        lambda one: (one.customer, one)
    ),
)
choices = st.lists(st.sampled_from([LIN, ZHOU, CHEN, None]), max_size=5).map(
    lambda people: [
        chosen(at, one, Candidate(CHEN, Reason.FIXED, "1") if one is CHEN else None) for at, one in enumerate(people, 1)
    ]
)


@given(st.lists(word, max_size=8), choices, st.randoms(use_true_random=False))
def test_the_same_news_in_another_order_leave_the_same_card(
    words: list[tuple[object, Any]], said: Sequence[Chosen], shuffled: Any
) -> None:
    """Only the last answer of each kind counts among its kind; choices count by their number, told late or twice."""
    last = dict(words)
    orderly = [*last.values(), *said]
    mixed = [*orderly, *said[:2]]
    shuffled.shuffle(mixed)
    one, other = card(*orderly), card(*mixed)
    for shown in (one, other):  # in the order in which they were entered, which is no news
        if shown["match"]:
            shown["match"]["customers"].sort(key=lambda customer: customer["id"])
    assert one == other


@given(st.lists(word, max_size=8), choices)
def test_a_card_never_mixes_two_customers(words: list[tuple[object, Any]], said: Sequence[Chosen]) -> None:
    """Whoever the card stands for, tickets are theirs or nobody's, and the calls were read for them."""
    shown = card(*(one for _, one in words), *said)
    match = shown["match"]
    stands = match["customers"][0]["id"] if match and match["sure"] else None
    if shown["chosen"]:
        stands = shown["chosen"]["id"]
    if shown["last_calls"]:
        assert shown["last_calls"][0]["issue"] == f"问题{stands}"
