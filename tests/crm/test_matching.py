"""Who is calling: candidates are offered with their reason, the right one is named only when it is certain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.customer import Customer, Phone, Reason
from crm.matching import decide
from numbering.identify import identify
from numbering.number import Kind

MOBILE = "15400001234"
BEIJING = "010-88886666"


def customer(customer_id: str, *raws: str, e164: str | None = None) -> Customer:
    """A customer as a CRM tells it: numbers as typed, without or with what the CRM makes of them."""
    return Customer(customer_id, f"客户{customer_id}", tuple(Phone(raw, e164) for raw in raws))


def reasons(caller: str, *customers: Customer) -> list[tuple[str, Reason]]:
    """Who is offered for a caller on a Shenzhen line, and why."""
    match = decide(identify(caller, "0755"), customers)
    return [(candidate.customer.id, candidate.reason) for candidate in match.candidates]


def sure(caller: str, *customers: Customer) -> str | None:
    """Who is named for certain, if anybody."""
    match = decide(identify(caller, "0755"), customers)
    return match.sure.id if match.sure else None


@pytest.mark.parametrize(
    "typed", ["154 0000 1234", "+86-154-0000-1234", "0086 15400001234", "１５４００００１２３４", "(86)154-0000-1234"]
)
def test_exact_mobile(typed: str) -> None:
    """An exact mobile is the customer, however it was typed."""
    him = customer("1", "0755-1234567", typed)
    match = decide(identify("+8615400001234"), [him])
    assert match.sure is him
    assert [(c.reason, c.matched) for c in match.candidates] == [(Reason.MOBILE, typed)]


def test_shared_mobile() -> None:
    """Two customers with one mobile are both offered and none is guessed."""
    household = customer("1", MOBILE), customer("2", "+86 " + MOBILE)
    assert reasons(MOBILE, *household) == [("1", Reason.MOBILE), ("2", Reason.MOBILE)]
    assert sure(MOBILE, *household) is None


def test_same_record_twice() -> None:
    """One record told twice is one customer."""
    assert reasons(MOBILE, customer("1", MOBILE), customer("1", MOBILE)) == [("1", Reason.MOBILE)]
    assert sure(MOBILE, customer("1", MOBILE), customer("1", MOBILE)) == "1"


def test_several_fitting_numbers() -> None:
    """A customer with several fitting numbers is offered once, by the strongest."""
    her = customer("1", BEIJING + "转1", BEIJING)
    assert reasons(BEIJING, her) == [("1", Reason.FIXED)]


def test_extensions() -> None:
    """The caller's extension tells colleagues apart."""
    one, two = customer("1", BEIJING + "转8012"), customer("2", BEIJING + "-8013")
    assert reasons(BEIJING + "转8013", one, two) == [("2", Reason.FIXED_EXT), ("1", Reason.SWITCHBOARD)]
    assert sure(BEIJING + "转8013", one, two) == "2"


def test_extension_field() -> None:
    """An extension in a field of its own counts."""
    him = Customer("1", "客户", (Phone(BEIJING, None, "8012"),))
    assert reasons(BEIJING + "转8012", him) == [("1", Reason.FIXED_EXT)]


def test_whole_line() -> None:
    """A whole line of one customer is sure."""
    assert sure(BEIJING, customer("1", "+86 10 8888 6666")) == "1"


def test_a_line_that_another_customers_extension_hangs_on_is_not_sure() -> None:
    """The switchboard shows its bare number whoever calls from behind it."""
    firm, colleague = customer("1", BEIJING), customer("2", BEIJING + "转8012")
    assert reasons(BEIJING, colleague, firm) == [("1", Reason.FIXED), ("2", Reason.SWITCHBOARD)]
    assert sure(BEIJING, colleague, firm) is None


@pytest.mark.parametrize(
    ("caller", "typed"),
    [(BEIJING, BEIJING + "转8012"), (BEIJING + "转8012", BEIJING), (BEIJING + "转8012", BEIJING + "转8013")],
)
def test_switchboard_alone(caller: str, typed: str) -> None:
    """A switchboard alone is offered but never sure."""
    assert reasons(caller, customer("1", typed)) == [("1", Reason.SWITCHBOARD)]
    assert sure(caller, customer("1", typed)) is None


def test_relay_mobile() -> None:
    """A relay mobile with another extension is no exact mobile."""
    assert reasons(MOBILE, customer("1", MOBILE + "转5678")) == [("1", Reason.SWITCHBOARD)]
    assert sure(MOBILE, customer("1", MOBILE + "转5678"), customer("2", MOBILE)) == "2"


@pytest.mark.parametrize("number", ["+852 9123 4567", "400-700-2505", "+1 202 555 0123"])
def test_foreign_and_hotline(number: str) -> None:
    """Foreign numbers and hotlines match exactly."""
    assert reasons(number, customer("1", number)) == [("1", Reason.OTHER)]
    assert sure(number, customer("1", number)) == "1"
    assert sure(number, customer("1", number), customer("2", number)) is None


@pytest.mark.parametrize("caller", ["anonymous", "", "8012", "95588", "10086", "10655020012345", "rubbish", "54321"])
def test_nobody(caller: str) -> None:
    """A caller without a number of his own is nobody."""
    everybody = [customer("1", caller), customer("2", MOBILE), customer("3", "8012", "95588")]
    assert decide(identify(caller), everybody).candidates == ()


@pytest.mark.parametrize(
    "similar",
    [
        "15500001234",  # the last eight digits are the caller's
        "0755-40000123",
        "1540000123",
        "154000012345",
        "00001234",
        "+852 0000 1234",
        "021-54000012",
    ],
)
def test_look_alikes(similar: str) -> None:
    """What only looks alike, by its last digits above all, is never offered."""
    assert reasons(MOBILE, customer("1", similar)) == []


def test_the_crms_own_normalisation_is_not_believed() -> None:
    """A CRM that strips what it does not know may give a stranger the caller's E.164."""
    stranger = customer("1", "15500001234", e164="+8615400001234")
    garbage = customer("2", "see note", e164="+8615400001234")
    assert reasons(MOBILE, stranger, garbage) == []


def test_local_number() -> None:
    """A locally written number needs its area."""
    local = customer("1", "88886666")
    assert reasons(BEIJING, local) == []
    assert [c.reason for c in decide(identify(BEIJING), [local], area="010").candidates] == [Reason.FIXED]
    assert decide(identify(BEIJING), [local], area="0755").candidates == ()


def test_area_from_import() -> None:
    """The area found at import is taken when the digits agree."""
    assert reasons(BEIJING, customer("1", "8888-6666", e164="+861088886666")) == [("1", Reason.FIXED)]
    assert reasons(BEIJING, customer("1", "8888-6667", e164="+861088886666")) == []


def test_area_from_import_is_stronger_than_the_lines() -> None:
    """Calling a line in Shenzhen makes nobody of Beijing a Shenzhen number's owner, nor a stranger."""
    known = customer("1", "8888-6666", e164="+861088886666")
    assert [c.reason for c in decide(identify(BEIJING), [known], area="0755").candidates] == [Reason.FIXED]
    assert decide(identify("075588886666"), [known], area="0755").candidates == ()


SPELLINGS = st.sampled_from(
    ["{}", "+86{}", "0086{}", "86{}", "{}-801", "{}转802", " {} ", "1{}", "{}1", "x{}", "{}/{}", "+852{}", "0755{}"]
)
DIGITS = st.one_of(
    st.from_regex(r"15400[01]{6}", fullmatch=True),
    st.from_regex(r"0(10|755)888866[0-2]{2}", fullmatch=True),
    st.from_regex(r"888866[0-2]{2}", fullmatch=True),
    st.from_regex(r"400700[0-2]{4}", fullmatch=True),
    st.text(max_size=12),
)
NUMBERS = st.builds(lambda spelling, digits: spelling.replace("{}", digits), SPELLINGS, DIGITS)


@given(NUMBERS, st.lists(st.lists(NUMBERS, max_size=4), max_size=6))
def test_only_the_callers_number(caller: str, people: list[list[str]]) -> None:
    """Nobody is offered whose number is not the caller's, everybody is whose number is, strongest first."""
    number = identify(caller)
    customers = [customer(str(place), *numbers) for place, numbers in enumerate(people)]
    match = decide(number, customers)
    expected = {
        each.id for each in customers if number.e164 and number.e164 in {identify(p.raw).e164 for p in each.phones}
    }
    assert {candidate.customer.id for candidate in match.candidates} == expected
    assert len(match.candidates) == len(expected)
    order = list(Reason)
    ranks = [order.index(candidate.reason) for candidate in match.candidates]
    assert ranks == sorted(ranks)
    if match.sure is not None:
        assert match.sure is match.candidates[0].customer
        assert ranks.count(ranks[0]) == 1
        assert match.candidates[0].reason is not Reason.SWITCHBOARD
    if number.kind in (Kind.WITHHELD, Kind.INVALID, Kind.SERVICE, Kind.EXTENSION):
        assert match.candidates == ()
