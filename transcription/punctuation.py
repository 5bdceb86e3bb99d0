"""Punctuation for engines that write none, from pauses and particles. Pure.

Vosk gives words and their times, and nothing between them. A pause makes a comma, a long one ends the sentence; 吗, a
word that asks (什么, 多少) or a choice (是不是) makes it a question. Guessed, so it is kept plain: no semicolons, no
exclamation marks, and a full stop in doubt.
"""

import re
from collections.abc import Sequence

from transcription.transcript import Word

COMMA, STOP = 0.30, 0.75  # seconds of silence between two words
_SHORT = 2  # characters before a comma: people breathe after the first word, too
_LONG = 9  # characters of a clause before a word that begins another
_MARKS = "，。？！；：、,.?!;:…"
_NUMERAL = re.compile(r"[零〇幺一二三四五六七八九十百千万两点\dA-Za-z]+")
_BEGINS = re.compile(
    "但是|可是|不过|然后|所以|因为|如果|要是|另外|还有|而且|或者|那么|麻烦您?|请问|对了|不好意思|再说|结果|就是说|[您你]看"
)
_ASKS = re.compile(
    r"(?:吗|么|没有|伐|不成)(?:啊|呀|哈)?$|^.{1,6}呢$|^喂$|^你?说什么$"
    r"|(?:是|行|好|对|能|会|可|要|成|中|有|该|去|来|知道|可以|需要|送|管)(?:不|没)(?:是|行|好|对|能|会|可以|要|成|中|有|去|来|知道|以|需要|送|管)"
    r"|(?<!没)(?<!为)(?<!要)(?<!说)什么(?!时候都|都)|怎么(?!都|也|着|行|能)|为啥|干嘛|咋(?:整|样|办|回事|弄|走)|啥(?!都|也)"
    r"|(?<!没)(?<!这都)(?<!不管)多少(?!都)|好多(?:钱|天)|多久|多长|多大|(?<!没)哪(?:个|里|儿|位|天|家|种|一|款|些|边|座|栋)(?!站得|能|都|有)"
    r"|(?<![没好十这了])几(?:点|号|天|个|位|时|楼|次|岁|台|件|块|折|年|月)"
    r"|(?:^|[，])谁(?!都|也)|[^，]{2}还是(?:直接|已经)?[^，要会得]{1,6}$"
    r"|(?:^|，)(?:[^，]*(?:是|没|不|能|就|还在)[^，]*吧)$|(?:对|是|好|可以|没错)吧$"
)
_STATES = re.compile(
    r"不知道|你就说|我说下|没什么|谁知道|不管|不清楚|不晓得|没什么|说什么|看看|问问|都可以|都行|^那个|怎么说|怎么回事儿?都"
)
_FINAL_NO = re.compile(r"(?:要|也|都|还|就|了|并|可|才|又|从来|绝对|真|从)不$|没有$")


def asks(clause: str) -> bool:
    """Whether the words alone make this a question."""
    words = clause.rstrip(_MARKS)
    if _FINAL_NO.search(words) and not re.search(r"(?:[有了过来到])没有$", words):
        return False
    return _ASKS.search(words) is not None and _STATES.search(words) is None


def punctuated(words: Sequence[Word]) -> str:
    """The words as text. Words of Latin letters keep spaces between them, Chinese ones have none."""
    text, sentence = "", ""
    clause = 0
    for i, word in enumerate(words):
        pause = word.start - words[i - 1].end if i else 0.0
        digits = bool(i) and _NUMERAL.fullmatch(word.text) and _NUMERAL.fullmatch(words[i - 1].text)
        if pause >= STOP and not digits:
            text, sentence, clause = text + ended(sentence), "", 0
        elif clause >= _SHORT and (pause >= COMMA or (clause >= _LONG and _BEGINS.fullmatch(word.text) and not digits)):
            sentence, clause = f"{sentence}，", 0
        sentence = _beside(sentence, word.text)
        clause += len(word.text)
    return text + ended(sentence)


def ended(sentence: str) -> str:
    """The sentence with its mark: a question by its last clause, or by the one before a mere name or please."""
    if not sentence or sentence[-1] in _MARKS:
        return sentence
    return sentence + ("？" if asks(sentence.rpartition("，")[2]) else "。")


def bare(text: str) -> bool:
    """Whether an engine wrote these words without any mark between or behind them."""
    return not any(mark in text for mark in _MARKS)


def _beside(before: str, word: str) -> str:
    apart = before and before[-1].isascii() and before[-1].isalnum() and word[:1].isascii()
    return f"{before} {word}" if apart else before + word
