"""The audit trail is read by auditors and administrators, and reading it is written into it."""

import csv
import io
from typing import TYPE_CHECKING

from screenpop.audit_words import DEED
from screenpop.route import Scope
from storage.audit import What
from tests.screenpop.planted import token_for

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit


def test_every_deed_has_words() -> None:
    """No page shows ``recovery_code_used``."""
    assert set(DEED) == {what.value for what in What}


async def test_an_auditor_reads_it(house: "House", visit: "Visit") -> None:
    """By person, deed, subject and day; a call is a link; looking is written down, with what was looked for."""
    call = await house.answered()
    await house.audit.add("li", What.LISTENED, str(call), house.time, {"leg": "caller"}, ip="10.0.0.7")
    await house.audit.add("wang", What.LISTENED, "main:1.2", house.time - 5 * 86400)
    shen = await visit("shen")
    page = await shen.text("/audit")
    assert f'href="/calls/{call}"' in page
    assert "收听录音" in page
    assert "10.0.0.7" in page
    assert "wang" not in await shen.text("/audit?what=listened&since=2026-11-20")
    found = (await shen.json("/api/audit?who=li&what=listened"))["entries"]
    assert [(one["who"], one["subject"], one["detail"]) for one in found] == [("li", str(call), {"leg": "caller"})]
    looks = [row for row in await house.audit.rows(who="shen") if row.what is What.LOOKED]
    assert looks[0].detail == {"who": "li", "what": "listened"}
    assert looks[-1].detail is None


async def test_pages_and_nonsense(house: "House", visit: "Visit") -> None:
    """Each entry once over the pages; what makes no sense is refused."""
    for number in range(5):
        await house.audit.add("li", What.LISTENED, f"main:{number}.1", house.time)
    shen = await visit("shen")
    seen: list[str] = []
    address = "/api/audit?what=listened&limit=2"
    while True:
        found = await shen.json(address)
        seen += [one["subject"] for one in found["entries"]]
        if found["cursor"] is None:
            break
        address = f"/api/audit?what=listened&limit=2&cursor={found['cursor']}"
    assert seen == [f"main:{number}.1" for number in reversed(range(5))]
    for bad in ("what=nothing", "cursor=x", f"cursor={'9' * 30}", "limit=0", "since=yesterday"):
        assert (await shen.get(f"/api/audit?{bad}")).status == 400, bad
    assert (await shen.get("/audit?since=yesterday")).status == 400


async def test_the_file_for_a_spreadsheet(house: "House", visit: "Visit") -> None:
    """No cell is a formula, and having it is written down."""
    await house.audit.add("=cmd|' /C calc'!A0", What.LOGIN_REFUSED, "+1", house.time)
    shen = await visit("shen")
    answer = await shen.get("/audit/file?what=login_refused")
    rows = list(csv.DictReader(io.StringIO((await answer.read()).decode("utf-8-sig"))))
    assert [(row["who"], row["subject"]) for row in rows] == [("'=cmd|' /C calc'!A0", "'+1")]
    assert (await house.audit.rows(who="shen"))[0].what is What.LOOKED


async def test_not_for_agents_and_supervisors(visit: "Visit") -> None:
    """They see who listened to a call, where they may, and no more."""
    for login in ("li", "zhao"):
        visitor = await visit(login)
        for path in ("/audit", "/audit/file", "/api/audit"):
            assert (await visitor.get(path)).status == 403, (login, path)


async def test_in_the_readers_language_and_without_numbers(house: "House", visit: "Visit") -> None:
    """What things were done to, in Chinese; a number that was dialled is masked, and guessed by nobody."""
    number = "+8615412349876"
    await house.audit.add("li", What.DIALLED, number, house.time, {"from": "1001", "line": None})
    await house.audit.add("li", What.SHOWN, "customer 7", house.time)
    await house.audit.add("li", What.SHOWN, "ticket 20261120-0001", house.time)
    await house.audit.add("root", What.LOOKED, "number 138****5678", house.time, {"calls": 2})
    await house.audit.add("audit", What.LOGGED_IN, "audit", house.time)
    shen, root = await visit("shen"), await visit("root")
    page = await shen.text("/audit")
    for said in ("客户 7", "工单 20261120-0001", "号码 138****5678", "154****9876", "拨出分机: 1001", "通话数: 2"):
        assert said in page, said
    assert "customer 7" not in page
    assert ">audit</td>" in page.replace("\n", ""), "somebody's login is a login"
    for path in ("/audit", "/audit/file", "/api/audit"):
        for visitor in (shen, root):
            assert "15412349876" not in await visitor.text(path), path
    assert not (await shen.json("/api/audit?subject=15412349876"))["entries"]
    assert [one["what"] for one in (await root.json("/api/audit?subject=15412349876"))["entries"]] == ["dialled"]
    assert "15412349876" not in str([row.detail for row in await house.audit.rows(what=What.LOOKED)])
    token = await token_for(house, "root", Scope.AUDIT, Scope.NUMBERS)
    answer = await (await visit(None)).get("/api/audit?what=dialled", headers={"Authorization": f"Bearer {token}"})
    assert (await answer.json())["entries"][0]["subject"] == number
