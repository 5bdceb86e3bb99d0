"""The story that ./test plays from a recording, told to a real RT. HOTLINE_RECORD=1 records it anew."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from crm.kit import Fresh
from tests.crm.rt_story import FILE, RENAMED, RtTape, opened, tell
from tests.crm_real.rt_lab import PLAIN, NoRtError, RtLab, running
from tests.crm_real.rt_world import Screen

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]

FOLLOWED = ("attachment", "customfield")
UNREAD = ("Memberships", "Creator", "LastUpdatedBy", "Headers", "EffectiveId", "Due", "Starts", "Started", "TimeLeft")


@pytest.fixture(scope="module")
def lab() -> Iterator[RtLab]:
    """The RT."""
    try:
        with running() as found:
            yield found
    except NoRtError as error:
        pytest.skip(str(error))


def slim(told: Any) -> Any:
    """Without links that nobody follows, and without what nobody reads."""
    if isinstance(told, list):
        return [slim(each) for each in told if not isinstance(each, dict) or each.get("ref", "attachment") in FOLLOWED]
    if not isinstance(told, dict):
        return told
    kept = {name: slim(value) for name, value in told.items() if name not in UNREAD}
    if told.get("ref") != "attachment":
        kept.pop("_url", None)
    return kept


async def cast(screen: Screen) -> dict[str, Any]:
    """Who is in the story, put into RT."""
    fresh = Fresh()
    facts: dict[str, Any] = {"now": time.time(), "run": f"{time.time():.0f}"}  # noqa: TID251 - real ones, to be recorded
    facts |= {"name": fresh.name(), "company": f"{fresh.name()}公司", "mobile": fresh.mobile()}
    facts |= {"stranger": fresh.mobile(), "line": f"0755{fresh.fixed()}"}
    facts["person"] = await screen.create(
        "user",
        Name=f"story-{facts['run']}",
        RealName=facts["name"],
        Organization=facts["company"],
        MobilePhone=f"+86 {facts['mobile'][:3]} {facts['mobile'][3:]}",
        WorkPhone=f"{facts['line']}-8012",
        CustomFields={"客户等级": "VIP"},
    )
    return facts


async def test_the_story_is_true(lab: RtLab) -> None:
    """As the recording has it."""
    screen = Screen(lab)
    token = lab.token(PLAIN)
    facts = await cast(screen)

    def trim(path: str, asked: Any, answer: Any) -> Any:
        """Of the tickets changed lately, those of the story; of records, what is read."""
        if path == "/REST/2.0/tickets" and asked is None:
            ours = [row for row in answer["items"] if str(facts["run"]) in json.dumps(row)]
            answer = {**answer, "items": ours, "next_page": None}
        return slim(answer)

    async with RtTape(FILE, lab.url, trim, token) as tape:
        tape.facts |= facts
        rt = await opened(tape.url, tape.facts, token)
        try:
            await tell(rt, tape.facts, lambda: screen.write("user", tape.facts["person"], RealName=RENAMED))
        finally:
            await rt.close()
            await screen.close()
        if os.environ.get("HOTLINE_RECORD") == "1":
            tape.keep()
