"""What the API is: its documents for programs, and the same for people to read at ``/api``, without foreign code."""

import asyncio
from functools import cache
from typing import Any

from aiohttp import web

from screenpop import asyncapi
from screenpop.api_reading import Reading
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
    return web.json_response(await spoken(request), headers={"Cache-Control": "no-cache"})


async def page(request: web.Request) -> web.Response:
    """``GET /api``: every operation with what goes in and comes out, and the socket's messages."""
    whole, told = await documented(request), await spoken(request)
    schemas: Json = {**told["components"]["schemas"], **whole["components"]["schemas"]}
    reading = Reading(schemas)
    by_tag: dict[str, list[Json]] = {}
    for address, methods in whole["paths"].items():
        for method, operation in methods.items():
            shown = {"method": method.upper(), "path": address, **reading.operation(operation)}
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    messages = [
        {"name": name, "summary": one["summary"], "fields": reading.fields(reading.found(one["payload"]))}
        for name, one in told["components"]["messages"].items()
    ]
    return render(
        request,
        "api.html",
        by_tag=by_tag,
        origin=f"{request.scheme}://{request.host}",
        tags=HEADINGS,
        messages=messages,
        schemas={name: fields for name, one in sorted(schemas.items()) if (fields := reading.fields(one))},
        docs={name: one.get("description", "") for name, one in schemas.items()},
    )


async def documented(request: web.Request) -> Json:
    """The document of the application's routes. It is made when somebody asks first, as that takes a moment."""
    return await asyncio.to_thread(_document, request.app[ROUTED], request.app[DEPS].site)


async def spoken(request: web.Request) -> Json:
    """The document of the socket."""
    return await asyncio.to_thread(_spoken, request.app[DEPS].site)


_document, _spoken = cache(document), cache(asyncapi.document)


ROUTES = (
    Route("GET", "/api", page, Right.ACCOUNT),
    Route("GET", "/api/openapi.json", openapi, None, Api("This document", None)),
    Route("GET", "/api/asyncapi.json", socket, None, Api("The document of the socket at /ws", None)),
)
