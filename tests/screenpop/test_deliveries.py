"""Who is told of calls, how it went, and telling it again: for administrators, each look audited."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crm.breaker import State
from screenpop.outgoing import Outgoing
from screenpop.route import Scope
from screenpop.web import build_app
from storage.audit import What
from storage.deliveries import Attempt, Deliveries
from storage.jobs import JobState
from storage.outbox import Outbox
from storage.pushed import Pushed
from storage.records import NewJob
from tests.screenpop.planted import token_for

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

HOOK = "push:flows.example:1f0c2d3e"


class Told:
    """One receiver."""

    def __init__(self, pushed: Pushed) -> None:
        self.pushed, self.named = pushed, HOOK

    def report(self) -> Sequence[Mapping[str, Any]]:
        """How it goes."""
        counts = {"told": 3, "failed": 1, "state": State.CLOSED}
        return [{"receiver": self.named, "kind": "webhook", "error": "it answered 410", "gone": None, **counts}]

    async def resume(self, receiver: str) -> bool:
        """Ask again."""
        await self.pushed.back(receiver)
        return receiver == self.named


class Office:
    """The pages of a house that tells somebody."""

    def __init__(self, house: "House") -> None:
        self.house, self.pushed = house, Pushed(house.db)
        self.told = Told(self.pushed)
        self.deliveries, self.outbox = Deliveries(house.db), Outbox(house.db)

    async def tried(self, call: str, *, fails: bool = False) -> None:
        """An attempt, and its job."""
        sent = '{"data": {"caller": "+8613812345678", "text": "<script>"}}'
        error = "it answered 500: no" if fails else None
        status = 500 if fails else 200
        await self.deliveries.add(
            Attempt(HOOK, call, "arrived", "arrived", self.house.time, 0.25, status, error, sent, "<b>no</b>")
        )
        await self.outbox.add_now(NewJob(HOOK, call, {"call": call}), self.house.time)


@pytest.fixture
def office(house: "House", monkeypatch: pytest.MonkeyPatch) -> Office:
    """It is open: whoever visits the house finds its pages."""
    office = Office(house)
    outgoing = Outgoing(office.told, office.deliveries, office.outbox)
    monkeypatch.setattr(house, "app", lambda: build_app(replace(house.deps, outgoing=outgoing)))
    return office


async def test_an_administrator_looks_and_has_it_told_again(office: Office, visit: "Visit") -> None:
    """The receiver with what is wrong, the attempts, one whole and escaped; again, all again, resume; all audited."""
    await office.tried("main:1.1", fails=True)
    await office.tried("main:1.2")
    job = await office.outbox.claim([HOOK], office.house.time, 60)
    assert job is not None
    await office.outbox.dead(job, "given up", office.house.time)
    await office.pushed.went(HOOK, office.house.time)
    root = await visit("root")
    page = await root.text("/deliveries")
    assert "it answered 410" in page
    assert "对方已停收" in page
    assert "13812345678" not in page, "a list shows no number"
    assert (await root.text("/deliveries?failed=1")).count('href="/calls/main') == 1
    (first,) = (await root.json("/api/deliveries?failed=true"))["deliveries"]
    whole = await root.text(f"/deliveries/{first['id']}")
    assert "&lt;script&gt;" in whole
    assert "+8613812345678" in whole
    for path in (f"/deliveries/{first['id']}/again", f"/api/deliveries/{first['id']}/again"):
        assert (await root.post(path)).status == 409, "whoever is gone is asked again first"
    assert (await root.json("/api/receivers"))["receivers"][0]["gone"] == office.house.time
    assert (await root.post(f"/receivers/{HOOK}/resume")).status == 303
    assert (await root.json("/api/receivers"))["receivers"][0]["gone"] is None
    assert (await root.post(f"/deliveries/{first['id']}/again")).status == 303
    assert (await root.json("/api/receivers"))["receivers"][0]["given_up"] == 0
    again = await root.post(f"/api/receivers/{HOOK}/again")
    assert (await again.json()) == {"calls": 0}
    entries = await office.house.audit.rows(who="root")
    assert [row.what for row in entries][:4] == [What.JOB_REPLAYED] * 3 + [What.LOOKED]


async def test_nothing_is_sent_to_whom_nobody_configures_any_more(office: Office, visit: "Visit") -> None:
    """What was tried is still shown; to have it told again would leave a job that nobody does."""
    await office.tried("main:1.1", fails=True)
    job = await office.outbox.claim([HOOK], office.house.time, 60)
    assert job is not None
    await office.outbox.done(job, office.house.time)
    office.told.named = "push:other.example:00000000"
    root = await visit("root")
    (first,) = (await root.json("/api/deliveries"))["deliveries"]
    assert (await root.post(f"/api/deliveries/{first['id']}/again")).status == 409
    assert (await office.outbox.counts()) == {(HOOK, JobState.DONE): 1}


async def test_pages_of_attempts(office: Office, visit: "Visit") -> None:
    """By call and receiver, so many at a time, each once; a cursor of somebody else is refused."""
    for number in range(7):
        await office.tried(f"main:1.{number}")
    root = await visit("root")
    seen: list[str] = []
    cursor = ""
    while True:
        found = await root.json(f"/api/deliveries?limit=3{cursor}")
        seen += [one["call"] for one in found["deliveries"]]
        if found["cursor"] is None:
            break
        cursor = f"&cursor={found['cursor']}"
    assert seen == [f"main:1.{number}" for number in reversed(range(7))]
    assert len((await root.json("/api/deliveries?call=main:1.3"))["deliveries"]) == 1
    assert not (await root.json("/api/deliveries?receiver=push:other:0"))["deliveries"]
    for bad in ("x", "-1", "9" * 40):
        assert (await root.get(f"/api/deliveries?cursor={bad}")).status == 400, bad
    for path in ("/deliveries/99", "/api/deliveries/99", f"/api/deliveries/{'9' * 30}"):
        assert (await root.get(path)).status == 404, path
    assert (await root.post("/api/receivers/push:other:0/again")).status == 404


async def test_a_program_without_numbers_reads_no_body(office: Office, visit: "Visit") -> None:
    """It sees how it went; what was sent has numbers in it."""
    await office.tried("main:1.1")
    visitor = await visit(None)
    for scopes, sees in (((Scope.STATUS,), False), ((Scope.STATUS, Scope.NUMBERS), True)):
        headers = {"Authorization": f"Bearer {await token_for(office.house, 'root', *scopes)}"}
        answer = await visitor.get("/api/deliveries/1", headers=headers)
        assert answer.status == 200
        assert ("+8613812345678" in await answer.text()) is sees, scopes


async def test_not_for_others(office: Office, visit: "Visit") -> None:
    """Agents, supervisors and auditors have nothing to do with it."""
    await office.tried("main:1.1")
    for login in ("li", "zhao", "shen"):
        visitor = await visit(login)
        for path in ("/deliveries", "/deliveries/1", "/api/deliveries", "/api/deliveries/1", "/api/receivers"):
            assert (await visitor.get(path)).status == 403, (login, path)
    assert (await office.outbox.counts()) == {(HOOK, JobState.READY): 1}
