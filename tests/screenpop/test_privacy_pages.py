"""One person's data on a page: for administrators, looked at, exported, erased; each with its entry in the audit."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from screenpop.web import build_app
from storage.audit import What
from storage.erasures import Erasure, Erasures, LiveCallError
from storage.persons import About, By, Person, Persons
from telephony.call import CallKey

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

NUMBER = "138 1234 5678"


class Desk:
    """Finds in the house's database; packs one file; writes down what is to be erased."""

    def __init__(self, house: "House") -> None:
        self.house, self.persons, self.erasures = house, Persons(house.db), Erasures(house.db)
        self.talks = False

    async def about(self, person: Person) -> About:
        """As the service does."""
        return replace(await self.persons.about(person), live=self.talks)

    async def pack(self, person: Person, into: Path) -> Sequence[CallKey]:
        """A zip file."""
        with zipfile.ZipFile(into, "w") as pack:
            pack.writestr("index.html", "<h1>张三</h1>")
        return await self.persons.calls(person)

    async def ask(self, person: Person, who: str) -> int:
        """As the service does."""
        if self.talks:
            raise LiveCallError
        return await self.erasures.begin(person, who, self.house.time)

    async def newest(self, limit: int = 50, below: int | None = None) -> Sequence[Erasure]:
        """As the service does."""
        return await self.erasures.newest(limit, below)


@pytest.fixture
def desk(house: "House", monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Whoever visits the house finds it."""
    desk = Desk(house)
    monkeypatch.setattr(house, "app", lambda: build_app(replace(house.deps, privacy=desk)))
    return desk


async def test_looked_at_handed_over_and_erased(desk: Desk, visit: "Visit") -> None:
    """The number as people write it; erased only by whoever types how many calls that are; no number in the audit."""
    await desk.house.answered()
    await desk.house.answered()
    root = await visit("root")
    assert 'name="sure"' not in await root.text("/privacy")
    page = await root.text("/privacy", params={"number": NUMBER})
    assert 'name="sure"' in page
    zipped = await root.get("/privacy/export", params={"number": NUMBER})
    assert zipped.headers["Content-Disposition"] == 'attachment; filename="person.zip"'
    assert zipfile.ZipFile(io.BytesIO(await zipped.read())).read("index.html") == "<h1>张三</h1>".encode()
    unsure = await root.post("/privacy/erase", {"number": NUMBER, "sure": "1"})
    assert unsure.status == 422
    assert "请输入将被删除的通话数量" in await unsure.text()
    assert not await desk.newest()
    assert (await root.post("/privacy/erase", {"number": NUMBER, "sure": "2"})).status == 303
    (asked,) = await desk.newest()
    assert asked.person == Person(asked.by, "+8613812345678")
    assert "进行中" in await root.text("/privacy")
    entries = await desk.house.audit.rows(who="root")
    had = [What.DOWNLOADED, What.DOWNLOADED, What.PERSON_EXPORTED]  # the sound of both calls is in the file
    assert [row.what for row in entries][:6] == [What.LOOKED, *had, What.LOOKED, What.LOGGED_IN]
    assert not [row for row in entries if "13812345678" in row.subject]


async def test_not_while_they_talk(desk: Desk, visit: "Visit") -> None:
    """Said on the page and to programs."""
    await desk.house.answered()
    desk.talks = True
    root = await visit("root")
    assert 'name="sure"' not in await root.text("/privacy", params={"number": NUMBER})
    assert (await root.post("/privacy/erase", {"number": NUMBER, "sure": "1"})).status == 409
    headers = {"Accept": "application/json"}
    answer = await root.ask("POST", "/api/privacy/erasures", json={"number": NUMBER}, headers=headers)
    assert (answer.status, answer.content_type) == (409, "application/problem+json")


async def test_by_programs(desk: Desk, visit: "Visit") -> None:
    """The same, and a question that names nobody or two is refused."""
    await desk.house.answered()
    root = await visit("root")
    found = await root.json("/api/privacy/person?customer=C1")
    assert found["calls"] == 0
    found = await root.json("/api/privacy/person?number=13812345678")
    assert (found["calls"], found["recordings"], found["live"]) == (1, 1, False)
    answer = await root.ask("POST", "/api/privacy/erasures", json={"number": "13812345678"})
    assert answer.status == 202
    (row,) = (await root.json("/api/privacy/erasures"))["erasures"]
    assert row["id"] == (await answer.json())["id"]
    assert "13812345678" not in str(row)
    for bad in ("", "?number=1&customer=2", "?customer="):
        assert (await root.get(f"/api/privacy/person{bad}")).status == 400, bad


async def test_for_administrators_only(desk: Desk, visit: "Visit") -> None:
    """Nobody else sees that there is such a page."""
    for login in ("li", "zhao", "shen"):
        visitor = await visit(login)
        for path in ("/privacy", "/privacy/export?number=1380", "/api/privacy/person?number=1380"):
            assert (await visitor.get(path)).status == 403, (login, path)
        assert (await visitor.post("/privacy/erase", {"number": NUMBER, "sure": "0"})).status == 403
    assert not await desk.newest()


async def test_pages_of_erasures(desk: Desk, visit: "Visit") -> None:
    """Each once, those that come meanwhile not at all; a cursor of somebody else's is refused."""
    for number in range(5):
        await desk.ask(Person(By.NUMBER, f"+86139{number:08d}"), "root")
    root = await visit("root")
    seen: list[int] = []
    address = "/api/privacy/erasures?limit=2"
    cursor: str | None = ""
    while cursor is not None:
        found = await root.json(f"{address}{cursor and f'&cursor={cursor}'}")
        seen += [one["id"] for one in found["erasures"]]
        cursor = found["cursor"]
        await desk.ask(Person(By.NUMBER, "+8613900000099"), "root")
    assert seen == [5, 4, 3, 2, 1]
    assert (await root.get(f"{address}&cursor=x")).status == 400
