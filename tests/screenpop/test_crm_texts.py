"""What the CRM's people read of our calls, in the site's language, whatever was said in them."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from screenpop.crm_texts import Pen
from screenpop.i18n import Reader
from storage.pages import CallItem, CallPage, TicketItem, TicketPage, TimelineItem
from storage.records import Phase, RecordingRow, TicketLink, TimelineKind
from telephony.call import CallKey, Outcome
from tickets.ticket import Status, Ticket
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency

KEY = CallKey("hq", "1795147200.1")
NOON = 1_795_147_200.0  # 2026-11-20 12:00 in Shanghai
CALL = CallItem(
    key=KEY,
    caller="13812345678",
    e164="+8613812345678",
    region=None,
    line="4007002505",
    phase=Phase.ENDED,
    arrived=NOON,
    answered=NOON + 5,
    ended=NOON + 70,
    duration=70.0,
    outcome=Outcome.ANSWERED,
    customer_id="7",
    customer_name="张伟",
    vip=False,
    ticket=TicketLink(7, "20261120-0001", joined=False),
    agents=("1001", "1002"),
    recorded=True,
    waiting=None,
    said=None,
)
PAGE = CallPage(CALL, "4007002505", None, (), (RecordingRow("a", "b", None, 65.0),), None, None, (), ())
SUMMARY = Summary(
    "发票 {agents} 开错了",
    Category.INVOICE,
    Urgency.LOW,
    Sentiment.BAD,
    (
        Detail(FactKind.ORDER_NO, "SO-1", "caller", 1.0, 0),
        Detail(FactKind.AMOUNT, "99", "caller", 2.0, 0, sure=False),
    ),
    (Promise("agent", "重开发票", "2026-11-25", 1), Promise("agent", "回电", "2026-11-21T09:00", 1)),
    {},
)


def pen(language: str = "zh_CN", url: str | None = "https://calls.example") -> Pen:
    """Somebody who writes."""
    reader = Reader(language, ZoneInfo("Asia/Shanghai"))
    return Pen(reader, lines={"4007002505": "售后"}, agents={"1001": "王芳"}, url=url)


@pytest.mark.parametrize(
    ("item", "title", "said"),
    [
        (CALL, "138 1234 5678 来电 · 已接听 1:05", "等待 0:05 后由 王芳, 1002 接听，通话 1:05。"),
        (
            replace(CALL, ended=None, outcome=None, phase=Phase.TALKING),
            "138 1234 5678 来电 · 通话中",
            "等待 0:05 后由 王芳, 1002 接听，正在通话。",
        ),
        (
            replace(CALL, answered=None, outcome=Outcome.ABANDONED, agents=(), duration=12.0),
            "138 1234 5678 来电 · 未接",
            "无人接听，客户等待 0:12 后挂断。",
        ),
        (
            replace(CALL, answered=None, outcome=Outcome.VOICEMAIL, agents=()),
            "138 1234 5678 来电 · 语音留言",
            "无人接听，客户已留言。",
        ),
        (
            replace(CALL, answered=None, ended=None, outcome=Outcome.LOST, caller=None, e164=None),
            "号码未显示 来电 · 失去跟踪",
            "通话如何结束未知。",
        ),
    ],
)
def test_every_course_of_a_call_has_its_words(item: CallItem, title: str, said: str) -> None:
    """In a sentence each."""
    text = pen().call(replace(PAGE, item=item))
    assert text.title == title
    assert text.paragraphs[1] == said


def test_what_was_said_is_told_and_what_was_hardly_heard_is_not() -> None:
    """The next step is what is due first; braces in what people said stay theirs."""
    text = pen("en").call(replace(PAGE, summary=SUMMARY))
    assert text.paragraphs == (
        "2026-11-20 12:00: called 售后.",
        "Answered by 王芳, 1002 after 0:05; talked 1:05.",
        "Matter: 发票 {agents} 开错了",
        "Category: Invoice; urgency: Low; mood: Negative",
        "Promise of the Agent: 重开发票 (until 2026-11-25)",
        "Promise of the Agent: 回电 (until 2026-11-21 09:00)",
        "Details: Order number SO-1",
        "Next step: 回电 (until 2026-11-21 09:00)",
        "Ticket 20261120-0001",
    )
    assert text.links == (("Recording and transcript", f"https://calls.example/calls/{KEY}"),)


def test_without_a_public_address_there_are_no_links() -> None:
    """One that only this machine knows would lead nowhere."""
    assert pen(url=None).call(PAGE).links == ()


def test_a_deleted_recording_is_not_promised() -> None:
    """The link leads to the call all the same."""
    gone = replace(PAGE, recordings=(replace(PAGE.recordings[0], deleted=NOON),))
    assert pen().call(gone).links[0][0] == "通话详情"


def test_a_ticket_and_its_moves_are_told() -> None:
    """By its number, from what to what, by whom and when."""
    ours = Ticket(7, "20261120-0001", Status.WORKING, "4007002505", "", None, "7", "张伟", None, None, "li", NOON, NOON)
    moved = TimelineItem(NOON, TimelineKind.MOVED, "li", None, {"from": "accepted", "to": "working"})
    page = TicketPage(
        TicketItem(ours, vip=False, reach=None, missed=0, version=2), frozenset(), None, (CALL,), (moved,)
    )
    assert pen().ticket(page).title == "20261120-0001 138 1234 5678 来电"
    assert pen().move(page, moved).title == "工单 20261120-0001：受理 → 处理中"
    assert pen().move(page, moved).paragraphs == ("2026-11-20 12:00，操作人：li",)
    assert "went from Accepted to In progress" in pen("en").stale(page, moved)
