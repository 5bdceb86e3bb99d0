"""What a browser or a program sent: text that a database can keep, or 400."""

from aiohttp import web


def keepable(text: str) -> bool:
    """Whether a database can keep a text: no NUL (PostgreSQL has none), no half of a surrogate pair (no UTF-8 has)."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


async def form(request: web.Request) -> dict[str, str]:
    """The fields of a form, the first of each name; files are no fields of ours."""
    try:
        sent = await request.post()
    except (ValueError, LookupError) as error:  # not in the encoding it names, or none anybody knows
        raise web.HTTPBadRequest(text="this form cannot be read") from error
    fields: dict[str, str] = {}
    for name, value in sent.items():
        if not isinstance(value, str) or not keepable(value):
            raise web.HTTPBadRequest(text=f"the field {name!r} is not text")
        fields.setdefault(name, value)
    return fields


def query(request: web.Request) -> dict[str, str]:
    """The query of an address."""
    if not all(keepable(value) for value in request.query.values()):
        raise web.HTTPBadRequest(text="the address holds what is not text")
    return dict(request.query)
