"""The socket's document: every message that is really sent is in it, as it is sent."""

import gzip
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from crm.connector import Item, Of, Ref
from crm.connector import Status as CrmStatus
from crm.customer import Candidate, Contract, Customer, Match, Purchase, Reason
from screenpop.answers.socket import MESSAGES
from screenpop.asyncapi import document, kind
from screenpop.card import Chosen, Filled, Problem, Recalled, Ticketed
from screenpop.presence import Ready, TalkOver
from storage.recalled import Choice, LastCall, Memory, OpenTicket, Standing
from telephony.call import Answered, Arrived, CallKey, Left, Outcome, Over, Rang
from tickets.ticket import Status, Ticket
from transcription.account import Step

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

ROOT = Path(__file__).parents[2]
LINE = "4007002505"
CALL = CallKey("main", "1.1")
DOCUMENT = document()
BETWEEN_PROCESSES = {"desk", "chosen", "ended", "renewed"}  # said on the fan-out, never to a page


def fits(message: Any) -> None:
    """Hold a message against the document."""
    told = DOCUMENT["components"]["messages"][message["type"]]["payload"]
    schema = {**told, "components": DOCUMENT["components"]}
    wrong = [
        f"{error.instance_path}: {error.message}" for error in jsonschema_rs.validator_for(schema).iter_errors(message)
    ]
    assert not wrong, message


def test_the_document_holds_together() -> None:
    """It is JSON, and whatever it refers to is there."""
    text = json.dumps(DOCUMENT)
    for ref in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found: Any = DOCUMENT
        for step in ref.split("/"):
            found = found[step]
    assert set(DOCUMENT["channels"]["desk"]["messages"]) == {kind(shape) for shape in MESSAGES}


def test_the_document_is_valid() -> None:
    """By the schema that AsyncAPI publishes, which finds what is wrong in a spoilt one."""
    with gzip.open(ROOT / "tests" / "vendor" / "asyncapi-specs-6.11.1" / "3.0.0.json.gz") as packed:
        valid = jsonschema_rs.validator_for(json.load(packed)).is_valid
    assert valid(DOCUMENT)
    assert not valid({**DOCUMENT, "operations": {"tell": {"action": "shout"}}})


def test_every_message_is_documented() -> None:
    """Whatever says ``"type": "..."`` in the house is in the document, or never reaches a page."""
    said = set()
    for room in ("screenpop", "hotline", "storage"):
        for path in (ROOT / room).rglob("*.py"):
            if path.name not in ("openapi.py", "asyncapi.py", "errors.py"):
                said.update(re.findall(r'\{\s*"type": ?"(\w+)"', path.read_text(encoding="utf-8")))
    assert said - BETWEEN_PROCESSES == {kind(shape) for shape in MESSAGES}


def everything() -> Filled:
    """A lookup's answer with all that a card can show."""
    lin = Customer(
        "A",
        "林晓峰",
        company="海风公司",
        level="金卡",
        vip=True,
        owner="li",
        purchases=(Purchase("洗衣机", date(2026, 1, 2), Decimal("1999.00"), "D1"), Purchase("水管")),
        contracts=(Contract("延保", "H1", date(2027, 1, 2)), Contract("年检")),
        note="请按门铃",
    )
    match = Match((Candidate(lin, Reason.MOBILE, "138 1234 5678"),), lin)
    url = "https://crm.example/77"
    item = Item(Ref(Of.TICKET, "77"), "漏水", CrmStatus.WORKING, "处理中", owner="王", updated=5.0, url=url)
    return Filled(CALL, match, problem=Problem.LATE, copied=4.0, items=(item,), links={"A": "https://crm.example/A"})


async def test_what_a_page_hears_is_what_the_document_says(house: "House", visit: "Visit") -> None:
    """A whole call on a real socket, with everything a card can show; states, seats, tickets."""
    li = await visit("li")
    ticket = Ticket(3, "N3", Status.WORKING, LINE, "漏水", None, "A", None, None, None, "li", 1.0, 2.0)
    matter = OpenTicket(ticket, "李明", "漏水", Step("agent", "上门", "2026-11-22", ()))
    last = LastCall(CallKey("main", "0.9"), 0.5, LINE, Outcome.ANSWERED, "漏水", "报修", ("李明",))
    choice = Choice("A", "林晓峰", "李明", 3.0)
    heard: list[str] = []
    async with li.client.ws_connect("/ws", headers={"Origin": li.origin}) as socket:

        async def until(wanted: str) -> None:
            while not heard or heard[-1] != wanted:
                message = await socket.receive_json(timeout=20)
                fits(message)
                heard.append(message["type"])

        await until("snapshot")
        await house.tell(
            Arrived(call=CALL, at=1.0, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
            Rang(call=CALL, at=2.0, agent="1001", queue="support"),
        )
        await until("card")
        past: list[Any] = [
            everything(),
            Recalled(CALL, "A", Memory((matter,), (last,), choice), date(2026, 11, 20)),
            Chosen(CALL, Standing(1, choice)),
            Ticketed(CALL, 3, "N3", joined=True),
            Answered(call=CALL, at=5.0, agent="1001", queue="support"),
        ]
        for news in past:
            await house.tell(news)
            heard.clear()
            await until("card")
        await house.tell(Left(call=CALL, at=9.0, agent="1001", why=Over.ENDED))
        await until("gone")
        for happening in (TalkOver(CALL, 30.0), Ready()):
            await house.standings.happen("1001", happening)
            heard.clear()
            await until("state")
        await house.answered()
        await house.fanout.publish("callbacks", {"type": "callbacks"})
        await until("callbacks")
        assert (await li.ask("POST", "/api/desk/seat", json={"extension": "1003"})).status == 200
        await until("seat")


async def test_what_supervisors_hear(house: "House", visit: "Visit") -> None:
    """Word of tickets, signs of life."""
    zhao = await visit("zhao")
    ticket = await house.ticket_of(await house.answered())
    async with zhao.client.ws_connect("/ws", headers={"Origin": zhao.origin}) as socket:
        first = await socket.receive_json(timeout=20)
        fits(first)
        assert first == {"type": "beat"}
        assert (await zhao.ask("POST", f"/api/tickets/{ticket}/notes", json={"text": "x"})).status == 204
        while (message := await socket.receive_json(timeout=20))["type"] != "ticket":
            fits(message)
        fits(message)
