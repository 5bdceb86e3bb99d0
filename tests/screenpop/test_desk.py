"""Who is shown which call: the rule of ``screenpop.desk`` as tables, and what must hold whatever happens."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.connector import Item, Of, Ref
from crm.connector import Status as ItemStatus
from crm.customer import Candidate, Contract, Customer, Match, Phone, Purchase, Reason
from numbering.number import Kind, Number
from screenpop.card import Filled, LineInfo, Problem, Ticketed
from screenpop.desk import Change, Desk, Show, Update, Withdraw, message, topic
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Ended,
    Fact,
    Held,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Recorded,
    Resumed,
    Stopped,
)
from tickets.ticket import Status, Ticket

CALL = CallKey("pbx", "1795290138.0")
OTHER = CallKey("pbx", "1795290140.7")
LINES = {"4007002505": LineInfo("售后", "0755")}


def arrived(call: CallKey = CALL, caller: str | None = "13812345678") -> Arrived:
    """It comes in."""
    return Arrived(call=call, at=1.0, caller=caller, caller_name=None, number="4007002505", dialled="4007002505")


def rang(agent: str, call: CallKey = CALL) -> Rang:
    """A phone begins to ring."""
    return Rang(call=call, at=2.0, agent=agent, queue="support")


def stopped(agent: str, why: Over = Over.ANSWERED_ELSEWHERE) -> Stopped:
    """A phone stops ringing."""
    return Stopped(call=CALL, at=3.0, agent=agent, why=why)


def answered(agent: str, call: CallKey = CALL) -> Answered:
    """An agent talks."""
    return Answered(call=call, at=3.0, agent=agent)


def left(agent: str, why: Over = Over.ENDED) -> Left:
    """An agent talks no more."""
    return Left(call=CALL, at=4.0, agent=agent, why=why)


def ended(outcome: Outcome = Outcome.ANSWERED, call: CallKey = CALL) -> Ended:
    """The caller is gone."""
    return Ended(call=call, at=5.0, outcome=outcome)


def told(changes: Sequence[Change]) -> list[str]:
    """Changes as words: ``+1001 ringing``, ``~1001 talking``, ``-1002 gave_up``."""
    words = []
    for change in changes:
        match change:
            case Show(agent, card):
                words.append(f"+{agent} {card.state.value}")
            case Update(agent, card):
                words.append(f"~{agent} {card.state.value}")
            case Withdraw(agent, _, why):
                words.append(f"-{agent} {why.value}")
    return words


def play(*facts: Fact | Filled | Ticketed) -> list[str]:
    """The cards that a story tells."""
    desk = Desk(LINES)
    words = [word for at, fact in enumerate(facts) for word in told(desk.apply(fact, float(at)))]
    assert not len(desk) or not isinstance(facts[-1], Ended)
    return words


RING_ALL = (arrived(), rang("1001"), rang("1002"), rang("1003"))


@pytest.mark.parametrize(
    ("story", "facts", "shown"),
    [
        ("a call in the IVR shows nowhere", (arrived(), Queued(call=CALL, at=1.0, queue="support")), []),
        ("the ringing phone's agent sees it", (arrived(), rang("1001")), ["+1001 ringing"]),
        ("ringing twice is one card", (arrived(), rang("1001"), rang("1001")), ["+1001 ringing"]),
        (
            "a colleague answers: the others' cards go",
            (*RING_ALL, answered("1002"), stopped("1001"), stopped("1003")),
            [
                "+1001 ringing",
                "+1002 ringing",
                "+1003 ringing",
                "~1002 talking",
                "-1001 answered_elsewhere",
                "-1003 answered_elsewhere",
            ],
        ),
        (
            "the caller gives up: every card goes, told of or not",
            (arrived(), rang("1001"), rang("1002"), stopped("1001", Over.GAVE_UP), ended(Outcome.ABANDONED)),
            ["+1001 ringing", "+1002 ringing", "-1001 gave_up", "-1002 gave_up"],
        ),
        (
            "rung again after not answering: a new card",
            (arrived(), rang("1001"), stopped("1001", Over.NO_ANSWER), rang("1001")),
            ["+1001 ringing", "-1001 no_answer", "+1001 ringing"],
        ),
        (
            "a blind transfer moves the card",
            (
                arrived(),
                rang("1001"),
                answered("1001"),
                left("1001", Over.TRANSFERRED),
                rang("1003"),
                answered("1003"),
                left("1003"),
                ended(),
            ),
            [
                "+1001 ringing",
                "~1001 talking",
                "-1001 transferred",
                "+1003 ringing",
                "~1003 talking",
                "-1003 ended",
            ],
        ),
        ("talking without having rung", (arrived(), answered("1001")), ["+1001 talking"]),
        ("answered twice changes nothing", (arrived(), answered("1001"), answered("1001")), ["+1001 talking"]),
        (
            "an agent's second phone stops ringing while the first talks: the card stays",
            (arrived(), rang("1001"), answered("1001"), stopped("1001")),
            ["+1001 ringing", "~1001 talking"],
        ),
        (
            "hold is shown, once",
            (
                arrived(),
                answered("1001"),
                Held(call=CALL, at=4.0, agent="1001"),
                Held(call=CALL, at=4.0, agent="1001"),
                Resumed(call=CALL, at=4.5, agent="1001"),
                Resumed(call=CALL, at=4.5, agent="1002"),
            ),
            ["+1001 talking", "~1001 talking", "~1001 talking"],
        ),
        (
            "the end takes a talk that was not told to be over",
            (arrived(), rang("1001"), answered("1001"), ended()),
            ["+1001 ringing", "~1001 talking", "-1001 ended"],
        ),
        (
            "a lost call takes its cards",
            (arrived(), rang("1001"), ended(Outcome.LOST)),
            ["+1001 ringing", "-1001 lost"],
        ),
        ("no call of ours, no card", (rang("1001"), answered("1001"), ended()), []),
        ("what follows the end opens nothing", (arrived(), ended(), rang("1001")), []),
        ("a recording is no business of the desk", (arrived(), Recorded(call=CALL, at=1.0, files=("a.wav",))), []),
        (
            "told to have arrived again: nothing changes",
            (arrived(), rang("1001"), arrived()),
            ["+1001 ringing"],
        ),
        (
            "what is found out redraws every open card",
            (*RING_ALL[:3], Filled(CALL, Match()), Ticketed(CALL, 7, "20261121-0007", joined=True)),
            ["+1001 ringing", "+1002 ringing", "~1001 ringing", "~1002 ringing", "~1001 ringing", "~1002 ringing"],
        ),
        ("an answer for a call that is gone is dropped", (arrived(), ended(), Filled(CALL, Match())), []),
    ],
)
def test_who_is_shown_what(story: str, facts: tuple[Fact, ...], shown: list[str]) -> None:
    """Each story tells its cards."""
    assert play(*facts) == shown, story


def test_a_card_before_and_after_the_lookup() -> None:
    """The card opens with the number; who it is, what they bought and what is open comes into it."""
    desk = Desk(LINES)
    desk.apply(arrived(), 10.0)
    desk.apply(rang("1001"), 11.5)
    (card,) = desk.page("1001")
    assert card == {
        "call": "pbx:1795290138.0",
        "state": "ringing",
        "since": 11.5,
        "held": False,
        "line": {"number": "4007002505", "name": "售后"},
        "queue": "support",
        "caller": {
            "raw": "13812345678",
            "e164": "+8613812345678",
            "ext": None,
            "display": "138 1234 5678",
            "kind": "mobile",
            "region": None,
        },
        "match": None,
        "chosen": None,
        "remembered": None,
        "tickets": [],
        "aloud": None,
        "last_calls": [],
        "crm_tickets": None,
        "ticket": None,
    }
    customer = Customer(
        id="7",
        name="张三",
        phones=(Phone("138-1234-5678", "+8613812345678"),),
        level="金卡",
        vip=True,
        purchases=tuple(Purchase(f"空调{n}", date(2026, 1, n), Decimal("2899.50"), f"A{n}") for n in (4, 3, 2, 1)),
        contracts=(Contract("延保", "C1", date(2027, 1, 1)),),
    )
    match = Match((Candidate(customer, Reason.MOBILE, "138-1234-5678"),), sure=customer)
    number = Number("13812345678", "+8613812345678", None, Kind.MOBILE, "上海市")
    ticket = Ticket(
        3, "20261120-0001", Status.WORKING, "4007002505", "漏水", None, "7", "张三", None, None, "li", 5.0, 6.0
    )
    items = (
        Item(Ref(Of.TICKET, "5"), "漏水", ItemStatus.WORKING, "施工中", "李娜", "7", 8.0, "https://crm/5"),
        Item(Ref(Of.TICKET, "6"), "投诉", ItemStatus.UNKNOWN, "待回访", url="javascript:alert(1)"),
    )
    links = {"7": "https://crm/7"}
    desk.apply(Filled(CALL, match, (ticket,), number=number, copied=4.0, items=items, links=links), 12.0)
    desk.apply(Ticketed(CALL, 9, "20261121-0002", joined=False), 12.0)
    (card,) = desk.page("1001")
    assert card["caller"]["region"] == "上海市"
    assert card["since"] == 11.5, "filling in is no new state"
    assert card["match"] == {
        "sure": True,
        "problem": None,
        "as_of": 4.0,
        "customers": [
            {
                "id": "7",
                "name": "张三",
                "company": None,
                "level": "金卡",
                "vip": True,
                "owner": None,
                "note": None,
                "reason": "mobile",
                "matched": "138-1234-5678",
                "purchases": [
                    {"what": f"空调{n}", "on": f"2026-01-0{n}", "amount": "2899.50", "order_no": f"A{n}"}
                    for n in (4, 3, 2)
                ],
                "contracts": [{"what": "延保", "number": "C1", "until": "2027-01-01"}],
                "url": "https://crm/7",
            }
        ],
    }
    assert card["tickets"] == [
        {
            "id": 3,
            "number": "20261120-0001",
            "title": "漏水",
            "status": "working",
            "owner": "li",
            "owner_name": None,
            "summary": None,
            "promise": None,
            "opened": 5.0,
        }
    ]
    assert card["crm_tickets"] == [
        {
            "id": "5",
            "title": "漏水",
            "status": "working",
            "said": "施工中",
            "owner": "李娜",
            "updated": 8.0,
            "url": "https://crm/5",
        },
        {
            "id": "6",
            "title": "投诉",
            "status": "unknown",
            "said": "待回访",
            "owner": None,
            "updated": None,
            "url": None,
        },
    ], "their own word for the status; nowhere a browser must not go"
    assert card["ticket"] == {"id": 9, "number": "20261121-0002", "joined": False}


def test_a_transfer_takes_along_what_is_known() -> None:
    """The second agent sees at once what the first one saw."""
    desk = Desk(LINES)
    for fact in (arrived(), answered("1001"), Filled(CALL, Match(), problem=Problem.DOWN)):
        desk.apply(fact, 1.0)
    desk.apply(left("1001", Over.TRANSFERRED), 2.0)
    (change,) = desk.apply(rang("1003"), 2.0)
    assert isinstance(change, Show)
    assert change.card.json()["match"] == {"sure": False, "problem": "down", "as_of": None, "customers": []}


def test_a_local_number_gets_the_lines_area() -> None:
    """Who leaves out the area code rings from the line's own city."""
    desk = Desk(LINES)
    desk.apply(arrived(caller="88886666"), 1.0)
    desk.apply(rang("1001"), 1.0)
    assert desk.page("1001")[0]["caller"]["e164"] == "+8675588886666"


def test_a_withheld_number_has_a_card_too() -> None:
    """Nobody to recognise, somebody to talk to."""
    desk = Desk(LINES)
    desk.apply(arrived(caller=None), 1.0)
    desk.apply(rang("1001"), 1.0)
    assert desk.page("1001")[0]["caller"]["kind"] == "withheld"


def test_messages_of_the_socket() -> None:
    """The three things a page is told, and where."""
    desk = Desk(LINES)
    desk.apply(arrived(), 1.0)
    (show,) = desk.apply(rang("1001"), 1.0)
    assert message(show) == {"type": "card", "card": desk.page("1001")[0]}
    (gone,) = desk.apply(stopped("1001", Over.REJECTED), 2.0)
    assert message(gone) == {"type": "gone", "call": str(CALL), "why": "rejected"}
    assert topic("1001") == "desk:1001"


# What must hold whatever is told, in whatever order.

calls = st.sampled_from([CALL, OTHER, CallKey("other", CALL.linkedid)])
agents = st.sampled_from(["1001", "1002", "1003"])
why = st.sampled_from(Over)
facts = st.one_of(
    calls.map(arrived),
    st.builds(Queued, call=calls, at=st.none(), queue=st.just("support")),
    st.builds(Rang, call=calls, at=st.none(), agent=agents),
    st.builds(Answered, call=calls, at=st.none(), agent=agents),
    st.builds(Stopped, call=calls, at=st.none(), agent=agents, why=why),
    st.builds(Left, call=calls, at=st.none(), agent=agents, why=why),
    st.builds(Held, call=calls, at=st.none(), agent=agents),
    st.builds(Resumed, call=calls, at=st.none(), agent=agents),
    st.builds(Filled, calls, st.just(Match())),
    st.builds(Ticketed, calls, st.just(1), st.just("20261121-0001"), joined=st.booleans()),
    st.builds(Ended, call=calls, at=st.none(), outcome=st.sampled_from(Outcome)),
)
News = Fact | Filled | Ticketed


@given(st.lists(facts, max_size=60))
def test_a_page_that_follows_the_changes_has_the_desks_cards(stream: list[News]) -> None:
    """A page that only hears changes ends with the snapshot, never has two cards of a call, and none is gone twice."""
    desk = Desk(LINES)
    page: dict[tuple[str, CallKey], object] = {}
    for at, news in enumerate(stream):
        for change in desk.apply(news, float(at)):
            match change:
                case Show(agent, card):
                    assert (agent, card.call) not in page, "shown twice"
                    page[agent, card.call] = card
                case Update(agent, card):
                    assert (agent, card.call) in page, "redrawn without having been shown"
                    page[agent, card.call] = card
                case Withdraw(agent, call, _):
                    del page[agent, call]
        assert page == {(agent, card.call): card for agent in ("1001", "1002", "1003") for card in desk.cards(agent)}


@given(st.lists(facts, max_size=60))
def test_nothing_is_left_of_calls_that_ended(stream: list[News]) -> None:
    """When every call has ended no card is open and nothing is remembered."""
    desk = Desk(LINES)
    for at, news in enumerate(stream):
        desk.apply(news, float(at))
    for call in {news.call for news in stream}:
        desk.apply(ended(call=call), 99.0)
    assert desk.snapshot() == {}
    assert len(desk) == 0


@given(st.lists(facts, max_size=60))
def test_calls_do_not_touch_each_other(stream: list[News]) -> None:
    """A call's cards are the same whatever other calls are told of in between."""
    together = Desk(LINES)
    mixed = {news.call: [] for news in stream}  # type: dict[CallKey, list[str]]
    for news in stream:
        mixed[news.call] += told(together.apply(news, 1.0))
    for call, words in mixed.items():
        alone = Desk(LINES)
        assert words == [word for news in stream if news.call == call for word in told(alone.apply(news, 1.0))]
