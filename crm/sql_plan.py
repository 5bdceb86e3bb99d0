"""What a mapping file says of a database: which questions there are, and what is asked with each. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from crm.connector import Can
from crm.fieldmap import FieldMap, MappingError, Path
from crm.sql_statement import Statement, StatementError, read_statement
from crm.terms import Terms
from numbering.number import Number

_TERMS = frozenset(
    {"e164", "digits", "national", "nsn", "dialled", "last8", "ext", "raw", "like_national", "like_last8", "like_loose"}
)
_SINCE = frozenset({"since", "since_epoch"})
KNOWN: Mapping[str, frozenset[str]] = {
    "find": _TERMS,
    "get": frozenset({"id"}),
    "items": frozenset({"customer", "limit"}),
    "purchases": frozenset({"customer", "limit"}),
    "contracts": frozenset({"customer", "limit"}),
    "load": frozenset({"after", "limit"}),
    "customer_changes": _SINCE | {"limit"},
    "ticket_changes": _SINCE | {"limit"},
}
_NEEDED: Mapping[str, tuple[frozenset[str], ...]] = {  # one of each
    "find": (_TERMS - {"ext"},),
    "get": (frozenset({"id"}),),
    "items": (frozenset({"customer"}),),
    "purchases": (frozenset({"customer"}),),
    "contracts": (frozenset({"customer"}),),
    "load": (frozenset({"after"}), frozenset({"limit"})),
    "customer_changes": (_SINCE, frozenset({"limit"})),
    "ticket_changes": (_SINCE, frozenset({"limit"})),
}
_IN_ORDER = frozenset({"load", "customer_changes", "ticket_changes"})
_CUSTOMER = ("id", "name", "ext", "company", "level", "vip", "owner", "note", "version")
_PHONES = ("phone", "phone2", "phone3", "mobile", "tel", "phones")
_TICKET = ("id", "title", "status", "owner", "updated", "version", "customer")
_PURCHASE = ("what", "day", "amount", "order_no")
_CONTRACT = ("what", "number", "until")


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _statement(name: str) -> BeforeValidator:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError("a statement is a text")  # noqa: TRY004 - pydantic wants a ValueError
        statement = read_statement(name, value)
        used, there = set(statement.placeholders), KNOWN[name]
        if strange := sorted(used - there):
            raise StatementError(
                f"{name}: :{', :'.join(strange)} is no value of it; there are :{', :'.join(sorted(there))}"
            )
        for group in _NEEDED[name]:
            if not used & group:
                raise StatementError(f"{name}: asks for none of :{', :'.join(sorted(group))}")
        if name in _IN_ORDER and not {"order", "by"} <= statement.words:
            raise StatementError(f"{name}: comes in pages, so it needs ORDER BY")
        return statement

    return BeforeValidator(read)


class SqlPlan(BaseModel):
    """Everything below ``[sql]``. What is not there cannot be asked.

    ``updated``, ``gone``, ``merged``: columns of a list of changes: when, something in it where the record was deleted,
    the id that it was merged into. ``overlap``: seconds read again. ``page``: rows at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    find: Annotated[tuple[Annotated[Statement, _statement("find")], ...], BeforeValidator(_one_or_more)]
    get: Annotated[Statement | None, _statement("get")] = None
    items: Annotated[Statement | None, _statement("items")] = None
    purchases: Annotated[Statement | None, _statement("purchases")] = None
    contracts: Annotated[Statement | None, _statement("contracts")] = None
    load: Annotated[Statement | None, _statement("load")] = None
    customer_changes: Annotated[Statement | None, _statement("customer_changes")] = None
    ticket_changes: Annotated[Statement | None, _statement("ticket_changes")] = None
    updated: Path = "updated"
    gone: Path = "gone"
    merged: Path = "merged"
    overlap: Annotated[float, Field(ge=0, le=86400)] = 120.0
    page: Annotated[int, Field(ge=10, le=20000)] = 1000
    customer_url: str = ""
    ticket_url: str = ""
    longest: Mapping[str, Annotated[int, Field(ge=10)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _finds_somebody(self) -> "SqlPlan":
        if not self.find:
            raise ValueError("find: there is no statement")
        for name in ("customer_url", "ticket_url"):
            if (url := getattr(self, name)) and "{id}" not in url:
                raise ValueError(f"{name}: put {{id}} into it")
        return self

    @classmethod
    def read(cls, given: Any) -> "SqlPlan":
        """The part ``[sql]`` of a mapping file. Raises MappingError with every fault."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise MappingError("; ".join(_told(error))) from error

    @property
    def can(self) -> Can:
        """What the statements amount to."""
        can = Can.FIND | Can.DESCRIBE
        for wanted, statement in ((Can.GET, self.get), (Can.ITEMS, self.items), (Can.LOAD, self.load)):
            can |= wanted if statement is not None else Can(0)
        return can | Can.FEED if self.customer_changes or self.ticket_changes else can

    def statements(self) -> Iterator[tuple[str, Statement]]:
        """Every statement, with what its rows are: ``customer``, ``ticket``, ``purchases`` or ``contracts``."""
        for statement in (*self.find, self.get, self.load, self.customer_changes):
            if statement is not None:
                yield "customer", statement
        for statement in (self.items, self.ticket_changes):
            if statement is not None:
                yield "ticket", statement
        for name, statement in (("purchases", self.purchases), ("contracts", self.contracts)):
            if statement is not None:
                yield name, statement

    def mapping(self, given: Mapping[str, Any]) -> FieldMap:
        """The mapping of the file; a column that is named like a field of ours is that field. Raises MappingError."""
        said: dict[str, set[str]] = {}
        for kind, statement in self.statements():
            said.setdefault(kind, set()).update(statement.words)
        words = said.get("customer", set())
        customer: dict[str, Any] = {name: name for name in _CUSTOMER if name in words}
        customer |= {"object": "customer", "phones": [name for name in _PHONES if name in words] or ["phone"]}
        for name, columns in (("purchases", _PURCHASE), ("contracts", _CONTRACT)):
            if name in said:
                table = {"on" if column == "day" else column: column for column in columns if column in said[name]}
                customer[name] = {"object": name, "what": "what", **table}
        ticket = {name: name for name in _TICKET if name in said.get("ticket", set())}
        return FieldMap.read(given, {"customer": customer, "ticket": {"object": "ticket", **ticket}}, own=("sql",))


def values_of(number: Number) -> Mapping[str, str] | None:
    """What a search may ask with; None of a number nobody can be found by."""
    terms = Terms.of(number)
    if terms is None:
        return None
    return {
        **terms.by_name(),
        "nsn": terms.national,
        "raw": number.raw,
        "like_national": f"%{terms.national}%",
        "like_last8": f"%{terms.last8}",
        "like_loose": f"%{'%'.join(terms.national)}%",
    }


def _told(error: ValidationError) -> Iterator[str]:
    for item in error.errors():
        place = ".".join(("sql", *map(str, item["loc"])))
        text = {"extra_forbidden": "no such statement or setting", "missing": "is missing"}.get(
            item["type"], item["msg"]
        )
        named = f"{next(iter(item['loc']), '')}: "  # a statement's faults begin with its name
        yield f"{place}: {text.removeprefix('Value error, ').removeprefix(named)}"
