"""Which call an address names. Keys come from a PBX and from whoever types an address: text, never a path."""

from aiohttp import web

from screenpop.forms import keepable
from telephony.call import CallKey


def call_of(request: web.Request) -> CallKey:
    """The call of ``/calls/{key}``; 404 for what is no key."""
    return parsed(request.match_info["key"])


def parsed(text: str) -> CallKey:
    """A call by its key; 404 for what is none."""
    if not keepable(text):
        raise web.HTTPNotFound(text="not a call")
    try:
        return CallKey.parse(text)
    except ValueError as error:
        raise web.HTTPNotFound(text="not a call") from error
