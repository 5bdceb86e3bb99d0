"""The service put together: every part made once, started in order, stopped in the opposite one.

Listening to the PBX starts last and stops first; the database closes last. A background task that dies takes the
service down (:mod:`hotline.tasks`): a restart and a resync are better than limping on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from argon2 import PasswordHasher

from crm.connector import Connector
from crm.guarded import Guarded
from hotline.acquaintance import Acquaintance
from hotline.archive import Archive
from hotline.callers import identify_with_region, rules_of
from hotline.choosing import Choosing, Memories
from hotline.crm_side import CrmSide, follow_of
from hotline.cti import CtiDoor
from hotline.customer_index import keep_up
from hotline.desk_side import DeskSide
from hotline.doorway import door_of
from hotline.health import Health
from hotline.jobs import TRANSCRIPTS, lanes, only_ours
from hotline.lookup import Lookup
from hotline.metrics import page as metrics_page
from hotline.past import Past
from hotline.pipeline import Pipeline
from hotline.reopening import Reopening
from hotline.routing import Router
from hotline.routing_doors import RoutingDoors
from hotline.settings import Settings
from hotline.shadow import Shadow
from hotline.speech_side import SpeechSide
from hotline.tasks import Crew
from numbering import region
from screenpop.asks import Voice
from screenpop.card import LineInfo
from screenpop.deps import Deps
from screenpop.desk import Desk
from screenpop.finding import Finding
from screenpop.meter import Rate
from screenpop.outgoing import Outgoing
from screenpop.web import build_app
from storage.accounts import Accounts
from storage.audit import Audit
from storage.customers import EmbeddedCrm
from storage.database import Database
from storage.drain import Handler
from storage.entered import EnteredCustomers
from storage.fanout import Fanout, MemoryFanout
from storage.gaps import Gaps
from storage.jobs import JobState
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.recalling import Recall
from storage.redis_fanout import RedisFanout
from storage.route_reads import RouteReads

if TYPE_CHECKING:
    from hotline.pbx_feed import PbxFeed

log = structlog.get_logger()

DRAIN = 5.0  # seconds that what happened last may take to be written when the service stops


class Service:
    """One process of hotline. ``settings`` name at least one PBX; ``secrets`` are the AMI secrets by its name.

    ``crm``: the opened connector where the settings name one (:func:`hotline.crm_opening.open_crm`), ours to close.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float],
        secrets: Mapping[str, str],
        crm: Guarded | None = None,
    ) -> None:
        self.settings, self.clock, self._secrets = settings, clock, secrets
        self.crew = Crew()
        self.db = Database.open(settings.database_url)
        self.ledger = Ledger(self.db, settings.site.zone, follow_of(settings))
        self.reads, self.accounts, self.audit = Reads(self.db), Accounts(self.db), Audit(self.db)
        self.outbox = Outbox(self.db)
        self.fanout: Fanout = RedisFanout(settings.redis_url) if settings.redis_url else MemoryFanout()
        self.embedded = EmbeddedCrm(self.db)
        self.guarded = crm
        self.hasher = PasswordHasher()
        self.door = door_of(settings, clock)
        self.archive = Archive(
            settings,
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            outbox=self.outbox,
            clock=clock,
            fanout=self.fanout,
        )
        self.speech = SpeechSide(
            settings,
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            outbox=self.outbox,
            recorders=self.archive.recorders,
            fanout=self.fanout,
            clock=clock,
            originals=self.archive.originals,
            follow=[self.archive.sealing.follow],
        )
        self.shadow = Shadow(identify_with_region) if settings.shadow else None
        names = {line.number: LineInfo(line.name, line.area) for line in settings.line}
        self.desk = Desk(names, identify_with_region)
        hears = {pbx.name: False for pbx in settings.pbx} | {one.name: True for one in settings.cti}
        self.voice = Voice(self.fanout, self.desk.page, clock, name=token_hex(8), hears=hears)
        rules = rules_of(settings)
        self.crm_side = CrmSide(
            settings,
            crm,
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            outbox=self.outbox,
            fanout=self.fanout,
            clock=clock,
        )
        copy = self.crm_side.copy
        source = None if crm is None else "" if copy is None else copy.source
        self.finding = Finding.of(self.db, {line.number: line.policy.rules for line in settings.line}, source)
        own = EnteredCustomers(self.db)
        lookup = Lookup(
            self.crm,
            self.reads.open_tickets,
            settings.crm.budget,
            settings.crm.area,
            copy=copy,
            clock=clock,
            own=None if crm is None else own,
        )
        people = {agent.extension: agent.name for agent in settings.agent if agent.name}
        recall = Memories(Recall(self.db, people), clock, settings.site.zone).of
        self.pipeline = Pipeline(
            desk=self.desk,
            voice=self.voice,
            ledger=self.ledger,
            fanout=self.fanout,
            lookup=lookup,
            identify=identify_with_region,
            lines=rules,
            recorded_by_us=self.archive.started_by_us,
            unrecorded=frozenset(one.name for one in settings.cti),
            crew=self.crew,
            clock=clock,
            wake=self.outbox.wake,
            recall=recall,
        )
        self.reopening = Reopening(
            desk=lambda: Desk(names, identify_with_region),
            lookup=lookup,
            reads=self.reads,
            own=own,
            recall=recall,
            identify=identify_with_region,
            rules=rules,
        )
        self.desk_side = DeskSide(settings, db=self.db, fanout=self.fanout, clock=clock)
        self.sink = self.shadow or self.desk_side.beside(self.pipeline)
        self.choosing = Choosing(
            pipeline=self.pipeline, lookup=lookup, reads=self.reads, own=own, fanout=self.fanout, rules=rules
        )
        router = Router(
            settings,
            callers=Acquaintance(
                settings,
                connector=self.crm,
                reads=RouteReads(self.db),
                desk=self.desk,
                clock=clock,
                rules=rules,
                copy=copy,
            ),
            pipeline=self.pipeline,
            identify=identify_with_region,
            crew=self.crew,
            clock=clock,
        )
        self.routing = RoutingDoors(settings, router, self.crew)
        self.feeds: list[PbxFeed] = []
        self.past = Past(
            settings,
            db=self.db,
            ledger=self.ledger,
            reads=self.reads,
            lookup=lookup,
            rules=rules,
            identify=identify_with_region,
            feeds=self.feeds,
            fanout=self.fanout,
            wake=self.outbox.wake,
            clock=clock,
        )

        self.cti = CtiDoor(settings, self.sink, Gaps(self.db, self.ledger), self.reads, clock)

    @property
    def crm(self) -> Connector:
        """Whoever says who is calling."""
        return self.guarded or self.embedded

    def build(self) -> web.Application:
        """The web application; its start and clean-up are the service's."""
        settings = self.settings
        deps = Deps(
            ledger=self.ledger,
            reads=self.reads,
            accounts=self.accounts,
            audit=self.audit,
            fanout=self.fanout,
            now=self.clock,
            voice=self.voice,
            recording=self.archive.recorders.path,
            ears=self.archive.originals,
            finding=self.finding,
            offered=self.choosing.offered,
            card=self.reopening.card,
            privacy=self.archive.privacy,
            outgoing=Outgoing(self.crm_side.pushing, self.crm_side.deliveries, self.outbox),
            status=self.status,
            site=settings.site.name,
            zone=settings.site.zone,
            lines={line.number: line.name or line.number for line in settings.line},
            door=self.door,
            secure=settings.server.https,
            origins=frozenset(settings.server.origins),
            rate=Rate(settings.api.requests_per_minute, settings.api.burst),
            shadow=settings.shadow,
            hasher=self.hasher,
        )
        app = build_app(self.desk_side.give(deps))
        app.router.add_get("/metrics", metrics_page)
        app.router.add_get("/healthz", Health(self._alive).page)
        self.crm_side.add_to(app)
        self.cti.add_to(app)
        # Left in the opposite order: listening stops first, the database, before the pages' own context, closes last.
        app.cleanup_ctx.insert(0, self._storage)
        # In shadow mode there are no jobs, what an earlier service left is not touched, and the dialplan not answered.
        acting = [] if self.shadow else [self._jobs, self.routing.opened]
        app.cleanup_ctx.extend([self._engine, self._spine, *acting, self._listening])
        return app

    async def _storage(self, _app: web.Application) -> AsyncIterator[None]:
        yield
        await self.crm_side.close()
        await self.crm.close()
        await self.door.close()
        await self.fanout.close()
        await self.db.close()

    async def _engine(self, _app: web.Application) -> AsyncIterator[None]:
        yield
        await self.speech.close()

    async def _spine(self, _app: web.Application) -> AsyncIterator[None]:
        await asyncio.to_thread(region.warm)  # before a call may arrive: loading holds up everything else
        if isinstance(self.fanout, RedisFanout):
            self.crew.start(self.fanout.run(), "Redis")
        self.crew.start(self.pipeline.run(), "pipeline")
        self.desk_side.start(self.crew)
        self.crew.start(self.choosing.run(), "choices")
        yield
        try:
            async with asyncio.timeout(DRAIN):
                await self.pipeline.settled()
        except TimeoutError:
            log.error("stopped with facts not written", count=self.pipeline.writer.backlog)
        await self.crew.stop()

    async def _jobs(self, _app: web.Application) -> AsyncIterator[None]:
        ours = {pbx.name for pbx in self.settings.pbx}
        handlers = only_ours(
            {**self.speech.handlers, **self.archive.handlers, **self.past.handlers}, pbxs=ours, clock=self.clock
        )
        jobs = {
            self.crew.start(self._lane(name, some, at_once), name)
            for name, some, at_once in (
                *lanes(handlers, self.settings.transcription.processes),
                *self.crm_side.lanes,
            )
        }
        self.archive.start(self.crew)
        self.crew.start(keep_up(self.finding.customers), "customers to find")
        await self.speech.start()
        await self.crm_side.start(self.crew)
        yield
        for lane in jobs:
            lane.cancel()  # a decode in its middle is given back and begun anew at the next start
        await asyncio.wait(jobs)

    async def _lane(self, name: str, handlers: Mapping[str, Handler], at_once: int) -> None:
        never, by_need = asyncio.Event(), name == TRANSCRIPTS
        await self.outbox.run(handlers, never, clock=self.clock, parallel=at_once, by_need=by_need)

    async def _listening(self, _app: web.Application) -> AsyncIterator[None]:
        listening = []
        listening.append(self.crew.start(self.cti.run(), "CTI"))
        kept = None if self.shadow else self.past.listening
        if kept is not None:
            listening.append(self.crew.start(kept.run(), "who listens"))
        for pbx in self.settings.pbx:
            feed = self.desk_side.feed(pbx, self._secrets[pbx.name], self.sink, kept)
            self.feeds.append(feed)
            listening.append(self.crew.start(feed.run(), f"AMI {pbx.name}"))
        yield
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        if kept is not None:
            await kept.stop()

    async def _alive(self) -> dict[str, Any]:
        async with self.db.read():  # raises when the database does not answer
            return {"database": self.pipeline.writer.trouble, "pbx": [feed.report() for feed in self.feeds]}

    async def status(self) -> dict[str, Any]:
        """What the operator wants to know of this process."""
        counts = await self.outbox.counts()
        return {
            "pbx": [feed.report() for feed in self.feeds],
            "hands": self.desk_side.report(),
            "live_calls": len(self.desk),
            "gaps": await self.past.report(),
            "shadow": self.shadow and self.shadow.report(),
            "jobs": {state.value: sum(n for (_, of), n in counts.items() if of is state) for state in JobState},
            "routing": self.routing.report(),
            "cti": self.cti.report(),
            "crm": await self.crm_side.report(),
            "speech": self.speech.report(),
            "recordings": await self.archive.report(),
            "database": self.pipeline.writer.trouble,
            "waiting_writes": self.pipeline.writer.backlog,
        }
