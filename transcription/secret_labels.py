"""What the words around a number call it: a card, an order, a telephone. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from transcription.digit_runs import Run

_NOT_A_BANKS = (
    "会员|储值|公交|一卡通|电话|购物|加油|礼品|充值|手机|就诊|诊疗|医保|社保|借书|借阅|图书|读者|门禁|水|电|燃气|购电|饭|校园|积分"
    "|健身|套餐|月|年|流量|物联网|SIM|SD|上网|油"
)
_CARD = re.compile(
    "身份[证正]|身分证|证件号码?|身份号码?|居民证|(?:银行|储蓄|信用|借记|工资|收款|打款|退款|扣款|绑定的?)卡|卡号|银行账[号户]|收款账[号户]"
    "|(?:提供|换|用|给|报|填|绑)(?:一?下|我)?(?:1|一|另)?(?:外一)?张?(?:新|别|其他|本人)的?卡|新卡(?!套|片)"
)
_FOREIGN_CARD = re.compile(rf"(?:{_NOT_A_BANKS})卡的?(?:卡号|号码?)?")
_OTHER = re.compile(
    r"订单|(?<!银行)(?<!收款)账[号户]|户名|运单|快递|单号|合同|保单|流水|户号|票号|税号|识别号|信用代码|工单|编号|序列|型号|电话|手机|座机|验证码|校验码|密码|工号"
    r"|会员号|邮编|条码|条形码|批号|机身|设备号|学号|考号|准考证|预约号|受理号|案件号|取.?码|[券单条提货换货邀请机身物流]码|兑换码|车架号|发动机号|发票号|批次|参考号|交易号|凭证|积分|QQ|微信"
)
_BEHIND = re.compile(
    r"[，,。\s]*(?:(?:这|那|就|都)是?(?:个|张)?|是|(?:我|您|他|她|本人|孩子|老人)的)(?:我|您|他|她|本人|孩子|老人)?(?:的|那张|这张)?"
    r"(?:身份证|(?:[工建农中交招]行|银行|储蓄|信用)?卡|证件号)"
)
_ASKS_FOR = re.compile("号|[报说念讲填给]|提供|多少|核|告诉|登记|位|验证|输入|几")
_UNIT = re.compile(r"\s*(?:[元块年月天点楼室岁个台次米平度兆吨]|公里|多[元块])")
_CVV = re.compile(r"(?:CVV2?|[Cc]vv2?|安全码|背面)[^\d]{0,14}$")
_EITHER = re.compile("或者?|还是|要么|以及|和")
_PHONE = re.compile("电话|手机(?![上里银支]|APP)|座机|联系方式|分机|打给|回拨")
_REACH = 60  # characters of its own turn
_RECENT = 4  # turns a question for a number holds
_CVV_LENGTHS = (3, 4)
_LITTLE = 6  # characters in front of an answer
_LONG = 12  # digits that are called a card afterwards
_AFTER = 16  # characters


class Label(StrEnum):
    """What the words around a run call it."""

    CARD = "card"
    EITHER = "either"  # 订单号或者身份证号: one of them
    OTHER = "other"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Called:
    """What a run is called, in which turn (-1: in none); a bank's card or an identity card; perhaps a telephone."""

    label: Label
    turn: int = -1
    bank: bool = False
    phone: bool = False


def spelt(run: Run, said: Sequence[tuple[object, str]]) -> bool:
    """Whether letters stand right in front of the digits: a code."""
    first = run.pieces[0][0]
    before = said[first.turn][1][max(0, first.at - 1) : first.at]
    return before.isascii() and before.isalpha()


def called(run: Run, said: Sequence[tuple[object, str]], floor: int) -> Called:
    """What the words before the run call it, the nearest first; else those right behind it.

    ``floor``: (turn) questions before it were answered already.
    """
    first, last = run.pieces[0][0], run.pieces[-1][-1]
    if spelt(run, said) or _UNIT.match(said[last.turn][1], last.at + 1):
        return Called(Label.NONE)
    for turn in range(first.turn, max(-1, first.turn - _RECENT - 1), -1):
        text = said[turn][1]
        own = turn == first.turn
        before = text[max(0, first.at - _REACH) : first.at] if own else text
        found = _label(before) if own or _ASKS_FOR.search(text) else None
        if found is not None and (own or turn > floor):
            return Called(found[0], turn, bank=found[1], phone=found[2])
        if found is not None:
            break
    behind = said[last.turn][1][last.at + 1 : last.at + 1 + _AFTER]
    if len(run.digits) >= _LONG and (after := _BEHIND.match(behind)) is not None:
        return Called(Label.CARD, last.turn, bank="证" not in after.group())
    return Called(Label.NONE)


def security_code(run: Run, said: Sequence[tuple[object, str]]) -> bool:
    """Whether the run is the three or four digits on the back of a card."""
    first = run.pieces[0][0]
    if len(run.digits) not in _CVV_LENGTHS:
        return False
    before = said[first.turn][1][: first.at]
    asked = said[first.turn - 1][1] if first.turn else ""
    return _CVV.search(before) is not None or (len(before) <= _LITTLE and _CVV.search(asked) is not None)


def _label(text: str) -> tuple[Label, bool, bool] | None:
    """The label nearest to the end of a text: what, whether of a bank, whether a telephone."""
    marks = [(m.end(), Label.CARD, m) for m in _CARD.finditer(text)]
    marks += [(m.end(), Label.OTHER, m) for m in (*_OTHER.finditer(text), *_FOREIGN_CARD.finditer(text))]
    phones = [m.end() for m in _PHONE.finditer(text)]
    if not marks:
        return (Label.NONE, False, True) if phones else None
    marks.sort(key=lambda mark: (mark[0], mark[1] is Label.OTHER))
    end, label, found = marks[-1]
    phone = bool(phones) and max(phones) >= end
    for _, other, before in reversed(marks[:-1]):
        gap = text[before.end() : found.start()]
        if other is not label and len(gap) <= 8 and _EITHER.search(gap):  # noqa: PLR2004
            return Label.EITHER, False, phone
    return label, "卡" in found.group() or "账" in found.group(), phone
