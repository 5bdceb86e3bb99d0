"""What a Web Service answers, read without its schema: as JSON has it, by local names. Pure.

Services differ from their WSDL, and a strict reader would lose a card over a field that nobody asked for. Elements that
repeat are lists; attributes are ``@name``; an element with neither is its text. Document types and entities are
refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from crm.soap_plan import FaultRule
from crm.trouble import (
    AuthError,
    ConflictError,
    CrmError,
    InvalidError,
    NotFoundError,
    TransientError,
    UnknownOutcomeError,
)

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_ENVELOPES = frozenset({"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"})
_DEEPEST = 200
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SECURITY = frozenset(  # WS-Security's own
    {"FailedAuthentication", "FailedCheck", "InvalidSecurity", "InvalidSecurityToken", "SecurityTokenUnavailable"}
)
_THEIRS = ("Server", "Receiver")


class NoXmlError(ValueError):
    """It is no XML that may be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault. ``names``: its code, subcodes and the elements of its detail, without prefixes."""

    code: str
    names: tuple[str, ...]
    text: str


def xml_text(text: str | None) -> str | None:
    """A text without what XML cannot carry: a control character in a caller's name must not lose the call."""
    return None if text is None else _NO_XML.sub("\ufffd", text)


def parse(text: bytes) -> Any:
    """The root of an XML document. Raises NoXmlError."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NoXmlError(str(error)) from error
    if root.getroottree().docinfo.doctype:
        raise NoXmlError("it has a document type: entities are not taken")
    return root


def body_of(root: Any) -> Fault | Any:
    """What a SOAP envelope holds: the answer as JSON has it, or a fault. Raises NoXmlError when it is no envelope."""
    name = etree.QName(root)
    body = next((part for part in root if _local(part) == "Body"), None)
    if name.localname != "Envelope" or name.namespace not in _ENVELOPES or body is None:
        raise NoXmlError(f"no SOAP envelope but {name.localname!r}")
    first = next((part for part in body if isinstance(part.tag, str)), None)
    if first is None:
        return {}
    if _local(first) == "Fault" and etree.QName(first).namespace in _ENVELOPES:
        return _fault(first)
    return value_of(first, {part.get("id"): part for part in body if part.get("id")}) or {}


def value_of(element: Any, parts: Mapping[str, Any] | None = None, depth: int = 0) -> Any:
    """An element as JSON has it. ``parts``: those that others point at with ``href`` (SOAP's own encoding)."""
    if depth > _DEEPEST:
        raise NoXmlError("it goes in circles")
    if element.get(_NIL) in ("true", "1"):
        return None
    href = element.get("href", "")
    if parts and href.startswith("#") and href[1:] in parts:
        return value_of(parts[href[1:]], parts, depth + 1)
    found: dict[str, Any] = {f"@{_local_name(name)}": text for name, text in element.attrib.items() if ":" not in name}
    children = [child for child in element if isinstance(child.tag, str)]
    text = element.text or ""
    if not children:
        own = {name: value for name, value in found.items() if name not in ("@id", "@href", "@type")}
        return {**own, "#text": text} if own else text
    for child in children:
        name, value = _local(child), value_of(child, parts, depth + 1)
        if name in found:
            known = found[name]
            found[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            found[name] = value
    return found


def with_empty(found: Any, path: str) -> Any:
    """``found``, with an empty list at ``path`` where only its last step is missing: XML leaves empty lists out."""
    *before, last = path.split(".") if path else [""]
    if not last:
        return found
    place, above, step = found, None, ""
    for name in before:
        if not isinstance(place, Mapping) or name not in place:
            return found
        above, step, place = place, name, place[name]
    if place in ("", None) and isinstance(above, dict):
        above[step] = {last: []}
    elif isinstance(place, dict) and last not in place:
        place[last] = []
    return found


def error_of_fault(system: str, fault: Fault, rule: FaultRule, *, writes: bool) -> CrmError:
    """What a fault means: by the file's rule, else by its code: what the client did wrong stays wrong."""
    told = f"{system}: fault {fault.code}: {' '.join(fault.text.split())[:200]}"
    kinds: tuple[tuple[tuple[str, ...], type[CrmError]], ...] = (
        (rule.auth, AuthError),
        (rule.missing, NotFoundError),
        (rule.conflict, ConflictError),
        (rule.refused, InvalidError),
        (rule.busy, TransientError),
    )
    for words, kind in kinds:
        if any(_meant(word, fault) for word in words):
            return kind(told)
    if _SECURITY & set(fault.names):
        return AuthError(f"{told} (user or secret is wrong)")
    if fault.code.startswith(_THEIRS):
        return UnknownOutcomeError(told) if writes else TransientError(told)
    return InvalidError(told)


def _meant(word: str, fault: Fault) -> bool:
    wanted = word.casefold()
    return wanted in fault.text.casefold() or any(wanted == name.casefold() for name in fault.names)


def _fault(element: Any) -> Fault:
    codes = [_plain(text) for text in _texts(element, "faultcode", "Value")]
    reasons = [*_texts(element, "faultstring", "Text"), "no reason given"]
    details = [_local(child) for part in element if _local(part) in ("detail", "Detail") for child in part]
    return Fault(codes[0] if codes else "without a code", (*codes, *details), reasons[0])


def _texts(element: Any, *names: str) -> Iterator[str]:
    """The texts of these elements, but for those in the detail."""
    for part in element:
        if _local(part) not in ("detail", "Detail"):
            for inner in part.iter():
                if isinstance(inner.tag, str) and _local(inner) in names and (inner.text or "").strip():
                    yield inner.text.strip()


def _plain(code: str) -> str:
    return code.rpartition(":")[2]


def _local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _local_name(name: str) -> str:
    return str(etree.QName(name).localname)
