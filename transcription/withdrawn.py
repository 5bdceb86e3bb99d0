"""Values that their speaker takes back without a word of correction beside them. Pure.

A better offer replaces a worse one (一小时之内 -> 给您换成这辆，25分钟之内); a sum turns out not to be charged
(没有这笔，看错了); an extra is declined (要不要再加个, 198 -> 不要); an example (比方说10月16号) never was an offer.
"""

import re
from collections.abc import Iterator

from transcription.account import FactKind
from transcription.dialogue import Line
from transcription.named import Named

_WHEN = (FactKind.DATE, FactKind.TIME)
_BETTER = re.compile(
    "换成?|改[到成为派]|加急|[提往]前|协调|调[整剂配]?[到成一]?|优先|插[队到]|争取|早一?点|最早|就近|顺路|那(?=[0-9上下晚早明后周礼])|那(?:我|就|给|这样|行|再|改)|再(?:看|给|帮)|另外(?:派|安排)|排头|刚好有|有辆|有[一个位]"
)
_EXAMPLE = re.compile("比方说?|比如说?|例如|譬如|打个?比方|举个?例子?|好比说?|假如说?是?")
_NOT_CHARGED = re.compile(
    "(?:没有?|不是?有)(?:这|那)(?:一)?(?:笔|个|项)(?:费|钱|收|款)?|[看说记算查搞弄]岔|写(?:了|着|的是)?(?:是)?(?:免|包)|是免的|[看算查报说弄搞]错(?:了|价)"
)
_EXTRA = re.compile(
    "要不要|需不需要|要(?:不)?再?(?:一起|顺便|另外)|再加|加[个一]?.{0,6}(?:吗|么)|加购|另加|顺便|升级|搭配|一起换|考虑(?:一下)?|可以选|自选|推荐|有个?套餐"
)
_WHETHER = re.compile("要不要|需不需要|要不")
_DECLINED = re.compile(
    "不(?:邮|寄|送|要|用|换|加|买|办|需要?|搞|做|弄|考虑|升级?|装|开|选|想)(?!紧|是|对|说)|算了(?!，?(?:[，。]|那)?(?:(.)就\\1吧|.{1,3}就.{1,3}吧|行吧|好吧))|没必要|用不[着上]|先不|免了|还能[用撑]"
)
_UNHAPPY = re.compile(
    "太|[这那]么[久晚长迟慢]|[等站坐扛熬撑受]不|等到|还要等|早[点些]|快[点些]|提前|急|不行|[冻淹饿晒泡]|来不及|赶|咋办|怎么办|哪儿?[站等]|要命|晚点|再晚|开会|窄|准一?点|具体"
)
_FLAT_NO = re.compile(
    r"(?:[哎啊呀哦嗯唉诶，]|那|这|可)*(?:不[行成中]|不得行|得不行|勿来[赛三塞]|要不得|来不及|不方便|没空|没时间|(?:咋|怎么?|哪)(?:个)?(?:得|能)?(?:行|成|中|等))[啊呀哇嘛呢的噻吧咧哦]*(?:[，。！？…]|$)"
)
_DOES = re.compile(
    "(?:[，…啊呀哦嘛吧呢]|是[^，。]{0,4}|(?:上午|下午|早上|晚上|中午|那天|可|也|都|白天))*"
    "(?:我(?!们?(?:[能可行有等]|在家)|[^，。]{0,6}(?:在家|有空|方便|可以))|俺|咱|家里|女儿|儿子|孩子|老[公婆伴人]|爱人|全家|一家|[爸妈爷奶孙]|她|他|有事|要)"
)
_MOVE = re.compile("[换改挪]|另外|再下|别的")
_GIVES_UP = re.compile("不改了|不换了|不约了|不订了|退掉算了|算了，?(?:算了)?，?(?:退|不[改换约订])")
_OH_NO = re.compile(
    "[^，。]{0,3}[，。…]+(?:[哦啊呃哎诶欸嗯]，?)*(?:不，|不不|不对|不行)|[^，。？！]{0,6}[，。…]+(?:[哦啊呃哎诶欸嗯]，?)*"
    "(?:不要拖|别拖|干脆|不拖了|不等了|等等，|等[一1]?下，|算了，)[^？！]{0,12}$"
)
_CANNOT = re.compile(
    "(?:[，哦啊呃嗯]*)[^，。]{0,8}(?:满|升级|休息|不行|不上班|开会|维护|放假|没空|没人|来不及|值班|不在|盘点)[^，。]{0,3}[，。]那"
)
_PART_THEN = re.compile(
    "(?:[哎啊嗯，])*(?:(早上|上午|中午|下午|晚上)|那(?:会儿?|个?点儿?|个?时候|时))(?!吧|可以|行|好|也行)(?:我|俺|咱|家里|可|是|正|都)?[^，。]{0,8}(?:[，。]|$)(?!.{0,8}(?:可以|行|方便))"
)
_PARTS = {
    "早上": range(5, 10),
    "上午": range(7, 12),
    "中午": range(11, 15),
    "下午": range(12, 19),
    "晚上": range(17, 24),
}
_CONFIRMS = re.compile("[是对]吧|对吗|是吗|对不|是不是|没错|可以|行|几号|right")
_RULE = re.compile("收费|免费|有效|截止|规定|都|取消|一般|平时|营业|上班")
_SENTENCE = re.compile("[。？！；]")
_SOON = 15  # characters of a reply in which it declines
_NEXT = 4  # lines: how soon a better offer comes


def _example(call: Named, line: int) -> Iterator[int]:
    """比方说10月16号, if nobody takes it up."""
    own = call.lines[line]
    for index in call.at[line]:
        mention = call.mentions[index]
        front = _SENTENCE.split(own.whole[: mention.start])[-1]
        if mention.kind in (*_WHEN, FactKind.AMOUNT) and _EXAMPLE.search(front) and not call.again(index, line + 1):
            yield index


def _superseded(call: Named, line: int) -> Iterator[int]:
    """An offer of the company that does not please the caller, and a better one in its next words."""
    own, reply = call.lines[line], call.reply(line, 2)
    if own.caller or reply is None or call.words["talk.accept"].search(reply.whole):
        return
    after = next((other for other in call.after(reply.index, 2) if not other.caller and other.whole), None)
    if after is None:
        return
    for kind in _WHEN:
        named = {call.mentions[i].value for i in call.of(reply.index, kind)}
        later = call.of(after.index, kind)
        for index in call.of(line, kind):
            mention = call.mentions[index]
            sooner = kind is FactKind.DATE and "今" in reply.whole and re.search("今[天晚儿日]", after.whole)
            if sooner and mention.value > call.today and mention.value in named:  # 明天中午？今天！-- 那今晚8点前
                yield from call.same_offer(index)
                yield from (i for i in call.of(reply.index, kind) if call.mentions[i].value == mention.value)
            echoed = _asked_again(call, reply, kind, mention.value)
            picked_out = any(call.mentions[i].value in named for i in call.of(line, kind))  # 11点太晚了
            unhappy = not picked_out and _UNHAPPY.search(reply.whole)
            better = [
                i for i in later if call.mentions[i].value != mention.value and (echoed or _better(call, after, i))
            ]
            rule = _RULE.search(own.clause_at(mention.start).text)
            displeased = echoed or (unhappy and not rule)
            if better and displeased and not call.past(mention) and not call.again(index, after.index):
                yield from call.same_offer(index)
                yield from (i for i in call.of(reply.index, kind) if call.mentions[i].value == mention.value)


def _flatly(call: Named, line: int) -> Iterator[int]:
    """不成。12号我去县里看病: a bare no to what the company has just offered, and another day or hour follows."""
    own, reply = call.lines[line], call.reply(line, 1)
    if reply is None or not _FLAT_NO.match(reply.whole):
        return
    between = call.lines[line - 1] if line else None
    questioned = between is not None and between.clauses and between.clauses[-1].asks
    for kind in _WHEN:
        mine = call.of(line, kind)
        if questioned and line > 1 and not own.caller:  # 10点05有一班 -- 几点到？-- 12点50 -- 那不行
            mine = [*call.of(line - 2, kind), *mine] if kind is FactKind.TIME else mine
        follow = call.others(mine[-1], reply.index, 4) if mine else []
        for index in mine:
            mention = call.mentions[index]
            last = not _SENTENCE.search(call.lines[mention.line].whole[mention.end :].rstrip("。？！；"))
            if last and follow and not call.past(mention) and not call.again(index, reply.index + 1):
                yield from call.same_offer(index)
                heard = [*call.of(line - 1, kind), *call.of(reply.index, kind)] if line else call.of(reply.index, kind)
                yield from (i for i in heard if call.mentions[i].value == mention.value)


def _part_refused(call: Named, line: int) -> Iterator[int]:
    """中午我在车间，听不见: the part of the day of the offered hour, and another hour follows."""
    own, reply = call.lines[line], call.reply(line, 1)
    found = _PART_THEN.match(reply.whole) if reply else None
    if own.caller or reply is None or found is None:
        return
    for index in call.of(line, FactKind.TIME):
        hour = int(call.mentions[index].value[:2])
        meant = found[1] is None or hour in _PARTS[found[1]]
        if meant and call.others(index, reply.index, 6) and not call.again(index, reply.index):
            yield from call.same_offer(index)


def _elsewhere(call: Named, line: int) -> Iterator[int]:
    """礼拜一我跑长途: the offered day named with what the caller does then, and another one follows."""
    own = call.lines[line]
    for kind in _WHEN:
        for index in call.of(line, kind):
            mention = call.mentions[index]
            offered = own.caller and any(
                call.mentions[i].line < line and not call.lines[call.mentions[i].line].caller
                for i in call.same_before(index)
                if line - call.mentions[i].line <= 2  # noqa: PLR2004 -- just offered
            )
            if not offered or not _DOES.match(own.whole[mention.end :]) or call.again(index, line + 1):
                continue
            if any(
                call.mentions[i].start > mention.start or call.mentions[i].line > line
                for i in call.others(index, line, 3)
            ):
                yield from call.same_offer(index)


def _abandoned(call: Named, line: int) -> Iterator[int]:
    """算了，退掉算了: the days and hours that had been offered instead."""
    own = call.lines[line]
    if not own.caller or not _GIVES_UP.search(own.whole):
        return
    asked = [other.index for other in call.lines[max(0, line - 8) : line] if other.caller and _MOVE.search(other.whole)]
    for back in range(asked[0] if asked else line + 1, line + 1):
        for index in call.at[back]:
            mention = call.mentions[index]
            offered = not call.lines[back].caller or call.wished(index) or back == line
            moved = mention.kind in _WHEN and offered and not call.past(mention)
            if moved and not call.again(index, line + 1):
                yield index


def _misheard(call: Named, line: int) -> Iterator[int]:
    """6月1号？-- 不是六月，7月1号."""
    own, reply = call.lines[line], call.reply(line, 1)
    if reply is None or not re.match("[哦噢啊哎，]*(?:不是|不对|错了|不不)", reply.whole):
        return
    for index in call.at[line]:
        mention = call.mentions[index]
        heard = mention.kind in (*_WHEN, FactKind.AMOUNT) and own.clause_at(mention.start).asks
        if heard and call.others(index, reply.index, 1) and not call.again(index, reply.index):
            yield index


def _took_back(call: Named, line: int) -> Iterator[int]:
    """今晚8点发，哦不，明天吧; 明天，哦，明天系统升级，那就后天."""
    own = call.lines[line]
    for kind in _WHEN:
        for index in call.of(line, kind):
            mention = call.mentions[index]
            later = [i for i in call.others(index, line, 1) if call.mentions[i].start > mention.end]
            if not later:
                continue
            rest = own.whole[mention.end : call.mentions[later[0]].start]
            if _OH_NO.match(rest) or _CANNOT.match(rest):
                yield from (i for i in call.of(line, kind) if call.mentions[i].value == mention.value)


def _asked_again(call: Named, reply: Line, kind: FactKind, value: str) -> bool:
    """礼拜四寄？: the reply questions the very day."""
    for index in call.of(reply.index, kind):
        clause = reply.clause_at(call.mentions[index].start)
        if call.mentions[index].value == value and clause.text.endswith("？") and not _CONFIRMS.search(clause.text):
            return True
    return False


def _better(call: Named, other: Line, index: int) -> bool:
    return _BETTER.search(other.whole[: call.mentions[index].end]) is not None


def _not_charged(call: Named, line: int) -> Iterator[int]:
    """没有这笔，我看错了: the last sum that the same side has named."""
    own = call.lines[line]
    found = _NOT_CHARGED.search(own.whole)
    if own.caller or found is None:
        return
    here = call.of(line, FactKind.AMOUNT)
    if here:  # 搬楼费是120元，我看看……哦，是写了免的
        if call.mentions[here[-1]].end <= found.start() and re.search("看|哦|不对|错", own.whole[: found.end()]):
            yield from call.same_before(here[-1])
        return
    for back in range(line - 1, max(-1, line - _NEXT - 1), -1):
        sums = call.of(back, FactKind.AMOUNT)
        if sums and not call.lines[back].caller:
            yield from call.same_before(sums[-1])
            return


def _declined(call: Named, line: int) -> Iterator[int]:
    """The price of an extra that the caller does not want."""
    own = call.lines[line]
    reply = call.reply(line, 2)
    if own.caller or reply is None or not (no := _DECLINED.search(reply.whole)) or no.start() >= _SOON:
        return
    for index in call.of(line, FactKind.AMOUNT):
        start = call.mentions[index].start
        clauses = [clause for clause in own.clauses if clause.end > start - 12 and clause.start <= start]
        asked = [
            clause
            for clause in own.clauses
            if _EXTRA.search(clause.text) and (clause.asks or own.clauses[-1].asks or _WHETHER.search(clause.text))
        ]
        near = any(_EXTRA.search(clause.text) for clause in clauses)
        if asked and near and start >= asked[0].start - 10:
            yield from call.same_before(index)


WITHDRAWN = (
    _example,
    _superseded,
    _flatly,
    _elsewhere,
    _abandoned,
    _misheard,
    _took_back,
    _part_refused,
    _not_charged,
    _declined,
)
