"""A mapping is checked before it is used, and reads whatever a record holds without guessing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.connector import FieldInfo, Of, Ref, Status
from crm.customer import Contract, Phone, Purchase
from crm.fieldmap import FieldMap, MappingError
from crm.paths import holds, moment, texts, values
from crm.terms import Terms
from crm.trouble import InvalidError
from numbering.identify import identify

WHOLE: dict[str, Any] = {
    "customer": {
        "object": "contact",
        "id": "uid",
        "name": ["nick", "full.name"],
        "phones": ["mobile", "lines.number"],
        "company": "org.0.name",
        "level": "grade",
        "vip": "star",
        "vip_words": ["金牌"],
        "owner": "keeper.name",
        "purchases": {"within": "orders", "what": "product", "on": "day", "amount": "sum", "order_no": "no"},
        "contracts": {"object": "deal", "link": "contact_id", "what": "kind", "until": "ends"},
    },
    "ticket": {
        "object": "case",
        "customer": "contact.uid",
        "status": "state",
        "updated": "changed",
        "statuses": {"accepted": ["新建", "New"], "solved": "Done"},
    },
}
RECORD: dict[str, Any] = {
    "uid": 17,
    "nick": "  ",
    "full": {"name": "林晓峰"},
    "mobile": "138 1234 5678",
    "lines": [{"number": "0755-88886666转8012"}, {"number": None}, {"number": "问前台"}, {"no": 1}],
    "org": [["云杉科技"], {"name": "云杉科技"}],
    "grade": False,
    "star": "金牌",
    "keeper": {"name": "王芳"},
    "orders": [
        {"product": "电视", "day": "2026-01-02", "sum": 3999, "no": "A1"},
        {"product": "空调", "day": "2026-03-04T10:00:00Z", "sum": "2,999.50", "no": None},
        {"product": "", "day": "2026-03-05"},
        {"product": "冰箱", "day": "昨天", "sum": "很多"},
    ],
}


def test_a_record_becomes_a_customer() -> None:
    """Every number it holds, the first name that says something, purchases newest first, nothing made up."""
    mapping = FieldMap.read(WHOLE)
    customer = mapping.customer_of({**RECORD, "org": [{"name": "云杉科技"}]})
    assert (customer.id, customer.name, customer.company, customer.level) == ("17", "林晓峰", "云杉科技", None)
    assert (customer.vip, customer.owner) == (True, "王芳")
    assert customer.phones == (
        Phone("138 1234 5678", "+8613812345678"),
        Phone("0755-88886666转8012", "+8675588886666", "8012"),
        Phone("问前台", None),
    )
    assert customer.purchases == (
        Purchase("空调", date(2026, 3, 4), Decimal("2999.50")),
        Purchase("电视", date(2026, 1, 2), Decimal(3999), "A1"),
        Purchase("冰箱"),
    )
    assert customer.contracts == ()
    assert mapping.contracts_of([{"kind": "延保", "ends": "2027-01-01"}, {}]) == (
        Contract("延保", None, date(2027, 1, 1)),
    )


def test_a_record_without_an_id_is_refused() -> None:
    """The mapping names the wrong field: popping somebody without an id would lead nowhere."""
    with pytest.raises(InvalidError, match=r"no 'uid': it has name, mobile"):
        FieldMap.read(WHOLE).customer_of({"name": "x", "mobile": "1"})


@pytest.mark.parametrize(
    ("said", "status"),
    [("New", Status.ACCEPTED), (" new ", Status.ACCEPTED), ("Done", Status.SOLVED), ("Waiting", Status.UNKNOWN)],
)
def test_their_status_in_our_words(said: str, status: Status) -> None:
    """What the mapping does not have is unknown and shown as they say it, never guessed."""
    item = FieldMap.read(WHOLE).item_of({"id": 5, "title": "漏水", "state": said, "contact": {"uid": 17}})
    assert (item.ref, item.status, item.said) == (Ref(Of.TICKET, "5"), status, said.strip())
    assert item.customer_id == "17"


def test_our_status_in_their_words() -> None:
    """The first of several; none where the mapping has none."""
    mapping = FieldMap.read(WHOLE)
    assert mapping.word_for(Status.ACCEPTED) == "新建"
    with pytest.raises(InvalidError, match=r"no word for closed: ticket\.statuses"):
        mapping.word_for(Status.CLOSED)


def test_wrong_names_are_all_listed() -> None:
    """Against the live schema, with what may have been meant."""
    schema = {
        "contact": {
            name: FieldInfo("text") for name in ("uid", "full", "mobil", "lines", "org", "star", "keeper", "orders")
        },
        "case": {name: FieldInfo("text") for name in ("id", "title", "contact", "state")},
        "deals": {},
    }
    assert FieldMap.read(WHOLE).wrong_names(schema) == [
        "customer.name: contact has no 'nick'",
        "customer.phones: contact has no 'mobile' (perhaps mobil)",
        "customer.level: contact has no 'grade'",
        "customer.contracts.link: there is no 'deal' (perhaps deals)",
        "customer.contracts.what: there is no 'deal' (perhaps deals)",
        "customer.contracts.until: there is no 'deal' (perhaps deals)",
        "ticket.updated: case has no 'changed'",
    ]


def test_a_file_is_laid_over_the_connectors_own_idea() -> None:
    """What it does not speak of stays; an empty path takes a field away; other tables of the connector are its own."""
    given = {"customer": {"company": "", "phones": "tel"}, "rest": {"find": {}}}
    mapping = FieldMap.read(given, WHOLE, own=("rest",))
    assert (mapping.customer.company, mapping.customer.phones, mapping.customer.id) == ("", ("tel",), "uid")


def test_every_fault_of_a_mapping_is_named() -> None:
    """A slip, a path that is none, a status we do not have."""
    with pytest.raises(MappingError) as found:
        FieldMap.read(
            {"customer": {"nam": "x", "phones": ["a..b"]}, "ticket": {"statuses": {"open": ["x"]}}, "more": 1}
        )
    told = str(found.value)
    assert all(
        place in told for place in ("customer.nam: no such", "customer.phones.0", "ticket.statuses.open", "more")
    )


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", ["1", "2"]),
        ("a.0.b", ["1"]),
        ("a.5.b", []),
        ("c", ["true"]),
        ("d", []),
        ("", []),
        ("a", []),
        ("e", ["x", "y"]),
    ],
)
def test_what_stands_at_a_path(path: str, found: list[str]) -> None:
    """Through lists, by number, or nothing."""
    assert texts({"a": [{"b": 1}, {"b": "2"}, 3], "c": True, "d": False, "e": ["x", None, " y "]}, path) == (
        ["3"] if path == "a" else found
    )


@pytest.mark.parametrize(
    ("record", "there"),
    [
        ({"a": {"b": []}}, True),
        ({"a": {"b": None}}, True),
        ({"a": [{"b": 1}]}, True),
        ({"a": []}, True),
        ({"a": {"c": 1}}, False),
        ({"a": [{"c": 1}]}, False),
        ([], True),
        (None, False),
    ],
)
def test_whether_there_is_such_a_place(record: Any, there: bool) -> None:  # noqa: FBT001
    """Empty is there; moved elsewhere is not."""
    assert holds(record, "a.b") is there


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T02:00:00Z", 1795312800.0),
        ("2026-11-22 10:00:00+08:00", 1795312800.0),
        ("2026-11-22 02:00:00", 1795312800.0),
        ("1795312800", 1795312800.0),
        ("1795312800123", 1795312800.123),
        ("1795312800.5", 1795312800.5),
        ("yesterday", None),
        ("²²²²²²²²²", None),
        (None, None),
    ],
)
def test_a_moment(text: str | None, at: float | None) -> None:
    """ISO 8601, without a zone UTC; epoch seconds or milliseconds."""
    assert moment(text) == at


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "id", "0"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, st.lists(st.sampled_from(["a", "b", "0", "1"]), max_size=4).map(".".join))
def test_looking_into_anything_raises_nothing(record: Any, path: str) -> None:
    """Another schema after an upgrade is no crash."""
    values(record, path)
    assert all(text == text.strip() != "" for text in texts(record, path))


@pytest.mark.parametrize(
    ("raw", "terms"),
    [
        ("138 1234 5678", ("+8613812345678", "8613812345678", "13812345678", "13812345678", "12345678", "")),
        ("0755-88886666转801", ("+8675588886666", "8675588886666", "75588886666", "075588886666", "88886666", "801")),
        ("+852 2345 6789", ("+85223456789", "85223456789", "23456789", "0085223456789", "23456789", "")),
        ("4007002505", ("+864007002505", "864007002505", "4007002505", "4007002505", "07002505", "")),
        ("95588", None),
    ],
)
def test_how_a_crm_is_asked_for_a_number(raw: str, terms: tuple[str, ...] | None) -> None:
    """In each spelling that a system may keep."""
    assert Terms.of(identify(raw)) == (terms and Terms(*terms))
