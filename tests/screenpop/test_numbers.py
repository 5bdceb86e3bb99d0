"""A caller's number stands in full nowhere but where it must, and whoever saw it is in the audit."""

from typing import TYPE_CHECKING

import pytest

from screenpop.routes import ROUTES
from storage.audit import What
from storage.edits import TicketField
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


SAID = "18612349877"


async def spoken(house: "House") -> tuple[str, int]:
    """A call in which another number was said, and typed into title and note of its ticket."""
    call = await house.answered(caller=DIGITS, known=Known("7", "张三"))
    told = (Turn(Speaker.CALLER, 0.0, 1.0, f"洗衣机坏了，电话打我爱人的，{SAID}", 0.9),)
    summary = Summary("洗衣机坏了", Category.REPAIR, Urgency.LOW, Sentiment.NEUTRAL, (), (), {})
    await house.ledger.said(call, Transcript(told, "vosk", "m"), summary, house.time)
    ticket = await house.ticket_of(call)
    await house.ledger.note(ticket, f"爱人电话 {SAID}", "li", house.time)
    title = {TicketField.TITLE: f"洗衣机，联系{SAID}"}
    await house.ledger.edit_ticket(ticket, title, who="li", now=house.time, version=0)
    return str(call), ticket


async def test_what_was_said_is_masked_in_lists_too(house: "House", visit: "Visit") -> None:
    """Search shows where it was said without the number, the mark where it was; programs with the scope read it."""
    await spoken(house)
    for login in ("li", "zhao", "shen"):
        visitor = await visit(login)
        said = (await visitor.json("/api/search?q=洗衣机"))["calls"][0]["said"]
        assert "186****" not in said[0]["text"]
        assert SAID not in said[0]["text"]
        assert said[0]["text"].endswith("9877"), "the last four tell numbers apart"
        assert SAID not in (await visitor.text("/search?q=洗衣机")).replace(
            f"联系{SAID}", "" if login != "shen" else "!"
        )
    (found,) = (await (await visit("li")).json(f"/api/search?q={SAID}"))["calls"]
    (mark,) = found["said"][0]["marks"]
    assert found["said"][0]["text"][mark[0] : mark[1]] == "*******9877"
    _, secret = await Tokens(house.db).make("zhao", "bi", ["tickets", "numbers"], by="z", now=house.time, expires=None)
    answer = await (await visit(None)).get("/api/search?q=洗衣机", headers={"Authorization": f"Bearer {secret}"})
    assert SAID in await answer.text()


async def test_nobody_guesses_what_is_masked(house: "House", visit: "Visit") -> None:
    """Who sees no numbers finds none by more than its last four digits: neither in calls and tickets nor customers."""
    call, ticket = await spoken(house)
    shen, zhao = await visit("shen"), await visit("zhao")
    tries = ((DIGITS, {"9876"}), (SAID, {"9877"}))
    for digits, open_ones in tries:
        pieces = {digits[at : at + n] for n in (4, 5, 7, 11) for at in range(len(digits) - n + 1)}
        pieces |= {f"+86{digits}", f"{digits[:3]} {digits[3:7]} {digits[7:]}", f"{digits[:3]}-{digits[3:7]}"}
        for piece in sorted(pieces - open_ones):
            for path in ("/api/search?q=", "/api/calls?number=", "/api/tickets?status=all&text="):
                found = await shen.json(path + piece.replace("+", "%2B"))
                assert not any(found.get(kind) for kind in ("calls", "tickets", "customers")), (path, piece)
    assert (await zhao.json(f"/api/search?q={DIGITS}"))["tickets"], "others do"
    assert (await zhao.json(f"/api/calls?number={DIGITS}"))["calls"]
    assert [one["call"] for one in (await shen.json("/api/calls?number=9876"))["calls"]] == [call]
    assert [one["id"] for one in (await shen.json("/api/tickets?text=9876"))["tickets"]] == [ticket]
    assert [one["call"] for one in (await shen.json("/api/search?q=9877"))["calls"]] == [call]
    number = (await shen.json("/api/tickets"))["tickets"][0]["number"]
    assert [one["id"] for one in (await shen.json(f"/api/search?q={number}"))["tickets"]] == [ticket]


async def test_what_was_typed_has_no_numbers_for_an_auditor(house: "House", visit: "Visit") -> None:
    """Titles and notes of tickets, wherever a ticket is shown."""
    _, ticket = await spoken(house)
    shen = await visit("shen")
    for path in (
        f"/tickets/{ticket}",
        f"/api/tickets/{ticket}",
        "/tickets?status=all",
        "/api/tickets",
        "/search?q=洗衣机",
        "/customers/7",
        "/api/customers/7",
    ):
        told = await shen.text(path)
        assert "9877" in told or "/customers/7" in path, path
        assert SAID not in told, path
    assert SAID in await (await visit("zhao")).text(f"/tickets/{ticket}")
