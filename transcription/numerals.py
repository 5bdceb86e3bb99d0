"""Numbers as people write them, in the text that people read: 幺五四，零零幺二，八八三六 -> 15400128836. Pure.

Recognisers write what they hear, each in its own way: vosk characters and letters apart, whisper digits in odd groups
("154-026-917-5"). Order numbers, amounts, dates, times, addresses and phones become digits and are joined again;
counts that nobody looks up (三天, 两台) and idioms (三心二意, 万一) stay as they were said. The rules of the summary
read either way (:mod:`transcription.spoken`, which does the converting here, too).
"""

import re

from transcription.spoken import written

_DIGITS = "零〇幺一二三四五六七八九"
_TOKEN = rf"(?:[{_DIGITS}\d]{{2,}}|(?:[A-Z] ?)+(?![A-Za-z]))"
# a number dictated in groups; two groups of two may be anything, so seven digits and letters are asked for
_GROUPS = re.compile(rf"(?<![{_DIGITS}十百千万\dA-Za-z]){_TOKEN}(?:[，、 ]+{_TOKEN})+(?![{_DIGITS}十百千万点\dA-Za-z])")
_ENOUGH = 7
_PHONE = re.compile(r"1\d{10}|[48]00\d{7}|0\d{9,11}")
_COUNT = "[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九]"
_UNITS = (
    "天|年|个半?月|个半?小时|个半?钟头|小时|分钟|秒钟?|个工作日|个星期|个礼拜|星期(?![一二三四五六日天])|礼拜(?![一二三四五六日天])"
    "|次|遍|回|趟|位|家|台|张|个|只|件|口|人|层|级|倍|分(?=不|没|钱)|度(?=不)"
)
_IDIOMS = (
    "三心二意|一五一十|七上八下|乱七八糟|四面八方|五花八门|九牛一毛|说一不二|三七二十一|三三两两|一清二楚|十全十美|三天两头"
    "|五湖四海|半斤八两|三番五次|三番两次|接二连三|丢三落四|十有八九|千方百计|九九八十一|一了百了|百里挑一|万无一失|一干二净"
    "|挂一漏万|一心一意|五颜六色|七嘴八舌|横七竖八|杂七杂八|七零八落|四通八达|三言两语|三长两短|一来二去|一问三不知|不三不四"
    "|朝三暮四|独一无二|略知一二|千篇一律|千真万确|千千万万|万万没|万一|五一(?=劳动|假|节|长)|六一(?=儿童|节)|双十一|八一(?=路|建)|十一(?=长假|假期|黄金|国庆)"
)
# a count: not behind another numeral, a date's 月 or the like, not part of a clock time or an address
_KEPT = re.compile(
    rf"(?<![{_DIGITS}十百千万两\d点号月第])(?:{_COUNT})(?:到(?:{_COUNT}))?(?=(?:{_UNITS}))"
    rf"|(?<![{_DIGITS}十百千万两\d])[一二两三四五六七八九](?=楼(?![{_DIGITS}\d]))"
    rf"|(?<![{_DIGITS}十百千万两\d])(?:[{_DIGITS}两]?[百千万])(?=多)"
    rf"|[{_DIGITS}]{{1,2}}(?=折)|(?<!星)期(?=[{_DIGITS}十])|{_IDIOMS}"
)
_AT = re.compile("(?<=[A-Za-z])[，、]at[，、](?=[A-Za-z])")
_PERCENT = re.compile(rf"百分之([{_DIGITS}两十]+(?:点[{_DIGITS}]+)?|\d+(?:\.\d+)?)")
_WORDS = re.compile(r"(?<=[A-Za-z]{2}) (?=[A-Za-z\d]{2})|(?<=\d) (?=[A-Za-z]{3})|(?<=[A-Za-z]) (?=[a-z]{2})")
# digits in groups as whisper writes them: hyphens, spaces, dots between groups
_SPLIT = re.compile(r"(?<![\dA-Za-z.\-])\d{1,8}(?:[\-–‐ ]\d{1,8})+(?![\dA-Za-z.\-])")
_DATE = re.compile(r"(?:19|20)\d\d-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])")
_MONEY = re.compile("元|块|万|米|公里|度|年|岁|天|人|个|点|号|月|%")
_KEEP = 0xE000  # private characters stand for what stays as it is


def numbered(text: str) -> str:
    """The Chinese ``text`` with its numbers as digits, joined where they were said or written in groups."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found.group())
        return chr(_KEEP + len(kept) - 1)

    text = _PERCENT.sub(r"\1%", _AT.sub("艾特", text).replace("点幺", "点一"))
    text = _GROUPS.sub(_one, text)
    text = _WORDS.sub(keep, text)
    text = _KEPT.sub(keep, text) if len(kept) < 0x1000 else text  # noqa: PLR2004 - private characters are 6400
    text = _SPLIT.sub(_joined, text)
    text = written(text)
    return "".join(kept[ord(char) - _KEEP] if 0 <= ord(char) - _KEEP < len(kept) else char for char in text)


def _one(found: re.Match[str]) -> str:
    """The groups as one, where they are long enough for a number and not a list of small ones."""
    whole = re.sub("[，、 ]", "", found.group())
    if re.search(r"\d", whole) and not _PHONE.fullmatch(whole):  # 2899，199 is a list of prices
        return found.group()
    return whole if len(whole) >= _ENOUGH else found.group()


def _joined(found: re.Match[str]) -> str:
    run, rest = found.group(), found.string[found.end() : found.end() + 2]
    groups = re.split(r"[\-–‐ ]", run)
    if _DATE.fullmatch(run) or sum(map(len, groups)) < _ENOUGH:
        return run
    if len(groups) == 2 and int(groups[0]) < int(groups[1]) and _MONEY.match(rest):  # noqa: PLR2004 - from, to
        return run
    return "".join(groups)
