"""Tryton 7.8 as it was recorded, and what is asked of one and how."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from crm.connector import Can, Context, Draft, Note, Of, Ref
from crm.registry import ConnectorError, open_named
from crm.trouble import ConflictError, CrmError, InvalidError
from crm.tryton import TrytonSettings
from numbering.identify import identify
from tests.crm.tape import SECRET, Tape
from tests.crm.tryton_made import MOBILE, NOW, ROW, Told, made_up, usual
from tests.crm.tryton_story import FILE, MAPPING, opened, tell


async def test_the_story_as_it_was_recorded() -> None:
    """Found, written once, told by the feed; not one request that was not recorded."""

    async def nothing() -> None:
        """The recording holds the change."""

    async with Tape(FILE) as tape:
        tryton = await opened(tape.url, tape.facts, SECRET)
        try:
            await tell(tryton, tape.facts, nothing)
        finally:
            await tryton.close()
        assert not tape.unknown


async def test_numbers_are_asked_for_normalised_and_as_they_may_stand_there() -> None:
    """A server without the library for numbers keeps them as typed; in our own area without the area code."""
    async with made_up(usual) as (tryton, made):
        [found] = await tryton.find(MOBILE)
        assert (found.id, found.purchases) == ("7", ())
        await tryton.find(identify("0755-88886666"))
        await tryton.find(identify("010-88886666"))
        await tryton.find(identify("+1 650 253 0000"))
    searches = [json.dumps(params[0]) for method, params in made.asked if method == "model.party.party.search_read"]
    for search, part in zip(
        searches,
        ["%1%3%8%1%2%3%4%5%6%7%8%", '"%8%8%8%8%6%6%6%6%"', '"%1%0%8%8%8%8%6%6%6%6%"', '"%6%5%0%2%5%3%0%0%0%0%"'],
        strict=True,
    ):
        assert part in search
        assert '"value_compact", "="' in search


async def test_a_note_that_somebody_writes_into_just_now_is_read_again() -> None:
    """Their words stay, ours come."""
    tries = 0
    message = "旧\n〔hotline:a:b:1:note·12345678〕"

    def answer(method: str, params: list[Any]) -> Any:
        nonlocal tries, message
        if method == "model.ir.note.search_read":
            return [{"id": 4, "message": message, "resource": "party.party,7", "_timestamp": str(tries)}]
        if method == "model.ir.note.write":
            tries += 1
            assert params[-1]["_timestamp"] == {"ir.note,4": str(tries - 1)}
            if tries <= conflicts:
                message += "\n张工"
                raise Told(["ConcurrencyException", "Records were modified in the meanwhile"])
            message = params[1]["message"]
        return usual(method, params)

    note = Note("hotline:a:b:1:note", "7", "来电", ("新",))
    conflicts = 1
    async with made_up(answer) as (tryton, _):
        assert await tryton.keep_note(note, Ref(Of.NOTE, "4")) == Ref(Of.NOTE, "4")
        assert message.startswith("来电\n新\n〔")
        assert message.endswith("\n旧\n张工")
        conflicts = 100
        with pytest.raises(ConflictError):
            await tryton.keep_note(Note("hotline:a:b:1:note", "7", "来电", ("更新",)), Ref(Of.NOTE, "4"))


async def test_a_chain_of_merges_is_followed_and_a_ring_is_not() -> None:
    """Replaced, and the replacement replaced."""
    into: dict[int, int | None] = {7: 8, 8: 9, 9: None}

    def answer(method: str, params: list[Any]) -> Any:
        if method == "model.party.party.search_read":
            number = params[0][0][2]
            rows = [{**ROW, "id": number, "active": into[number] is None, "replaced_by": into[number]}]
            return rows if number in into else []
        return usual(method, params)

    async with made_up(answer) as (tryton, _):
        found = await tryton.get("7")
        assert found is not None
        assert found.id == "9"
        into = {7: 8, 8: 7}
        assert await tryton.get("7") is None


@pytest.mark.parametrize(
    ("settings", "mapping", "says"),
    [
        ({"databse": "x"}, MAPPING, "databse: no such setting"),
        ({"web": "erp.example"}, MAPPING, "web: "),
        ({"key_env": "no name"}, MAPPING, "key_env"),
        ({"project": None}, MAPPING, "project is missing"),
        ({}, {"ticket": {"object": "sale.opportunity"}}, "only a project.work lies in one"),
        ({"project": None}, {"ticket": {"object": "x.ticket", "status": "state"}}, "ticket.key"),
        ({}, {}, "no word for accepted, working, solved, closed"),
        (
            {},
            {"ticket": {"statuses": {**MAPPING["ticket"]["statuses"], "closed": ["完", "已解决"]}}},
            "solved and closed are both 已解决",
        ),
        ({}, {**MAPPING, "customer": {"phnes": "x"}}, "customer.phnes: no such field"),
        ({"url": "http://crm.example"}, MAPPING, "key would cross the network readable"),
    ],
)
async def test_settings_that_cannot_work_are_refused(settings: Any, mapping: Any, says: str) -> None:
    """Before anybody is asked anything."""
    given = {"url": "http://127.0.0.1:9", "database": "shop", "user": "hotline", "project": "工单", **settings}
    with pytest.raises(ConnectorError, match=says):
        await open_named("tryton", given, Context(lambda _: "k", Path(), lambda: NOW, None, mapping))


async def test_without_a_project_there_are_no_tickets() -> None:
    """And it says so beforehand."""
    async with made_up(usual, mapping={}, project=None) as (tryton, _):
        assert not tryton.can & (Can.TICKET | Can.ITEMS | Can.PUSH)
        assert tryton.can & Can.NOTE
        for refused in (tryton.create_ticket(Draft("k", "7", "t", "b")), tryton.changes(Of.TICKET, None)):
            with pytest.raises(CrmError, match="names no project"):
                await refused
        for cursor in ("[]", "x", "[[1], [2], [3], [true]]", "[[1], [2], [3]]", "[[1,2],[1],[1],[1]]"):
            with pytest.raises(InvalidError):
                await tryton.changes(Of.CUSTOMER, cursor)
        assert await tryton.get("7x") is None


async def test_the_documentation_is_right() -> None:
    """What docs/tryton.md gives to copy is taken as it stands."""
    page = (Path(__file__).parents[2] / "docs/tryton.md").read_text(encoding="utf-8")
    blocks = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)]
    [settings] = [block["crm"]["settings"] for block in blocks if "crm" in block]
    mapping = {name: table for block in blocks if "crm" not in block for name, table in block.items()}
    tryton = await open_named("tryton", settings, Context(lambda _: "k", Path(), lambda: NOW, None, mapping))
    await tryton.close()
    assert tryton.can & Can.TICKET
    told = {name for name in TrytonSettings.model_fields if f"`{name}`" in page}
    assert told == set(TrytonSettings.model_fields)
