"""Which days, times, sums and addresses do not stand: taken back, refused, or offered and not chosen. Pure.

The rules, each a function below: a value is named and refused (周六我加班, 7点40太早了); an offer is refused without
naming it and another follows; of several offered the other side picks (周六还是周日? 周日吧); a wish is answered with
something else (明天行吗? 最早后天); a value is corrected (不对, 是27号). A value that is named again afterwards stands.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from transcription.account import FactKind
from transcription.booked import booked, proposed
from transcription.dialogue import Line, Mention
from transcription.lexicon import Lexicon
from transcription.misread import MISREAD
from transcription.named import Named
from transcription.put_right import PUT_RIGHT
from transcription.rethought import RETHOUGHT
from transcription.withdrawn import WITHDRAWN

_KINDS = (FactKind.DATE, FactKind.TIME, FactKind.AMOUNT)
_CONTACT = (FactKind.EMAIL, FactKind.PHONE, FactKind.ADDRESS)
_WHEN = (FactKind.DATE, FactKind.TIME)
_BACK = 8  # lines: how far an hour is looked for that was offered with a day
_ECHO = 4  # characters beside a value that is only repeated
_REACH = 14  # characters behind a value in which it is refused
_TOO_LITTLE = re.compile(
    "(?:块钱?|元)?(?:也|都|真|那|就)?(?:太[多少贵低高]|不[行够要成中]|打发|才|做不|没法|接受不|少了|不同意)"
)
_PART_OF_DAY = re.compile(r"^(上午|下午|晚上|早上|中午|傍晚)")
_PART_OF_DAY_NAMED = re.compile("上午|下午|晚上|早上|中午|傍晚")
_TAKEN = re.compile(
    "[嗯啊哦好，]*(?:行|好|可以|中|成|要得|得行|没问题|OK|ok|妥|来赛|好[额嘅]|阔以)(?![不吗么])[吧啊呀的嘞了哒哈呢]*(?:[，。！…]|$)(?!.{0,6}(?:不过|但|可是|只是|就是))"
)
_YES = re.compile("(?:[嗯哦啊，]*)(?:对|是的|没错|是啊|嗯对)(?![不])(?!.*(?:不过|但|可是))")
_ABOUT_US = re.compile("你们|您|[上开]不[上开]|吗$|几点|什么时候|哪|师傅")
_OTHER_PART = re.compile(r"上午|下午|晚上|早上|中午|傍晚|下班|[晚早]一?点|\d点")
_OPTIONS = re.compile(
    "再就是|再有|再不|还有个|另一个|都行|都成|都方便|都有空|都能|随便|还是|或者|或是|要不|也有|也可以|也行|哪个|哪一个|哪天|任选|两[班个种]|都有|都可以|您选|您挑|和.{1,12}的"
)
_PARTS = (("上午|早上", range(5, 12)), ("下午", range(12, 18)), ("晚上|晚间", range(18, 24)))
_FIRST = re.compile("前面|第1|第一|早的|早一点|头一|上面")
_LAST = re.compile("后面|第2|第二|晚的|晚一点|后一")
_OFFER = re.compile("代金券|优惠券|红包|送.{0,3}张|补偿|赔|优惠|减|便宜|退您|退给|送您|抵扣")
_ONLY = re.compile("最快|最早|只能|只有|只剩|要到|得到|最多|得等|排到|改到|要等")
_NONE_LEFT = re.compile(r"^(?:的|就|也|都|已经|早)*(?:没有?了?|满了?)(?:[，。]|$)")
_CAN_IT = re.compile("(?:能|会|可以)[^，。]{0,8}(?:不|吗|么|嘛|啵|伐|没)[，。？]*$")
_DEADLINE = re.compile(
    "[之以]?前[^，。]{0,6}[，。；](?:[一1]?过了?|晚了|超过|超时|逾期|错过|过期|再晚|过后)[^，。]{0,6}"
    "(?:不了|不给|不收|没有?|作废|取消|关|不能|不行)"
)
_OTHER_HOUR = re.compile(
    "点(?:半)?(?:以后|之后|过后|往后|以前|之前)(?:才)?(?:行|可以|方便|有空|成|在)|(?:上午|下午|晚上|早上|中午|傍晚|晚(?:一|1)?点|早(?:一|1)?点|别的|其他|换个?|再?[早晚]些)[^，。]{0,6}(?:有没有|有吗|行不|行吗|可以|吧|呢|成不|成吗|能不能|方便|中不)"
)


def dropped(mentions: Sequence[Mention], lines: Sequence[Line], words: Lexicon, today: date) -> set[int]:
    """Indexes of the mentions that do not stand."""
    at: dict[int, list[int]] = {line: [] for line in range(len(lines))}
    for index, mention in enumerate(mentions):
        at[mention.line].append(index)
    call = Named(mentions, lines, words, at, today.isoformat())
    gone: set[int] = set()
    for line in sorted(at):
        for rule in (*_HERE, *PUT_RIGHT, *MISREAD, *WITHDRAWN, *RETHOUGHT):
            fresh = set(rule(call, line))
            gone.update(fresh if rule in PUT_RIGHT else {i for i in fresh if not booked(call, i)})
    gone.update(list(_times_of_dropped_days(call, gone)))
    gone.update(list(_ends_of_dropped_windows(call, gone)))
    return gone


def _refused_by_name(call: Named, line: int) -> Iterator[int]:
    """周六我加班; 明天师傅都排满了; 下午2点也有一个班，不过已经满了."""
    for index in call.at[line]:
        mention = call.mentions[index]
        if mention.kind not in _KINDS or call.past(mention) or not _said_no(call, index):
            continue
        if mention.kind is FactKind.DATE and _only_the_hour(call, index):
            continue
        if not (mention.kind is FactKind.DATE and _other_part_of_day(call.lines[line].whole[mention.end :])):
            yield from call.same_offer(index)
            yield from call.windows_from(index)
            yield from _listed_before(call, index)


def _listed_before(call: Named, index: int) -> Iterator[int]:
    """周四周五都满了: what stands right in front of the refused one."""
    mention = call.mentions[index]
    text = call.lines[mention.line].whole
    for i in call.of(mention.line, mention.kind):
        other = call.mentions[i]
        beside = 0 <= mention.start - other.end <= 1 and text[other.end : mention.start] in ("", *"、，和跟与")
        if beside and other.value != mention.value:
            yield from call.same_offer(i)


def _said_no(call: Named, index: int) -> bool:  # noqa: PLR0911 -- one rule after the other
    """Whether the words right behind the mention refuse it."""
    mention = call.mentions[index]
    own = call.lines[mention.line]
    clause = own.clause_at(mention.start)
    until = min(
        [
            call.mentions[i].start
            for i in call.of(mention.line, mention.kind)
            if i > index and call.mentions[i].value != mention.value
        ],
        default=len(own.whole),
    )
    rest = own.whole[mention.end : min(clause.end, until, mention.end + _REACH)]
    if mention.kind is FactKind.AMOUNT:
        return _TOO_LITTLE.match(rest) is not None
    if _NONE_LEFT.match(rest):
        return True
    if _DEADLINE.match(own.whole[mention.end :]):
        return False  # 3点15之前，过了就办不了了
    if call.refuses(rest) and not re.search(r"[吗么][？，]?$", rest):
        return True
    if not own.caller and re.search("上班|开门|营业", rest):
        return False
    if call.words["talk.busy"].search(rest):  # may be mere news, unless the day had been proposed
        offered = any(i != index for i in call.same_before(index)) or any(call.windows_from(index))
        return offered or _asked_before(call, mention.line)
    follow = own.clause_at(clause.end) if clause.end < min(until, len(own.whole)) else None
    if follow is None or re.search("[吗么]？?$", follow.text):
        return False
    echo = len(clause.text) <= mention.end - mention.start + _ECHO  # 20号？太久了
    own_event = own.caller and not echo and not proposed(call, index)  # 我复试是下午1点半，赶不上啊
    if (echo or not clause.asks) and not own_event and call.words["talk.unsuitable"].search(follow.text[:10]):
        return True
    then = own.whole[clause.end : until]
    if (
        (clause.asks and not echo)
        or re.search("几点|什么时候|哪个时|多[久长]", clause.text)
        or (mention.kind is FactKind.DATE and _OTHER_PART.search(then))
    ):
        return False  # 12号我上班，晚上行不行: the day stands
    return proposed(call, index) and _busy_then(call, then)


def _busy_then(call: Named, rest: str) -> bool:
    """Whether the next two clauses say that the speaker has no time."""
    soon = "，".join(part for part in re.split("[，。！；…？]+", rest)[:2] if not _ABOUT_US.search(part))
    return bool(call.words["talk.busy"].search(soon) or call.words["talk.unsuitable"].search(soon))


def _only_the_hour(call: Named, index: int) -> bool:
    """明早8点半我送孙子: with an hour beside it and no other day in sight, the day itself is not refused."""
    mention = call.mentions[index]
    beside = any(0 <= call.mentions[i].start - mention.end <= 2 for i in call.of(mention.line, FactKind.TIME))  # noqa: PLR2004
    return beside and not call.others(index, mention.line, 4)


def _other_part_of_day(rest: str) -> bool:
    """明天上午不行，下午吧: the day stands."""
    part = _PART_OF_DAY.match(rest)
    same_day = re.split("周|星期|礼拜|号|[明后]天", rest)[0]  # 后天晚上加班，周五吧，晚上7点半
    return part is not None and any(other != part[1] for other in _PART_OF_DAY_NAMED.findall(same_day))


def _asked_before(call: Named, line: int) -> bool:
    previous = call.lines[line - 1] if line else None
    return (
        previous is not None
        and re.search("方便(?!的时候)|可以吗|行吗|行不|您看|有空|在家|哪天|什么时候", previous.whole) is not None
    )


def _refused_offer(call: Named, line: int) -> Iterator[int]:
    """An offer of this line that the reply refuses without naming it, when something else follows."""
    own = call.lines[line]
    reply = call.reply(line)
    if (
        reply is None
        or _YES.match(reply.whole)
        or not (
            call.refuses(reply.whole) or call.words["talk.busy"].search(reply.whole) or _OTHER_HOUR.search(reply.whole)
        )
    ):
        return
    named = {(call.mentions[i].kind, call.mentions[i].value) for i in call.at[reply.index]}
    picked_out = {
        call.mentions[i].kind for i in call.at[line] if (call.mentions[i].kind, call.mentions[i].value) in named
    }
    other_hour = reply.caller and _OTHER_HOUR.search(reply.whole)
    for index in call.at[line]:
        mention = call.mentions[index]
        if mention.kind is FactKind.AMOUNT:
            little = re.match("[^，。]{0,4}(?:太[少低贵高]|不行|打发|才)", reply.whole) and any(
                call.lines[call.mentions[i].line].caller == own.caller for i in call.others(index, reply.index, 3)
            )
            if little or (_OFFER.search(own.clause_at(mention.start).text) and call.refuses(reply.whole)):
                yield index
        elif (
            mention.kind in _WHEN
            and mention.kind not in picked_out  # 11点太晚了: that one alone
            and not call.past(mention)
            and (
                other_hour
                or own.clause_at(mention.start).asks
                or (own.clauses[-1].asks and (not own.caller or call.wished(index) or own.whole.endswith("？")))
            )
            and call.others(index, reply.index, 4)
            and not call.again(index, reply.index)
        ):
            yield from call.same_before(index)


def _not_picked(call: Named, line: int) -> Iterator[int]:
    """Of several days or times offered in one line, those that the reply does not pick."""
    own = call.lines[line]
    if not _OPTIONS.search(own.whole):
        return
    for kind in _WHEN:
        offered = call.of(line, kind)
        if len({call.mentions[i].value for i in offered}) < 2:  # noqa: PLR2004
            continue
        for reply in call.after(line, 3):
            if reply.caller == own.caller:
                continue
            named = {call.mentions[i].value for i in call.of(reply.index, kind)}
            picked = {i for i in offered if call.mentions[i].value in named}
            if not picked and _FIRST.search(reply.whole):
                picked = {offered[0]}
            elif not picked and _LAST.search(reply.whole):
                picked = {offered[-1]}
            elif not picked and kind is FactKind.TIME:
                picked = {i for i in offered if _in_part(call.mentions[i].value, reply.whole)}
            if picked:
                yield from (i for i in offered if i not in picked and not call.again(i, line + 1))
                break


def _in_part(value: str, text: str) -> bool:
    """Whether the hour lies in the part of the day that is named: 下午那个."""
    hour = int(value[:2])
    named = [(found.start(), hours) for word, hours in _PARTS if (found := re.search(word, text))]
    return bool(named) and hour in min(named, key=lambda one: one[0])[1]


def _wish_not_met(call: Named, line: int) -> Iterator[int]:
    """明天行吗? -- 最早后天."""
    own = call.lines[line]
    for index in call.at[line]:
        mention = call.mentions[index]
        clause = own.clause_at(mention.start)
        rest = own.whole[clause.start : clause.end + 8]
        wished = call.words["talk.wish"].search(rest) or (own.caller and re.search("[吧呗][，。！]?$", clause.text))
        wished = wished or (own.caller and mention.kind is FactKind.DATE and _CAN_IT.search(clause.text))
        hypothetical = not own.caller and re.search("要是|如果|您(?:若|是)?想", clause.text)  # 您要是想赶20号那期
        if mention.kind not in _KINDS or call.past(mention) or not wished or hypothetical:
            continue
        reply = call.reply(line, 2)
        if (
            reply is None
            or _TAKEN.match(reply.whole)
            or re.search(r"(.{2,6})就\1", clause.text)
            or call.again(index, line + 1)
        ):
            continue
        no = (
            call.refuses(reply.whole)
            or _ONLY.search(reply.whole)
            or re.search(
                "保证不了|不能保证|打包票|不敢|没法[^，。]{0,4}(?:保证|答应|讲|说)"
                "|^(?:这|那)?个?[得要]看|两说|不好说|定不了|说不准|不一定|抱歉|不好意思",
                reply.whole,
            )
        )
        if no and (mention.kind in _WHEN or _OFFER.search(clause.text) or call.others(index, reply.index, 2)):
            yield from call.same_offer(index)


def _times_of_dropped_days(call: Named, gone: set[int]) -> Iterator[int]:
    """The hour that was offered with a day that does not stand, unless it is named again."""
    for index in gone:
        day = call.mentions[index]
        if day.kind is not FactKind.DATE:
            continue
        own = call.lines[day.line]
        days = [i for i in call.of(day.line, FactKind.DATE) if i > index]
        until = min([call.mentions[i].start for i in days], default=len(own.whole))
        for i in call.of(day.line, FactKind.TIME):
            time = call.mentions[i]
            attached = day.end <= time.start < until and time.start - day.end < 8  # noqa: PLR2004
            if attached and not any(
                call.mentions[j].value == time.value and j not in gone and j != i
                for line in range(day.line, day.line + _BACK)
                for j in call.of(line, FactKind.TIME)
            ):
                yield i


def _ends_of_dropped_windows(call: Named, gone: set[int]) -> Iterator[int]:
    """早上7点半我一个人: the hour by which the other side named the window that does not stand."""
    standing = {
        part
        for i, mention in enumerate(call.mentions)
        if i not in gone and mention.kind is FactKind.TIME and "-" in mention.value
        for part in mention.value.split("-")
    }
    for index in gone:
        window = call.mentions[index]
        reply = call.reply(window.line, 1)
        if window.kind is not FactKind.TIME or "-" not in window.value or reply is None:
            continue
        for i in call.of(reply.index, FactKind.TIME):
            value = call.mentions[i].value
            own_event = re.search("[我俺咱]$", reply.whole[: call.mentions[i].start])  # 我8点就开播
            end = value in window.value.split("-") and value not in standing
            if end and not own_event and not call.again(i, reply.index + 1):
                yield i


_HERE = (_refused_by_name, _refused_offer, _not_picked, _wish_not_met)
