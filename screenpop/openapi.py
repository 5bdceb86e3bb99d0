"""The API's document: OpenAPI 3.1, made of the tables of routes and their Shapes, and of nothing else.

Pure: the tables in, a JSON value out. An operation's id is its method and address, so it stays as long as these do.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from screenpop.answers.problems import ProblemDetails
from screenpop.audio import Leg
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import JSON
from transcription.formats import Format

Json = dict[str, Any]

VERSION = "1"
REF = "#/components/schemas/{model}"
SCOPES = {
    Scope.CALLS: "read calls, their transcripts and recordings",
    Scope.TICKETS: "read tickets and customers, search",
    Scope.WRITE: "change tickets, summaries, customers; add notes",
    Scope.DESK: "the agent's own state, phone and cards",
    Scope.NUMBERS: "callers' numbers in full",
    Scope.AUDIT: "who looked at what",
    Scope.PRIVACY: "export and erase what is kept of one person",
    Scope.STATUS: "how the service does, deliveries",
}
TAGS = {
    "account": "Who asks: sessions, tokens, the second factor",
    "callbacks": "Missed calls that somebody is to call back",
    "calls": "Calls: what happened, what was said, recordings, summaries",
    "customers": "Customers",
    "deliveries": "What is told to other systems, and what could not be",
    "desk": "The agent's own state and telephone",
    "documents": "What the API is",
    "privacy": "What is kept of one person: export and erasure",
    "search": "Finding calls, tickets, customers",
    "service": "How the service does",
    "tickets": "Tickets",
}
_TAG_OF = {
    "me": "account",
    "tokens": "account",
    "receivers": "deliveries",
    "openapi.json": "documents",
    "asyncapi.json": "documents",
    **dict.fromkeys(("corrections", "status", "bursts"), "service"),
}
_PLACE = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
_KNOWN: dict[str, Json] = {
    "key": {"type": "string", "examples": ["main:1795147200.1"], "description": "a call: the PBX's name and Linkedid"},
    "leg": {"type": "string", "enum": [leg.value for leg in Leg]},
    "format": {"type": "string", "enum": [one.value for one in Format]},
}
_WRONG = {
    400: "It does not fit: `errors` names the fields",
    401: "Nobody is logged in, or the token opens nothing",
    403: "Not for this role or token, or not this one's own",
    404: "There is no such thing",
    409: "Somebody was faster: read it again",
    413: "Too large",
    415: "Another content type than expected",
    422: "It cannot be: `refusal` says why",
    429: "Too much was asked: wait",
    503: "The database does not answer",
}


def document(routes: Sequence[Route], title: str = "hotline") -> Json:
    """The document of the routes that programs use."""
    ours = [route for route in routes if route.api is not None]
    schemas, refs = _schemas(ours)
    paths: dict[str, Json] = {}
    for route in ours:
        assert route.api is not None
        paths.setdefault(address(route), {})[route.method.lower()] = _operation(route, route.api, refs)
    tags = sorted({_tag(route) for route in ours})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{title} API",
            "version": VERSION,
            "summary": "Everything the pages do, for programs",
            "description": "Times are epoch seconds, durations seconds, telephone numbers E.164. Lists give a "
            "`cursor`: send it back as it is for what follows, null is the end. Errors are problem details (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, **({"description": TAGS[tag]} if tag in TAGS else {})} for tag in tags],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "hotline",
                    "description": "A person's login; with TLS it is called __Host-hotline. What changes something "
                    "must come from our own pages.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A program's token, for its scopes: "
                    + "; ".join(f"`{scope.value}` {text}" for scope, text in SCOPES.items()),
                },
            },
        },
    }


def address(route: Route) -> str:
    """A route's address as OpenAPI writes it."""
    return _PLACE.sub(r"{\1}", route.path)


def operation_id(route: Route) -> str:
    """The same as long as method and address are."""
    words = re.findall(r"[A-Za-z0-9]+", address(route).removeprefix("/api"))
    return "_".join((route.method.lower(), *words))


Refs = Mapping[tuple[type[BaseModel], JsonSchemaMode], Json]


def _schemas(routes: Sequence[Route]) -> tuple[Json, Refs]:
    """The components' schemas, and how each Shape is referred to, in and out."""
    apis = [route.api for route in routes if route.api is not None]
    queries = {api.query for api in apis if api.query is not None}
    asked: set[tuple[type[Shape], JsonSchemaMode]] = {(ProblemDetails, "serialization")}
    asked.update((api.answer, "serialization") for api in apis if api.answer is not None)
    asked.update((api.body, "validation") for api in apis if api.body is not None)
    asked.update((query, "validation") for query in queries)
    ordered = sorted(asked, key=lambda one: (one[0].__name__, one[0].__module__, one[1]))
    refs, made = models_json_schema(ordered, ref_template=REF)
    known = {(shape, mode): ref for (shape, mode), ref in refs.items() if issubclass(shape, BaseModel)}
    said = {api.body for api in apis} | {api.answer for api in apis}
    needless = {query.__name__ for query in queries - said}  # told as parameters only
    return {name: tidy(schema) for name, schema in made["$defs"].items() if name not in needless}, known


def _operation(route: Route, api: Api, refs: Refs) -> Json:
    told: Json = {
        "operationId": operation_id(route),
        "tags": [_tag(route)],
        "summary": api.summary,
        "security": _security(route, api),
        "parameters": [*_placeholders(route.path), *(_query(api.query) if api.query else ())],
    }
    if doc := cleandoc(route.handler.__doc__ or "").partition("\n\n")[2]:
        told["description"] = doc
    if route.right is not None:
        told["x-right"] = route.right.value
    if api.body is not None:
        schema = refs[api.body, "validation"]
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    told["responses"] = {str(api.status): _answer(api, refs)} | {
        str(status): _problem(status, refs) for status in sorted(errors_of(route))
    }
    return told


def errors_of(route: Route) -> set[int]:
    """The error statuses a documented route may give."""
    assert route.api is not None
    api = route.api
    found = {503, *api.errors}
    if route.right is not None:
        found |= {401, 403}
        if not api.people:
            found.add(429)
    if "{" in route.path:
        found.add(404)
    if api.query is not None:
        found.add(400)
    if api.body is not None:
        found |= {400, 413, 415}
    return found


def _security(route: Route, api: Api) -> list[Json]:
    if route.right is None:
        return []
    person: Json = {"session": []}
    return [person] if api.people else [person, {"token": [] if api.scope is None else [api.scope.value]}]


def _placeholders(path: str) -> list[Json]:
    found = []
    for name, pattern in _PLACE.findall(path):
        other: Json = {"type": "integer", "minimum": 0} if pattern == r"\d+" else {"type": "string"}
        schema = dict(_KNOWN.get(name, other))
        described = schema.pop("description", None)
        said = {"description": described} if described else {}
        found.append({"name": name, "in": "path", "required": True, **said, "schema": schema})
    return found


@cache
def _query(shape: type[Shape]) -> tuple[Json, ...]:
    whole = shape.model_json_schema(ref_template=REF)
    found = []
    for name, raw in whole["properties"].items():
        schema = _plain(tidy(raw))
        described = schema.pop("description", None)
        said = {"description": described} if described else {}
        required = name in whole.get("required", ())
        found.append({"name": name, "in": "query", "required": required, **said, "schema": schema})
    return tuple(found)


def _plain(schema: Json) -> Json:
    """What an address can hold: a text, never null."""
    some = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
    if len(some) == 1:
        schema = {**some[0], **schema}
    elif some:
        schema["anyOf"] = some
    if schema.get("default", 0) is None:
        del schema["default"]
    return schema


def _answer(api: Api, refs: Refs) -> Json:
    told: Json = {"description": HTTPStatus(api.status).phrase}
    if api.answer is not None:
        told["content"] = {api.media: {"schema": refs[api.answer, "serialization"]}}
    elif api.status != HTTPStatus.NO_CONTENT:
        told["content"] = {api.media: {}}
    return told


def _problem(status: int, refs: Refs) -> Json:
    told: Json = {
        "description": _WRONG.get(status, HTTPStatus(status).phrase),
        "content": {"application/problem+json": {"schema": refs[ProblemDetails, "serialization"]}},
    }
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        told["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return told


def _tag(route: Route) -> str:
    first, _, rest = address(route).removeprefix("/api/").removeprefix("/").partition("/")
    return _TAG_OF.get(first, first if rest or first in TAGS else "service")


def tidy(schema: Any) -> Any:
    """Without the titles that pydantic makes of names: they say the same twice."""
    if isinstance(schema, list):
        return [tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {key: tidy(value) for key, value in inner.items()} if name == "properties" else tidy(inner)
        for name, inner in schema.items()
        if name != "title" or not isinstance(inner, str)
    }
