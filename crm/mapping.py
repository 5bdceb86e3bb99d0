"""A row of a spreadsheet becomes a customer, or a reason why not. Pure: knows neither files nor databases.

Headers are taken in Chinese or English, in any order; docs/import.md lists them. A row is refused only when it would
make a customer nobody can find or tell apart; a purchase date that cannot be read costs that date, and is told.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from crm.cells import Unreadable, contracts, purchases, yes_or_no
from crm.customer import Contract, Customer, Phone, Purchase
from crm.phones import split_phones

LONGEST_CELL = 10_000
LONGEST_ID = 128
MOST_PHONES = 50


class Field(StrEnum):
    """What a column holds."""

    ID = "id"
    NAME = "name"
    PHONE = "phone"  # any number of columns
    EXT = "ext"
    COMPANY = "company"
    LEVEL = "level"
    VIP = "vip"
    OWNER = "owner"
    NOTE = "note"
    PURCHASES = "purchases"
    CONTRACTS = "contracts"


class Why(StrEnum):
    """What is wrong with a row, or with one cell of it."""

    RAGGED = "ragged"  # more or fewer cells than the header
    NO_NAME = "no_name"
    NO_PHONE = "no_phone"
    BAD_PHONE = "bad_phone"
    TOO_LONG = "too_long"
    CONTROL = "control"  # control characters, NUL for one
    BAD_VALUE = "bad_value"
    NOT_CSV = "not_csv"  # broken quoting, a line without end
    NOT_TEXT = "not_text"  # bytes that are no characters of the file's encoding


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Something wrong in line ``line`` (the first is 1), in the column of that header where it is one cell's fault."""

    line: int
    column: str | None
    why: Why
    text: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.text}"


class Mapped(NamedTuple):
    """A customer, and what of its row could not be kept."""

    customer: Customer
    problems: tuple[RowProblem, ...] = ()


class HeaderError(ValueError):
    """The first row cannot be a header: the message says what it lacks."""


_HEADERS: Mapping[Field, str] = {
    Field.ID: "id 客户编号 编号 客户号 客户id 会员号 会员编号 customerid customerno code ref",
    Field.NAME: "name 姓名 客户姓名 客户名称 名称 联系人 客户 customer customername fullname contact",
    Field.PHONE: "phone 电话 手机 手机号 手机号码 电话号码 联系电话 联系方式 座机 固话 固定电话 办公电话 家庭电话 号码"
    " tel telephone mobile cell mobilephone officephone homephone phonenumber",
    Field.EXT: "ext extension 分机 分机号",
    Field.COMPANY: "company 公司 公司名称 单位 单位名称 企业 organisation organization account",
    Field.LEVEL: "level 级别 客户级别 等级 客户等级 会员等级 会员级别 grade tier",
    Field.VIP: "vip 是否vip vip客户 isvip",
    Field.OWNER: "owner 负责人 客户经理 专属客服 归属人 跟进人 业务员 accountmanager",
    Field.NOTE: "note 备注 说明 notes remark remarks comment",
    Field.PURCHASES: "purchases 购买记录 购买 订单 订单记录 历史订单 orders",
    Field.CONTRACTS: "contracts 合同 合约 保修 服务合同 contract warranty",
}
# Python 3.11 takes longer to find a member of an enum than to look it up in a dict; each row would do it ten times.
_ID, _NAME, _PHONE, _EXT, _COMPANY, _LEVEL, _VIP, _OWNER, _NOTE, _PURCHASES, _CONTRACTS = Field
_FIELD_OF = {name: field for field, names in _HEADERS.items() for name in names.split()}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(r"[ _\-.]|\(.*\)")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what. ``ignored`` are headers that mean nothing to us."""

    headers: tuple[str, ...]
    fields: tuple[Field | None, ...]
    ignored: tuple[str, ...]
    phones: tuple[int, ...]  # where the columns with numbers stand
    others: tuple[tuple[int, Field], ...]  # where each other column stands

    @classmethod
    def of(cls, header: Sequence[str]) -> "Columns":
        """Understand a header row; HeaderError when it names no phone or name, or one thing twice."""
        headers = tuple(cell.strip().lstrip("\ufeff") for cell in header)
        fields = tuple(_field(name) for name in headers)
        for wanted, examples in ((Field.PHONE, "电话, 手机, phone"), (Field.NAME, "姓名, 客户名称, name")):
            if wanted not in fields:
                shown = ", ".join(headers[:12]) or "nothing"
                raise HeaderError(f"the first row names no {wanted} column ({examples}); it has: {shown}")
        for field in Field:
            if field is not Field.PHONE and fields.count(field) > 1:
                twice = ", ".join(name for name, its in zip(headers, fields, strict=True) if its is field)
                raise HeaderError(f"several columns for the {field}: {twice}; rename all but one")
        ignored = tuple(name for name, field in zip(headers, fields, strict=True) if field is None and name)
        phones = tuple(place for place, field in enumerate(fields) if field is Field.PHONE)
        others = tuple((place, field) for place, field in enumerate(fields) if field not in (None, Field.PHONE))
        return cls(headers, fields, ignored, phones, others)


def _field(header: str) -> Field | None:
    name = _NOT_IN_NAMES.sub("", unicodedata.normalize("NFKC", header).casefold())
    if name in _FIELD_OF:
        return _FIELD_OF[name]
    # phone1, 电话2, 手机号 3
    return Field.PHONE if _FIELD_OF.get(name.rstrip("0123456789")) is Field.PHONE else None


def map_row(columns: Columns, cells: Sequence[str], line: int, area: str | None = None) -> Mapped | RowProblem:
    """The customer of one row. ``area`` is the area code of numbers written locally ("0755")."""
    row = _Row(columns, line, area)
    try:
        return row.read(cells)
    except _RefusedError as refused:
        return refused.problem


class _RefusedError(Exception):
    def __init__(self, problem: RowProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Row:
    """One row under way: its cells by field and what was found wrong."""

    __slots__ = ("_area", "_cells", "_columns", "_line", "_phones", "_problems")

    def __init__(self, columns: Columns, line: int, area: str | None) -> None:
        self._columns, self._line, self._area = columns, line, area
        self._cells: dict[Field, str] = {}
        self._phones: list[tuple[int, str]] = []  # place of the column, text
        self._problems: list[RowProblem] = []

    def read(self, cells: Sequence[str]) -> Mapped:
        """The customer; _RefusedError when the row cannot be one."""
        self._sort(cells)
        said = self._cells.get
        name = said(_NAME, "")
        phones = self._readable_phones()
        if not name:
            raise self._refused(Why.NO_NAME, "the name is empty", _NAME)
        customer_id = said(_ID) or _made_id(name, phones[0])
        if len(customer_id) > LONGEST_ID:
            raise self._refused(Why.TOO_LONG, f"an id has at most {LONGEST_ID} characters", _ID)
        level = said(_LEVEL)
        bought: tuple[Purchase, ...] = ()
        signed: tuple[Contract, ...] = ()
        if text := said(_PURCHASES):
            bought, wrongs = purchases(text)
            self._left_out(wrongs, _PURCHASES)
        if text := said(_CONTRACTS):
            signed, wrongs = contracts(text)
            self._left_out(wrongs, _CONTRACTS)
        customer = Customer(
            customer_id,
            name,
            phones,
            said(_COMPANY),
            level,
            self._vip(level),
            said(_OWNER),
            bought,
            signed,
            said(_NOTE),
        )
        return Mapped(customer, tuple(self._problems))

    def _sort(self, cells: Sequence[str]) -> None:
        """Cells by field, empty ones left out. Empty cells behind the last header are a spreadsheet's habit."""
        columns, width = self._columns, len(self._columns.headers)
        if len(cells) < width or (len(cells) > width and any(cell.strip() for cell in cells[width:])):
            text = f"{len(cells)} cells where the header has {width}: a separator or quote is missing or too many"
            raise self._refused(Why.RAGGED, text)
        whole = "".join(cells)
        if len(whole) > LONGEST_CELL or not whole.isprintable():  # what every row but one in a thousand passes
            self._check(cells)
        for place in columns.phones:
            if text := cells[place].strip():
                self._phones.append((place, text))
        for place, field in columns.others:
            if text := cells[place].strip():
                self._cells[field] = text

    def _check(self, cells: Sequence[str]) -> None:
        """That no cell which means something is endless or holds control characters."""
        for field, cell in zip(self._columns.fields, cells, strict=False):
            text = cell.strip()
            if field is not None and len(text) > LONGEST_CELL:
                raise self._refused(Why.TOO_LONG, f"longer than {LONGEST_CELL} characters", field)
            if field is not None and _CONTROL.search(text):
                raise self._refused(Why.CONTROL, "holds control characters", field)

    def _readable_phones(self) -> tuple[Phone, ...]:
        """Every number that can be found again. One that cannot is told, and refuses the row if it was the only one."""
        ext = self._cells.get(_EXT)
        found: dict[tuple[str, str | None], Phone] = {}
        for place, cell in self._phones:
            for phone in split_phones(cell, self._area, ext):
                if phone.e164 is None:
                    header, text = (
                        self._columns.headers[place],
                        f"{phone.raw[:40]!r} is no number that a caller could show",
                    )
                    self._problems.append(RowProblem(self._line, header, Why.BAD_PHONE, text))
                else:
                    found.setdefault((phone.e164, phone.ext), phone)
        if len(found) > MOST_PHONES:
            raise self._refused(Why.TOO_LONG, f"more than {MOST_PHONES} numbers", _PHONE)
        if not found:
            if self._problems:
                raise _RefusedError(self._problems[0])
            raise self._refused(Why.NO_PHONE, "no telephone number", _PHONE)
        return tuple(found.values())

    def _left_out(self, wrongs: Sequence[str], field: Field) -> None:
        self._problems += [self._problem(Why.BAD_VALUE, wrong, field) for wrong in wrongs]

    def _vip(self, level: str | None) -> bool:
        """As the column says; without one, whether the level is called VIP."""
        said = self._cells.get(_VIP)
        if said is None:
            return level is not None and "vip" in level.casefold()
        try:
            return yes_or_no(said)
        except Unreadable as error:
            self._problems.append(self._problem(Why.BAD_VALUE, str(error), _VIP))
            return False

    def _problem(self, why: Why, text: str, field: Field | None = None) -> RowProblem:
        names = zip(self._columns.headers, self._columns.fields, strict=True)
        column = next((header for header, its in names if its is field), None) if field else None
        return RowProblem(self._line, column, why, text)

    def _refused(self, why: Why, text: str, field: Field | None = None) -> _RefusedError:
        return _RefusedError(self._problem(why, text, field))


def _made_id(name: str, phone: Phone) -> str:
    """The same id for the same name and first number at every import."""
    key = f"{name}\n{phone.e164}\n{phone.ext or ''}"
    return f"csv-{sha256(key.encode()).hexdigest()[:20]}"
