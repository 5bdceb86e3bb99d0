"""What kind of number a dictated one is: order, ticket, model, fault code, phone, card, taxpayer, or nothing. Pure.

The nearest name in the same breath decides (订单号是...), then the question it answers (型号是多少?), then its
shape: check digits, 11 digits of a mobile. What has neither name nor shape is left out. Card numbers come out masked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stdnum import luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from transcription.account import FactKind
from transcription.codes import Chain
from transcription.dialogue import Line, Mention
from transcription.lexicon import Lexicon
from transcription.secret_numbers import nearly_identity

SECRET = (FactKind.ID_CARD, FactKind.BANK_CARD)
_NONE = "none"
_SLIP = "slip"  # 单号: the caller has the number of an order, the agent gives that of a ticket
_ID = re.compile(r"[1-9]\d{16}[\dX]")
_LITTLE = 10  # characters beside a short number that is an answer
_PLATE_LENGTH = 7
_NEAR = 16  # characters: how far in front of a number its name may stand
_BEHIND = 8
_FULL = 5  # characters: a shorter number is the tail of one
_ASKED = 8  # lines: how long a question waits for its number
_SHAPE = {
    FactKind.ORDER_NO: re.compile(r"(?=(?:.*\d){3})[A-Z\d\-/]{4,26}"),
    FactKind.TICKET_NO: re.compile(r"(?=(?:.*\d){3})[A-Z\d\-/]{4,26}"),
    FactKind.MODEL: re.compile(r"(?=.*\d)(?!1[3-9]\d{9}$)[A-Z\d\-./]{3,24}"),
    FactKind.FAULT_CODE: re.compile(r"(?=.*\d)[A-Z]{0,4}-?\d{1,6}[A-Z]?"),
    FactKind.PHONE: re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|(?!400|800)\d{7,8}|86-?1[3-9]\d{9}"),
    FactKind.ID_CARD: re.compile(r"\d{17}[\dX]|\d{14,17}"),
    FactKind.BANK_CARD: re.compile(r"\d{12,19}|\d{4}"),
    FactKind.TAX_NO: re.compile(r"(?=.*\d)[A-Z\d]{15,20}"),
}
_TAIL = re.compile(r"\d{3}[\dX]?")
_TAIL_SAID = re.compile(r"尾[号数]|[后末尾][四4三3](?:位|个)|最后(?:四|4|三|3)位|末尾")
_WHICH_CARD = re.compile(
    "(?:哪|什么|啥)(?:[一1]?张)?(?:银行)?卡|[银行储蓄信用工资]卡|[打退转汇还扣]到?[^，。]{0,6}(?:卡|账户|账号)"
)
_PLATE = re.compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼滨]$")
_PRODUCT = re.compile(
    r"[^，。]{0,2}(?:空调|冰箱|洗衣机|热水器|电视|手机|路由器|打印机|油烟机|净水器|扫地|机器|这款|那款|型|(?:[\u4e00-\u9fa5]{0,3})版(?:本?的|，|。|$))"
)
_ASKS_CODE = re.compile(
    "码|(?:什么|啥|哪个)(?:字|提示|错|报错|信息|内容)"
    "|(?:显示|提示|报).{0,6}(?:什么|啥|哪|没有|吗)|有(?:没有)?(?:显示|提示|报)"
)
_SHOWN = (FactKind.FAULT_CODE, _NONE)
_FILED = re.compile(
    "工单|回执|更名|过户|备案|递[过了交]|[问查催]个?单子|提[了过]?(?:个|一个|的)|报[了过]?的?修|报修|送修|放(?:在)?你们|拿(?:去|来|到).{0,6}修|投诉过|反馈过?|反映过|登记过|提交|申请|案子|立案|报案|理赔|bug|BUG|故障"
)
_BOUGHT = re.compile("订单|快递|包裹|下单|买|订[了的]|拍的|件到|物流|运单|寄|货")
_EITHER = re.compile("或者|还是|或")
_VERSION = re.compile(r"V?\d{1,2}\.\d{1,3}\.\d{1,4}")
_CODE = re.compile(r"(?=.*[A-Z])(?=(?:.*\d){2})[A-Z\d]+(?:[\-/][A-Z\d]+)*")
_CHOICE = re.compile(r"[A-Z]{1,3}\d{1,3}还是[A-Z]{1,3}\d{1,3}")  # 您的是C6还是C8？
_FAULT = "(?:故障|保护|异常|坏|锁|错误|传感|过热|漏|堵|缺|阀|泵|超温|通讯|超时|失败|断|没点着|老化|化霜|电机|压力|风机)"
_SHORT = re.compile(r"[A-Z]{1,3}\d{1,3}")
_LONG_CODE = re.compile(r"[A-Z]{2,4}-?\d{6,14}|(?=(?:\D*\d){8})[A-Z]{1,4}-?\d{2,}(?:-\d{2,}){1,3}")
_GIVES = re.compile("给您|给你|登记|受理|建好|立了|生成|报修|记一下|记好|工单")
_OF_GOODS = re.compile(
    "(?:买|要|订|拍|选|下单)的(?:明明|本来|可)?是$|(?:发|送|寄|装|换|错发|配|给)(?:成|来|错|的是|了个?|成了)+(?:个|台)?$|来的(?:却|是)+$|(?:得|要|该)(?:用|买|换|配)$|用的(?:是)?$|替代的?是?$"
)
_PUBLIC = re.compile(r"1[12]\d|1[12]\d{3}|100\d\d|95\d{3,4}|315|[48]00\d{7}")  # 12315 and its kin


@dataclass
class Sorter:
    """Gives each chain of a conversation its kind."""

    lexicon: Lexicon
    conversation: Sequence[Line]
    secrets: list[str] = field(default_factory=list)  # card numbers in full
    _kinds: dict[str, FactKind] = field(default_factory=dict)  # of the values said so far
    _sorted: list[tuple[Chain, FactKind | None]] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)
    _answered: dict[int, set[str]] = field(default_factory=dict)  # question's line -> kinds that were given
    _cues: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)

    def sort(self, chains: Sequence[Chain]) -> Iterator[Mention]:
        """The chains that are facts, as mentions."""
        for index, chain in enumerate(chains):
            floor = max((c.parts[-1][2] for c in chains[:index][-4:] if c.line == chain.line), default=0)
            known = self._read_back(chain)
            kind, tail = (known, len(chain.value) < _FULL) if known else self._kind(chain, floor)
            kind = kind or self._like_sibling(chain)
            self._sorted.append((chain, kind))
            if kind is not None:
                self._kinds.setdefault(chain.value, kind)
            else:
                self._refused.add(chain.value)
            if kind in SECRET:
                self.secrets.append(chain.value)
            elif kind is not None and nearly_identity(chain.value):
                kind = FactKind.ID_CARD  # whatever it was called: too close to an identity card to be shown
                self.secrets.append(chain.value)
            if kind is not None:
                value = _canonical(kind, chain.value)
                if kind is FactKind.MODEL and self._asked_serial(chain):
                    value = value.removeprefix("SN")
                line, start, end = chain.parts[-1]
                first = chain.parts[0]
                detail = "tail" if tail else "corrected" if chain.corrected else ""
                yield Mention(
                    kind, value, line, first[1] if first[0] == line else start, end, tuple(chain.turns), detail
                )

    def _asked_serial(self, chain: Chain) -> bool:
        """Whether the other speaker asked for the SN, which the answer repeats: S，N，7K2..."""
        near = self.conversation[max(0, chain.line - 2) : chain.line]
        asks = re.compile("[sS][nN](?!.?(?:开头|打头|起头|开始))")
        return any(line.caller != chain.caller and asks.search(line.whole) for line in near)

    def cues(self, index: int) -> list[tuple[int, int, str]]:
        """The names of numbers in a line: start, end, kind; of names that end at one place the longest."""
        if index not in self._cues:
            text, best = self.conversation[index].whole, dict[int, tuple[int, int, str]]()
            for kind in self.lexicon.group("code"):
                for found in self.lexicon[f"code.{kind}"].finditer(text):
                    start, end = found.span()
                    if end > start and (end not in best or start < best[end][0]):
                        best[end] = (start, end, kind)
            self._cues[index] = sorted(best.values(), key=lambda cue: cue[1])
        return self._cues[index]

    def _by_form(self, chain: Chain) -> FactKind | None:
        """The kind of a code that nothing names: a version, goods, or the long number of an order or a case."""
        value, line = chain.value, self.conversation[chain.line].whole
        if _VERSION.fullmatch(value) or (_CODE.fullmatch(value) and _OF_GOODS.search(line[: chain.start])):
            return FactKind.MODEL
        before_product = chain.ends[0] == chain.line and _PRODUCT.match(line, chain.ends[1])
        if before_product and re.fullmatch(r"(?=.*[A-Z])(?=.*\d)[A-Z\d\-./]{2,24}", value):
            return FactKind.MODEL
        if _SHORT.fullmatch(value) and any(
            not other.caller and re.search(rf"{value}(?:是|，|就是|代表|表示|这个)[^。]{{0,8}}{_FAULT}", other.whole)
            for other in self.conversation
        ):
            return FactKind.FAULT_CODE  # E8，水泵过热保护
        if _CHOICE.search(line) and _SHORT.fullmatch(value):
            return FactKind.MODEL
        if _LONG_CODE.fullmatch(value):
            return self._slip(chain) if chain.caller or _GIVES.search(line) else FactKind.ORDER_NO
        return None

    def _kind(self, chain: Chain, floor: int) -> tuple[FactKind | None, bool]:  # noqa: PLR0911
        """The kind, and whether the number is only the tail of one."""
        value = chain.value
        shape = _by_shape(value)
        named = list(self._named(chain, floor))
        if shape is None and self._asked_for_none(chain) and all(name in _SHOWN for name, _ in named):
            return None, False
        if not named and shape is None and value in self._refused:
            return None, False  # read back: it was none before
        if shape in SECRET or not self._may_be_fact(chain, named):
            return self._settled(chain, shape) if shape in SECRET else None, False
        for name, tail in (*named, *(self._asked_for(chain) if shape is None and self._is_answer(chain) else ())):
            if name == _NONE:
                return self._settled(chain, shape), False
            kind = FactKind(name) if name != _SLIP else self._slip(chain)
            if tail and _TAIL.fullmatch(value) and kind in (FactKind.PHONE, *SECRET):
                return self._whose_tail(chain, kind), True
            if _SHAPE[kind].fullmatch(value) and not (kind in SECRET and len(value) < _FULL + 1):
                return self._settled(chain, kind), False
        if shape:
            return self._settled(chain, shape), False
        return self._by_form(chain), False

    def _slip(self, chain: Chain) -> FactKind:
        """What 单号 means: the agent gives that of a ticket, the caller that of an order, unless of a case filed."""
        line = self.conversation[chain.line]
        if not chain.caller:  # 单号2219那个，付了168块，是这个不？: read from an order
            clause = line.clause_at(chain.ends[1] - 1 if chain.ends[0] == chain.line else chain.start)
            behind = line.whole[clause.end : clause.end + _LITTLE]
            reads = (clause.asks or re.match("(?:对|是)[^，。]{0,3}[吗吧不？]", behind)) and not _GIVES.search(
                line.whole
            )
            reads = reads or bool(re.match("(?:那个|那单|这单|这个|的那)", line.whole[chain.ends[1] :]))
            bought = any(_BOUGHT.search(other.whole) for other in self.conversation[: chain.line])
            return FactKind.ORDER_NO if reads and bought else FactKind.TICKET_NO
        before = "".join(line.whole for line in self.conversation[: chain.line + 1])
        return FactKind.TICKET_NO if _FILED.search(before) and not _BOUGHT.search(before) else FactKind.ORDER_NO

    def _asked_for_none(self, chain: Chain) -> bool:
        """Whether the other speaker has just talked of a code that is no fact: 屏幕上会跳一个连接码."""
        near = [self.conversation[i] for i in range(max(0, chain.line - 2), chain.line)]
        asked = [
            (cue[2], line.whole[cue[0] : cue[1]])
            for line in near
            if line.caller != chain.caller
            for cue in self.cues(line.index)
        ]
        return bool(asked) and asked[-1][0] == _NONE and re.search("码$|口令|ID", asked[-1][1]) is not None

    def _is_answer(self, chain: Chain) -> bool:
        """Whether a number may answer a question: a short one only where little else is said."""
        beside = len(self.conversation[chain.line].whole) - len(chain.value)
        return len(chain.value) > _FULL or not chain.value.isdigit() or beside <= _LITTLE

    def _may_be_fact(self, chain: Chain, named: Sequence[tuple[str, bool]]) -> bool:
        """Neither a car's plate nor a public number (12315) nobody named."""
        front = self.conversation[chain.line].whole[max(0, chain.start - 1) : chain.start]
        plate = _PLATE.search(front) is not None and len(chain.value) <= _PLATE_LENGTH
        return not plate and (bool(named) or _PUBLIC.fullmatch(chain.value) is None)

    def _read_back(self, chain: Chain) -> FactKind | None:
        """The kind of the same value, if it was said before."""
        return self._kinds.get(chain.value)

    def _like_sibling(self, chain: Chain) -> FactKind | None:
        """Of two codes of one form in one line the second is what the first is: 我买的AX5400，来的是AX3000."""
        form = _form(chain.value)
        if not re.search("[A-Z]", form) or not re.search("9", form):
            return None
        for other, kind in reversed(self._sorted[-6:]):
            near = other.line == chain.line or chain.line - other.line <= _ASKED // 2
            begun = len(other.value) >= _FULL and chain.value.startswith(other.value)  # ZS7-24K, then all of it
            if (
                near
                and kind is FactKind.MODEL
                and (begun or _form(other.value) == form or _kin(other.value, chain.value))
            ):
                return kind
        return None

    def _whose_tail(self, chain: Chain, fact: FactKind) -> FactKind:
        """尾号 alone is a telephone's, unless a card was named just before, or ends like that."""
        own = next((secret for secret in self.secrets if secret.endswith(chain.value)), None)
        if own or any(f"*{chain.value}" in line.whole for line in self.conversation[: chain.line]):
            return self._kinds.get(own or "", FactKind.BANK_CARD)
        text = self.conversation[chain.line].whole
        front = text[max(0, chain.start - _NEAR) : chain.start]
        behind = text[chain.ends[1] :] if chain.ends[0] == chain.line else ""
        card: object = (
            "卡" in front or re.match("(?:结尾)?的?(?:[那这]张|[^，。]{0,3}卡)", behind) or re.search("[那这]张", front)
        )
        before = "".join(line.whole for line in self.conversation[max(0, chain.line - 1) : chain.line])
        card = card or ("话" not in text and _WHICH_CARD.search(before))
        if fact is FactKind.PHONE and card and not re.search("电话|手机", front):
            return FactKind.BANK_CARD
        return fact

    def _named(self, chain: Chain, floor: int) -> Iterator[tuple[str, bool]]:
        """Names in the same line: those in front, nearest first, then those right behind."""
        text, start = self.conversation[chain.line].whole, chain.start
        front = text[max(floor, start - _NEAR) : start]
        tail = _TAIL_SAID.search(front) is not None
        cues = [cue for cue in self.cues(chain.line) if max(floor, start - _NEAR) <= cue[0] and cue[1] <= start]
        for cue in sorted(cues, key=lambda cue: (-cue[1], cue[0])):
            yield cue[2], tail
        if chain.ends[0] == chain.line:
            end = chain.ends[1]
            for cue in self.cues(chain.line):
                if (
                    end <= cue[0] <= end + _BEHIND
                    and re.match(r"[，]?(?:这个|这|那|就)?(?:是|的)", text[end:])
                    and "，" not in text[end + 1 : cue[0]]
                ):
                    yield cue[2], tail

    def _settled(self, chain: Chain, kind: FactKind | None) -> FactKind | None:
        """The kind; the question that asked for it is answered (of 订单号或者手机号 one is enough)."""
        for index in range(chain.line - 1, max(-1, chain.line - 1 - _ASKED), -1):
            if self.conversation[index].caller != chain.caller:
                asked = {cue[2] for cue in self.cues(index)}
                if kind in asked:
                    either = _EITHER.search(self.conversation[index].whole)
                    self._answered.setdefault(index, set()).update(asked if either else {kind})
                    break
        return kind

    def _asked_for(self, chain: Chain) -> Iterator[tuple[str, bool]]:
        """Names in what the other speaker asked, the latest question first."""
        own = self.conversation[chain.line]
        said = 0
        for index in range(chain.line - 1, max(-1, chain.line - 1 - _ASKED), -1):
            line = self.conversation[index]
            if line.caller == own.caller:
                continue
            tail = _TAIL_SAID.search(line.whole) is not None
            cues = [cue for cue in self.cues(index) if cue[2] != FactKind.FAULT_CODE or _ASKS_CODE.search(line.whole)]
            given = self.conversation[index + 1 : chain.line + 1]
            if any(cue[2] in SECRET for cue in cues) and any("***" in other.whole for other in given):
                either = _EITHER.search(line.whole)  # answered by a card that is blackened
                cues = [cue for cue in cues if cue[2] not in SECRET and not either]
            for cue in sorted(cues, key=lambda cue: -cue[1]):
                if cue[2] not in self._answered.get(index, ()):
                    yield cue[2], tail
            said += bool(line.whole)
            if cues and said > 2:  # noqa: PLR2004 -- an older question has been answered
                return


def _by_shape(value: str) -> FactKind | None:
    """The kind that the value's own form proves."""
    if _ID.fullmatch(value) and (
        mod_11_2.checksum(value) == 1 or re.match(r"\d{6}(?:19|20)\d\d(?:0\d|1[012])[0-3]\d", value)
    ):
        return FactKind.ID_CARD
    if re.fullmatch(r"[3-69]\d{15,18}", value) and luhn.is_valid(value):
        return FactKind.BANK_CARD
    if re.fullmatch(r"1[3-9]\d{9}", value):
        return FactKind.PHONE
    if re.fullmatch(r"9[1-3]\d{6}(?=\w*[A-Z])[A-Z\d]{10}", value):
        return FactKind.TAX_NO
    if len(value) == 18 and value[:1] in "159" and re.search("[A-Z]", value[8:]) and uscc.is_valid(value):  # noqa: PLR2004
        return FactKind.TAX_NO
    return None


def _kin(one: str, other: str) -> bool:
    """Whether two codes are of one family: JSQ25-13ET and JSQ25-13EY, E27-9W and E14-5W."""
    letters = re.match(r"[A-Z]+", one)
    return bool(
        letters
        and other.startswith(letters.group())
        and re.sub(r"\d+", "9", re.sub("[A-Z]", "A", one)) == re.sub(r"\d+", "9", re.sub("[A-Z]", "A", other))
    )


def _form(value: str) -> str:
    return re.sub(r"\d", "9", value)


def _canonical(kind: FactKind, value: str) -> str:
    if kind is FactKind.PHONE:
        return re.sub(r"\D", "", value).removeprefix("86") if len(value) > 11 else re.sub(r"\D", "", value)  # noqa: PLR2004
    return f"****{value[-4:]}" if kind in SECRET else value
