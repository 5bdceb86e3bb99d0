"""What a customer is found by, and what a question about customers asks for. Pure.

Names, companies and ids as any text (:mod:`storage.search_words`). A name is a token of its own besides, so that those
who are called exactly so come first among thousands. Of telephone numbers the first three to seven digits and the last
four, six and eight are kept; of other pieces these are asked for and the rest is looked at. The last six and eight are
asked by their beginning too: so a local number is found without its area code, and 138 1234 5678 by 1234. All pieces
of a million numbers would be an index larger than the customers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crm.customer import Customer
from storage.search_words import LONGEST, SHORTEST_START, SHORTEST_TAIL, guessable, level, terms, tokens

LONGEST_HEAD = 7
TAILS = (SHORTEST_TAIL, 6, 8)
# Letters that nobody types here before digits or a name, so that no word of a text is taken for one of these.
_HEAD, _TAIL, _NAME = "ж", "ю", "я"
_DIGITS = re.compile(r"(?<![a-z0-9])(?<![a-z0-9][-_./])\+?\d[\d ()-]*\d(?![a-z0-9])")
_NOT_DIGITS = re.compile(r"\D")
_GAPS = re.compile(r"[\s·.]+")


class Kept(StrEnum):
    """Where a customer is kept."""

    OWN = "own"  # ours: imported, or entered at a desk
    CRM = "crm"  # in the copy of the CRM


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing a question wants: found where all tokens of one of ``ways`` are. ``start``: the last may go on.

    ``text`` is what must stand there; of ``digits`` only beginning and end are in the index. ``begins``: or where a
    token begins so.
    """

    text: str
    ways: tuple[tuple[str, ...], ...]
    digits: bool = False
    start: bool = False
    begins: str | None = None


def customer_tokens(customer: Customer) -> list[str]:
    """All tokens of a customer."""
    found = set(tokens(customer.name, customer.company))
    if exact := name_token(customer.name):
        found.add(exact)
    code = re.sub(r"[^a-z0-9]", "", level(customer.id))[:LONGEST]
    if code:
        found.add(code)
    for digits in numbers_of(customer):
        found.update(_HEAD + digits[:length] for length in range(SHORTEST_START, min(len(digits), LONGEST_HEAD) + 1))
        found.update(_TAIL + digits[-length:] for length in TAILS if len(digits) >= length)
    return sorted(found)


def numbers_of(customer: Customer) -> list[str]:
    """The digits of a customer's numbers as people in the mainland say them: without +86 and without the leading 0."""
    return [national for phone in customer.phones if (national := _national(phone.e164 or phone.raw))]


def name_token(name: str) -> str:
    """The token of a whole name; empty for one that is none."""
    whole = _GAPS.sub("", level(name))
    return _NAME + whole if 0 < len(whole) < LONGEST and whole.isalnum() else ""


def clauses(question: str, *, numbers: bool = True) -> tuple[Clause, ...]:
    """What a question asks for; all of it must be found. Empty: nothing that can be looked for.

    ``numbers`` False: by whoever sees none, who finds them by their last four digits alone.
    """
    text = level(question)
    found: list[Clause] = []
    if not numbers and not guessable(terms(question)):
        return ()
    for match in _DIGITS.finditer(text):
        if clause := _number(match.group()) if numbers else _last(match.group()):
            found.append(clause)
            text = text.replace(match.group(), " ", 1)
    found += [Clause(term.text, (term.tokens,), start=term.start) for term in terms(text)]
    return tuple(found)


def has(customer: Customer, wanted: Sequence[Clause]) -> bool:
    """Whether a customer whom the index named has what was asked for: pairs may stand apart, digits go on."""
    texts = "\n".join(level(text) for text in (customer.name, customer.company, customer.id) if text)
    bare = re.sub(r"[^a-z0-9\n]", "", texts)
    numbers = numbers_of(customer)

    def there(clause: Clause) -> bool:
        if clause.text in texts or clause.text in bare:
            return True
        return clause.digits and any(_stands(clause, number) for number in numbers)

    return all(there(clause) for clause in wanted)


def rank(customer: Customer, question: str) -> tuple[int, str, str]:
    """Where a found customer belongs: whose name it is first, then whose name begins so, holds it, the rest by name."""
    asked, name = _GAPS.sub("", level(question)), _GAPS.sub("", level(customer.name))
    if name == asked or asked in numbers_of(customer):
        return 0, customer.name, customer.id
    place = 1 if name.startswith(asked) else 2 if asked in name else 3
    return place, customer.name, customer.id


def _national(number: str) -> str:
    plus = number.strip().startswith("+")
    digits = _NOT_DIGITS.sub("", number)
    if plus or len(digits) > 11:  # noqa: PLR2004 - of a mobile number
        digits = digits.removeprefix("00").removeprefix("86")
    return digits.lstrip("0")


def _last(written: str) -> Clause | None:
    digits = _NOT_DIGITS.sub("", written)
    if len(digits) != SHORTEST_TAIL:
        return None
    return Clause(digits, ((digits,), (_TAIL + digits,)), digits=True)


def _number(written: str) -> Clause | None:
    digits = _national(written)
    if len(digits) < SHORTEST_START:
        return None
    ways = [(digits[:LONGEST],), (_HEAD + digits[:LONGEST_HEAD],)]
    tails = [length for length in TAILS if length <= len(digits)]
    if tails:
        ways.append((_TAIL + digits[-tails[-1] :],))
    within = SHORTEST_TAIL <= len(digits) < TAILS[-1]
    return Clause(digits, tuple(ways), digits=True, begins=_TAIL + digits if within else None)


def _stands(clause: Clause, number: str) -> bool:
    if number.startswith(clause.text) or number.endswith(clause.text):
        return True
    return clause.begins is not None and any(number[-length:].startswith(clause.text) for length in TAILS)
