"""An agent whom nothing concerns asks for everything: what a colleague's call says comes back nowhere."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from numbering.identify import identify
from screenpop.routes import ROUTES
from storage.edits import TicketField
from storage.records import Known
from telephony.call import Arrived, Confirmed, Ended, Outcome
from tests.screenpop.conftest import LINE
from tests.screenpop.planted import token_for
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.corrections import Change, Part
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

CALLER, MISSED = "15412349876", "15898761234"
SECRETS = {
    "said": "麒麟路十七号",
    "summed up": "壁挂炉点不着",
    "promised": "周四带阀门来",
    "corrected": "燃气阀卡死",
    "noted": "门铃坏了请打电话",
    "titled": "重要客户壁挂炉",
    "being written": "草稿别让人看见",
    "a token's name": "王芳的报表程序",
}
ON_A_TICKET = {"said", "summed up", "promised", "corrected", "noted", "titled"}  # which an agent led to it may open
QUESTIONS = {  # what one asks to be told of it, where something can be asked
    "/api/search": [f"q={text}" for text in (*SECRETS.values(), "麒麟", "壁挂炉", "燃气阀", "王芳")],
    "/api/tickets": ["status=all", "text=壁挂炉", "owner=wang", f"text={CALLER[-4:]}"],
    "/api/calls": ["", "agent=1002", f"number={CALLER}", "outcome=answered"],
    "/api/customers/{customer}": [""],
}


async def planted(house: "House") -> dict[str, str]:
    """A call of wang's with all that can be kept of one, and a missed one; what addresses name it by."""
    key = await house.answered("1002", CALLER, Known("c-wang", "钱女士", vip=True))
    turns = (
        Turn(Speaker.CALLER, 0.5, 2.0, f"我住在{SECRETS['said']}，电话{CALLER}", 0.9),
        Turn(Speaker.AGENT, 2.0, 3.0, SECRETS["promised"], 0.9, "1002"),
    )
    summary = Summary(
        issue=SECRETS["summed up"],
        category=Category.REPAIR,
        urgency=Urgency.HIGH,
        sentiment=Sentiment.NEUTRAL,
        facts=(Detail(FactKind.ADDRESS, SECRETS["said"], "caller", 0.5, 0),),
        promises=(Promise("agent", SECRETS["promised"], "2026-11-26", 1),),
        evidence={SECRETS["summed up"]: (0,)},
    )
    await house.ledger.said(key, Transcript(turns, "vosk", "small-cn"), summary, house.time)
    change = Change(Part.ISSUE, "", {"text": SECRETS["corrected"]})
    await house.ledger.correct_summary(key, [change], who="wang", now=house.time, seen=0)
    ticket = await house.ticket_of(key)
    title = {TicketField.TITLE: SECRETS["titled"], TicketField.OWNER: "wang"}
    await house.ledger.edit_ticket(ticket, title, who="zhao", now=house.time, version=0)
    await house.ledger.note(ticket, SECRETS["noted"], "wang", house.time)
    await house.ledger.keep_draft(ticket, SECRETS["being written"], "wang", house.time)
    await house.deps.tokens.make("wang", SECRETS["a token's name"], ["calls"], by="wang", now=house.time, expires=None)
    missed = house.key()
    arrived = Arrived(call=missed, at=house.time, caller=MISSED, caller_name=None, number=LINE, dialled=LINE)
    over = Ended(call=missed, at=house.time + 9, outcome=Outcome.ABANDONED)
    for fact in (arrived, Confirmed(call=missed, at=house.time), over):
        await house.ledger.record(fact, now=house.time, number=identify(MISSED))
    return {"key": str(key), "id": str(ticket), "customer": "c-wang"}


@pytest.mark.parametrize("as_program", [False, True])
async def test_nothing_of_a_colleagues(as_program: bool, house: "House", visit: "Visit") -> None:  # noqa: FBT001
    """Every GET of the API and every page, with every question, as a person and as a program with all scopes."""
    names = await planted(house)
    visitor = await visit(None if as_program else "li")
    headers: dict[str, Any] = {"Authorization": f"Bearer {await token_for(house, 'li')}"} if as_program else {}
    asked = 0
    for route in ROUTES:
        if route.method != "GET" or route.right is None:
            continue
        places = names | {"recording": "0", "leg": "caller", "format": "json", "receiver": "x", "session": "1"}
        path = re.sub(r"\{(\w+)(:[^{}]+)?\}", lambda place: places.get(place[1], "1"), route.path)  # noqa: B023
        known = route.path.replace(r":\d+", "")
        for query in ("", *QUESTIONS.get(known, QUESTIONS.get(f"/api{known}", []))):
            answer = await visitor.get(f"{path}?{query}", headers={"Accept": "*/*"} | headers)
            text = await answer.text("utf-8", "replace")
            whole = known.removeprefix("/api") == "/tickets/{id}"
            given = {name for name, secret in SECRETS.items() if secret in text and secret not in query}
            assert given <= (ON_A_TICKET if whole else set()), (route.path, query, given)
            for number in (CALLER, MISSED):
                told = number in text.replace(" ", "").replace("-", "") and number not in query
                assert not told or known.endswith("/customers/{customer}"), (route.path, query)
            if "{key}" in route.path:
                assert answer.status == 403, route.path
            asked += answer.status == 200
    assert asked > 20
    wang = await visit("wang")
    heard = await wang.text(f"/api/calls/{names['key']}") + await wang.text(f"/api/tickets/{names['id']}/draft")
    heard += await wang.text(f"/api/tickets/{names['id']}") + await wang.text("/api/tokens")
    assert not [name for name, secret in SECRETS.items() if secret not in heard and name != "summed up"], (
        "or it proves nothing"
    )
    assert CALLER in await wang.text(f"/api/tickets/{names['id']}")


def test_each_list_was_asked() -> None:
    """No new list of the API is forgotten here."""
    lists = {
        route.path
        for route in ROUTES
        if route.api is not None and route.method == "GET" and route.api.query is not None
        if "cursor" in route.api.query.model_fields
    }
    silent = {"/api/audit", "/api/deliveries", "/api/privacy/erasures"}  # not for agents
    silent.add("/api/callbacks")  # of everybody on purpose
    assert lists - silent == set(QUESTIONS) - {"/api/customers/{customer}"}
