"""Values that their speaker thinks better of, or that the other side spurns without a plain no. Pure.

我想还15万，等等，还10万; 30元的话费券 -- 打发要饭的呢; 给他包个红包, 死活不收;
7点半到8点半 -- 晚上7点半到8点半; a window that was
refused takes its ends with it; a number of the records differs from the one just given.
"""

import re
from collections.abc import Iterator

from transcription.account import FactKind
from transcription.booked import proposed
from transcription.named import Named

_CHANGE = re.compile(
    "[^，。？！\\d]{0,6}[，。…]+(?:[哦啊呃哎诶欸嗯]+[，。…]*)*"
    "(?:等等|等[一1]?(?:下|会儿?)|慢着|算了|还是|不不|不[，。]|要不|这样吧?|我再?想想|不行)[^？！\\d]{0,24}$"
)
_WANTS = re.compile("想|打算|准备|要|先|就|给我|帮我")
_SPURNED = re.compile(
    "打发|[^，。]{0,3}不要|不稀罕|谁要|谁稀罕|零头|免谈|没门|哄(?:小孩|谁)|糊弄|开(?:什么)?玩笑|逗我|就这点|[这那]点[儿子]?钱|不接受|不同意"
    "|不干|算什么|意思意思|你当我|够干[啥什嘛]|够干吗|太少|自己留着|不够塞|不够我|买不了|顶[啥什]用|想都别想|搞笑|太欺负"
)
_OFFERED = re.compile("赔|补偿|退|券|红包|积分|话费|优惠|减|申请|送|抵扣|补您|给您|表示|折")
_TAKES = re.compile("(?:行|好|可以|中|成|要得)(?:吧|了|的|嘞)?[，。]|接受|那就这样|同意(?<!不同意)")
_GIFT = re.compile("红包|小费|烟|塞|包(?:个|了)|请他|谢他|感谢费|辛苦费|给他|给她|递")
_NOT_TAKEN = re.compile(
    "(?:死活|硬是?|坚决|怎么[都也]|说[啥什么]+[都也]?|愣是?|就是|硬|高低|横竖|一分|一个?子儿?|[都也]|可|人家|他|她)+(?:[都也])?(?:不|没)(?:肯|要|拿|收|接)"
    "|没(?:肯)?(?:收|要|拿|接)|推(?:回|辞|了回)|退(?:回来|了回来)?给我|不肯(?:收|要|拿|接)"
)
_DIFFERS = re.compile("差[一1两几]?个?[位数字]|不一样|对不上|不符|不一致|不同|有出入|不是(?:同)?[一1]个")
_SLIP = re.compile("错|手滑|漏|应该是|不是|[打写填记输按]岔|写反")
_ALIKE = 0.7
_NEAR = 4  # lines
_HALF_DAY = 12
_NOON = 12
_PICKS = re.compile(r"(?:就|那)?[吧呗]|(?:可以|行|方便|成|好了|中)(?![吗不么])")
_AFFAIR = re.compile(
    "(?:半)?(?:就|还|又)?(?:要|得|有|约了)(?:去|个|场|来)?(?:个)?(?:开会|会(?!员)|开个?会|上课|接(?:孩|娃|小|孙)|送(?:孩|娃|孙)|做饭|睡)"
)
_NO_VISIT = re.compile("[^，。]{0,6}(?:免了|不用来|别来|不必|不想见|不见|用不着|就算了|不用上门|别上门)")
_GUESS = re.compile(
    "(?:左右|前后)?(?:应该|估计|大概|差不多|多半|可能)(?:就)?(?:能|可以|会)?(?:差不多|好|到|行|成|可以|完)?"
)
_VOUCHES = re.compile("敢|保证|最[晚迟]|打包票|一准|肯定|准(?!备)|不超过|答应|应您|承诺")
_PART = re.compile("晚|下午|傍|夜|中午")


def _changed(call: Named, line: int) -> Iterator[int]:
    """我想还15万，嗯……等等，我留点装修的钱，还10万."""
    own = call.lines[line]
    for index in call.of(line, FactKind.AMOUNT):
        mention = call.mentions[index]
        later = [i for i in call.others(index, line, 1) if call.mentions[i].start > mention.end]
        if not later or not own.caller:
            continue
        rest = own.whole[mention.end : call.mentions[later[0]].start]
        if _CHANGE.fullmatch(rest) and _WANTS.search(own.whole[: mention.start]) and not call.again(index, line + 1):
            yield index


def _spurned(call: Named, line: int) -> Iterator[int]:
    """一张30元的话费券，您看…… -- 打发要饭的呢？30块我不要."""
    own, reply = call.lines[line], call.reply(line, 1)
    if own.caller or reply is None or not reply.caller:
        return
    found = _SPURNED.search(reply.whole[:30])
    if found is None or _TAKES.match(reply.whole):
        return
    for index in call.of(line, FactKind.AMOUNT):
        mention = call.mentions[index]
        sentence = re.split("[。！？]", own.whole[: mention.start])[-1] + own.whole[mention.start : mention.end + 8]
        if _OFFERED.search(sentence) and not call.again(index, reply.index + 1):
            yield index
            yield from (i for i in call.of(reply.index, FactKind.AMOUNT) if call.mentions[i].value == mention.value)


def _gift(call: Named, line: int) -> Iterator[int]:
    """我给他包个50块红包，死活不拿."""
    own = call.lines[line]
    for index in call.of(line, FactKind.AMOUNT):
        mention = call.mentions[index]
        sentence = re.split("[。！？]", own.whole[mention.end :])[0]
        around = own.clause_at(mention.start).text
        if _GIFT.search(around) and _NOT_TAKEN.search(sentence[:24]):
            yield from call.same_before(index)


def _dial(call: Named, line: int) -> Iterator[int]:
    """7点半到8点半 -- 晚上7点半到8点半: the same hour, said in full."""
    for index in call.of(line, FactKind.TIME):
        mention = call.mentions[index]
        hour = int(mention.value[:2])
        if hour >= _NOON or re.search("早|上午|凌晨|半夜|夜里", mention.detail):
            continue
        shifted = "-".join(f"{int(part[:2]) + _HALF_DAY:02d}{part[2:]}" for part in mention.value.split("-"))
        for later in call.others(index, line, _NEAR):
            other = call.mentions[later]
            if (
                other.value == shifted
                and _PART.search(other.detail)
                and (other.line, other.start) > (line, mention.start)
            ):
                yield index


def _differs(call: Named, line: int) -> Iterator[int]:
    """留的号码是..., 跟您报的差一位 -- 我填错了."""
    own, reply = call.lines[line], call.reply(line, 1)
    if reply is None or not _DIFFERS.search(own.whole) or not _SLIP.search(reply.whole):
        return
    for kind in (
        FactKind.PHONE,
        FactKind.ORDER_NO,
        FactKind.TICKET_NO,
        FactKind.TAX_NO,
        FactKind.MODEL,
        FactKind.EMAIL,
    ):
        for index in call.of(line, kind):
            value = call.mentions[index].value
            for other in call.mentions:
                like = other.kind is kind and other.value != value and len(other.value) == len(value)
                same = sum(a == b for a, b in zip(other.value, value, strict=False))
                if like and same >= _ALIKE * len(value) and not call.again(index, reply.index + 1):
                    yield index


def _picked_last(call: Named, line: int) -> Iterator[int]:
    """10号还是13号？ -- 10号……漆味还没散呢，13号吧: both are named, one is picked."""
    own, reply = call.lines[line], call.reply(line, 1)
    if reply is None:
        return
    for kind in (FactKind.DATE, FactKind.TIME):
        offered = {call.mentions[i].value for i in call.of(line, kind)}
        named = [i for i in call.of(reply.index, kind) if call.mentions[i].value in offered]
        if len({call.mentions[i].value for i in named}) < 2 or not re.search("或|还是|要么|、|和", own.whole):  # noqa: PLR2004
            continue
        picked = {call.mentions[i].value for i in named if _PICKS.match(reply.whole[call.mentions[i].end :])}
        if len(picked) != 1:
            continue
        lost = offered - picked
        for i in (*call.of(line, kind), *named):
            if call.mentions[i].value in lost and not call.again(i, reply.index + 1):
                yield i


def _own_affair(call: Named, line: int) -> Iterator[int]:
    """我11点要开会: what the caller has to do then is no appointment of this case."""
    own = call.lines[line]
    for index in call.of(line, FactKind.TIME):
        mention = call.mentions[index]
        affair = own.caller and _AFFAIR.match(own.whole[mention.end :])
        if affair and not proposed(call, index) and not call.again(index, line + 1):
            yield index


def _no_visit(call: Named, line: int) -> Iterator[int]:
    """店长明天上门，上午10点，您在家吗？ -- 上门免了，不想见."""
    own, reply = call.lines[line], call.reply(line, 1)
    if own.caller or reply is None or not _NO_VISIT.match(reply.whole) or not own.clauses[-1].asks:
        return
    for kind in (FactKind.DATE, FactKind.TIME):
        for index in call.of(line, kind):
            if not call.past(call.mentions[index]) and not call.again(index, reply.index):
                yield index


def _forecast(call: Named, line: int) -> Iterator[int]:
    """8点半应该差不多，我敢应您9点前: the one that is answered for."""
    own = call.lines[line]
    for kind in (FactKind.TIME, FactKind.DATE):
        for index in call.of(line, kind):
            mention = call.mentions[index]
            later = [i for i in call.others(index, line, 1) if call.mentions[i].start > mention.end]
            rest = own.whole[mention.end : call.mentions[later[0]].start] if later else ""
            guess = _GUESS.search(own.whole[max(0, mention.start - 6) : mention.start]) or _GUESS.match(rest)
            if guess and later and _VOUCHES.search(own.whole[mention.end : call.mentions[later[0]].end + 4]):
                yield index


RETHOUGHT = (_own_affair, _no_visit, _forecast, _changed, _spurned, _gift, _dial, _differs, _picked_last)
