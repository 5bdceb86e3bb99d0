"""Spoken numbers in their written form: 幺三八零零 -> 13800, 三百二十八块五 -> 328块5, 下午两点 -> 下午2点.

Speech recognisers write what they hear: Chinese numerals, letters apart, full-width or traditional characters. Every
reader of turns works on the canonical writing made here, so that dictated and typed calls read the same. Idioms
(三心二意, 一直, 万一), approximations (三四遍, 两三百) and weekdays (周一) stay as they are. Pure text in, text out.
"""

import re

from transcription.simplified import simplified

_DIGIT = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "幺": 1, "两": 2}
_UNIT = {"十": 10, "百": 100, "千": 1000}

# 一 is a word of its own before these: 一直, 一下, 一共...
_ONE = "一(?![直下个般共些样定起次旦会边块])"
_DIGITS = rf"(?:[幺零〇二三四五六七八九]|{_ONE})"

_WIDE = {i: i - 0xFEE0 for i in range(0xFF10, 0xFF5B) if chr(i - 0xFEE0).isalnum()} | {
    ord("＠"): "@",
    ord("．"): ".",
    ord("－"): "-",
    ord("–"): "-",
    ord("　"): " ",
}
_HALF = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；"})

_THOUSANDS = re.compile(r"(?<![\d，])\d{1,3}(?:[,，]\d{3})+(?=\s*(?:元|块|\.\d))")
_WEEKDAY = "(?<=[周期拜][一二三四五六日天])"  # 周三三点: the weekday is no part of the hour
_COUNTED = re.compile(rf"(?:{_WEEKDAY}|(?<![周期拜]))[一二两三四五六七八九十][零一二两三四五六七八九十百千万]+")
_MIXED = re.compile(r"(?<![\d.])(\d{1,4}(?:\.\d+)?)([万千百])(\d)?(?![\d兆克米瓦伏年万])")
_ROUND = re.compile(r"(?<![\d.])(\d{1,3})万零?([1-9])(百|千)(?!\d)")
_RUN = re.compile(rf"{_DIGITS}{{2,}}")
_COUNTER = (
    r"个?(?:半?小时|工作日|月|钟头|星期|礼拜)|号(?!码|线)|月(?:\d|[一二三四五六七八九十]|份|底|初)|元|毛|角|栋|幢|单元|室|门(?=[\d幺零一二三四五六七八九])"
    r"|弄|天|分钟?(?!之)|岁|楼|层|期|年|刻钟|度|折|块|点|到\d|到[两三四五六七八九]|区(?=[\d一二三四五六七八九十])"
)
_SINGLE = re.compile(
    rf"(?:{_WEEKDAY}|(?<![周期拜第几一二三四五六七八九十百千万两\d]))([一二两三四五六七八九十])(?=(?:{_COUNTER}))"
)
_PART = re.compile(
    r"(?<=[\d.][块点])(?!一[公斤平米吨度张件份套人位天月年条只台瓶箱盒袋顿课节晚颗包桶辆间小])[幺一二三四五六七八九](?![一二三四五六七八九十百千万个次下些直])"
)
_OCLOCK = re.compile(
    r"点(?:半|钟|整|多|[\d一二三四五六七八九十]|[到至前后之以左就来有的能得上在开出打给起下跟没关去送接]|[，。？！、]|$)"
)
_DAYTIME = re.compile(r"(?:上午|下午|中午|凌晨|晚上|早上|傍晚|[今明昨]晚|[今明]早|夜里|半夜|[明今昨后]天|到|至)$")
_LATIN_AFTER = re.compile(rf"(?<=[A-Za-z\-]){_DIGITS}(?![点号月天个楼])")
_LATIN_BEFORE = re.compile(rf"{_DIGITS}(?=[A-Z](?![A-Za-z]*[a-z]))")
_REPEATED = re.compile(
    r"(?<![\d一二三四五六七八九十])([1-6一二两三四五六])个([0-9零一二三四五六七八九])(?=[，。！？]|$)"
)
_HYPHEN = re.compile(r"(?<=[A-Za-z\d])[，、]?(?:横杠|短横线?|中划线|减号|杠)[，、]?(?=[A-Za-z\d])")
_HYPHEN_DIGIT = re.compile(
    r"(?<=[A-Za-z\d])[，、]?(?:横杠|短横线?|杠)[，、]?([幺一二三四五六七八九零])(?![十百千万点号月])"
)
_AT = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z0-9]+(?:[，、]?(?:点|下划线|[._\-])[，、]?[A-Za-z0-9]+)*[，、]?(?:艾特|爱特|圈[aA]|@|(?<=[，、])[aA][tT](?=[，、]))"
    r"[，、]?[A-Za-z0-9]+(?:[，、]?(?:点|[.\-])[，、]?[A-Za-z0-9]+)+"
)
_VERSION = re.compile(r"\d+(?:点\d+){2,}|(?:(?<=版本)|(?<=版本是)|(?<=[vV]))\d+点\d+")
_DECIMAL = re.compile(r"(?<=\d)点(?=\d+(?:元|块|折|万|米|公斤|斤|升|%|度|寸|倍|个点))")
_MISHEARD_ONE = re.compile(r"要(?=[3-9]\d{9}(?!\d))")  # whisper writes 要 for 幺 (facts of the speech trials)


def written(text: str) -> str:
    """The canonical writing of one turn: simplified characters, no spaces, Chinese punctuation, digits as digits."""
    text = simplified(text.translate(_WIDE))
    text = _THOUSANDS.sub(lambda m: re.sub(r"[,，]", "", m.group()), text)
    text = re.sub(r"\s+", "", text).translate(_HALF)
    text = re.sub(r"(?<=[A-Za-z])、(?=[A-Za-z])", "", text)
    text = re.sub(r"(?<![A-Za-z])([A-Z])[:：](?=\d{1,3}(?!\d))", r"\1", text)
    text = _COUNTED.sub(_counted, text)
    text = _ROUND.sub(_round, text)
    text = _MIXED.sub(_mixed, text)
    text = _REPEATED.sub(lambda m: _digit(m[2]) * int(_digit(m[1])), text)
    text = _RUN.sub(_run, text)
    text = _SINGLE.sub(_single, text)
    for _ in range(2):  # a version has two dots: 五点二点一
        text = _PART.sub(lambda m: _digit(m.group()), text)
    text = _LATIN_AFTER.sub(lambda m: _digit(m.group()), text)
    text = _LATIN_BEFORE.sub(lambda m: _digit(m.group()), text)
    text = _HYPHEN_DIGIT.sub(lambda m: f"-{_digit(m[1])}", _HYPHEN.sub("-", text))
    text = re.sub(r"(?<=\d)块0(\d)(?=[毛角])", r"块\1", text)
    text = re.sub(r"百分之(\d+(?:\.\d+)?)", r"\1%", text)
    text = _MISHEARD_ONE.sub("1", text)
    text = _VERSION.sub(lambda m: m.group().replace("点", "."), text)
    text = _DECIMAL.sub(".", text)
    return _AT.sub(_address, text)


def number(run: str) -> int | None:
    """The value of a Chinese numeral with units; None where it is none (三四百, 百分).

    A last digit without a unit counts one place below the unit before it, as people say it: 一万四千六 = 14600.
    """
    total, section, digit, last = 0, 0, None, 1
    lowest = 10_000  # the unit said last
    for char in run:
        if char in _DIGIT:
            if digit:  # two digits in a row: an approximation, no number
                return None
            digit = _DIGIT[char]
            if not digit:
                last = 1
        elif char in _UNIT:
            if (digit is None and (char != "十" or section)) or _UNIT[char] >= lowest:
                return None  # 三百五百: one or the other
            section += (1 if digit is None else digit) * _UNIT[char]
            digit, last = None, _UNIT[char]
            lowest = last
        else:  # 万
            if total or not (section or digit):
                return None
            total = (section + (digit or 0)) * 10_000
            section, digit, last, lowest = 0, None, 10_000, 10_000
    if digit is not None:
        section += digit * (last // 10 if last > 10 else 1)  # noqa: PLR2004 -- 10 is the unit 十
    return total + section


def _digit(char: str) -> str:
    return str(_DIGIT.get(char, char))


def _counted(found: re.Match[str]) -> str:
    run = found.group()
    if not any(unit in run for unit in "十百千万"):
        return run
    if run.startswith("十") and run == "十万":
        return "100000"
    value = number(run)
    if value is None and run.endswith("一") and (bare := number(run[:-1])) is not None:
        return f"{bare}一"  # 九十五一套
    return run if value is None else str(value)


def _round(found: re.Match[str]) -> str:
    """15万零3百."""
    return str(int(found[1]) * 10_000 + int(found[2]) * (100 if found[3] == "百" else 1000))


def _mixed(found: re.Match[str]) -> str:
    scale = {"万": 10_000, "千": 1000, "百": 100}[found[2]]
    value = float(found[1]) * scale + int(found[3] or 0) * scale // 10
    return f"{value:.0f}"


def _run(found: re.Match[str]) -> str:
    """A run of digits said one by one; a short one only where it cannot be an approximation (七八个, 三四遍)."""
    run = found.group()
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    alone = (not before or before in "，。、…" or before.isascii()) and (
        not after or after in "，。、…" or after.isascii()
    )
    rising = len(run) == 2 and _DIGIT[run[1]] == _DIGIT[run[0]] + 1  # noqa: PLR2004 -- pairs such as 七八
    if before in "周期拜" and before:
        return run
    if set(run) & set("幺零〇") or len(run) > 2 or alone or not rising:  # noqa: PLR2004
        return "".join(_digit(char) for char in run)
    return run


def _single(found: re.Match[str]) -> str:
    digit, rest = found[1], found.string[found.end() :]
    if rest.startswith("点"):
        if not _OCLOCK.match(rest) and not _DAYTIME.search(found.string[: found.start()]):
            return digit
        if digit == "一" and not (_DAYTIME.search(found.string[: found.start()]) or re.match(r"点[半钟]", rest)):
            return digit  # 一点 is mostly "a little"
    if rest.startswith("块") and digit == "一" and not re.match(r"块[钱\d一二三四五六七八九]", rest):
        return digit  # 一块: together
    if digit == "十" and found.string[: found.start()].endswith("点"):
        return "10"  # 七点十分
    if digit == "十":
        return digit if re.match(r"分(?!钟)", rest) else "10"  # 十分: very
    return _digit(digit)


def _address(found: re.Match[str]) -> str:
    text = re.sub(r"[，、]", "", re.sub(r"[，、][aA][tT][，、]", "@", found.group()))
    for said, sign in (("艾特", "@"), ("爱特", "@"), ("圈a", "@"), ("圈A", "@"), ("下划线", "_"), ("点", ".")):
        text = text.replace(said, sign)
    name, _, host = text.partition("@")
    return f"{name}@{host}".lower() if "." in host else found.group()
