"""A caller's number stands in full nowhere but where it must, and whoever saw it is in the audit."""

from typing import TYPE_CHECKING

import pytest

from screenpop.routes import ROUTES
from storage.audit import What
from storage.records import Known
from storage.tokens import Tokens
from transcription.account import Category, Detail, FactKind, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

DIGITS = "15412349876"
SPELT = (DIGITS, "154 1234 9876", "154-1234-9876")
ABOUT_ONE = ("/tickets/{id}", "/calls/{key}", "/api/tickets/{id}", "/api/calls/{key}")
BY_HAND = ("/calls/{key}/export/", "/api/calls/{key}/export", "/privacy", "/api/privacy")  # on purpose, audited there


def says(text: str) -> bool:
    """Whether the number can be read in it, however it is written."""
    return any(spelt in text for spelt in SPELT)


async def planted(house: "House") -> tuple[str, int]:
    """A call of somebody with a name, its key and ticket; and one of the same number that nobody answered."""
    call = await house.answered(caller=DIGITS, known=Known("7", "张三"))
    return str(call), await house.ticket_of(call)


@pytest.mark.parametrize("login", ["li", "zhao", "root", "shen"])
async def test_no_list_says_it(login: str, house: "House", visit: "Visit") -> None:
    """Every page and answer that can be had, as everybody: only pages about one call say it, to those who may."""
    key, ticket = await planted(house)
    visitor = await visit(login)
    for route in ROUTES:
        if route.method != "GET" or route.right is None or route.path.startswith(BY_HAND) or "{format}" in route.path:
            continue
        path = route.path.replace(r"{id:\d+}", str(ticket)).replace("{key}", key).replace("{customer}", "7")
        if "{" in path:
            continue
        for query in ("", "?q=张三", f"?number={DIGITS[-4:]}", "?text=张三"):
            answer = await visitor.get(path + query)
            if answer.status != 200 or answer.content_type not in ("text/html", "application/json"):
                continue
            whole = route.path.replace(r":\d+", "") in ABOUT_ONE and login != "shen"
            assert says(await answer.text()) is (whole and says(await answer.text())), (route.path, query)
            if whole and not query:
                assert says(await answer.text()), route.path


async def test_each_look_is_one_entry(house: "House", visit: "Visit") -> None:
    """However often the page is loaded in ten minutes; another one's, and a later one, are others."""
    key, ticket = await planted(house)
    li = await visit("li")
    for _ in range(3):
        await li.text(f"/calls/{key}")
        await li.json(f"/api/calls/{key}")
    await li.text(f"/tickets/{ticket}")
    shown = await house.audit.rows(what=What.SHOWN)
    assert len(shown) == 2
    assert {row.subject for row in shown} == {key, f"ticket 20261120-{ticket:04d}"}
    house.time += 601
    await li.text(f"/calls/{key}")
    assert len(await house.audit.rows(what=What.SHOWN)) == 3
    await (await visit("shen")).text(f"/calls/{key}")
    assert len(await house.audit.rows(what=What.SHOWN)) == 3, "who sees none is not written down"


async def test_programs_need_the_scope(house: "House", visit: "Visit") -> None:
    """With it lists have numbers in full, and the audit says so; without it nothing has."""
    key, _ = await planted(house)
    tokens, visitor = Tokens(house.db), await visit(None)
    for scopes, whole in ((("calls",), False), (("calls", "numbers"), True)):
        _, secret = await tokens.make("zhao", "bi", scopes, by="zhao", now=house.time, expires=None)
        headers = {"Authorization": f"Bearer {secret}", "Accept": "application/json"}
        for path in ("/api/calls", f"/api/calls/{key}"):
            answer = await visitor.get(path, headers=headers)
            assert answer.status == 200
            assert says(await answer.text()) is whole, (path, scopes)
    shown = await house.audit.rows(what=What.SHOWN)
    assert {row.subject for row in shown} == {"/api/calls", key}
    assert all((row.detail or {}).get("token") == "bi" for row in shown)


async def test_what_was_said_has_no_numbers_for_an_auditor(house: "House", visit: "Visit") -> None:
    """Nor for a program without the scope; those who may see numbers read what was said."""
    call = await house.answered(caller=DIGITS)
    told = (Turn(Speaker.CALLER, 0.0, 1.0, f"我的电话是{DIGITS}", 0.9),)
    detail = Detail(FactKind.PHONE, DIGITS, "caller", 0.0, turn=0)
    summary = Summary("来电登记", Category.QUESTION, Urgency.LOW, Sentiment.NEUTRAL, (detail,), (), {})
    await house.ledger.said(call, Transcript(told, "vosk", "m"), summary, house.time)
    shen, zhao = await visit("shen"), await visit("zhao")
    for path in (f"/calls/{call}", f"/api/calls/{call}", f"/calls/{call}/summary"):
        assert says(await zhao.text(path)), path
        assert not says(await shen.text(path)), path
    _, secret = await Tokens(house.db).make("zhao", "bi", ["calls"], by="zhao", now=house.time, expires=None)
    program = await visit(None)
    answer = await program.get(f"/api/calls/{call}", headers={"Authorization": f"Bearer {secret}"})
    assert not says(await answer.text())
