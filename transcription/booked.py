"""Whether a day or hour was settled before the call, or has just been proposed in it. Pure."""

import re

from transcription.account import FactKind
from transcription.named import Named

_WHEN = (FactKind.DATE, FactKind.TIME)
_BOOKED = re.compile(
    "约[了的过]|订[了的]|预[约订]|定的|报[的了]|抢|买的|票|房|航班|车次|入住|团|那[趟班场节个]|挂[的了]|安排的|排的"
)
_WISHED = re.compile("想|要|能不能|可不可以|帮我|给我|[吗吧么]|行不|可以|最好|有没有")
_STANDS = re.compile(
    "(?:约|订|预[约订]|定|登记|系统|原[来定]|本来|讲好|说好|单子上写)的?(?:时间|日期|日子|显示|约)?(?:是|在|的是)|原(?:本|来|先|定)?(?:的)?(?:定|约|订|说好|安排|排|预约)的?(?:是|在|了)*(?=[\\d明后周礼星下这本])|原定|[讲说约定]好的?.{0,12}的[，。！？]?$"
)


def booked(call: Named, index: int) -> bool:
    """我约的周五，来不了了; 您约的是这礼拜六: what is cancelled or moved was so."""
    for i in call.same_before(index):
        mention = call.mentions[i]
        line = call.lines[mention.line]
        clause = line.clause_at(mention.start).text
        if mention.kind in _WHEN and (
            _STANDS.search(clause)
            or (line.caller and _BOOKED.search(clause) and not _WISHED.search(clause) and not proposed(call, i))
        ):
            return True
    return False


def proposed(call: Named, index: int) -> bool:
    """Whether the other side has just named the same day or hour."""
    mention = call.mentions[index]
    return any(
        call.mentions[i].value == mention.value and call.lines[line].caller != call.lines[mention.line].caller
        for line in range(max(0, mention.line - 2), mention.line)
        for i in call.of(line, mention.kind)
    )
