"""``hotline serve``: runs the service until Ctrl-C or SIGTERM. Installs nothing."""

import argparse
import asyncio
import errno
import random
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from aiohttp import web

from crm.guarded import Guarded
from crm.registry import ConnectorError
from hotline import logs, newcomer, tls
from hotline.app import Service
from hotline.cli import UsageError
from hotline.clock import now
from hotline.collector import settle
from hotline.crm_opening import first_word, open_crm
from hotline.demo import TRUNKS, VOICEMAIL_EVENT
from hotline.demo.pbx import DemoPbx
from hotline.settings import ConfigError, Settings, load
from hotline.tasks import Crew
from hotline.telephony_settings import Pbx
from storage.migrate import upgrade
from storage.trouble import StorageError
from transcription.lexicon import LexiconError

log = structlog.get_logger()


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "--config", type=Path, help="the configuration file (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument("--host", help="listen here instead of where the configuration says")
    parser.add_argument("--port", type=int, help="listen on this port instead (0: any free one)")
    parser.add_argument("--log-json", action="store_true", help="log JSON lines even to a terminal")


def run(args: argparse.Namespace) -> int:
    """Serve; 0 after an orderly end, 1 when something broke."""
    logs.configure(machine=True if args.log_json else None)
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(f"the configuration has faults:\n{error}") from error
    server = settings.server.model_copy(
        update={key: value for key in ("host", "port") if (value := getattr(args, key)) is not None}
    )
    settings = settings.model_copy(update={"server": server})
    try:
        secrets = {pbx.name: pbx.secret() for pbx in settings.pbx}
        for cti in settings.cti:
            cti.token()
        for pbx in settings.pbx:
            if pbx.recorder is not None:
                pbx.recorder_secret()  # told here, in one line, if it is not there
            if pbx.desk is not None:
                pbx.desk_secret()
        settings.accounts.key()
        if settings.oidc is not None:
            settings.oidc.secret()
    except LookupError as error:
        raise UsageError(str(error)) from error
    try:
        return asyncio.run(_serve(settings, secrets))
    except (StorageError, LexiconError) as error:
        raise UsageError(str(error)) from error


async def _serve(settings: Settings, secrets: dict[str, str]) -> int:
    stop = asyncio.Event()
    _on_signals(stop)
    await upgrade(settings.database_url)
    async with AsyncExitStack() as stack:
        demo = not settings.pbx and not settings.cti
        if demo:
            settings, secret, pbx = await _with_demo_pbx(settings, stack)
            secrets = {settings.pbx[0].name: secret}
        crm = await _crm(settings)
        service = Service(settings, now, secrets, crm)
        runner = web.AppRunner(service.build(), access_log=None)
        stack.push_async_callback(runner.cleanup)
        settle()
        await runner.setup()
        address = await _listen(runner, settings, service.crew)
        if demo:
            await newcomer.bring_customers(service.embedded, settings.database_url)
            made = await newcomer.make_accounts(service.accounts, service.hasher, now())
            print(newcomer.announce(address, made), flush=True)
            stack.push_async_callback(_ended, service.crew.start(pbx.run(), "built-in PBX"))
        else:
            await service.accounts.remove_demo()
            print(f"hotline is running: {address}", flush=True)
        failed = asyncio.get_running_loop().create_task(service.crew.failed.wait())
        stopping = asyncio.get_running_loop().create_task(stop.wait())
        await asyncio.wait({failed, stopping}, return_when=asyncio.FIRST_COMPLETED)
        failed.cancel()
        stopping.cancel()
        if service.crew.error is None:
            log.info("stopping")
            return 0
        return 1


async def _crm(settings: Settings) -> Guarded | None:
    """The connector that the settings name, opened. UsageError when it cannot work as it is set up."""
    if settings.crm.embedded:
        return None
    try:
        crm = await open_crm(settings.crm, now)
        try:
            await first_word(crm)
        except ConnectorError:
            await crm.close()
            raise
    except ConnectorError as error:
        raise UsageError(f"[crm]: {error}") from error
    return crm


async def _listen(runner: web.AppRunner, settings: Settings, crew: Crew) -> str:
    host, port = settings.server.host, settings.server.port
    try:
        context = tls.context(settings.server)
    except tls.TlsError as error:
        raise UsageError(str(error)) from error
    site = web.TCPSite(runner, host, port, ssl_context=context)
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            advice = f"port {port} is taken, by another hotline perhaps: stop that, or choose one with --port"
        else:
            advice = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise UsageError(advice) from error
    bound = runner.addresses[0][1]
    cert, key = settings.server.tls_cert, settings.server.tls_key
    if context is not None and cert is not None and key is not None:
        crew.start(tls.Renewal(context, cert, key, now).run(), "certificate")
    elif tls.beyond_this_machine(settings.server):
        log.warning("plain_http", host=host, lost="no notifications in browsers; cookies cross the network readable")
    scheme = "http" if context is None else "https"
    return f"{scheme}://{host if host not in ('0.0.0.0', '::') else 'localhost'}:{bound}"  # noqa: S104 - compared, not bound


async def _with_demo_pbx(settings: Settings, stack: AsyncExitStack) -> tuple[Settings, str, DemoPbx]:
    """Open the built-in PBX; the settings then name it like any other. Its secret comes beside them."""
    settings = newcomer.with_demo_company(settings)
    root = settings.recordings.root
    assert root is not None
    root.mkdir(parents=True, exist_ok=True)
    pbx = DemoPbx(root, now, random.Random())  # noqa: S311 - a programme, not a secret
    address = await pbx.start()
    stack.push_async_callback(pbx.close)
    named = Pbx(
        name="demo",
        host=address.host,
        port=address.port,
        user=address.user,
        trunks=TRUNKS,
        voicemail_event=VOICEMAIL_EVENT,
    )
    return settings.model_copy(update={"pbx": (named,)}), address.secret, pbx


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _on_signals(stop: asyncio.Event) -> None:
    """The first signal ends in order, a second one at once."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            print("hotline: stopped at once", file=sys.stderr, flush=True)
            raise SystemExit(1)
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, asked)
