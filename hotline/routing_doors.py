"""The two doors at which a dialplan asks: FastAGI and HTTP, each open where the configuration names a port."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any

import structlog
from aiohttp import web

from hotline.cli import UsageError
from hotline.routing import Question, Router
from hotline.routing_http import RouteApp
from hotline.settings import Settings
from hotline.tasks import Crew
from telephony.agi import AgiServer
from telephony.agi_environment import Environment
from telephony.routing import RouteReason, variables

log = structlog.get_logger()

SCRIPT = "route"  # agi://host:port/route
DID, MENU, PBX = 1, 2, 3  # the arguments, in the order the dialplan gives them
GRACE = 1.0  # seconds that open questions are given when the service stops


class RoutingDoors:
    """Opens and closes the doors. ``ports``: where they are open."""

    def __init__(self, settings: Settings, router: Router, crew: Crew) -> None:
        self._routing, self._router = settings.routing, router
        self._agi = AgiServer(SCRIPT, self._answer, allow=settings.routing.allow, start=crew.start)
        self._http: RouteApp | None = None
        self.ports: dict[str, int] = {}

    async def opened(self, _app: web.Application) -> AsyncIterator[None]:
        """A cleanup context. UsageError when a port is taken or the token is missing."""
        wants = self._routing
        runner: web.AppRunner | None = None
        try:
            if wants.agi_port is not None:
                self.ports["agi"] = await self._agi.open(wants.host, wants.agi_port)
            if wants.http_port is not None:
                self._http = RouteApp(self._router, wants.token())
                runner = web.AppRunner(self._http.build(), access_log=None, shutdown_timeout=GRACE)
                await runner.setup()
                await web.TCPSite(runner, wants.host, wants.http_port).start()
                self.ports["http"] = int(runner.addresses[0][1])
        except (OSError, LookupError) as error:
            self._agi.close()
            if isinstance(error, OSError):
                raise UsageError(f"routing cannot listen on {wants.host}: {error.strerror or error}") from error
            raise UsageError(str(error)) from error
        if self.ports:
            log.info("routing answers the dialplan", host=wants.host, **self.ports)
        yield
        self._agi.close()
        if runner is not None:
            await runner.cleanup()

    def report(self) -> dict[str, Any] | None:
        """Where the doors are, how many questions were answered and why; None when they are shut."""
        if not self.ports:
            return None
        refused = 0 if self._http is None else self._http.refused
        reasons = self._router.reasons
        return {
            "ports": dict(self.ports),
            "answered": reasons.total(),
            "late": reasons[RouteReason.LATE.value],
            "reasons": dict(reasons),
            "agi": asdict(self._agi.counts),
            "http": {"refused": refused},
        }

    async def _answer(self, asked: Environment, peer: str) -> Mapping[str, str]:
        question = Question(
            did=asked.argument(DID) or "",
            caller=asked.caller,
            menu=asked.argument(MENU),
            call=asked.uniqueid,
            pbx=asked.argument(PBX),
            peer=peer,
        )
        return variables(await self._router.route(question))
