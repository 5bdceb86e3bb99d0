"""Everything that keeps a company's own CRM and us in step, put together from the settings; nothing without one.

The service makes one of these; :mod:`hotline.app` only starts what it gives. Who is calling is asked by
:class:`hotline.lookup.Lookup`, which answers from the copy kept here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from crm.guarded import Guarded
from crm.records import Change, Of
from hotline.crm_opening import report as connector_report
from hotline.crm_opening import secret
from hotline.crm_push_in import PushIn
from hotline.index import Index
from hotline.instep import InStep
from hotline.pushing import Pushing, kinds
from hotline.settings import Settings
from hotline.tasks import Crew
from hotline.writeback import WriteBack
from hotline.writeback_notes import CRM_CALL
from hotline.writeback_tickets import CRM_TICKET
from storage.crm_index import CrmIndex
from storage.database import Database
from storage.deliveries import Deliveries
from storage.drain import Handler
from storage.fanout import Fanout
from storage.following import Follow
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pushed import Pushed
from storage.reads import Reads
from telephony.call import CallKey

AT_ONCE = 4
COMPARING = 2  # a repair need not wait for the nightly comparison


def follow_of(settings: Settings) -> Follow:
    """Which jobs follow our calls and tickets. None in shadow mode: nobody hears of it."""
    if settings.shadow:
        return Follow()
    pushes = kinds(settings.crm.push)
    return Follow((CRM_CALL, *pushes), (CRM_TICKET,)) if _writes(settings) else Follow(pushes)


class CrmSide:
    """The copy of the CRM's customers, what is written back, who else is told.

    ``connector``: None for our own customers. ConnectorError for a secret that is not where the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        connector: Guarded | None,
        *,
        db: Database,
        ledger: Ledger,
        reads: Reads,
        outbox: Outbox,
        fanout: Fanout,
        clock: Callable[[], float],
    ) -> None:
        self._connector = connector
        self._index: Index | None = None
        self._writes: WriteBack | None = None
        self._door: PushIn | None = None
        self._in_step: InStep | None = None
        self.deliveries = Deliveries(db)
        self.pushing = Pushing(
            settings=settings,
            reads=reads,
            pushed=Pushed(db),
            deliveries=self.deliveries,
            clock=clock,
            link=_link(settings.server.url),
        )
        if connector is None or settings.shadow:
            return
        if settings.crm.index:
            self._index = Index(db=db, connector=connector, clock=clock, settings=settings)
        if _writes(settings):
            self._writes = WriteBack(
                db=db,
                ledger=ledger,
                reads=reads,
                outbox=outbox,
                fanout=fanout,
                connector=connector,
                clock=clock,
                settings=settings,
            )
        self._in_step = InStep(
            db=db,
            ledger=ledger,
            reads=reads,
            outbox=outbox,
            connector=connector,
            clock=clock,
            settings=settings,
            index=self.copy,
        )
        if settings.crm.push_in_env is not None:
            self._door = PushIn(connector, secret(settings.crm.push_in_env), self._pushed_to_us)

    @property
    def copy(self) -> CrmIndex | None:
        """The CRM's customers as we have them; None without a copy."""
        return None if self._index is None else self._index.copy

    @property
    def lanes(self) -> Sequence[tuple[str, dict[str, Handler], int]]:
        """Names of loops, their handlers, how many each does at once: a CRM that is stuck holds up nobody else."""
        written = {} if self._writes is None else dict(self._writes.handlers)
        compared = {} if self._in_step is None else self._in_step.handlers
        all_lanes = (
            ("CRM", written, AT_ONCE),
            ("in step", compared, COMPARING),
            ("pushes", self.pushing.handlers, AT_ONCE),
        )
        return [lane for lane in all_lanes if lane[1]]

    def add_to(self, app: web.Application) -> None:
        """The door for the CRM's webhooks, where it is open."""
        if self._door is not None:
            self._door.add_to(app)

    async def start(self, crew: Crew) -> None:
        """Begin what runs beside the calls."""
        if self._index is not None:
            crew.start(self._index.run(), "copy of the CRM")
        if self._writes is not None:
            await self._writes.start()
        if self._in_step is not None:
            crew.start(self._in_step.run(), "in step")

    async def report(self) -> Mapping[str, Any] | None:
        """How it goes with the CRM and with everybody else who is told of calls, for the operator."""
        pushes = self.pushing.report()
        if self._connector is None:
            return {"push": pushes} if pushes else None
        return {
            **connector_report(self._connector),
            "index": self._index and self._index.report(),
            "write_back": None if self._writes is None else await self._writes.report(),
            "in_step": self._in_step and await self._in_step.report(),
            "push": pushes,
            "push_in": self._door and self._door.report(),
        }

    async def close(self) -> None:
        """Close what was opened here."""
        if self._door is not None:
            await self._door.close()
        await self.pushing.close()

    async def _pushed_to_us(self, changes: Sequence[Change]) -> None:
        customers = [change for change in changes if change.ref.of is Of.CUSTOMER]
        if self._index is not None and customers:
            await self._index.take(customers)
        if self._writes is not None and len(customers) < len(changes):
            await self._writes.feed.take([change for change in changes if change.ref.of is Of.TICKET])


def _writes(settings: Settings) -> bool:
    return settings.crm.write_back and not settings.crm.embedded


def _link(url: str | None) -> Callable[[CallKey], str | None]:
    if url is None:
        return lambda _: None
    return lambda call: f"{url.rstrip('/')}/calls/{quote(str(call), safe=':')}"
