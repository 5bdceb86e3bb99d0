"""What a text is found by. Pure.

The index holds for each text its Chinese characters, every two that stand together, and its words and numbers in
letters and digits: no dictionary decides what can be found, so no word is lost because a segmenter cut it elsewhere. A
question is cut into words, and each word asks for all its pairs. Numbers and codes are found whole, by their beginning
and by their tail; one said or written in groups (138 1234 5678, JSQ24-12) in one piece too.

Only characters that SQLite's unicode61 keeps in one word are used, everything else parts words: so both databases find
the same.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise

import rjieba

from transcription.simplified import simplified

SCHEME = 1  # counts the ways of making tokens: texts indexed another way are indexed anew
LONGEST = 40  # characters of one token
MOST = 500_000  # bytes of tokens of one text: PostgreSQL keeps a megabyte
SHORTEST_TAIL = 4
SHORTEST_START = 3
_HAN = "\u3007\u3400-\u4db5\u4e00-\u9fcc"
_LETTERS = "a-z0-9\u00df-\u00f6\u00f8-\u017f\u03b1-\u03c9\u0430-\u044f\u0451\u3041-\u3096\u30a1-\u30fa\uac00-\ud7a3"
_RUN = re.compile(f"[{_HAN}]+|[{_LETTERS}]+")
_GROUPS = re.compile(r"(?<![a-z0-9])\d{2,}(?:[ -]\d+)+(?![a-z0-9])|(?<![a-z0-9])[a-z0-9]+(?:[-./_][a-z0-9]+)+")
_DIGITS = re.compile(r"[0-9]+|[零〇一二三四五六七八九幺两]{3,}")
_TICKET = re.compile(r"20\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])(\d{4})?")  # 20261121-0007, or its first half
_PARTING = re.compile(r"[^a-z0-9]")

# Words that say nothing of what a call is about: left out of a question that has others, and of a text's own words.
IDLE = frozenset(files("storage").joinpath("idle_words.txt").read_text(encoding="utf-8").split())


# What summaries and callers say whatever it is about.
ROUTINE = frozenset(
    {
        "客户",
        "用户",
        "要求",
        "询问",
        "咨询",
        "反映",
        "上门",
        "维修",
        "处理",
        "尽快",
        "没人",
        "派人",
        "不行",
        "换了",
        "上面",
        "一张",
        "上个月",
        "反应",
        "怎么样",
        "打开",
        "赶紧",
        "安排",
        "登记",
        "核实",
        "联系",
    }
)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a question: ``text`` as asked, found where all ``tokens`` are; ``start``: the last may go on."""

    text: str
    tokens: tuple[str, ...]
    start: bool = False


def level(text: str) -> str:
    """A text as it is compared: simplified characters, full width folded, small letters. As long as it was or not."""
    return simplified(unicodedata.normalize("NFKC", text)).lower()


def tokens(*texts: str | None) -> list[str]:
    """All tokens of some texts that belong together, each once, sorted."""
    found: set[str] = set()
    for text in texts:
        if text:
            _add(found, level(text))
    room, kept = MOST, []
    for token in sorted(found):
        room -= len(token.encode()) + 5
        if room < 0:
            break
        kept.append(token)
    return kept


def terms(question: str, most: int = 12) -> tuple[Term, ...]:
    """What a question asks for; all of it must be found. Empty: it asks for nothing that can be looked for."""
    text = level(question)
    found: dict[str, Term] = {}
    grouped = [match.span() for match in _GROUPS.finditer(text) if not _each_found(match.group())]
    for begins, ends in grouped:
        whole = _PARTING.sub("", text[begins:ends])[:LONGEST]
        found.setdefault(whole, Term(whole, (whole,), start=True))
    for run in _RUN.finditer(text):
        piece = run.group()
        if _han(piece):
            for word in cut(piece):
                found.setdefault(word, Term(word, _pairs(word)))
        elif not any(begins <= run.start() < ends for begins, ends in grouped):
            whole = piece[:LONGEST]
            found.setdefault(whole, Term(whole, (whole,), start=len(whole) >= SHORTEST_START))
    telling = [term for term in found.values() if term.text not in IDLE]
    return tuple((telling or list(found.values()))[:most])


def guessable(wanted: Sequence[Term]) -> tuple[Term, ...]:
    """A question of somebody who sees no numbers; empty where it asks for more of one than its last four digits.

    Ticket numbers are no secret. Digits are found as they stand and at the end, not by their beginning: one more each
    time would tell a whole number.
    """
    found = []
    for term in wanted:
        digits = max((len(run) for run in _DIGITS.findall(term.text)), default=0)
        if digits > SHORTEST_TAIL and not _TICKET.fullmatch(term.text):
            return ()
        found.append(replace(term, start=False) if digits else term)
    return tuple(found)


def has_digits(text: str) -> bool:
    """Whether there may be a piece of a number in it."""
    return _DIGITS.search(level(text)) is not None


def words(text: str) -> list[str]:
    """The words of a text that may say what it is about, as often as they stand there: no numbers, no idle ones."""
    return [word for run in _RUN.findall(level(text)) for word in _telling(run)]


@lru_cache(maxsize=4096)
def cut(text: str) -> tuple[str, ...]:
    """A text's words in their order, by the dictionary."""
    return tuple(rjieba.cut(text))


def _each_found(group: str) -> bool:
    """Groups of digits that are long enough stand for themselves: it may be several numbers that are asked for."""
    pieces = _PARTING.split(group)
    return all(piece.isdigit() and len(piece) >= SHORTEST_START for piece in pieces)


def _telling(run: str) -> list[str]:
    if _han(run):
        return [word for word in cut(run) if len(word) > 1 and word not in IDLE and word not in ROUTINE]
    return [run] if len(run) > 1 and not run.isdigit() and len(run) <= LONGEST else []


def _add(found: set[str], text: str) -> None:
    for run in _RUN.findall(text):
        if _han(run):
            found.update(run)
            found.update(before + after for before, after in pairwise(run))
        else:
            _add_code(found, run)
    for group in _GROUPS.findall(text):
        _add_code(found, _PARTING.sub("", group))


def _add_code(found: set[str], code: str) -> None:
    code = code[:LONGEST]
    found.add(code)
    if any(char.isdigit() for char in code):
        found.update(code[at:] for at in range(1, len(code) - SHORTEST_TAIL + 1))


def _pairs(word: str) -> tuple[str, ...]:
    return tuple(before + after for before, after in pairwise(word)) or (word,)


def _han(run: str) -> bool:
    return run[0] == "\u3007" or "\u3400" <= run[0] <= "\u9fcc"
