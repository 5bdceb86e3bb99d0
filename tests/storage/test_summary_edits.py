"""People's corrections of summaries: beside the machine's, over every later run of it, and counted."""

from typing import TYPE_CHECKING

import pytest

from storage.ledger import Ledger
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import TimelineKind
from storage.summary_edits import Corrected, CorrectedMeanwhileError, UnsoundError
from storage.trouble import UnknownCallError
from telephony.call import CallKey
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.corrections import Change, Part, fact_key, promise_key
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told

SAID = Transcript((Turn(Speaker.CALLER, 0.5, 2.0, "洗衣机不转，型号XQB80，三天内上门", 0.9),), "vosk", "small-cn")
MACHINE = Summary(
    issue="洗衣机不转",
    category=Category.QUESTION,
    urgency=Urgency.LOW,
    sentiment=Sentiment.NEUTRAL,
    facts=(Detail(FactKind.MODEL, "XQB80", "caller", 0.5, 0), Detail(FactKind.AMOUNT, "3", "caller", 1.0, 0)),
    promises=(Promise("agent", "上门", "2026-11-23", 0),),
    evidence={"洗衣机不转": (0,)},
    reasons={"category": (0,)},
)
NOON = 1_795_147_200.0
MODEL, AMOUNT = fact_key("model", "XQB80"), fact_key("amount", "3")
VISIT = promise_key("agent", "上门")


def text(value: str) -> dict[str, str]:
    """A label or sentence."""
    return {"text": value}


async def said(ledger: Ledger, call: "Told", summary: Summary = MACHINE, transcript: Transcript = SAID) -> None:
    """The call is over and summed up."""
    for fact in call.whole():
        await ledger.record(fact, now=fact.at or 0.0, number=call.number)
    await ledger.said(call.key, transcript, summary, 100.0)


async def page_of(reads: Reads, key: CallKey) -> CallPage:
    """The call's page, which must be there."""
    page = await reads.call(key)
    assert page is not None
    return page


async def test_corrections_lie_over_the_machines_summary(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Each part may be changed, taken out and put in; what the machine said is still there; the ticket follows."""
    call = ring()
    await said(ledger, call)
    changes = [
        Change(Part.CATEGORY, value=text("报修")),
        Change(Part.ISSUE, value=text("洗衣机不转，要上门")),
        Change(Part.FACT, MODEL, {"kind": "model", "value": "XQB90"}),
        Change(Part.FACT, AMOUNT, None),
        Change(Part.FACT, fact_key("phone", "075588886666"), {"kind": "phone", "value": "075588886666"}),
        Change(Part.PROMISE, VISIT, {"who": "agent", "what": "上门", "by_when": "2026-11-24"}),
    ]
    assert await ledger.correct_summary(call.key, changes, who="li", now=200.0, seen=0)
    page = await page_of(reads, call.key)
    assert page.machine == MACHINE
    assert page.summary is not None
    assert (page.summary.issue, page.summary.category) == ("洗衣机不转，要上门", Category.REPAIR)
    assert [(fact.kind.value, fact.value, fact.by) for fact in page.summary.facts] == [
        ("model", "XQB90", "li"),
        ("phone", "075588886666", "li"),
    ]
    assert [(one.what, one.by_when, one.by) for one in page.summary.promises] == [("上门", "2026-11-24", "li")]
    assert "category" not in page.summary.reasons
    assert [one.who for one in page.corrections] == ["li"] * 6
    assert page.item.ticket is not None
    ticket = await reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert ticket.item.ticket.title == "洗衣机不转，要上门"
    assert ticket.item.ticket.category == "报修"
    assert "category" not in ticket.typed  # the ticket's own fields stay the machine's to fill
    assert [line.who for line in ticket.timeline if line.kind is TimelineKind.CORRECTED] == ["li"]


async def test_a_later_run_of_the_machine_overwrites_nothing(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """What a person took out stays out, what was put in stays in; what the machine newly hears is added."""
    call = ring()
    await said(ledger, call)
    changes = [
        Change(Part.CATEGORY, value=text("报修")),
        Change(Part.FACT, AMOUNT, None),
        Change(Part.FACT, fact_key("model", "X1"), {"kind": "model", "value": "X1"}),
    ]
    await ledger.correct_summary(call.key, changes, who="li", now=200.0, seen=0)
    again = Summary(
        "洗衣机坏了",
        Category.COMPLAINT,
        Urgency.HIGH,
        Sentiment.BAD,
        (
            Detail(FactKind.AMOUNT, "3", "caller", 1.0, 0),
            Detail(FactKind.MODEL, "X1", "caller", 1.0, 0),
            Detail(FactKind.DATE, "2026-11-20", "caller", 1.0, 0),
        ),
        (),
        {},
    )
    await ledger.said(call.key, SAID, again, 300.0)
    summary = (await page_of(reads, call.key)).summary
    assert summary is not None
    assert (summary.issue, summary.category, summary.urgency) == ("洗衣机坏了", Category.REPAIR, Urgency.HIGH)
    assert [fact.value for fact in summary.facts] == ["X1", "2026-11-20"]


async def test_the_machine_may_be_right_after_all(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Saying what the machine says takes the correction back; saying nothing new writes nothing."""
    call = ring()
    await said(ledger, call)
    change = Change(Part.CATEGORY, value=text("报修"))
    await ledger.correct_summary(call.key, [change], who="li", now=200.0, seen=0)
    seen = (await page_of(reads, call.key)).corrected
    assert not await ledger.correct_summary(call.key, [change], who="wang", now=201.0, seen=seen)
    assert not await ledger.correct_summary(
        call.key, [Change(Part.URGENCY, value=text("低"))], who="wang", now=201.0, seen=seen
    )
    back = Change(Part.CATEGORY, value=text("咨询"))
    assert await ledger.correct_summary(call.key, [back], who="wang", now=202.0, seen=seen)
    page = await page_of(reads, call.key)
    assert page.summary == page.machine == MACHINE
    assert page.corrections == ()
    assert page.corrected > seen


UNSOUND = [
    Change(Part.CATEGORY, value=text("胡说")),
    Change(Part.CATEGORY),
    Change(Part.ISSUE, value=text("  ")),
    Change(Part.ISSUE, value=text("字" * 501)),
    Change(Part.ISSUE, value=text("一行\n两行")),
    Change(Part.FACT, "x", {"kind": "nonsense", "value": "1"}),
    Change(Part.FACT, "x", {"kind": "model", "value": ""}),
    Change(Part.PROMISE, "x", {"who": "boss", "what": "上门", "by_when": ""}),
]


async def test_what_no_summary_can_hold_is_refused(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Whole: the sound change beside it is not kept either."""
    call = ring()
    await said(ledger, call)
    good = Change(Part.URGENCY, value=text("高"))
    for change in UNSOUND:
        with pytest.raises(UnsoundError):
            await ledger.correct_summary(call.key, [good, change], who="li", now=200.0, seen=0)
    assert (await page_of(reads, call.key)).summary == MACHINE


async def test_two_people_at_once(ledger: Ledger, ring: "Ring") -> None:
    """The second is told instead of undoing the first; calls without a summary, or none, cannot be corrected."""
    call = ring()
    await said(ledger, call)
    await ledger.correct_summary(call.key, [Change(Part.CATEGORY, value=text("报修"))], who="li", now=200.0, seen=0)
    with pytest.raises(CorrectedMeanwhileError):
        await ledger.correct_summary(
            call.key, [Change(Part.CATEGORY, value=text("投诉"))], who="wang", now=201.0, seen=0
        )
    bare = ring()
    await ledger.record(bare.arrived(), now=0.0, number=bare.number)
    with pytest.raises(UnsoundError):
        await ledger.correct_summary(bare.key, [Change(Part.ISSUE)], who="li", now=200.0, seen=0)
    with pytest.raises(UnknownCallError):
        await ledger.correct_summary(ring().key, [Change(Part.ISSUE)], who="li", now=200.0, seen=0)


async def test_how_much_is_corrected_is_counted(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """By line and model, an undone one not; a model that is gone keeps what was corrected of its summaries."""
    first, second, third = ring(), ring(), ring(line="4008001234")
    for call in (first, second, third):
        await said(ledger, call)
    category = Change(Part.CATEGORY, value=text("报修"))
    await ledger.correct_summary(first.key, [category, Change(Part.FACT, AMOUNT, None)], who="li", now=200.0, seen=0)
    await ledger.correct_summary(third.key, [category], who="li", now=200.0, seen=0)
    seen = (await page_of(reads, third.key)).corrected
    await ledger.correct_summary(third.key, [Change(Part.CATEGORY, undo=True)], who="li", now=201.0, seen=seen)
    assert await reads.corrected(0.0) == (
        Corrected("4007002505", "vosk", "small-cn", 2, 1, {"category": 1, "fact": 1}),
        Corrected("4008001234", "vosk", "small-cn", 1, 0, {}),
    )
    await ledger.said(first.key, Transcript(SAID.turns, "whisper", "base"), MACHINE, 400.0)
    assert await reads.corrected(0.0) == (
        Corrected("4007002505", "vosk", "small-cn", 2, 1, {"category": 1, "fact": 1}),
        Corrected("4007002505", "whisper", "base", 1, 0, {}),
        Corrected("4008001234", "vosk", "small-cn", 1, 0, {}),
    )
    assert await reads.corrected(first.began + 1) == ()


async def test_a_models_sentences_belong_to_one_transcript(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """They are kept only while the words are those they were made of, and go when the call is said again."""
    call = ring()
    await said(ledger, call)
    made = {"model": "m", "sentences": [{"text": "洗衣机不转", "turns": [0]}]}
    assert not await ledger.polished(call.key, 99.0, made)
    assert await ledger.polished(call.key, 100.0, made)
    assert (await page_of(reads, call.key)).polished == made
    await ledger.said(call.key, SAID, MACHINE, 101.0)
    assert (await page_of(reads, call.key)).polished is None


async def test_calls_of_a_time(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Those that are over, by arrival, of one line or all; the end does not belong to it."""
    later, first = ring(began=NOON + 60), ring(began=NOON)
    other = ring(line="4008001234", began=NOON + 30)
    for call in (later, first, other):
        await said(ledger, call)
    going = ring(began=NOON + 10)
    await ledger.record(going.arrived(), now=0.0, number=going.number)
    assert list(await reads.calls_between(NOON, NOON + 60)) == [first.key, other.key]
    assert list(await reads.calls_between(NOON, 1e12, "4007002505")) == [first.key, later.key]
