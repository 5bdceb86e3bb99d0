"""Cards dictated in many ways, misheard too, beside other numbers: how many are hidden, and how many others with them.

Everything is made from a seed: numbers that do not exist (county 110199, a bank nobody is), said as people say them.
"""

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from stdnum import luhn
from stdnum.iso7064 import mod_11_2

from transcription.redaction import redact_turns
from transcription.transcript import Speaker, Turn

SPOKEN = "零一二三四五六七八九"
MANY = 100

Say = Callable[[random.Random, str], str]


def identity(rng: random.Random) -> str:
    """An identity number of nobody."""
    day = f"{rng.randint(1940, 2010)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"110199{day}{rng.randint(0, 999):03}"
    return body + mod_11_2.calc_check_digit(body)


def bank_card(rng: random.Random) -> str:
    """A card of no bank, 16 or 19 digits."""
    body = "629999" + "".join(str(rng.randint(0, 9)) for _ in range(rng.choice((9, 12))))
    return body + luhn.calc_check_digit(body)


def typed(_: random.Random, digits: str) -> str:
    """As whisper writes."""
    return digits


def spoken(rng: random.Random, digits: str) -> str:
    """As vosk writes: 幺 or 一, an X by its sound."""
    one = rng.choice("幺一")
    return "".join("叉" if d == "X" else one if d == "1" else SPOKEN[int(d)] for d in digits)


def pieces(rng: random.Random, digits: str) -> list[str]:
    """The number cut as people cut it."""
    cuts = rng.choice(((6, 14), (6, 10, 14), (3, 6, 10, 14), (4, 8, 12, 16), (18,), (5, 9, 13)))
    edges = [0, *(cut for cut in cuts if cut < len(digits) - 1), len(digits)]
    return [digits[a:b] for a, b in pairwise(edges)]


def misheard(rng: random.Random, digits: str) -> str:
    """One digit another, lost or doubled."""
    at = rng.randrange(len(digits) - 1)
    other = str((int(digits[at]) + rng.randint(1, 9)) % 10)
    return digits[:at] + rng.choice((other, "", digits[at] * 2)) + digits[at + 1 :]


def dictated(rng: random.Random, digits: str, ask: str, say: Say) -> list[tuple[str, str]]:
    """A question for the number, and the number in one turn or several."""
    parts = [say(rng, piece) for piece in pieces(rng, digits)]
    if rng.random() < 0.4:
        told = [("caller", part + rng.choice("，。")) for part in parts]
        back = [("agent", rng.choice(("嗯。", "好的，您继续。", "然后呢？", "对。"))) for _ in parts]
        lines = [line for pair in zip(told, back, strict=True) for line in pair]
    else:
        lines = [
            (
                "caller",
                rng.choice(("", "好，", "稍等啊，")) + rng.choice(("，", "，嗯，", " ", "，然后")).join(parts) + "。",
            )
        ]
    again = [("agent", f"跟您核对，{say(rng, digits)}，对吗？")] if rng.random() < 0.5 else []
    return [("agent", ask), *lines, *again]


def hidden(lines: list[tuple[str, str]]) -> tuple[int, int]:
    """Digits of the talk, and those of them that are hidden."""
    turns = [Turn(Speaker(who), i * 5.0, i * 5.0 + 4, text, 1.0) for i, (who, text) in enumerate(lines)]
    masked, _ = redact_turns(turns)
    said = "".join(turn.text for turn in turns)
    after = "".join(turn.text for turn in masked)
    return sum(char in VALUES for char in said), sum(char != now for char, now in zip(said, after, strict=True))


VALUES = frozenset("0123456789幺叉X" + SPOKEN)


@pytest.mark.parametrize("say", [typed, spoken])
@pytest.mark.parametrize(("made", "ask"), [(identity, "请报身份证号码。"), (bank_card, "麻烦您说说银行卡卡号。")])
@pytest.mark.parametrize("wrong", [False, True])
def test_every_card_is_hidden(
    say: Say,
    made: Callable[[random.Random], str],
    ask: str,
    wrong: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Said right, or with one digit wrong, lost or doubled: no talk shows more than the last four, here and there."""
    rng = random.Random(20260417)
    for _ in range(MANY):
        number = made(rng)
        lines = dictated(rng, misheard(rng, number) if wrong else number, ask, say)
        digits, gone = hidden(lines)
        numbers = 1 + lines[-1][1].startswith("跟您核对")
        assert digits - gone <= 4 * numbers, lines


@pytest.mark.parametrize("made", [identity, bank_card])
def test_a_card_nobody_asked_for_is_hidden_too(made: Callable[[random.Random], str]) -> None:
    """Its check digit says what it is."""
    rng = random.Random(20260418)
    for _ in range(MANY):
        lines = [("caller", f"我报给你啊，{spoken(rng, made(rng))}。"), ("agent", "好的。")]
        digits, gone = hidden(lines)
        assert digits - gone == 4, lines


def test_other_numbers_stay() -> None:
    """At most one digit of a hundred: orders and parcels, phones, amounts, days, beside talk of cards."""
    rng = random.Random(20260419)
    digits = gone = 0
    for _ in range(MANY * 3):
        length = rng.randint(10, 20)
        number = rng.choice(("", "2026", "20260417")) + "".join(str(rng.randint(0, 9)) for _ in range(length))
        name, say = (
            rng.choice(("订单号", "运单号", "合同号", "流水号", "工单号", "序列号", "会员卡号")),
            rng.choice((typed, spoken)),
        )
        lines = rng.choice(
            (
                [("agent", f"请报{name}。"), ("caller", f"{say(rng, number[:20])}。")],
                [("caller", f"{name}是{say(rng, number[:20])}，你查一下。")],
                [("agent", "身份证带好了吗？"), ("caller", f"带了，{name}{say(rng, number[:20])}。")],
                [("agent", "请提供身份证或者订单号。"), ("caller", f"订单{say(rng, number[:14])}。")],
                [
                    ("agent", "电话多少？"),
                    ("caller", f"154{rng.randint(10**7, 10**8 - 1)}。"),
                    ("agent", "退到银行卡，3天内，328.5元。"),
                ],
                [
                    (
                        "caller",
                        f"我2026年4月{rng.randint(1, 30)}号买的，花了{rng.randint(9, 999)}块，3点送的。",
                    )
                ],
            )
        )
        said, masked = hidden(lines)
        digits, gone = digits + said, gone + masked
    assert gone <= digits / 100, (gone, digits)
