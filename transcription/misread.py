"""Numbers and addresses for mail that do not stand: read back wrongly, put right by a letter, of another case. Pure."""

import re
from collections.abc import Iterator

from transcription.account import FactKind
from transcription.named import Named

_CODES = (
    FactKind.PHONE,
    FactKind.ORDER_NO,
    FactKind.TICKET_NO,
    FactKind.TAX_NO,
    FactKind.MODEL,
    FactKind.FAULT_CODE,
    FactKind.EMAIL,
)
_NO_MAIL = re.compile(
    "(?:不会|不太会|不懂|不晓得怎么?)(?:弄|用|发|搞)|(?:没有?|没得|冇)(?:个)?(?:邮箱|邮件|电子)|用不来|弄不来|搞不来|没在用|微信(?:上|发|传)?(?:行|可以|成|中|能|发)|能不能.{0,4}微信|短信(?:行|可以|发)"
)
_DENIED = re.compile(
    r"念[反错岔倒]|[记写打说弄搞输看听]错|不对|不是|错了|反了|漏了?|多了?[一1]?个|少了?[一1]?个|应该是|是(?=\d)"
)
_ALIKE = 0.6  # share of equal characters in a number that was read back wrongly
_OTHERS = re.compile(
    "[，。…啊呃哎哦]*(?:这|那|不对|不是)[^，。\\d]{0,4}(?:上次|上回|以前|旧|老|另一|别)[^，。\\d]{0,4}的?[，。]"
)


def _no_mail(call: Named, line: int) -> Iterator[int]:
    """An address for mail, and the caller has none or asks for something else."""
    own, reply = call.lines[line], call.reply(line, 2)
    if own.caller or reply is None or not _NO_MAIL.search(reply.whole):
        return
    for index in call.of(line, FactKind.EMAIL):
        if not call.again(index, reply.index):
            yield from call.same_before(index)


def _mail_corrected(call: Named, line: int) -> Iterator[int]:
    """Another address for mail behind words of correction, in the same line or the speaker's next."""
    own = call.lines[line]
    for index in call.of(line, FactKind.EMAIL):
        mention = call.mentions[index]
        for later in call.others(index, line, 3):
            other = call.mentions[later]
            if call.lines[other.line].caller != own.caller or (other.line, other.start) < (line, mention.end):
                continue
            between = (
                own.whole[mention.end : other.start]
                if other.line == line
                else own.whole[mention.end :] + call.lines[other.line].whole[: other.start]
            )
            taken_back = call.words["talk.correction"].search(between) or re.search(
                "改|换|等[一1]?下|等等|旧的|不用", between
            )
            if taken_back and not call.again(index, other.line + 1):
                yield from call.same_before(index)


def _misread(call: Named, line: int) -> Iterator[int]:
    """A number read back wrongly: the other side denies it, and one very like it stands before or comes after."""
    own, reply = call.lines[line], call.reply(line, 1)
    if reply is None or not own.clauses or not own.clauses[-1].asks or not _DENIED.search(reply.whole):
        return
    for index in call.at[line]:
        mention = call.mentions[index]
        if mention.kind not in _CODES or call.again(index, line + 1):
            continue
        near = [i for other in range(max(0, line - 4), line + 4) for i in call.of(other, mention.kind) if i != index]
        if any(_like(call.mentions[i].value, mention.value) for i in near):
            yield index


def _reread(call: Named, line: int) -> Iterator[int]:
    """A number put right by a letter (V那位看岔了，是Y), read back whole and confirmed."""
    own, reply = call.lines[line], call.reply(line, 2)
    if reply is None:
        return
    confirmed = call.reply(reply.index, 1)
    if confirmed is None or not re.match("[嗯啊哦，]*(?:对|是|没错|好)(?!不)", confirmed.whole):
        return
    for index in call.at[line]:
        mention = call.mentions[index]
        if mention.kind not in _CODES or not call.words["talk.correction"].search(own.whole[mention.end :]):
            continue
        if any(_like(call.mentions[i].value, mention.value) for i in call.of(reply.index, mention.kind)):
            yield index


def _of_another(call: Named, line: int) -> Iterator[int]:
    """BK01，啊这是上次的，这次是BK07."""
    for index in call.at[line]:
        mention = call.mentions[index]
        old = mention.kind in _CODES and _OTHERS.match(call.lines[line].whole[mention.end :])
        if old and any(call.mentions[i].start > mention.end for i in call.others(index, line, 1)):
            yield index


def _like(one: str, other: str) -> bool:
    if one == other or len(one) != len(other):
        return False
    return sum(a == b for a, b in zip(one, other, strict=True)) >= _ALIKE * len(one)


MISREAD = (_no_mail, _mail_corrected, _misread, _reread, _of_another)
