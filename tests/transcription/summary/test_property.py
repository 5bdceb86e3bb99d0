"""Whatever the turns, a summary comes out, in time linear in the text, and all its evidence is there."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transcription.account import FactKind
from transcription.redaction import redact_turns
from transcription.spoken import written
from transcription.summary import as_json, summarise
from transcription.transcript import Speaker, Turn

WORDS = [
    "订单号是", "工单", "型号", "身份证", "卡号", "尾号", "明天",
    "后天", "周六", "下周三", "4月17号", "31号", "月底前", "下午",
    "9点", "到11点", "七点四十", "半小时内", "三个工作日", "328块5", "花了1200",
    "幺五四零零幺二", "E13", "MX-82D", "KFR", "杠", "11019919850612342X", "6299991020304058",
    "15407728190", "滨江市铁南区光明街217号", "4单元601", "不对", "是", "不是", "最后是",
    "可以吗", "不行", "好的", "加班", "师傅上门", "给您打电话", "退款",
    "我寄给你们", "投诉", "发票", "漏水", "谢谢",
]  # fmt: skip
MARKS = ["，", "。", "？", "……", " ", "\n", "\0", "，，", "1", "幺", "@", "点"]
TEXT = st.one_of(st.lists(st.sampled_from(WORDS + MARKS), max_size=14).map("".join), st.text(max_size=40))
TURN = st.builds(
    Turn,
    st.sampled_from(Speaker),
    st.floats(0, 9000),
    st.floats(0, 9000),
    TEXT,
    st.floats(0, 1),
)
CALLED = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(timezone(timedelta(hours=8))))  # noqa: DTZ001


NO_WORD = [  # an engine that hears a pause only, where an answer is expected
    Turn(Speaker.AGENT, 0.0, 1.0, "可以吗师傅上门", 1.0),
    Turn(Speaker.CALLER, 1.0, 2.0, "，，", 1.0),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(TURN, max_size=12), CALLED)
@example(NO_WORD, datetime(2026, 4, 16, tzinfo=UTC))
def test_it_never_fails_and_cites_only_what_is_there(turns: list[Turn], called_at: datetime) -> None:
    """Evidence indexes exist; the digits of a fact occur in the turns it cites; no card comes out."""
    summary = summarise(turns, called_at)
    as_json(summary)
    for cited in (*summary.evidence.values(), *summary.reasons.values()):
        assert all(0 <= index < len(turns) for index in cited)
    for fact in summary.facts:
        assert fact.turns
        said = "".join(written(turns[index].text) for index in fact.turns)
        if fact.kind in (FactKind.PHONE, FactKind.ORDER_NO, FactKind.TICKET_NO, FactKind.MODEL, FactKind.TAX_NO):
            digits = re.sub(r"\D", "", fact.value)
            assert all(said.count(digit) for digit in digits)
        if fact.kind in (FactKind.ID_CARD, FactKind.BANK_CARD):
            assert re.fullmatch(r"\*{4}[\dX]{1,4}", fact.value)


@settings(max_examples=150, deadline=None)
@given(st.lists(TURN, max_size=8))
def test_redaction_keeps_lengths_and_everything_but_digits(turns: list[Turn]) -> None:
    """Only digits become stars, so times and places stay true."""
    masked, places = redact_turns(turns)
    for before, after in zip(turns, masked, strict=True):
        assert len(before.text) == len(after.text)
        assert all(b in (a, "*") for a, b in zip(before.text, after.text, strict=True))
    assert all(0 <= place.start < place.end <= len(turns[place.turn].text) for place in places)


@pytest.mark.parametrize(
    "repeat", ["c 订单号是20260412778，明天下午2点到4点行不行，328块5。", "a 15407728190，对吧？滨江市光明街217号。"]
)
def test_time_is_linear_in_the_number_of_turns(repeat: str) -> None:
    """Four times the turns take less than eight times the time."""
    speaker = Speaker.CALLER if repeat[0] == "c" else Speaker.AGENT
    other = Speaker.AGENT if speaker is Speaker.CALLER else Speaker.CALLER

    def seconds(count: int) -> float:
        turns = [
            Turn((speaker, other)[i % 2], float(i), i + 0.5, f"{repeat[2:]}{i}" if i % 2 == 0 else "嗯，好的。", 1.0)
            for i in range(count)
        ]
        began = time.process_time()
        summarise(turns, datetime(2026, 4, 16, tzinfo=UTC))
        return time.process_time() - began

    seconds(50)
    short = min(seconds(200) for _ in range(2))
    assert min(seconds(800) for _ in range(2)) < 8 * short + 0.5


def test_one_endless_turn_is_read_in_linear_time() -> None:
    """An engine that never pauses does not stall the worker."""
    text = "订单号是20260412778明天下午2点花了328块5光明街217号可以吗" * 400
    began = time.process_time()
    summarise([Turn(Speaker.CALLER, 0, 60, text, 1.0)], datetime(2026, 4, 16, tzinfo=UTC))
    assert time.process_time() - began < 20


@pytest.mark.parametrize("what", ["x", "1", "，", "a.", "好的，", "一百", "明天下午3点给您回电话，"])
def test_what_nobody_says_is_not_read(what: str) -> None:
    """An engine that went mad, a forger: one thing fifty thousand times over costs nobody a minute."""
    began = time.process_time()
    summarise([Turn(Speaker.CALLER, 0, 60, what * (50_000 // len(what)), 1.0)], datetime(2026, 4, 16, tzinfo=UTC))
    assert time.process_time() - began < 10


def test_a_call_time_without_zone_is_refused() -> None:
    """Tomorrow depends on where the call was."""
    with pytest.raises(ValueError, match="zone"):
        summarise([], datetime(2026, 4, 16))  # noqa: DTZ001
