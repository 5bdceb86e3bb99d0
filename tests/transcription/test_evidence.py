"""A sentence about a call is believed only where the cited turns say it: numbers, names, words, negations, sides."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.evidence import Support, supported
from transcription.transcript import Speaker, Turn

AT = datetime.fromisoformat("2026-05-18T19:20:00+08:00")
BROKEN = "我家空调不制冷，显示E4，上个月刚花了三千二百八十块买的"
VISIT = "后天上午九点到十一点师傅上门"


def caller(text: str) -> Turn:
    """What the caller says."""
    return Turn(Speaker.CALLER, 0.0, 1.0, text, 1.0)


def agent(text: str) -> Turn:
    """What the agent says."""
    return Turn(Speaker.AGENT, 1.0, 2.0, text, 1.0)


@pytest.mark.parametrize(
    ("sentence", "turns"),
    [
        ("客户反映空调不制冷，显示E4。", [BROKEN]),
        ("空调花了3280元购买。", [BROKEN]),
        ("空调花了3280块。", [BROKEN]),
        ("师傅后天上午9点到11点上门。", [VISIT]),
        ("师傅2026-05-20上门。", [VISIT]),
        ("日期：2026-05-20", [VISIT]),
        ("时间：09:00-11:00", [VISIT]),
        ("订单号：26040007", ["订单号是二六零四，", "零零零七"]),
        ("型号：KFR-35GW", ["型号是K F R 杠三五G W"]),
        ("银行卡：***********1234", ["尾号是1234"]),
        ("银行卡：***********1234", ["***********1234"]),
        ("客户询问能否退款。", ["这个能不能退款啊？"]),
        ("客户要求退款500元。", ["请给我退款五百块"]),
        ("客户没有收到快递。", ["我一直没有收到快递"]),
        ("空调修不好。", ["空调修不好了"]),
        ("客户要求更换空调。", ["给我换一台空调"]),
        ("三天内退款20元，运费500元。", ["三天内退款20元，运费500元"]),
        ("如果周三修不好，客户要求退货。", ["如果周三修不好，我就要求退货"]),
        ("师傅周三上门。", ["那师傅周三上门，可以吧？"]),
        ("金额：328.5", ["一共三百二十八块五"]),
        ("已退款。", ["已经给您退款了"]),
        ("客服回电话。", ["给您回个电话"]),
        ("次日上午上门。", ["明天上午上门"]),
        ("经理当众念出来。", ["我把您的话转给经理，他会当众念出来"]),
    ],
)
def test_what_was_said_is_believed(sentence: str, turns: list[str]) -> None:
    """The same in other words of report, in digits, resolved against the day."""
    assert supported(sentence, turns, AT) == Support(ok=True)


@pytest.mark.parametrize(
    ("sentence", "turns", "missing"),
    [
        ("空调花了3820元。", [BROKEN], "3820"),  # digits swapped
        ("空调显示E5。", [BROKEN], "E5"),
        ("空调显示E4和F1。", [BROKEN], "F1"),
        ("洗衣机不制冷。", [BROKEN], "洗衣机"),
        ("空调制冷。", [BROKEN], "不:制冷"),  # the negation lost
        ("空调不显示E4。", [BROKEN], "不:显示"),  # a negation won
        ("王师傅后天上午上门。", [VISIT], "王师傅"),
        ("师傅大后天上午上门。", [VISIT], "大后天"),
        ("师傅2026-05-21上门。", [VISIT], "20260521"),
        ("师傅后天上午9点到12点上门。", [VISIT], "12"),
        ("客服同意退款。", ["我要退款"], "同意"),
        ("客服承诺三天内退款。", ["三天内不能退款"], "承诺"),
        ("三天内退款。", ["三天内不能退款"], "不:退款"),
        ("三天内退款。", ["三天内能退款吗？"], "？退款"),
        ("可以免费维修。", ["能不能免费修啊？"], "？维修"),
        ("周三退货。", ["如果周三还坏我就退货"], "如果:退货"),
        ("退款500元，运费20元。", ["三天内退款20元，运费500元"], "500"),  # two amounts swapped
        ("故障码：E13", ["E13，不对不对，是E15"], "E13"),  # taken back
        ("等3个月。", ["等3天就好"], "3"),
        ("订单号：2604", ["订单号是26040007"], "2604"),  # a piece is another number
        ("客户姓名张伟。", ["我姓张"], "张伟"),
        ("客户表示满意。", ["我很不满意"], "不:满意"),
        ("没有。", ["有的"], "不:没有"),
        ("已退款500元。", ["会给您退款500元"], "已:已退款500元"),  # promised is not done
        ("空调修好。", ["修了好几次"], "修好"),
        ("周日开门。", ["周六开门，周日不开门"], "…:周日开门"),  # each word was said, of something else
        ("送到公寓5号楼。", ["大学路5号，公寓3号楼"], "5"),
        ("拍片可以。", ["拍片不可以"], "不:拍片"),
    ],
)
def test_what_was_not_said_is_refused(sentence: str, turns: list[str], missing: str) -> None:
    """And the word nobody said is named."""
    support = supported(sentence, turns, AT)
    assert not support.ok
    assert missing in support.unmatched


@pytest.mark.parametrize(
    ("sentence", "ok"),
    [
        ("客户要求全额退款。", True),
        ("客服表示全额退款。", False),  # the caller said that
        ("客服告知需要记录。", True),
        ("客户告知需要记录。", False),
        ("客户要求全额退款，客服表示记录一下。", True),
        ("客户要求客服全额退款。", True),  # who speaks stands first
    ],
)
def test_a_named_side_must_have_said_it(sentence: str, ok: bool) -> None:  # noqa: FBT001 - a table
    """The caller's demand is not the agent's word."""
    turns = [caller("我要全额退款"), agent("我这边记录一下")]
    assert supported(sentence, turns, AT).ok is ok


@pytest.mark.parametrize(
    ("sentence", "answer", "ok"),
    [
        ("客户能开发票。", "可以的。", True),
        ("客户能开发票。", "不可以。", False),
        ("客户能开发票。", "这个我查一下。", False),
        ("显示故障码E4。", "E4。", True),
        ("显示故障码E5。", "E4。", False),
    ],
)
def test_a_question_and_its_answer(sentence: str, answer: str, ok: bool) -> None:  # noqa: FBT001 - a table
    """What is asked and affirmed, or answered with the value, was said; but not by a turn much later."""
    asked = "请问显示什么故障码？能不能开发票？"
    said = [Turn(Speaker.AGENT, 0.0, 3.0, asked, 1.0), Turn(Speaker.CALLER, 4.0, 5.0, answer, 1.0)]
    sentence = sentence.removeprefix("客户")
    assert supported(sentence, said, AT).ok is ok
    late = [said[0], Turn(Speaker.CALLER, 40.0, 41.0, answer, 1.0)]
    assert not supported(sentence, late, AT).ok or "故障码" in sentence


def test_without_turns_nothing_holds() -> None:
    """A sentence without evidence is refused, an empty one too."""
    assert not supported("空调不制冷", [], AT).ok
    assert not supported("", [], AT).ok
    assert not supported("空调不制冷", ["，。"], AT).ok


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(alphabet="我不没退款3０三点号是吗？，。A-*@ 周", max_size=12), max_size=3), st.text(max_size=20)
)
def test_strange_text_is_judged(turns: list[str], sentence: str) -> None:
    """Nothing raises, and a refusal names what is missing."""
    support = supported(sentence, turns, AT)
    assert support.ok or support.unmatched or not sentence or not turns
