"""A row becomes a customer, or says why not."""

import pytest

from crm.customer import Phone
from crm.mapping import Columns, Field, HeaderError, Mapped, RowProblem, Why, map_row

CHINESE = ["客户编号", "姓名", "手机", "电话", "公司", "级别", "VIP", "负责人", "备注", "购买记录", "合同"]
ENGLISH = ["id", "Name", "Mobile", "phone 2", "Company", "Level", "vip", "Owner", "Note", "Purchases", "contracts"]
ROW = [
    "C1",
    "张伟",
    "154 0000 1234",
    "88886666转8012",
    "云杉科技",
    "金卡",
    "是",
    "李娜",
    "怕狗",
    "空调|2026-01-02|2999|A1",
    "延保",
]


def mapped(header: list[str], row: list[str], area: str | None = "0755") -> Mapped:
    """The customer that a row must become."""
    result = map_row(Columns.of(header), row, 2, area)
    assert isinstance(result, Mapped), result
    return result


def refused(header: list[str], row: list[str]) -> RowProblem:
    """The problem that a row must be refused for."""
    result = map_row(Columns.of(header), row, 7, "0755")
    assert isinstance(result, RowProblem), result
    assert result.line == 7
    return result


@pytest.mark.parametrize("header", [CHINESE, ENGLISH], ids=["Chinese", "English"])
def test_whole_row(header: list[str]) -> None:
    """A whole row under headers in either language."""
    result = mapped(header, ROW)
    him = result.customer
    assert result.problems == ()
    assert (him.id, him.name, him.company, him.level, him.vip) == ("C1", "张伟", "云杉科技", "金卡", True)
    assert (him.owner, him.note) == ("李娜", "怕狗")
    assert him.phones == (
        Phone("154 0000 1234", "+8615400001234"),
        Phone("88886666转8012", "+8675588886666", "8012"),
    )
    assert [purchase.order_no for purchase in him.purchases] == ["A1"]
    assert [contract.what for contract in him.contracts] == ["延保"]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("电话1", Field.PHONE), ("phone_3", Field.PHONE), ("联系电话 2", Field.PHONE), ("Mobile Phone", Field.PHONE),
        ("手机号（主）", Field.PHONE), ("ＰＨＯＮＥ", Field.PHONE), ("客户 ID", Field.ID), ("是否VIP", Field.VIP),
        ("Account Manager", Field.OWNER), ("会员等级", Field.LEVEL),
    ],
)  # fmt: skip
def test_headers(header: str, field: Field) -> None:
    """Headers as people write them: numbered, spaced, bracketed, full width."""
    columns = Columns.of(["姓名", "手机", header] if field is not Field.PHONE else ["姓名", "x", header])
    assert columns.fields[2] is field


def test_unknown_columns() -> None:
    """Unknown columns are left out and named."""
    columns = Columns.of(["姓名", "手机", "星座", ""])
    assert columns.ignored == ("星座",)
    assert isinstance(map_row(columns, ["张伟", "15400001234", "狮子", ""], 2), Mapped)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["姓名", "邮箱"], "no phone column"),
        (["手机"], "no name column"),
        ([""], "no phone column"),
        (["姓名", "客户姓名", "手机"], "several columns for the name: 姓名, 客户姓名"),
    ],
)
def test_bad_header(header: list[str], said: str) -> None:
    """A header that lacks what is needed, or says it twice, is refused with what it has."""
    with pytest.raises(HeaderError, match=said):
        Columns.of(header)


@pytest.mark.parametrize(
    ("row", "why", "column"),
    [
        (["张伟"], Why.RAGGED, None),
        (["张伟", "15400001234", "x"], Why.RAGGED, None),
        (["", "15400001234"], Why.NO_NAME, "姓名"),
        (["张伟", ""], Why.NO_PHONE, "手机"),
        (["张伟", "问前台"], Why.BAD_PHONE, "手机"),
        (["张伟", "8012"], Why.BAD_PHONE, "手机"),
        (["张\x00伟", "15400001234"], Why.CONTROL, "姓名"),
        (["张" * 10_001, "15400001234"], Why.TOO_LONG, "姓名"),
        (["张伟", ";".join(f"154{n:08d}" for n in range(51))], Why.TOO_LONG, "手机"),
    ],
)
def test_refused_rows(row: list[str], why: Why, column: str | None) -> None:
    """A row that would make nobody, or nobody who can be found, is refused with its reason."""
    problem = refused(["姓名", "手机"], row)
    assert (problem.why, problem.column) == (why, column)
    assert "line 7" in str(problem)


def test_trailing_cells() -> None:
    """Empty cells behind the last column are a spreadsheet's habit."""
    assert mapped(["姓名", "手机"], ["张伟", "15400001234", "", " "]).customer.name == "张伟"


def test_bad_number_beside_a_good_one() -> None:
    """A bad number beside a good one is told, and the row kept."""
    result = mapped(["姓名", "手机", "电话"], ["张伟", "15400001234", "没有"])
    assert [phone.e164 for phone in result.customer.phones] == ["+8615400001234"]
    assert [(problem.why, problem.column) for problem in result.problems] == [(Why.BAD_PHONE, "电话")]


def test_number_twice() -> None:
    """A number that stands twice is kept once."""
    result = mapped(["姓名", "手机", "电话"], ["张伟", "15400001234", "+86 154 0000 1234"])
    assert [phone.raw for phone in result.customer.phones] == ["15400001234"]


def test_made_id() -> None:
    """An id is made from name and number, and stays the same at every import."""
    first = mapped(["姓名", "手机"], ["张伟", "154 0000 1234"]).customer
    again = mapped(["name", "note", "phone"], ["张伟", "新", "+8615400001234"]).customer
    other = mapped(["姓名", "手机"], ["张伟", "15400005678"]).customer
    assert first.id == again.id != other.id
    assert mapped(["id", "姓名", "手机"], ["", "张伟", "15400001234"]).customer.id == first.id


def test_long_id() -> None:
    """An id too long for the database is refused."""
    assert refused(["id", "姓名", "手机"], ["x" * 129, "张伟", "15400001234"]).why is Why.TOO_LONG


@pytest.mark.parametrize(
    ("level", "vip", "expected"),
    [("VIP客户", None, True), ("金卡", None, False), ("VIP", "否", False), ("", "是", True)],
)
def test_vip(level: str, vip: str | None, expected: bool) -> None:  # noqa: FBT001
    """VIP by its column, else by the level's name."""
    header, row = ["姓名", "手机", "级别"], ["张伟", "15400001234", level]
    if vip is not None:
        header, row = [*header, "VIP"], [*row, vip]
    assert mapped(header, row).customer.vip is expected


def test_bad_purchase_date() -> None:
    """A purchase date that cannot be read costs only itself."""
    result = mapped(["姓名", "手机", "订单"], ["张伟", "15400001234", "空调|去年|2999"])
    assert result.customer.purchases[0].what == "空调"
    assert [(problem.why, problem.column) for problem in result.problems] == [(Why.BAD_VALUE, "订单")]
