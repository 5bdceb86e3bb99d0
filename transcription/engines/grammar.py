"""Phrases of a grammar as a vosk model can hear them: in words of its own vocabulary. Pure.

Vosk drops a word it does not know with nothing but a line on stderr, so each phrase is spelled with words that the
model has, and what cannot be spelled is said.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

ANY_DIGITS = "#"  # in a phrase: digits, as many as are said: "订单号 #"
UNSPACED = ("zh", "ja")  # people write no spaces between words there
DIGITS = {
    "zh": "零 一 二 三 四 五 六 七 八 九 幺 两 洞",
    "en": "zero oh one two three four five six seven eight nine",
    "ko": "영 공 일 이 삼 사 오 육 칠 팔 구",
    "ja": "ゼロ 零 一 二 三 四 五 六 七 八 九",
}


@dataclass(frozen=True, slots=True)
class Spelled:
    """``phrases`` in the model's words, none twice; ``unknown``: the phrases it can never hear, and ``#`` alike."""

    phrases: tuple[str, ...]
    unknown: tuple[str, ...]


def spelled(phrases: Iterable[str], language: str, known: Callable[[str], bool]) -> Spelled:
    """The phrases in words that are ``known``; ``#`` becomes the language's digits in any order and number.

    Vosk learns pairs of words from the phrases, so a phrase for each pair of digits makes a run of any length.
    """
    digits = [digit for digit in DIGITS.get(language, "").split() if known(digit)]
    made: dict[str, None] = {}
    unknown: list[str] = []
    for phrase in phrases:
        pieces = [
            [ANY_DIGITS] if piece == ANY_DIGITS else _words(piece, known, cut=language in UNSPACED)
            for piece in _pieces(phrase)
        ]
        if not pieces:
            continue
        if not all(pieces) or ([ANY_DIGITS] in pieces and not digits):
            unknown.append(phrase.strip())
        elif [ANY_DIGITS] not in pieces:
            made[" ".join(word for piece in pieces for word in piece)] = None
        else:
            made.update(dict.fromkeys(f"{one} {two}" for one in digits for two in digits))
            words = [word for piece in pieces for word in piece]
            made.update(
                dict.fromkeys(" ".join(digit if word == ANY_DIGITS else word for word in words) for digit in digits)
            )
    return Spelled(tuple(made), tuple(unknown))


def _pieces(phrase: str) -> list[str]:
    return phrase.replace(ANY_DIGITS, f" {ANY_DIGITS} ").split()


def _words(piece: str, known: Callable[[str], bool], *, cut: bool) -> list[str]:
    """The piece itself, in small letters, or cut into the longest words that are known; empty when it cannot be."""
    for form in (piece, piece.lower()):
        if known(form):
            return [form]
    rest, words = piece.lower() if cut else "", list[str]()
    while rest:
        longest = next((rest[:length] for length in range(len(rest), 0, -1) if known(rest[:length])), "")
        if not longest:
            return []
        words.append(longest)
        rest = rest[len(longest) :]
    return words
