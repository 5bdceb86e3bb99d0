"""Addresses of street or house level, as they are said: digits, no fillers, no pauses. Pure.

An address needs a road, village or estate with a number (光明街217号4单元601, 金桂苑5栋302), or a house with its door
(8栋1502). The house may follow in the next answer when it was asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from transcription.account import FactKind
from transcription.dialogue import Line, Mention

_HAN = "[\u4e00-\u9fa5]"
_ROAD = (
    "大街|大道|街道|路|街|道|巷|胡同|弄堂|里|村|屯|庄|坊|湾|镇|小区|家园|花园|花苑|园区|开发区|公寓|大厦|广场|新村|新城|名城"
    "|大院|家属院|工业园|科技园|产业园|学校|中心|苑|园|城|府|庭|居|院|楼|组|寓|弄"
)
_HOUSE = "号楼|号院|号库|号仓|号|弄|栋|幢|座|单元|室|组|排|区|库|段"
_STEP = "号楼|号院|号库|号仓|号|弄|栋|幢|座|单元|室|楼|层|门|院|户|组|排|库|巷|段"
_NAMED = rf"(?:{_HAN}{{2,8}}?(?=\d{{1,4}}(?:栋|幢|号楼|座|单元|室)|[A-Z]\d?[栋座幢]))?"
_TAIL = (
    r"(?:\d{1,3}号?(?:宿舍楼|教学楼|公寓楼|厂房|仓库|办公楼|实验楼|住院楼|综合楼|门面|商铺|铺位?|档口|摊位|车间|库房|别墅)(?:\d{1,2}[楼层])?"
    rf"|{_NAMED}(?:\d{{1,4}}|[A-Z]\d{{0,2}}|[东西南北])(?:{_STEP})(?!线)"
    rf"|{_HAN}{{2,8}}?(?:大厦|广场|中心|大楼|写字楼|商场|商厦|商城|市场|百货|会馆|园区|公寓)\d{{1,3}}[楼层]"
    rf"|{_HAN}{{1,6}}?(?:校区|厂区|院区|生活区|园区)(?=\d)"
    r"|，?(?:[前后东西南北左右主副](?:座|栋|楼|院|幢)|[东西南北]门)\d{0,4}(?![\d元块点号])"
    r"|附\d{1,3}号?|之\d{1,2}号"
    rf"|，{_NAMED}(?:\d{{1,4}}|[A-Z]\d{{0,2}})(?:号楼|号院|栋|幢|座|单元|室|弄|门)"
    r"|，\d{1,2}楼(?=，?\d{3,4}(?!\d))|，\d{1,4}号(?=，?\d+(?:室|单元|栋|楼|(?=\D)))"
    rf")*(?:，?\d{{3,4}}(?![\d元块点号折个分人兆GM\-房])室?)?"
    r"(?:(?:楼下|门口|旁边|一楼|1楼|大厅)?的?(?:(?:菜鸟|快递|妈妈)?驿站|传达室|收发室|自提点|前台))?"
    rf"(?:(?<=号){_HAN}{{2,6}}?(?:酒店|宾馆|大厦|公寓|小区|花园|家园|大楼|商场|饭店|写字楼)(?!\d))?"
)
_ADDRESS = re.compile(
    rf"(?P<town>(?:{_HAN}{{2,14}}[省市区县镇乡旗]，+)*)"
    rf"(?P<road>{_HAN}{{1,24}}?(?:{_ROAD})(?:[东西南北中]段)?)，?"
    rf"(?P<no>(?:\d{{1,5}}|[A-Z]\d{{0,3}})(?:{_HOUSE})(?!线|店|楼?梯|员){_TAIL})"
)
_DOOR = re.compile(
    r"(?<![\dA-Za-z])(?:(?:\d{1,3}|[A-Z])(?:栋|幢|号楼)，?|[A-Z]座，?|\d{1,2}座(?=\d)|(?=\d单元\d))(?:\d单元，?|[东西]单元，?|[东西]?门，?)?(?:\d{1,2}[层楼])?\d{3,4}(?![\d元块点号])室?"
)
_BEFORE_DOOR = re.compile(
    r"(?:地址[是就]?|我家在?|家住|我住|住在?|我是|我在|人在|送到|寄到|改到|改成|搬到|就在|位于|公司在|我们在|店在|是|到|，|。|^)"
    r"((?![他她这那哪我你您])[\u4e00-\u9fa5]{2,6})$"
)
_PART = re.compile(rf"^(?:[嗯呃啊哦是在，、]|那个|就是)*(?P<part>(?:\d{{1,4}}|[A-Z]\d{{0,2}})(?:{_STEP}){_TAIL})")
_ASKED = re.compile(
    "几零几|几层|多少号|哪一?号|几栋|几号|几单元|几楼|几室|门牌|房号|哪一?户|哪一?栋|哪个单元|具体|详细|栋号|楼号|室号"
)
_REST = re.compile(r"^(?:[嗯呃啊哦，、…]|那个|就是)*(?P<part>\d{3,4}室?)[，。…]*$")
_UNFINISHED = re.compile(r"(?:栋|幢|座|号楼|单元|楼|门|号)$")
_STOP = re.compile(
    r"^.*(?:改成|换成|变成|到|在|是|住|给|往|去|寄|送|址|改|叫|就|那|的|了|呢|吗|吧|啊|嗯|呃|个|从|位于|进|不对|不是|错了|[我你您他她](?:们|家)?|咱们?|这边|这里|换成|[寄送搬过]来|麻烦|写|叫做)"
)
_FIX = re.compile(
    rf"(?:不对|不是|错了|应该是|哦不|啊不|说错)[，。]?(?:\d{{1,4}}(?:{_STEP})是[^，。]{{1,8}}[，。])?[^\d，。]{{0,8}}"
    rf"(?P<no>\d{{1,4}})(?P<unit>{_STEP})(?!(?<=号){_HAN}?\d|是)(?P<rest>{_TAIL})"
)
_DOOR_FIX = (
    re.compile(
        r"(?:不是|不对，?不?是?)(?P<old>\d{3,4})(?:室|了|啊|呀|的)?[，。]*(?:是|我们?家?|我?住|在|应该|现在|那?个)*(?P<new>\d{3,4})(?!\d)"
    ),
    re.compile(
        r"(?P<old>\d{3,4})室?(?:是|那是)[^，。\d]{0,8}(?:以前|之前|原来|老|旧|对门|楼上|隔壁|邻居|楼下)[^，。\d]{0,6}[，。]*(?:现在|我们?家?|我?住|搬到|应该|改成|在|是)*(?P<new>\d{3,4})(?!\d)"
    ),
    re.compile(r"(?:是|改成|应该是|换成|搬到)(?P<new>\d{3,4})室?[，。]?不是(?P<old>\d{3,4})(?!\d)"),
)
_ROAD_ONLY = re.compile(
    rf"^(?:[嗯呃啊哦在是到，、]|那个|就是|地址|我们?|家|新的?|送到|改到|住)*(?P<road>{_HAN}{{1,10}}(?:大街|大道|街道|路|街|道|巷|胡同|弄|村|镇|小区|家园|花园|花苑|公寓|大厦|新村|新城|苑|园|里))[，。]*$"
)
_WHERE = re.compile("地址|哪里|哪儿|送到哪|什么地方|位置|哪条|住在?哪")
_FILLER = re.compile(
    r"，((?:(?:那个|呃|嗯|额|啊|哦|就是|等一下|等会儿?|稍等|我?看看|我?想想|我?看一下|门牌号?是?|地址是)[，、…。]*)+)"
)
_TWICE = re.compile(
    r"([\u4e00-\u9fa5]{2,4}(?:路|街|大道|巷|弄))((?:，|嗯|呃|那个|啊|就是)+)\1"
)  # a road's name said twice
_WRONG = re.compile(
    r"(?:[，。…]|\d+(?:栋|号|座|号楼)是[^，。]{1,8}|哦|啊|呃|哎|诶|欸|嗨|噢|喔|哟|呀|不是|不对|错了|说错了|记错了|不|是|应该)+"
)
_RECENT = 4


@dataclass
class Places:
    """Reads the addresses of one call, line after line; remembers the last one, whose house may follow or change."""

    _open: dict[int, bool] = field(default_factory=dict, init=False)  # lines that end in the midst of a sentence
    _last: dict[bool, Mention] = field(default_factory=dict, init=False)
    _asked: dict[bool, int] = field(default_factory=dict, init=False)
    _where: dict[bool, int] = field(default_factory=dict, init=False)
    replaced: list[str] = field(default_factory=list, init=False)  # values that were completed or corrected

    def read(self, line: Line) -> Iterator[Mention]:
        """The addresses in the line."""
        self._open[line.index] = line.whole.endswith(("，", "、", "…"))
        seen: list[tuple[int, int]] = []
        for mention in chain(self._full(line), self._more(line)):
            if not any(mention.start < b and a < mention.end for a, b in seen):
                seen.append((mention.start, mention.end))
                self._last[line.caller] = mention
                yield mention
        for found in _DOOR.finditer(line.text):
            start, end = found.span()
            if any(start < b and a < end for a, b in seen):
                continue
            start -= _estate(line.text[:start])
            last = self._last.get(line.caller)
            if last is not None and last.line == line.index and _WRONG.fullmatch(line.text[last.end : start]):
                yield self._instead(line, last, line.text[start:end], start, end)
            else:
                mention = _mention(line, line.text[start:end], start, end, (line.index,))
                self._last[line.caller] = mention
                yield mention
        yield from self._door(line)
        road = _ROAD_ONLY.match(line.text)
        if road and line.index - self._where.get(not line.caller, -9) <= 1:
            self._last[line.caller] = _mention(line, road["road"], *road.span("road"), (line.index,))
        if _ASKED.search(line.text):
            self._asked[line.caller] = line.index
        if _WHERE.search(line.text):
            self._where[line.caller] = line.index

    def _paused(self, line: int) -> bool:
        """Whether the line broke off: what follows may belong to it."""
        return self._open.get(line, False)

    def _door(self, line: Line) -> Iterator[Mention]:
        """The door put right by either side: 不是502，我们家402."""
        near = [last for last in self._last.values() if line.index - last.line <= 2]  # noqa: PLR2004 -- just read out
        for fix in _DOOR_FIX:
            for found in fix.finditer(line.text):
                last = next((m for m in near if re.search(rf"(?<!\d){found['old']}室?$", m.value)), None)
                if last is None:
                    continue
                value = re.sub(rf"{found['old']}(室?)$", rf"{found['new']}\1", last.value)
                self.replaced.append(last.value)
                mention = _mention(line, value, *found.span("new"), (*last.turns, line.index))
                self._last[line.caller] = mention
                yield mention
                return

    def _instead(self, line: Line, last: Mention, said: str, start: int, end: int) -> Mention:
        """The address with its house put right: 星河大厦A座, 不是, B座1203."""
        unit = next(unit for unit in _STEP.split("|") if re.search(rf"[A-Z\d]{unit}", said))
        whole = re.match(rf"(.*?)[A-Z\d]+{unit}.*", last.value)
        self.replaced.append(last.value)
        mention = _mention(line, (whole[1] if whole else last.value) + said, start, end, last.turns)
        self._last[line.caller] = mention
        return mention

    def _full(self, line: Line) -> Iterator[Mention]:
        """Addresses in one line, fillers between their parts left out."""
        text, at = _without_fillers(line.text)
        for found in _ADDRESS.finditer(text):
            road = found["road"]
            start = found.start("road")
            stop = _STOP.match(road[: -_suffix(road)] if _suffix(road) else road)
            town = found["town"]
            if stop:
                road, start, town = road[stop.end() :], start + stop.end(), ""
            if town:
                cut = _STOP.match(town)
                start = found.start("town") + (cut.end() if cut else 0)
                town = town[cut.end() :] if cut else town
            if len(road) > _suffix(road):
                yield _mention(line, town + road + found["no"], at[start], at[found.end() - 1] + 1, (line.index,))

    def _more(self, line: Line) -> Iterator[Mention]:
        """The house that belongs to a road said before: the answer to 几栋几室, or a correction of it."""
        last = self._last.get(line.caller)
        if last is None or line.index - last.line > _RECENT:
            return
        part = _PART.match(line.text)
        if part and line.index - self._asked.get(not line.caller, -9) <= 1:
            self.replaced.append(last.value)
            yield _mention(line, last.value + part["part"], *part.span("part"), (*last.turns, line.index))
        door = _REST.match(line.text)
        if door and last.line == line.index - 2 and _UNFINISHED.search(last.value) and self._paused(last.line):
            self.replaced.append(last.value)
            yield _mention(line, last.value + door["part"], *door.span("part"), (*last.turns, line.index))
        for found in _FIX.finditer(line.text):
            value = _put_right(last.value, found)
            denied = re.match(r"不是\d", found.group()) and last.line == line.index  # 18号，不是8号
            if value != last.value and not denied:
                self.replaced.append(last.value)
                yield _mention(line, value, *found.span("no"), (*last.turns, line.index))


def _without_fillers(text: str) -> tuple[str, list[int]]:
    """The text without fillers between two parts of a name, and where each of its characters stands in ``text``."""
    kept: list[int] = []
    position = 0
    text = _TWICE.sub(lambda found: "，" * len(found[1] + found[2]) + found[1], text)
    for found in _FILLER.finditer(text):
        kept += range(position, found.start(1))
        position = found.end()
    kept += range(position, len(text))
    return "".join(text[i] for i in kept), kept


def _put_right(value: str, found: re.Match[str]) -> str:
    """The address with the house that was put right, and what was said behind it."""
    rest = re.sub("[，。]", "", found["rest"])
    if rest:
        return re.sub(rf"\d+{found['unit']}.*$", f"{found['no']}{found['unit']}{rest}", value)
    return re.sub(rf"\d+(?={found['unit']})", found["no"], value, count=1)


def _estate(front: str) -> int:
    """How many characters in front of a door name the estate: 地址枫桥国际B座1106."""
    found = _BEFORE_DOOR.search(front)
    return len(found[1]) if found else 0


def _suffix(road: str) -> int:
    """How many characters of the road's name are its kind."""
    found = re.search(rf"(?:{_ROAD})(?:[东西南北中]段)?$", road)
    return len(found.group()) if found else 0


def _mention(line: Line, said: str, start: int, end: int, turns: tuple[int, ...]) -> Mention:
    value = re.sub(r"[，、。\s]", "", said)
    return Mention(FactKind.ADDRESS, value, line.index, start, end, tuple(dict.fromkeys(turns)), said)
