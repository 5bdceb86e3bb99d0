"""``POST /crm/push``: the CRM's webhooks, so that a change there is seen at once and not at the next look.

Only an accelerator: whoever sends them may lose them. Off until a token is configured (``[crm] push_in_env``), which
comes in the header ``X-Hotline-Token`` or, for systems that can only be given an address, as ``?token=``: what is
taken costs a question to the CRM each. The connector checks signatures where its system signs.

Nobody there waits for us: Odoo sends a webhook while the person who saved still looks at an hourglass. What takes
longer than a moment is done behind the answer.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web

from crm.connector import Can, Connector
from crm.records import Change
from crm.trouble import AuthError, CrmError, InvalidError, UnsupportedError
from hotline.routing_http import TOKEN
from storage.trouble import StorageError

PATH = "/crm/push"
LONGEST = 256 * 1024  # bytes of one webhook
AT_ONCE = 4
PATIENCE = 30.0  # seconds for asking the CRM
MOMENT = 0.2  # seconds that the sender waits at most

OnChanges = Callable[[Sequence[Change]], Awaitable[None]]

log = structlog.get_logger()


class PushIn:
    """Takes webhooks. ``token``: what they must carry. ``on_changes``: who is told what they brought."""

    def __init__(self, connector: Connector, token: str, on_changes: OnChanges) -> None:
        self._connector, self._token, self._on_changes = connector, token.encode(), on_changes
        self._working: set[asyncio.Task[None]] = set()
        self._taken = self._refused = 0
        self._error: str | None = None

    def add_to(self, app: web.Application) -> None:
        """The one route."""
        app.router.add_post(PATH, self.page)

    def report(self) -> dict[str, Any]:
        """For the operator."""
        return {"taken": self._taken, "refused": self._refused, "error": self._error}

    async def close(self) -> None:
        """Break off what is still being done: the feed will see it."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def page(self, request: web.Request) -> web.Response:
        """204 when taken, 202 when it is still being looked at.

        401 wrong token or signature, 400 not understood, 404 nothing is taken here, 413 too long. 503 while the CRM
        cannot be asked, and while there are too many at once: whoever repeats may, the feed sees it anyway.
        """
        given = request.headers.get(TOKEN) or request.query.get("token", "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            self._refused += 1
            raise web.HTTPUnauthorized(text="the token is missing or wrong")
        if Can.PUSH not in self._connector.can:
            raise web.HTTPNotFound(text=f"{self._connector.name} sends no webhooks")
        if len(self._working) >= AT_ONCE:
            raise web.HTTPServiceUnavailable(text="too many at once", headers={"Retry-After": "1"})
        headers = {name.lower(): value for name, value in request.headers.items()}
        work = self._take(headers, await _body(request))
        task = asyncio.get_running_loop().create_task(work, name="webhook of the CRM")
        self._working.add(task)
        task.add_done_callback(self._over)
        done, _ = await asyncio.wait({task}, timeout=MOMENT)
        if not done:
            return web.Response(status=202)
        task.result()
        return web.Response(status=204)

    async def _take(self, headers: Mapping[str, str], body: bytes) -> None:
        changes = await self._changes(headers, body)
        if changes:
            await self._on_changes(changes)
        self._taken += 1

    def _over(self, task: "asyncio.Task[None]") -> None:
        """Who answers has seen what went wrong; when nobody does any more the log has."""
        self._working.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not isinstance(error, web.HTTPException):
            self._error = str(error)
            trace = None if isinstance(error, StorageError) else error
            log.error(
                "what a webhook brought is lost", connector=self._connector.name, error=str(error), exc_info=trace
            )

    async def _changes(self, headers: Mapping[str, str], body: bytes) -> Sequence[Change]:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._connector.take_push(headers, body)
        except AuthError as error:
            raise self._refuse(web.HTTPUnauthorized, error) from error
        except UnsupportedError as error:
            raise self._refuse(web.HTTPNotFound, error) from error
        except InvalidError as error:
            raise self._refuse(web.HTTPBadRequest, error) from error
        except (CrmError, TimeoutError) as error:
            raise self._refuse(web.HTTPServiceUnavailable, error) from error

    def _refuse(self, answer: type[web.HTTPException], error: Exception) -> web.HTTPException:
        self._refused += 1
        self._error = str(error) or type(error).__name__
        log.warning("a webhook of the CRM was not taken", connector=self._connector.name, error=self._error)
        return answer(text=self._error)


async def _body(request: web.Request) -> bytes:
    """The whole body; HTTPRequestEntityTooLarge as soon as it is longer than it may be."""
    parts, size = [], 0
    async for part in request.content.iter_chunked(1 << 14):
        size += len(part)
        if size > LONGEST:
            raise web.HTTPRequestEntityTooLarge(LONGEST, size)
        parts.append(part)
    return b"".join(parts)
