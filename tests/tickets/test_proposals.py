"""What a line's rules propose, and what they leave to people."""

import pytest

from tickets.proposals import Field, Proposal, Rule, propose

RULES = {"投诉": Rule("高", "wang"), "咨询": Rule("低"), "报修": Rule(owner="li")}
NOBODY: frozenset[str] = frozenset()
GRADE, OWNER = Proposal(Field.URGENCY, "高", "投诉"), Proposal(Field.OWNER, "wang", "投诉")


@pytest.mark.parametrize(
    ("category", "urgency", "owner", "typed", "proposed"),
    [
        ("投诉", "中", None, NOBODY, (GRADE, OWNER)),
        ("投诉", None, None, NOBODY, (GRADE, OWNER)),  # nothing heard of how urgent it is
        ("投诉", "高", None, NOBODY, (OWNER,)),  # it is so already
        ("投诉", "中", "zhao", NOBODY, (GRADE,)),  # somebody has it
        ("投诉", "低", None, frozenset({"urgency"}), (OWNER,)),  # a person said how urgent it is
        ("咨询", "高", None, NOBODY, ()),  # never less urgent than it was heard to be
        ("报修", "中", "li", NOBODY, ()),
        ("退换", "中", None, NOBODY, ()),  # no rule
        (None, None, None, NOBODY, ()),  # nothing said yet
    ],
)
def test_proposals(
    category: str | None,
    urgency: str | None,
    owner: str | None,
    typed: frozenset[str],
    proposed: tuple[Proposal, ...],
) -> None:
    """By category, only where it changes something, never over a person."""
    assert propose(RULES, category, urgency, owner, typed) == proposed
