"""Sentence by sentence: each with the turns that say it, and with who put it right."""

from screenpop.summed import summed
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.corrections import Correction, Part, corrected

MACHINE = Summary(
    "热水器漏水",
    Category.REPAIR,
    Urgency.HIGH,
    Sentiment.BAD,
    (Detail(FactKind.MODEL, "XQB80", "caller", 3.0, 3, (3, 99)), Detail(FactKind.AMOUNT, "128.00", "caller", 9.0, 4)),
    (Promise("agent", "上门维修", "2026-11-21", 6, (6, 6)),),
    {"热水器漏水": (1, 5)},
    {"urgency": (5,), "category": (1,)},
)


def fix(part: Part, key: str, value: dict[str, str] | None) -> Correction:
    """By wang."""
    return Correction(part, key, value, {"text": "before"}, "wang", 7.0)


def test_what_the_machine_said_points_at_its_turns() -> None:
    """Once each, and never at a turn that is not there."""
    found = summed(MACHINE, MACHINE, (), 10, {"sentences": [{"text": "漏水", "turns": [1, 40]}]})
    assert found.issue is not None
    assert found.issue.turns == (1, 5)
    assert [(one.part.value, one.turns) for one in found.labels] == [
        ("category", (1,)),
        ("urgency", (5,)),
        ("sentiment", ()),
    ]
    assert [one.turns for one in found.facts] == [(3,), (4,)]
    assert [one.turns for one in found.promises] == [(6,)]
    assert found.step == (6,)
    assert [(one.text, one.turns) for one in found.polished] == [("漏水", (1,))]
    every = [one.id for one in (found.issue, *found.labels, *found.facts, *found.promises)]
    every += [one.id for one in found.polished]
    assert len(set(every)) == len(every), "each has an anchor of its own"


def test_a_correction_stands_where_it_was_made() -> None:
    """Who and what was before; where the machine took it from; what was added points nowhere, what is out is out."""
    corrections = (
        fix(Part.FACT, "model|XQB80", {"kind": "model", "value": "XQB90"}),
        fix(Part.FACT, "amount|128.00", None),
        fix(Part.FACT, "phone|13800000000", {"kind": "phone", "value": "13800000000"}),
        fix(Part.ISSUE, "", {"text": "洗衣机漏水"}),
        fix(Part.CATEGORY, "", {"text": "投诉"}),
    )
    found = summed(corrected(MACHINE, corrections), MACHINE, corrections, 10)
    assert [(one.key, one.value["value"], one.turns) for one in found.facts] == [
        ("model|XQB80", "XQB90", (3,)),
        ("phone|13800000000", "13800000000", ()),
    ]
    assert [one.correction.who for one in found.facts if one.correction] == ["wang", "wang"]
    assert found.issue is not None
    assert found.issue.value == {"text": "洗衣机漏水"}
    assert found.issue.turns == (1, 5), "that is where the matter was told"
    assert found.labels[0].turns == (), "they spoke for another category"
    assert found.labels[1].correction is None


def test_nothing_recognised_is_nothing_shown() -> None:
    """No matter, no promise, no detail."""
    empty = Summary(None, Category.INVALID, Urgency.LOW, Sentiment.NEUTRAL, (), (), {})
    found = summed(empty, empty, (), 0)
    assert (found.issue, found.facts, found.promises, found.step) == (None, (), (), ())
