"""A million made-up customers as a CSV, with phones as people type them, and callers whose owner is known.

Mobiles begin with 154, a range nobody has been given; each stands once, so every caller has one owner.
"""

import random
from collections.abc import Iterator
from pathlib import Path

HEADER = "客户编号,姓名,手机,电话,公司,级别,负责人,购买记录"
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红玲芬燕"
MOBILES = (
    "{a}{b}{c}",
    "{a} {b} {c}",
    "{a}-{b}-{c}",
    "+86{a}{b}{c}",
    "+86-{a}-{b}-{c}",
    "+86 {a} {b} {c}",
    "0086{a}{b}{c}",
    "(86){a}-{b}-{c}",
    "86{a}{b}{c}",
)
LINES = ("0{z}-{x} {y}", "(0{z}) {x}{y}", "+86 {z} {x} {y}", "0{z}{x}{y}", "0{z}-{x}{y}-{e}", "0{z}-{x}{y}转{e}")
AREAS = ("10", "21", "755", "20", "571", "28", "27", "25")
_STEP = 61_803_399  # shares no factor with 10**8: the mobiles of 0, 1, 2... jump about and none comes twice


def mobile(place: int) -> str:
    """The mobile of the customer at that place, as carriers show it."""
    return f"154{place * _STEP % 10**8:08d}"


def spelled(place: int, digits: str) -> str:
    """As the customer's mobile stands in the list, in one of nine ways."""
    return MOBILES[place % len(MOBILES)].format(a=digits[:3], b=digits[3:7], c=digits[7:])


def rows(count: int) -> Iterator[str]:
    """Lines of the file: one mobile each; two in three a fixed line as well, one in three one to three purchases."""
    dice = random.Random(20261121)  # noqa: S311 - the same people each time
    yield HEADER
    for place in range(count):
        name = dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choice((1, 2, 2))))
        line = ""
        if dice.random() < 0.65:
            x, y, e = f"{dice.randrange(3000, 9000)}", f"{dice.randrange(10**4):04d}", f"{dice.randrange(100, 9999)}"
            line = dice.choice(LINES).format(z=dice.choice(AREAS), x=x, y=y, e=e)
        bought = ""
        if dice.random() < 0.3:
            bought = ";".join(
                f"空调{dice.randrange(90)}|2026-0{dice.randrange(1, 10)}-1{dice.randrange(10)}"
                f"|{dice.randrange(100, 9999)}.50|A{dice.randrange(10**6)}"
                for _ in range(dice.choice((1, 2, 3)))
            )
        level = dice.choice(("普通", "金卡", "VIP"))
        phones = f"{spelled(place, mobile(place))},{line}"
        yield f"C{place:07d},{name},{phones},云杉{place % 5000}有限公司,{level},王芳,{bought}"


def write(path: Path, count: int) -> None:
    """The file."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        for row in rows(count):
            stream.write(row + "\r\n")


def callers(count: int, many: int) -> list[tuple[str, str | None]]:
    """Numbers that call, with the id of who owns them: nine in ten of the list, the others strangers."""
    dice = random.Random(7)  # noqa: S311 - the same callers each time
    found: list[tuple[str, str | None]] = []
    for turn in range(many):
        if turn % 10 == 0:
            found.append((mobile(count + dice.randrange(count)), None))
        else:
            place = dice.randrange(count)
            found.append((mobile(place), f"C{place:07d}"))
    return found
