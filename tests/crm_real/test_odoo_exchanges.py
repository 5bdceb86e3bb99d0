"""The story that ./test plays from a recording, told to a real Odoo. HOTLINE_RECORD=1 records it anew."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from crm.kit import Fresh
from tests.crm.odoo_story import RENAMED, file_of, opened, tell
from tests.crm.tape import Tape
from tests.crm_real.odoo_lab import PLAIN, NoOdooError, OdooLab, running
from tests.crm_real.odoo_world import Screen
from tests.crm_real.test_odoo import bought

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]

READ = {
    "active",
    "category_id",
    "comment",
    "commercial_company_name",
    "commercial_partner_id",
    "display_name",
    "id",
    "name",
    "phone",
    "phone_mobile_search",
    "phone_sanitized",
    "user_id",
    "write_date",
    "currency_id",
    "date_order",
    "order_line",
    "amount_total",
    "partner_id",
    "description",
    "priority",
    "project_id",
    "stage_id",
    "state",
    "user_ids",
}


@pytest.fixture(scope="module")
def lab() -> Iterator[OdooLab]:
    """The Odoo."""
    try:
        with running() as found:
            yield found
    except NoOdooError as error:
        pytest.skip(str(error))


def trim(path: str, asked: Any, answer: Any) -> Any:
    """Of the fields, those that are read; of an error, no trace of Odoo's code."""
    method = asked["params"]["args"][4:5] if path == "/jsonrpc" else [path.rpartition("/")[2]]
    if method == ["fields_get"]:
        held = answer["result"] if path == "/jsonrpc" else answer
        kept = {name: value for name, value in held.items() if name in READ}
        return {**answer, "result": kept} if path == "/jsonrpc" else kept
    for part in (answer, answer.get("error", {}).get("data", {})) if isinstance(answer, dict) else ():
        part.pop("debug", None)
    return answer


async def cast(screen: Screen) -> dict[str, Any]:
    """Who is in the story, put into Odoo: a person of a firm, with two orders."""
    fresh = Fresh()
    facts: dict[str, Any] = {"now": time.time(), "run": f"{time.time():.0f}"}  # noqa: TID251 - real ones, to be recorded
    facts |= {
        "name": fresh.name(),
        "mobile": fresh.mobile(),
        "stranger": fresh.mobile(),
        "line": f"0755{fresh.fixed()}",
    }
    facts["company"] = f"{fresh.name()}公司"
    [tag] = (await screen.do("res.partner.category", "search", domain=[["name", "=", "VIP"]], limit=1)) or [
        await screen.create("res.partner.category", name="VIP")
    ]
    [admin] = await screen.do("res.users", "search", domain=[["login", "=", "admin"]])
    firm = await screen.create(
        "res.partner",
        name=facts["company"],
        phone=f"{facts['line']}-8012",
        is_company=True,
        category_id=[[6, 0, [tag]]],
        user_id=admin,
    )
    person = await screen.create("res.partner", name=facts["name"], phone=f"+86 {facts['mobile']}", parent_id=firm)
    await bought(screen, person, 2)
    return facts | {"firm": str(firm), "person": str(person)}


@pytest.mark.parametrize("api", ["json2", "jsonrpc"])
async def test_the_story_is_true(lab: OdooLab, api: str) -> None:
    """As the recording has it."""
    screen = Screen(lab)
    key = lab.key(PLAIN)
    async with Tape(file_of(api), lab.url, trim, key) as tape:
        tape.facts |= await cast(screen)
        odoo = await opened(tape.url, api, tape.facts, key)
        try:
            await tell(odoo, tape.facts, lambda: screen.write("res.partner", tape.facts["person"], name=RENAMED))
        finally:
            await odoo.close()
            await screen.close()
        if os.environ.get("HOTLINE_RECORD") == "1":
            tape.keep()
