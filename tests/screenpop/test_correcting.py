"""A person corrects the machine's summary: by a form without scripts, or as JSON; and what that shows."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from stdnum import luhn

from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from storage.pages import CallPage
    from telephony.call import CallKey
    from tests.screenpop.conftest import House, Visit

TURNS = (Turn(Speaker.CALLER, 0.5, 2.0, "洗衣机不转，型号XQB80", 0.9), Turn(Speaker.AGENT, 2.0, 3.0, "明天上门", 0.9))
SUMMARY = Summary(
    issue="洗衣机不转",
    category=Category.QUESTION,
    urgency=Urgency.LOW,
    sentiment=Sentiment.NEUTRAL,
    facts=(Detail(FactKind.MODEL, "XQB80", "caller", 0.5, 0), Detail(FactKind.AMOUNT, "80", "caller", 1.0, 0)),
    promises=(Promise("agent", "上门", "2026-11-21", 1),),
    evidence={"洗衣机不转": (0,)},
)
FORM = {
    "seen": "0",
    "issue": "洗衣机不转",
    "category": "咨询",
    "urgency": "低",
    "sentiment": "中性",
    "fact_0_key": "model|XQB80",
    "fact_0_value": "XQB80",
    "fact_1_key": "amount|80",
    "fact_1_value": "80",
    "fact_new_kind": "order_no",
    "fact_new_value": "",
    "promise_0_key": "agent|上门",
    "promise_0_what": "上门",
    "promise_0_by_when": "2026-11-21",
    "promise_new_who": "agent",
    "promise_new_what": "",
    "promise_new_by_when": "",
}


@pytest.fixture
async def call(house: "House") -> "CallKey":
    """A call of 李's that was summed up."""
    key = await house.answered()
    await house.ledger.said(key, Transcript(TURNS, "vosk", "small-cn"), SUMMARY, house.time)
    return key


async def page_of(house: "House", call: "CallKey") -> "CallPage":
    """The call's page, which must be there."""
    page = await house.reads.call(call)
    assert page is not None
    return page


async def test_a_form_left_as_it_was_changes_nothing(house: "House", visit: "Visit", call: "CallKey") -> None:
    """The page's own fields, sent back: no correction."""
    li = await visit("li")
    page = await li.text(f"/calls/{call}")
    for name, value in FORM.items():
        assert f'name="{name}"' in page
        if value and name not in ("fact_new_kind", "promise_new_who"):
            assert value in page
    assert (await li.post(f"/calls/{call}/summary", FORM)).status == 303
    assert (await page_of(house, call)).corrected == 0


async def test_what_a_person_enters_stands_beside_the_machines(house: "House", visit: "Visit", call: "CallKey") -> None:
    """Each part; who did it is shown; the ticket is called by the person's words; supervisors' lists are told."""
    li = await visit("li")
    entered = {
        **FORM,
        "issue": "洗衣机不转，<b>要</b>上门",
        "category": "报修",
        "fact_0_value": "XQB90",
        "fact_1_gone": "1",
        "fact_new_value": "26040007",
        "promise_0_by_when": "2026-11-22",
        "promise_new_what": "打电话",
    }
    answer = await li.post(f"/calls/{call}/summary", entered)
    assert (answer.status, answer.headers["Location"]) == (303, f"/calls/{call}#summary")
    kept = await page_of(house, call)
    assert kept.machine == SUMMARY
    assert kept.summary is not None
    assert (kept.summary.issue, kept.summary.category) == ("洗衣机不转，<b>要</b>上门", Category.REPAIR)
    assert [(fact.value, fact.by) for fact in kept.summary.facts] == [("XQB90", "li"), ("26040007", "li")]
    promises = [(one.what, one.by_when) for one in kept.summary.promises]
    assert promises == [("上门", "2026-11-22"), ("打电话", "")]
    shown = await li.text(f"/calls/{call}")
    assert "人工更正" in shown
    assert "洗衣机不转，&lt;b&gt;要&lt;/b&gt;上门" in shown
    ticket = await li.text(f"/tickets/{await house.ticket_of(call)}")
    assert "洗衣机不转，&lt;b&gt;要&lt;/b&gt;上门" in ticket
    assert "摘要已更正" in ticket


async def test_a_correction_is_corrected_and_taken_back(house: "House", visit: "Visit", call: "CallKey") -> None:
    """The form then shows the person's value under the machine's place; taking back gives the machine's again."""
    li = await visit("li")
    await li.post(f"/calls/{call}/summary", {**FORM, "fact_0_value": "XQB90"})
    seen = str((await page_of(house, call)).corrected)
    second = {**FORM, "seen": seen, "fact_0_value": "XQB91"}
    await li.post(f"/calls/{call}/summary", second)
    kept = await page_of(house, call)
    assert kept.summary is not None
    assert [fact.value for fact in kept.summary.facts] == ["XQB91", "80"]
    assert len(kept.corrections) == 1
    back = {"seen": str(kept.corrected), "undo_part": "fact", "undo_key": "model|XQB80"}
    assert (await li.post(f"/calls/{call}/summary", back)).status == 303
    after = await page_of(house, call)
    assert after.summary == SUMMARY
    assert after.corrections == ()


async def test_two_people_at_once(visit: "Visit", call: "CallKey", house: "House") -> None:
    """The second is told, and nothing of the first is lost."""
    li, zhao = await visit("li"), await visit("zhao")
    assert (await li.post(f"/calls/{call}/summary", {**FORM, "category": "报修"})).status == 303
    typed = {"category": "投诉", "issue": "要<i>退款</i>", "fact_0_value": "XQB99"}
    answer = await zhao.post(f"/calls/{call}/summary", {**FORM, **typed})
    assert answer.status == 409
    text = await answer.text()
    assert "别人已更正" in text
    for entered in ("要&lt;i&gt;退款&lt;/i&gt;", "XQB99"):
        assert f'<div class="text-break">{entered}</div>' in text, "what was typed can be typed again"
    kept = await page_of(house, call)
    assert kept.summary is not None
    assert kept.summary.category is Category.REPAIR


async def test_what_cannot_be_is_refused(visit: "Visit", call: "CallKey", house: "House") -> None:
    """With a page that says so, and nothing kept."""
    li = await visit("li")
    for fields, status in [
        ({"category": "胡说"}, 422),
        ({"issue": "字" * 501}, 422),
        ({"fact_new_kind": "nonsense", "fact_new_value": "1"}, 422),
        ({"promise_new_who": "boss", "promise_new_what": "上门"}, 422),
        ({"seen": "many"}, 400),
        ({"undo_part": "nonsense"}, 400),
    ]:
        assert (await li.post(f"/calls/{call}/summary", {**FORM, **fields})).status == status, fields
    assert (await page_of(house, call)).corrected == 0


async def test_card_numbers_that_are_typed_are_masked(visit: "Visit", call: "CallKey", house: "House") -> None:
    """As those that were said; an order's number that looks like a card's stays."""
    card = "629999000000000000"
    card += luhn.calc_check_digit(card)
    li = await visit("li")
    entered = {**FORM, "issue": f"退到卡{card}", "fact_new_value": card}
    await li.post(f"/calls/{call}/summary", entered)
    kept = await page_of(house, call)
    assert kept.summary is not None
    assert kept.summary.issue is not None
    assert card not in kept.summary.issue
    assert kept.summary.issue.endswith(card[-4:])
    assert kept.summary.facts[-1].value == card  # called an order's


async def test_the_same_as_json(visit: "Visit", call: "CallKey", house: "House") -> None:
    """A program reads corrections beside the summary, and makes them."""
    li = await visit("li")

    async def patch(body: Any) -> int:
        return (await li.ask("PATCH", f"/api/calls/{call}/summary", json=body)).status

    change = {"part": "fact", "key": "amount|80", "value": None}
    assert await patch({"seen": 0, "changes": [change]}) == 204
    read = await li.json(f"/api/calls/{call}")
    assert read["corrections"] == [
        {
            "part": "fact",
            "key": "amount|80",
            "value": None,
            "machine": {"kind": "amount", "value": "80"},
            "who": "li",
            "at": house.time,
        }
    ]
    assert [fact["value"] for fact in read["summary"]["facts"]] == ["XQB80"]
    assert await patch({"seen": 0, "changes": [change]}) == 409
    seen = read["corrected"]
    assert await patch({"seen": seen, "changes": [{"part": "category", "value": {"text": "胡说"}}]}) == 422
    for wrong in (
        {"changes": [change]},
        {"seen": seen, "changes": []},
        {"seen": seen, "changes": [change] * 101},
        {"seen": seen, "changes": ["x"]},
        {"seen": seen, "changes": [{"part": "nonsense"}]},
        {"seen": seen, "changes": [{"part": "issue", "key": 1}]},
        {"seen": seen, "changes": [{"part": "issue", "value": {"text": 1}}]},
        {"seen": seen, "changes": [{"part": "issue", "value": {"text": "a\0"}}]},
    ):
        assert await patch(wrong) == 400, wrong
    added = {"part": "fact", "key": "phone|1", "value": {"kind": "phone", "value": "075588886666"}}
    assert await patch({"seen": seen, "changes": [added]}) == 204
    facts = (await li.json(f"/api/calls/{call}"))["summary"]["facts"]
    assert (facts[-1]["by"], facts[-1]["turns"]) == ("li", [])
    await li.text(f"/calls/{call}")  # what cites no turn is drawn as well


async def test_how_much_was_corrected_is_told(visit: "Visit", call: "CallKey") -> None:
    """To those who look after the service, on its page and as JSON."""
    li, root = await visit("li"), await visit("root")
    await li.post(f"/calls/{call}/summary", {**FORM, "category": "报修"})
    told = await root.json("/api/corrections?days=1")
    assert told == {
        "days": 1,
        "corrected": [
            {
                "line": "4007002505",
                "engine": "vosk",
                "model": "small-cn",
                "summaries": 1,
                "edited": 1,
                "parts": {"category": 1},
            }
        ],
    }
    assert (await li.get("/api/corrections")).status == 403
    assert (await root.get("/api/corrections?days=0")).status == 400
    page = await root.text("/status")
    assert re.search("摘要更正率.*1 份中更正了 1 份", page, re.DOTALL)


async def test_a_colleagues_call_is_not_for_correcting(visit: "Visit", call: "CallKey", house: "House") -> None:
    """Nor one without a summary, nor by nobody."""
    wang, nobody = await visit("wang"), await visit(None)
    assert (await wang.post(f"/calls/{call}/summary", FORM)).status == 403
    assert (await nobody.post(f"/calls/{call}/summary", FORM)).status == 401
    bare = await house.answered()
    li = await visit("li")
    answer = await li.ask(
        "PATCH", f"/api/calls/{bare}/summary", json={"seen": 0, "changes": [{"part": "issue", "value": None}]}
    )
    assert answer.status == 422
