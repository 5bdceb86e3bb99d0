"""A WSDL, and the messages that it describes. The only room that knows zeep; it asks nobody for anything.

Documents are handed in: one that is missing is named (:class:`MissingError`), and whoever has the network decides
whether to fetch it. Document types and entities are refused in all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding
from zeep.wsse.username import UsernameToken
from zeep.xsd.types.any import AnyType

from crm.connector import FieldInfo
from crm.trouble import InvalidError

Security = Literal["wsse", "wsse_digest"]
_SLIPS = (ZeepError, etree.LxmlError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class MissingError(LookupError):
    """Another document is needed: ``place``, an address or a file's path."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as it is sent."""

    body: bytes
    headers: Mapping[str, str]


class Wsdl:
    """One port of a service. Raises MissingError, and InvalidError for what is no WSDL or has no such port."""

    def __init__(self, place: str, documents: Mapping[str, bytes], service: str = "", port: str = "") -> None:
        settings = Settings(forbid_dtd=True, forbid_entities=True)
        try:
            document = Document(place, _Shelf(documents), settings=settings)
        except MissingError:
            raise
        except _SLIPS as error:
            raise InvalidError(f"the WSDL {place} cannot be used: {error}", "wsdl") from error
        self._binding = _chosen(document, service, port)

    @property
    def operations(self) -> list[str]:
        """Names of all operations."""
        return sorted(self._binding._operations)  # noqa: SLF001 - there is no other way to them

    def envelope(
        self,
        operation: str,
        args: Mapping[str, Any],
        header: Mapping[str, Any],
        *,
        user: tuple[str, str] | None = None,
        security: Security = "wsse",
    ) -> Envelope:
        """A message. ``user`` and password go into it as WS-Security has it. InvalidError for wrong arguments."""
        try:
            made = self._operation(operation).create(**args, **({"_soapheaders": dict(header)} if header else {}))
            content = made.content
            if user is not None:
                token = UsernameToken(*user, use_digest=security == "wsse_digest")
                content, _ = token.apply(content, {})
        except _SLIPS as error:
            raise InvalidError(f"soap: {operation} cannot be asked like that: {error}", operation) from error
        action = made.headers.get("SOAPAction", '""')
        if isinstance(self._binding, Soap12Binding):
            headers = {"Content-Type": f"application/soap+xml; charset=utf-8; action={action}"}
        else:
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": action}
        return Envelope(etree.tostring(content, xml_declaration=True, encoding="UTF-8"), headers)

    def fields(self, operation: str, path: str = "") -> Mapping[str, FieldInfo] | None:
        """The fields that stand at ``path`` in an operation's answer. None: the WSDL does not say.

        InvalidError when it says that there is no such place.
        """
        here = _fields(getattr(self._operation(operation).output, "body", None))
        for step in path.split(".") if path else ():
            if here is None:
                return None
            if step not in here:
                near = _near(step, list(here))
                raise InvalidError(f"soap: the answer of {operation} has no {step!r} at {path!r}{near}", path)
            here = _fields(here[step])
        return None if here is None else {name: FieldInfo(_kind(element)) for name, element in here.items()}

    def _operation(self, name: str) -> Any:
        found = self._binding._operations.get(name)  # noqa: SLF001 - get() raises without saying what there is
        if found is None:
            raise InvalidError(f"soap: there is no operation {name!r}{_near(name, self.operations)}", "operation")
        return found


class _Shelf:
    """Documents that are there already, as zeep asks for them."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents

    def load(self, place: str) -> bytes:
        """One of them."""
        if place not in self._documents:
            raise MissingError(place)
        return self._documents[place]


def _chosen(document: Any, service: str, port: str) -> Any:
    found = {
        (service_name, port_name): each.binding
        for service_name, offered in document.services.items()
        for port_name, each in offered.ports.items()
        if isinstance(each.binding, SoapBinding)
    }
    fitting = [binding for (its, name), binding in found.items() if service in ("", its) and port in ("", name)]
    if not fitting:
        there = ", ".join(f"{its}/{name}" for its, name in found) or "none"
        raise InvalidError(f"the WSDL has no such service and port with SOAP; there are: {there}", "service")
    return fitting[0]


def _fields(element: Any) -> Mapping[str, Any] | None:
    """The elements inside one, by local name; None where its type does not say."""
    kind = getattr(element, "type", None)
    if kind is None or type(kind) is AnyType:  # every complex type is one, too
        return None
    inner = getattr(kind, "elements", None)
    if inner is None:
        return {}
    found = {**dict(inner), **{f"@{name}": attribute for name, attribute in getattr(kind, "attributes", ())}}
    return None if any(name.startswith("_value") for name in found) else found


def _kind(element: Any) -> str:
    kind = getattr(element, "type", None)
    return str(getattr(kind, "name", None) or type(kind).__name__)


def _near(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=3) or known[:12]
    return f" (there are {', '.join(near)})" if near else ""
