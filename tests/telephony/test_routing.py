"""Where a call goes: first the right colleague's phone, always a queue, and nothing a dialplan could choke on."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.routing import (
    GOOD_TALK,
    UNKNOWN_LINE,
    Background,
    LinePlan,
    RouteReason,
    Talk,
    decide,
    variables,
    words,
)

PLAN = LinePlan(
    queue="support",
    menu={"1": "sales", "2": "repair"},
    announcement="hotline/welcome",
    vip_announcement="hotline/welcome-vip",
)
KNOWN = Background(ticket_owner="1001", key_account="1002", talks=(Talk("1003", 60.0),))


@pytest.mark.parametrize(
    ("known", "agent", "reason"),
    [
        (KNOWN, "1001", RouteReason.TICKET_OWNER),
        (replace(KNOWN, ticket_owner=None), "1002", RouteReason.KEY_ACCOUNT),
        (replace(KNOWN, ticket_owner=None, key_account=None), "1003", RouteReason.LAST_AGENT),
        (replace(KNOWN, busy=frozenset({"1001"})), "1002", RouteReason.KEY_ACCOUNT),
        (replace(KNOWN, busy=frozenset({"1001", "1002", "1003"})), None, RouteReason.LINE),
        (Background(), None, RouteReason.LINE),
        (Background(whole=False), None, RouteReason.LATE),
        (replace(KNOWN, whole=False), "1001", RouteReason.TICKET_OWNER),
        (Background(talks=(Talk("1003", 2.0), Talk("1004", 90.0))), "1004", RouteReason.LAST_AGENT),
        (Background(talks=(Talk("1003", GOOD_TALK - 0.1),)), None, RouteReason.LINE),
        (Background(ticket_owner="not a phone", key_account="1002"), "1002", RouteReason.KEY_ACCOUNT),
        (Background(ticket_owner="1001&PJSIP/trunk"), None, RouteReason.LINE),
    ],
    ids=[
        "the open ticket's owner first",
        "then who looks after the customer",
        "then who spoke with the caller last",
        "a phone in a call of ours is passed over",
        "nobody free: the queue",
        "a stranger: the queue",
        "what was not known in time is said",
        "what is known is used although something is missing",
        "who was gone at once did not speak with the caller",
        "and nobody else did either",
        "what is no extension is passed over",
        "nothing but an extension is dialled",
    ],
)
def test_whose_phone_rings_first(known: Background, agent: str | None, reason: RouteReason) -> None:
    """One phone or none, and why."""
    route = decide(PLAN, None, known)
    assert (route.agent, route.reason, route.queue) == (agent, reason, "support")
    assert route.dial == (None if agent is None else f"PJSIP/{agent}")


@pytest.mark.parametrize(
    ("menu", "queue", "reason"),
    [
        ("1", "sales", RouteReason.MENU),
        ("2", "repair", RouteReason.MENU),
        ("9", "support", RouteReason.LINE),
        (None, "support", RouteReason.LINE),
    ],
)
def test_the_key_pressed_chooses_the_queue(menu: str | None, queue: str, reason: RouteReason) -> None:
    """A key that means nothing is the line's own queue."""
    route = decide(PLAN, menu, Background())
    assert (route.queue, route.reason) == (queue, reason)


def test_a_line_has_its_own_order_and_may_want_nobody() -> None:
    """``prefer`` is a preference: its order counts, what is not in it is not tried."""
    last_first = replace(PLAN, prefer=(RouteReason.LAST_AGENT, RouteReason.TICKET_OWNER))
    assert decide(last_first, None, KNOWN).agent == "1003"
    assert decide(replace(PLAN, prefer=()), "1", KNOWN).agent is None


def test_a_vip_waits_less_and_is_greeted() -> None:
    """Priority and announcement are the VIP's; without one for VIPs, everybody's."""
    route = decide(PLAN, None, Background(vip=True))
    assert (route.priority, route.announcement) == (10, "hotline/welcome-vip")
    assert decide(replace(PLAN, vip_announcement=None), None, Background(vip=True)).announcement == "hotline/welcome"
    assert decide(PLAN, None, Background()).priority == 0


def test_every_word_is_there_every_time() -> None:
    """A second question leaves nothing of the first answer's behind, and the reason is set last."""
    assert words(UNKNOWN_LINE) == {
        "queue": "",
        "priority": "0",
        "agent": "",
        "dial": "",
        "announce": "",
        "reason": "unknown_line",
    }
    assert list(variables(decide(PLAN, "1", KNOWN))) == [
        "HOTLINE_QUEUE",
        "HOTLINE_PRIORITY",
        "HOTLINE_AGENT",
        "HOTLINE_DIAL",
        "HOTLINE_ANNOUNCE",
        "HOTLINE_REASON",
    ]


def test_a_phone_is_dialled_as_the_pbx_wants_it() -> None:
    """FreePBX rings an extension through its own context."""
    plan = replace(PLAN, dial="Local/{extension}@from-internal/n")
    assert decide(plan, None, KNOWN).dial == "Local/1001@from-internal/n"


anything = st.one_of(st.none(), st.sampled_from(["1001", "1002", "王芳", ""]), st.text(max_size=30))


@given(
    menu=anything,
    owner=anything,
    account=anything,
    talks=st.lists(st.tuples(st.text(max_size=12), st.floats(allow_nan=True)), max_size=5),
    vip=st.booleans(),
    busy=st.frozensets(st.sampled_from(["1001", "1002"])),
    whole=st.booleans(),
    prefer=st.permutations(list(RouteReason)),
)
def test_whatever_is_known_the_answer_is_one_a_dialplan_can_use(  # noqa: PLR0917
    menu: str | None,
    owner: str | None,
    account: str | None,
    talks: list[tuple[str, float]],
    vip: bool,  # noqa: FBT001
    busy: frozenset[str],
    whole: bool,  # noqa: FBT001
    prefer: list[RouteReason],
) -> None:
    """A configured queue; a phone only as an extension that is not busy; agent and dial together; no strange text."""
    plan = replace(PLAN, prefer=tuple(prefer))
    known = Background(owner, account, tuple(Talk(*talk) for talk in talks), vip, busy, whole)
    route = decide(plan, menu, known)
    assert route.queue in {"support", "sales", "repair"}
    assert (route.agent is None) == (route.dial is None)
    assert route.agent is None or (re.fullmatch(r"[0-9]{2,10}", route.agent) and route.agent not in busy)
    personal = {RouteReason.TICKET_OWNER, RouteReason.KEY_ACCOUNT, RouteReason.LAST_AGENT}
    assert (route.reason in personal) == (route.agent is not None)
    assert all(re.fullmatch(r"[A-Za-z0-9_/.@-]*", value) for value in words(route).values())
