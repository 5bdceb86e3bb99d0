"""Values that are put right in so many words: 不是15号, 是16号; 换一个, 发到...; 4点以后, then a window. Pure."""

import re
from collections.abc import Iterator

from transcription.account import FactKind
from transcription.named import Named

_CONTACT = (FactKind.EMAIL, FactKind.PHONE, FactKind.ADDRESS)
_KINDS = (FactKind.DATE, FactKind.TIME, FactKind.AMOUNT)
_EXCHANGE = re.compile(
    "[记打]我的?|你记|是我(?:儿子|女儿|老公|老婆|爱人|老伴|妈|爸|家里|同事)|换[一1]?个|换成|不是|不对|改[成到为]|不用了|用不了|不用这个|停用|另外|别的|新的"
)
_LEFT = re.compile(
    "早?换[了过啦]|停机|停了|注销|那个满了|(?:不要|别)[发打寄]那|不[发用]那个|搬[啦了走家]|不[住在]那|调走|人走了|走了"
)
_FROM = re.compile(r"^(?:钟|分)?(?:以后|之后|过后|往后|后)")


def _negated(call: Named, line: int) -> Iterator[int]:
    """不是15号, 是16号: the first is no fact. A rhetorical 不是15块吗 is one."""
    own = call.lines[line]
    for index in call.at[line]:
        mention = call.mentions[index]
        front = own.whole[max(0, mention.start - 4) : mention.start]
        if re.search(r"(?<!是)不是(?:说|在)?$", front) and not re.search("吗|么", own.clause_at(mention.start).text):
            yield from call.same_before(index)


def _exchanged(call: Named, line: int) -> Iterator[int]:
    """还是发到这个邮箱吗? -- 换一个, 发到..."""
    own = call.lines[line]
    reply = next((other for other in call.after(line, 2) if other.caller != own.caller), None)
    if reply is None or not (_EXCHANGE.search(reply.whole) or _LEFT.search(reply.whole)):
        return
    for kind in _CONTACT:
        for index in call.of(line, kind):
            if (
                (own.clauses[-1].asks or _LEFT.search(reply.whole))
                and call.others(index, reply.index, 3)
                and not call.again(index, reply.index)
            ):
                yield from call.same_before(index)


def _corrected(call: Named, line: int) -> Iterator[int]:
    """A value of this line that corrects one just before, in this line or in the two before."""
    own = call.lines[line]
    for index in call.at[line]:
        mention = call.mentions[index]
        if mention.kind not in _KINDS:
            continue
        before = [i for i in call.of(line, mention.kind) if i < index and call.mentions[i].value != mention.value]
        gap_start = call.mentions[before[-1]].end if before else 0
        gap = own.whole[max(gap_start, mention.start - 12) : mention.start]
        if gap.endswith("不是") or not call.words["talk.correction"].search(gap):
            continue
        if (
            mention.kind is FactKind.AMOUNT
            and before
            and not call.words["talk.correction"].search(gap.replace("应该是", ""))
        ):
            before = []  # 首重15，续重55，应该是70: a total
        earlier = before or []
        for back in range(line - 1, max(-1, line - 3), -1):
            if mention.kind is FactKind.AMOUNT and call.lines[back].caller != own.caller and not _admitted(call, index):
                continue  # 应该是75.35: what is owed, no slip of the tongue
            earlier = [i for i in call.of(back, mention.kind) if call.mentions[i].value != mention.value] + earlier
        if earlier:
            best = max(earlier, key=lambda i: (_likeness(call.mentions[i].value, mention.value), i))
            yield from call.same_before(best)


def _admitted(call: Named, index: int) -> bool:
    """哦对，1289元: the other side takes the correction."""
    mention = call.mentions[index]
    reply = call.reply(mention.line, 1)
    return (
        reply is not None
        and re.match("[哦噢啊]，?对|对不起|不好意思|抱歉|[是对]的?，?我?[看说算]错", reply.whole) is not None
        and any(call.mentions[i].value == mention.value for i in call.of(reply.index, mention.kind))
    )


def _likeness(old: str, new: str) -> int:
    return sum(a == b for a, b in zip(old, new, strict=False)) - abs(len(old) - len(new)) * 2


def _narrowed(call: Named, line: int) -> Iterator[int]:
    """4点以后 said by the caller, then a definite hour or window."""
    own = call.lines[line]
    for index in call.of(line, FactKind.TIME):
        if own.caller and _FROM.match(own.whole[call.mentions[index].end :]) and call.others(index, line + 1, 3):
            yield index


PUT_RIGHT = (_negated, _corrected, _exchanged, _narrowed)  # what is put right was never booked
