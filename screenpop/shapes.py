"""JSON as it comes in and goes out: bodies and queries read into Shapes, Shapes written as answers.

What does not fit is refused with 400, and the problem's ``errors`` name each field. A body is read more strictly than
Python's own reader does it: one object of UTF-8 JSON, no key twice, no NaN, no text that a database cannot keep,
nothing nested deeper than any of ours.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import ValidationError

from screenpop.forms import keepable
from screenpop.route import Shape

S = TypeVar("S", bound=Shape)

JSON = "application/json"
LONGEST_ID = 18  # digits: what both databases number rows with
DEEPEST = 16  # levels of lists and objects
MOST_NAMED = 20  # faults that one answer names
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBER = re.compile(_WHOLE.pattern + r"(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with what was sent. ``field`` as ``changes.0.part``, empty for the whole."""

    field: str
    why: str


class BadShapeError(web.HTTPBadRequest):
    """400: what was sent is not what the API's document says."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        super().__init__(text=f"{first.field}: {first.why}" if first.field else first.why)


async def body(request: web.Request, shape: type[S]) -> S:
    """The JSON body of a request. 400 for what is none or does not fit, 413 too large, 415 another content type."""
    if request.content_type != JSON or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise web.HTTPUnsupportedMediaType(text=f"send {JSON}, in UTF-8")
    raw = await request.read()
    try:
        sent = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except BadShapeError:
        raise
    except (ValueError, RecursionError) as error:
        raise BadShapeError([Fault("", "the body is not JSON")]) from error
    if not isinstance(sent, dict):
        raise BadShapeError([Fault("", "the body is not a JSON object")])
    _look_through(sent)
    try:
        return shape.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise BadShapeError(_faults(error)) from error


def query_of(request: web.Request, shape: type[S]) -> S:
    """The query of an address. 400 for what does not fit, a name nobody knows, or one that comes twice."""
    sent: dict[str, str] = {}
    for name, value in request.query.items():
        if not keepable(value) or not keepable(name):
            raise BadShapeError([Fault("", "the address holds what is not text")])
        if name in sent:
            raise BadShapeError([Fault(name, "comes twice")])
        sent[name] = value
    try:
        found = shape.model_validate_strings(sent, strict=True)
    except ValidationError as error:
        raise BadShapeError(_faults(error)) from error
    for name, text in sent.items():
        value = getattr(found, name)
        spelt = _WHOLE if isinstance(value, int) else _NUMBER
        if isinstance(value, int | float) and not isinstance(value, bool) and not spelt.fullmatch(text):
            raise BadShapeError([Fault(name, "is not written as JSON writes numbers")])
    return found


def answer(
    shape: Shape, status: int = 200, headers: Mapping[str, str] | None = None, *, only_set: bool = False
) -> web.Response:
    """A Shape as the answer. ``only_set``: without the fields that nobody gave it."""
    text = shape.model_dump_json(exclude_unset=only_set)
    return web.Response(body=text.encode(), status=status, content_type=JSON, headers=headers)


def row_below(cursor: str | None) -> int | None:
    """The row that a list by falling ids goes on below; None from the start. 400 for a cursor that is none of ours."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= LONGEST_ID):
        raise BadShapeError([Fault("cursor", "is none of ours")])
    return int(cursor)


def done() -> web.Response:
    """204: it is done, and there is nothing to tell."""
    return web.Response(status=HTTPStatus.NO_CONTENT)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadShapeError([Fault(name, "comes twice in one object")])
        found[name] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _look_through(sent: Any) -> None:
    """Refuse texts that a database cannot keep, and depths, wherever they are."""
    waiting: list[tuple[Any, int]] = [(sent, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise BadShapeError([Fault("", f"the body is nested deeper than {DEEPEST} levels")])
        if isinstance(value, str):
            if not keepable(value):
                raise BadShapeError([Fault("", "the body holds what is not text")])
        elif isinstance(value, dict):
            waiting.extend((inner, depth + 1) for pair in value.items() for inner in pair)
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def _faults(error: ValidationError) -> list[Fault]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [Fault(".".join(str(step) for step in one["loc"]), one["msg"]) for one in found[:MOST_NAMED]]
