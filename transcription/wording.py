"""The wording of what an engine wrote: spaces, joins, echoes, inventions. Pure; numerals are left alone."""

import re

from transcription.simplified import simplified

_CJK = "\u3400-\u9fff\uf900-\ufaff"
_WIDE = _CJK + "\u3000-\u303f\uff00-\uffef"
_BETWEEN_WIDE = re.compile(f"(?<=[{_WIDE}])[ \u3000]+(?=[{_WIDE}])|(?<=[{_WIDE}]) +(?=[0-9])|(?<=[0-9]) +(?=[{_WIDE}])")
_HAS_CJK = re.compile(f"[{_CJK}]")
_HALF = str.maketrans({",": "，", "?": "？", "!": "！", ";": "；", ":": "："})
_PUNCTUATION = "，。？！；：、,.?!;:…"
_TIMES = 4  # a phrase this often in a row was not said: people stop at three 喂
_ECHO = re.compile(r"(.{1,12}?)(?:[，。、,. ]*\1){3,}")
# what whisper writes for noise and music, learnt from film subtitles; only a segment that is nothing else is dropped
_INVENTED = re.compile(
    r"(?:[^。]{0,8}(?:字幕(?:由|by|志愿|制作|组|提供|校对|翻译|:|：)|Amara|amara)[^。]{0,30}"
    r"|[^。]{0,12}(?:明镜与点点|明镜需要您的支持)[^。]{0,12}"
    r"|(?:请不吝)?点赞[^。]{0,4}订阅[^。]{0,20}"
    r"|(?:感谢|谢谢)(?:大家|您|你们)?(?:的)?(?:观看|收看|收听)"
    r"|以下是普通话的句子)[。！!.]*"
)


def tidy(text: str, language: str) -> str:
    """The engine's text without stray spaces; for Chinese in simplified characters with full-width punctuation."""
    text = " ".join(text.split())
    if language != "zh":
        return text
    return _BETWEEN_WIDE.sub("", _full_width(simplified(text)))


def _full_width(text: str) -> str:
    """Half-width punctuation made full-width where it stands beside a Chinese character, so 3.5 and 14:30 stay."""
    return re.sub(f"(?<=[{_CJK}])[,?!;:]|[,?!;:](?=[{_CJK}])", lambda mark: mark[0].translate(_HALF), text)


def joined(first: str, second: str) -> str:
    """Two pieces of one turn: a comma for the pause between Chinese pieces, a space between others."""
    if not first or not second:
        return first or second
    if not _HAS_CJK.search(first[-2:] + second[:1]):
        return f"{first} {second}"
    return first + second if first[-1] in _PUNCTUATION else f"{first}，{second}"


def unlooped(text: str) -> str:
    """The text with a phrase that repeats four times and more said once: an engine's echo on noise (对对对对对…).

    Digits are kept as they are: 0000 may be part of a number. Empty when the echo was all there was.
    """
    without = _ECHO.sub(lambda loop: loop[0] if loop[1].isdigit() else loop[1], text)
    lost = len(text) - len(without)
    return "" if lost >= 2 * _TIMES and lost > 2 * len(without) else without


def invented(text: str) -> bool:
    """Whether this is one of the phrases whisper invents for noise and music."""
    return _INVENTED.fullmatch(text.strip()) is not None
