"""The story that ./test plays from a recording, told to a real Tryton. HOTLINE_RECORD=1 records it anew."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from crm.kit import Fresh
from tests.crm.tape import Tape
from tests.crm.tryton_story import FILE, RENAMED, opened, tell
from tests.crm_real.test_tryton import bought
from tests.crm_real.tryton_lab import PASSWORDS, PLAIN, NoTrytonError, Screen, TrytonLab, running
from tests.crm_real.tryton_world import mechanism, party

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]

READ = {
    "active",
    "categories",
    "comment",
    "company",
    "contact_mechanisms",
    "create_date",
    "currency",
    "description",
    "id",
    "lines",
    "name",
    "number",
    "parent",
    "party",
    "product",
    "progress",
    "rec_name",
    "replaced_by",
    "sale_date",
    "state",
    "status",
    "summary",
    "total_amount",
    "type",
    "types",
    "write_date",
}
ATTRIBUTES = {"type", "size", "selection", "relation"}


@pytest.fixture(scope="module")
def lab() -> Iterator[TrytonLab]:
    """The Tryton."""
    try:
        with running() as found:
            yield found
    except NoTrytonError as error:
        pytest.skip(str(error))


def trim(_: str, asked: Any, answer: Any) -> Any:
    """Of the fields, those that are read; of our user, its company."""
    method = asked["method"].rpartition(".")[2]
    if method == "fields_get":
        kept = {
            name: {key: value for key, value in field.items() if key in ATTRIBUTES}
            for name, field in answer["result"].items()
            if name in READ
        }
        return {**answer, "result": kept}
    if method == "get_preferences":
        return {**answer, "result": {"company": answer["result"]["company"]}}
    return answer


async def cast(screen: Screen) -> dict[str, Any]:
    """Who is in the story, put into Tryton: a firm with a line, a person with two sales."""
    fresh = Fresh()
    facts: dict[str, Any] = {"now": time.time(), "run": f"{time.time():.0f}"}  # noqa: TID251 - real ones, to be recorded
    facts |= {"name": fresh.name(), "mobile": fresh.mobile(), "stranger": fresh.mobile()}
    facts["line"] = f"0755{fresh.fixed()[:-1]}1"
    tags = await screen.find("party.category", ["name", "=", "VIP"]) or [
        await screen.create("party.category", name="VIP")
    ]
    firm = await party(screen, f"{fresh.name()}公司")
    line = await mechanism(screen, firm, f"{facts['line']}-8012")
    person = await party(screen, facts["name"], f"+86 {facts['mobile']}")
    await screen.write("party.party", person, categories=[["add", tags]])
    await bought(screen, person, 2)
    return facts | {"firm": str(firm), "person": str(person), "mechanism": str(line)}


async def test_the_story_is_true(lab: TrytonLab) -> None:
    """As the recording has it."""
    screen = Screen(lab.url)
    [company] = await screen.find("company.company")
    screen.of_company(company)
    async with Tape(FILE, lab.url, trim, PASSWORDS[PLAIN]) as tape:
        tape.facts |= await cast(screen)

        async def act() -> None:
            await screen.write("party.party", tape.facts["person"], name=RENAMED)
            line = f"{tape.facts['line'][:-1]}0"
            await screen.write("party.contact_mechanism", tape.facts["mechanism"], value=line, comment="")

        tryton = await opened(tape.url, tape.facts, PASSWORDS[PLAIN])
        try:
            await tell(tryton, tape.facts, act)
        finally:
            await tryton.close()
            await screen.close()
        logins = [each["answer"]["result"] for each in tape._exchanges if "db.login" in each["asked"]["body"]["method"]]
        assert len(logins) == 1
        tape._exchanges = json.loads(json.dumps(tape._exchanges).replace(logins[0][1], "SESSION"))
        if os.environ.get("HOTLINE_RECORD") == "1":
            tape.keep()
