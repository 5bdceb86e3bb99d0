"""Days as people pick them in a filter, on the site's clock."""

from datetime import datetime, time, timedelta

from aiohttp import web

from screenpop.rendering import reader


def midnight(request: web.Request, day: str | None, *, after: int = 0) -> float | None:
    """When a day of the site begins, or so many days ``after`` it, epoch seconds. 400 for what is no day."""
    if not day:
        return None
    try:
        begins = datetime.combine(datetime.strptime(day, "%Y-%m-%d").date(), time(), reader(request).zone)  # noqa: DTZ007 - a day
        return (begins + timedelta(days=after)).timestamp()
    except (ValueError, OverflowError) as error:
        raise web.HTTPBadRequest(text="a day is written 2026-11-20") from error
