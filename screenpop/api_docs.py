"""What the API is: its documents for programs, and the same for people to read at ``/api``, without foreign code."""

import asyncio
from functools import cache
from typing import Any

from aiohttp import web

from screenpop import asyncapi
from screenpop.deps import DEPS
from screenpop.openapi import document
from screenpop.rendering import render
from screenpop.rights import Right
from screenpop.route import Api, Route
from screenpop.words import N_, Words

Json = dict[str, Any]
HEADINGS: Words = {
    "account": N_("My account"),
    "callbacks": N_("Missed calls"),
    "calls": N_("Calls"),
    "customers": N_("Customers"),
    "deliveries": N_("Deliveries to other systems"),
    "desk": N_("Desk"),
    "documents": N_("Documents of the API"),
    "privacy": N_("What is kept of one person"),
    "search": N_("Search"),
    "service": N_("Service status"),
    "tickets": N_("Tickets"),
}
ROUTED: web.AppKey[tuple[Route, ...]] = web.AppKey("routed", tuple)


async def openapi(request: web.Request) -> web.Response:
    """``GET /api/openapi.json``."""
    return web.json_response(await documented(request), headers={"Cache-Control": "no-cache"})


async def socket(request: web.Request) -> web.Response:
    """``GET /api/asyncapi.json``."""
    return web.json_response(asyncapi.document(request.app[DEPS].site), headers={"Cache-Control": "no-cache"})


async def page(request: web.Request) -> web.Response:
    """``GET /api``: every operation with what goes in and comes out, and the socket's messages."""
    whole = await documented(request)
    told = asyncapi.document(request.app[DEPS].site)
    by_tag: dict[str, list[Json]] = {}
    for address, methods in whole["paths"].items():
        for method, operation in methods.items():
            shown = _operation(operation)
            by_tag.setdefault(operation["tags"][0], []).append({"method": method.upper(), "path": address, **shown})
    schemas = {name: _fields(schema) for name, schema in whole["components"]["schemas"].items()}
    messages = [
        {"name": name, "summary": one["summary"], "fields": _fields(_found(one["payload"], told))}
        for name, one in told["components"]["messages"].items()
    ]
    return render(
        request,
        "api.html",
        by_tag=by_tag,
        origin=f"{request.scheme}://{request.host}",
        tags=HEADINGS,
        messages=messages,
        schemas={name: fields for name, fields in schemas.items() if fields},
        docs={name: schema.get("description", "") for name, schema in whole["components"]["schemas"].items()},
    )


async def documented(request: web.Request) -> Json:
    """The document of the application's routes. It is made when somebody asks first, as that takes a moment."""
    return await asyncio.to_thread(_document, request.app[ROUTED], request.app[DEPS].site)


_document = cache(document)


def _operation(operation: Json) -> Json:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    good: list[Json] = [answer for status, answer in operation["responses"].items() if status < "300"]
    content: Json = good[0].get("content", {}) if good else {}
    media = next(iter(content), None)
    answer = content[media].get("schema") if media else None
    tokens = [one["token"] for one in operation["security"] if "token" in one]
    return {
        "id": operation["operationId"],
        "summary": operation["summary"],
        "about": operation.get("description", ""),
        "right": operation.get("x-right"),
        "scope": tokens[0][0] if tokens and tokens[0] else None,
        "programs": bool(tokens) or not operation["security"],
        "parameters": [_field(one["name"], one["schema"], one) for one in operation["parameters"]],
        "body": _name(body) if body else None,
        "answer": _name(answer) if answer else media,
        "statuses": [status for status in operation["responses"] if status >= "400"],
    }


def _fields(schema: Json) -> list[Json]:
    needed = schema.get("required", ())
    return [
        _field(name, one, {**one, "required": name in needed}) for name, one in schema.get("properties", {}).items()
    ]


def _field(name: str, schema: Json, said: Json) -> Json:
    about = said.get("description", "")
    return {"name": name, "kind": _kind(schema), "of": _name(schema), "needed": said["required"], "about": about}


def _found(ref: Json, whole: Json) -> Json:
    found: Json = whole["components"]["schemas"][str(ref["$ref"]).rpartition("/")[2]]
    return found


def _name(schema: Json) -> str:
    """The Shape that a schema refers to, '' for none."""
    for one in (schema, schema.get("items", {}), *schema.get("anyOf", ()), schema.get("additionalProperties") or {}):
        if isinstance(one, dict) and "$ref" in one:
            return str(one["$ref"]).rpartition("/")[2]
    return next((name for one in schema.get("anyOf", ()) if (name := _name(one))), "")


def _kind(schema: Json) -> str:
    """What a field is, in a few words."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"[{_kind(schema['items'])}]" if "items" in schema else "[…]"
    if schema.get("type") == "object":
        return "{…}"
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    return str(schema.get("const", schema.get("type", "…")))


ROUTES = (
    Route("GET", "/api", page, Right.ACCOUNT),
    Route("GET", "/api/openapi.json", openapi, None, Api("This document", None)),
    Route("GET", "/api/asyncapi.json", socket, None, Api("The document of the socket at /ws", None)),
)
