"""What a line's rules propose for a ticket, from what the machine heard: how urgent it is, and whose it should be.

Proposed, not done: people accept it with one click or leave it. Nothing is proposed where a person has decided, where
it is so already, or where it would make a matter less urgent than it was heard to be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

GRADES = ("低", "中", "高")  # urgencies, the lightest first


class Field(StrEnum):
    """What of a ticket a rule may propose. The value is the field's name."""

    URGENCY = "urgency"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a line wants for tickets of one category: at least this ``urgency``, this ``owner`` (a login)."""

    urgency: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value for a field of a ticket, ``because`` of its category."""

    field: Field
    value: str
    because: str


def propose(
    rules: Mapping[str, Rule], category: str | None, urgency: str | None, owner: str | None, typed: frozenset[str]
) -> tuple[Proposal, ...]:
    """What a line's rules (by category) propose for a ticket as it stands; ``typed``: the fields a person decided."""
    rule = None if category is None else rules.get(category)
    if rule is None or category is None:
        return ()
    found = []
    if rule.urgency is not None and "urgency" not in typed and _grade(rule.urgency) > _grade(urgency):
        found.append(Proposal(Field.URGENCY, rule.urgency, category))
    if rule.owner is not None and owner is None:
        found.append(Proposal(Field.OWNER, rule.owner, category))
    return tuple(found)


def _grade(urgency: str | None) -> int:
    return GRADES.index(urgency) if urgency in GRADES else -1
