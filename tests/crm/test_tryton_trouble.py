"""Trytons in trouble, or other than they should be: each by its class, and the card undisturbed."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from crm.connector import Note, Of, Ref, Status
from crm.trouble import (
    AuthError,
    ConflictError,
    CrmError,
    InvalidError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)
from tests.crm.tryton_made import CHAR, MOBILE, PARTY, REFUSED, Told, made_up, plain, usual
from tests.crm.tryton_story import MAPPING

Says = Callable[[], Any]


def raising(told: Any) -> None:
    """An error inside a 200."""
    raise Told(told)


async def test_a_session_that_ended_is_opened_once_for_many() -> None:
    """Also after a restore, when Tryton knows none of them; a write that met its end is done once."""
    good, logins, made_notes = "s1", 0, 0

    def answer(method: str, params: list[Any]) -> Any:
        nonlocal logins, made_notes
        if method == "common.db.login":
            logins += 1
            return [3, good.replace("never", "s3"), None]
        if method.startswith("model.") and not made.sessions[-1].endswith(good):
            return plain("<h1>Unauthorized</h1>", 401)
        made_notes += method == "model.ir.note.create"
        return usual(method, params)

    async with made_up(answer) as (tryton, made):
        await tryton.get("7")
        good = "s2"
        note = Note("hotline:a:b:1:note", "7", "来电", ("x",))
        await asyncio.gather(tryton.get("7"), tryton.find(MOBILE), tryton.keep_note(note, None))
        assert (logins, made_notes) == (2, 1)
        good = "never"
        with pytest.raises(AuthError, match="does not know it again"):
            await tryton.get("7")


async def test_a_refused_password_is_not_tried_again_and_again() -> None:
    """Tryton locks the user out after five; and what it says when it did."""
    status, logins = 401, 0

    def answer(method: str, params: list[Any]) -> Any:
        nonlocal logins
        if method == "common.db.login":
            logins += 1
            return plain("<h1>no</h1>", status)
        return usual(method, params)

    async with made_up(answer) as (tryton, _):
        for _ in range(10):
            with pytest.raises(AuthError, match="'hotline' in: user or password are wrong"):
                await tryton.find(MOBILE)
    assert logins == 1
    status = 429
    async with made_up(answer) as (tryton, _):
        with pytest.raises(RateLimitedError):
            await tryton.find(MOBILE)


async def test_an_account_that_wants_more_than_a_password_is_told() -> None:
    """A second factor is a person's."""

    def answer(method: str, params: list[Any]) -> Any:
        if method == "common.db.login":
            raise Told(["LoginException", ["sms_code", "SMS code for hotline", "char"]])
        return usual(method, params)

    async with made_up(answer) as (tryton, _):
        with pytest.raises(AuthError, match="SMS code"):
            await tryton.find(MOBILE)


async def test_a_tryton_that_was_upgraded_is_looked_at_again() -> None:
    """A field that is gone is told as the server's slip: the first call after the night still finds its customer."""
    upgraded = False

    def answer(method: str, params: list[Any]) -> Any:
        if method == "model.party.party.fields_get" and not upgraded:
            return {**PARTY, "nick": CHAR}
        if method == "model.party.party.search_read" and upgraded and "nick" in params[4]:
            raise Told(["'nick'", ""])
        return usual(method, params)

    async with made_up(answer, {**MAPPING, "customer": {"name": ["nick", "name"]}}) as (tryton, _):
        assert await tryton.find(MOBILE)
        upgraded = True
        [found] = await tryton.find(MOBILE)
        assert found.id == "7"


async def test_purchases_that_do_not_come_cost_the_card_nothing_else() -> None:
    """The name is worth more in time than the whole of it late."""
    sales: Says = list

    def answer(method: str, params: list[Any]) -> Any:
        if method == "model.sale.sale.fields_get":
            return {"party": {"type": "many2one"}, "sale_date": {"type": "date"}, "number": CHAR}
        if method == "model.sale.sale.search_read":
            return sales()
        return usual(method, params)

    async with made_up(answer) as (tryton, _):
        assert await tryton.get("7")
        for trouble in (
            partial(raising, REFUSED),
            partial(raising, ["'x'", ""]),
            partial(plain, "<h1>503</h1>", 503),
            partial(plain, "{", 200),
        ):
            sales = trouble
            [found] = await tryton.find(MOBILE)
            assert (found.name, found.purchases) == ("林晓峰", ())
            with pytest.raises(CrmError):  # who asks for all of it is told
                await tryton.get("7")


@pytest.mark.parametrize(
    ("told", "reading", "writing"),
    [
        (plain("<html>502</html>", 502), TransientError, UnknownOutcomeError),
        (plain("<html>hello</html>", 200), TransientError, UnknownOutcomeError),
        (plain('{"half": ', 200, "application/json"), TransientError, UnknownOutcomeError),
        (plain("<html>404</html>", 404), InvalidError, InvalidError),
        (plain("<html>403</html>", 403), InvalidError, InvalidError),
        (plain("<html>422</html>", 422), InvalidError, InvalidError),
        (plain("[1, 2]", 200, "application/json"), InvalidError, InvalidError),
        (plain("{}", 429, "application/json"), RateLimitedError, RateLimitedError),
        (plain("<html>503</html>", 503), TransientError, TransientError),
        (plain('FATAL:  database "shop" does not exist', 503), InvalidError, InvalidError),
        (Told(["UserError", ["A value is required", "", None]]), InvalidError, InvalidError),
        (Told(["UserWarning", ["x", "Parties have different names", ""]]), InvalidError, InvalidError),
        (Told(["UserError", ['没有访问 "销售" 的权限.', "", None]]), AuthError, AuthError),
        (Told(["ConcurrencyException", "Records were modified in the meanwhile"]), ConflictError, ConflictError),
        (Told("what"), InvalidError, InvalidError),
        (Told({"odd": 1}), InvalidError, InvalidError),
    ],
)
async def test_what_comes_back_is_not_trusted(
    told: web.Response | Told, reading: type[CrmError], writing: type[CrmError]
) -> None:
    """Each by its class; a write is unknown only where it may have been done."""
    fail = ""

    def answer(method: str, params: list[Any]) -> Any:
        if fail and method.endswith(fail):
            if isinstance(told, Told):
                raise told
            return plain(told.text or "", told.status, told.content_type)
        return usual(method, params)

    async with made_up(answer) as (tryton, _):
        await tryton.get("7")
        fail = "search_read"
        with pytest.raises(reading):
            await tryton.find(MOBILE)
        fail = "note.create"
        with pytest.raises(writing) as caught:
            await tryton.keep_note(Note("hotline:a:b:1:note", "7", "来电", ("x",)), None)
        assert (type(caught.value) is UnknownOutcomeError) == (writing is UnknownOutcomeError)


@pytest.mark.parametrize("found", [None, {}, "x", [1], [{"id": "7"}], [{"name": "x"}]])
async def test_records_of_another_shape_are_a_fault(found: Any) -> None:
    """Not nobody."""

    def answer(method: str, params: list[Any]) -> Any:
        return found if method == "model.party.party.search_read" else usual(method, params)

    async with made_up(answer) as (tryton, _):
        with pytest.raises(InvalidError):
            await tryton.find(MOBILE)


async def test_a_user_without_a_company_is_told_at_start() -> None:
    """It would see no ticket, and make none."""

    def answer(method: str, params: list[Any]) -> Any:
        return {} if method.endswith("get_preferences") else usual(method, params)

    async with made_up(answer) as (tryton, _):
        with pytest.raises(InvalidError, match="our user has no company"):
            await tryton.health()


async def test_a_workflow_without_such_a_step_is_told() -> None:
    """Tryton passes over it and says nothing."""
    row = {"id": 5, "name": "漏水", "_timestamp": "1.0", "status": 1, "status.": {"id": 1, "name": "新建"}}

    def answer(method: str, params: list[Any]) -> Any:
        return [row] if method == "model.project.work.search_read" else usual(method, params)

    async with made_up(answer, buttons={"working": "begin"}) as (tryton, made):
        with pytest.raises(InvalidError, match="stays '新建'"):
            await tryton.set_status(Ref(Of.TICKET, "5"), Status.WORKING)
        assert ("model.project.work.begin", [[5]]) in [(method, params[:-1]) for method, params in made.asked]
