"""What a mapping file says of a Web Service (SOAP): which operations there are and what goes into them. Pure.

Beside each question's own placeholders all know ``{user}``, ``{secret}`` and, where there is a ``login``, ``{token}``.
An argument that is all placeholder is left out where there is no value, if the WSDL lets it be.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from crm.fieldmap import Path
from crm.plan import Ask, Plan, Table, Values, filled_json, strings

TOKEN = "token"  # noqa: S105 - a placeholder's name


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


class SoapAsk(Ask):
    """One operation. ``args``: its message; ``header``: SOAP headers that the WSDL declares for it, by their part.

    ``inside``: the answer holds a whole document as text, at ``at``: the records are looked for in that.
    """

    operation: Annotated[str, Field(pattern=r"^\S+$")]
    args: Mapping[str, Any] = Field(default_factory=dict)
    header: Mapping[str, Any] = Field(default_factory=dict)
    inside: Literal["", "json", "xml"] = ""
    at: Path = ""

    @model_validator(mode="after")
    def _inside_of_something(self) -> Self:
        if bool(self.inside) != bool(self.at):
            raise ValueError("inside and at go together: what is it, and where does it stand")
        return self

    def filled_args(self, values: Values) -> dict[str, Any]:
        """The arguments."""
        filled: dict[str, Any] = filled_json(self.args, values)
        return filled

    def texts(self) -> Iterator[str]:
        """All texts of arguments and headers."""
        yield from strings(self.args)
        yield from strings(self.header)


class Login(SoapAsk):
    """The operation that opens a session. ``token``: where its token stands in the answer."""

    token: Path


class FaultRule(Table):
    """Which faults mean what: by their code, subcode, an element in their detail, or words in their text."""

    auth: Names = ()
    busy: Names = ()
    missing: Names = ()
    conflict: Names = ()
    refused: Names = ()


class SoapPlan(Plan[SoapAsk]):
    """Everything below ``[soap]``. ``service``, ``port``: where the WSDL has several. ``header``: of all operations."""

    NAME: ClassVar[str] = "soap"
    MORE: ClassVar[frozenset[str]] = frozenset({"user", "secret", TOKEN})

    service: str = ""
    port: str = ""
    header: Mapping[str, Any] = Field(default_factory=dict)
    login: Login | None = None
    fault: FaultRule = FaultRule()

    def header_of(self, ask: SoapAsk) -> dict[str, Any]:
        """The SOAP headers of an operation, not yet filled in."""
        return {} if isinstance(ask, Login) else {**self.header, **ask.header}

    def needs_token(self, ask: SoapAsk) -> bool:
        """Whether a session must be open for it."""
        wanted = f"{{{TOKEN}}}"
        return any(wanted in text for text in (*ask.texts(), *strings(self.header_of(ask))))

    def asked(self) -> Iterator[tuple[str, SoapAsk]]:
        """Every question, the login too, with its name."""
        if self.login is not None:
            yield "login", self.login
        yield from self.asks()

    def faults(self) -> list[str]:
        """What makes no sense, though each part by itself is sound."""
        found = super().faults()
        for name, ask in self.asks():
            if self.login is None and self.needs_token(ask):
                found.append(f"soap.{name}: {{token}} comes from soap.login, which is missing")
        if self.login is not None:
            known = self.MORE - {TOKEN}
            wrong = sorted(set(self.login.placeholders()) - known)
            found += [f"soap.login: {{{each}}} is no value of it; there are: {{secret}}, {{user}}" for each in wrong]
        return found
