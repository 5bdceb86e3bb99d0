"""``hotline check``: is the configuration sound? Names every fault at once, each with its line."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from crm.registry import ConnectorError
from hotline import lexicons, tls
from hotline.clock import now
from hotline.crm_opening import open_crm
from hotline.pushing import check as check_push
from hotline.settings import ConfigError, Fault, Settings, find, load
from hotline.telephony_settings import Recordings


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "--config", type=Path, help="the configuration file (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument("--json", action="store_true", help="print the faults as JSON")


def run(args: argparse.Namespace) -> int:
    """Validate; 0 when sound, 1 with the faults on stdout."""
    path = find(args.config)
    if path is None:
        print("hotline check: no configuration file; the embedded defaults are used", file=sys.stderr)
        return 0
    try:
        faults = outside(load(path))
    except ConfigError as error:
        faults = error.faults
    if args.json:
        print(json.dumps([{"line": f.line, "key": f.key, "text": f.text} for f in faults], ensure_ascii=False))
    else:
        for fault in faults:
            print(f"{path}: {fault}")
        if not faults:
            print(f"{path}: sound")
    return 1 if faults else 0


def outside(settings: Settings) -> list[Fault]:
    """Faults of what the file points at: secrets that are not there, folders that cannot be read."""
    faults = []
    for index, pbx in enumerate(settings.pbx):
        faults += _secret(f"pbx[{index}]", pbx.secret)
        if pbx.recorder is not None:
            faults += _secret(f"pbx[{index}].recorder", pbx.recorder_secret)
        if pbx.desk is not None:
            faults += _secret(f"pbx[{index}].desk", pbx.desk_secret)
        if pbx.tls_ca is not None:
            faults += _file(f"pbx[{index}].tls_ca", pbx.tls_ca)
        if pbx.cdr is not None and pbx.cdr.file is not None:
            faults += _file(f"pbx[{index}].cdr.file", pbx.cdr.file)
        if pbx.cdr is not None and pbx.cdr.url_env is not None and not os.environ.get(pbx.cdr.url_env):
            faults.append(Fault(None, f"pbx[{index}].cdr", f"{pbx.cdr.url_env} is not set"))
        if pbx.recordings is not None:
            faults += _recordings(f"pbx[{index}].recordings", pbx.recordings)
    faults += _recordings("recordings", settings.recordings)
    faults += _tokens(settings)
    faults += tls.faults(settings.server, now())
    faults += _secret("accounts", settings.accounts.key)
    if settings.oidc is not None:
        faults += _secret("oidc", settings.oidc.secret)
    faults += _crm(settings)
    faults += lexicons.faults(settings)
    model = settings.transcription.model
    if model is not None and not model.is_dir():
        faults.append(Fault(None, "transcription.model", f"{model} is no folder: give the unpacked model's folder"))
    return faults


def _tokens(settings: Settings) -> list[Fault]:
    """Secrets of whatever else asks for one."""
    faults = []
    for index, key in enumerate(settings.sealing.keys):
        faults += _secret(f"sealing.keys[{index}]", key.key)
    if settings.routing.http_port is not None:
        faults += _secret("routing", settings.routing.token)
    for index, cti in enumerate(settings.cti):
        faults += _secret(f"cti[{index}]", cti.token)
    return faults


def _crm(settings: Settings) -> list[Fault]:
    """What only shows when the connector is opened: a secret or mapping that is not there. Nobody is asked anything."""
    faults = []
    for index, push in enumerate(settings.crm.push):
        try:
            check_push(push)
        except ConnectorError as error:
            faults.append(Fault(None, f"crm.push[{index}]", str(error)))
        if push.ca_file is not None:
            faults += _file(f"crm.push[{index}].ca_file", push.ca_file)
    if settings.crm.push_in_env is not None and not os.environ.get(settings.crm.push_in_env):
        faults.append(Fault(None, "crm.push_in_env", f"{settings.crm.push_in_env} is not set"))
    if settings.crm.embedded:
        return faults

    async def opened() -> None:
        await (await open_crm(settings.crm, now)).close()

    try:
        asyncio.run(opened())
    except ConnectorError as error:
        faults.append(Fault(None, "crm", str(error)))
    return faults


def _secret(key: str, read: Callable[[], object]) -> list[Fault]:
    try:
        read()
    except LookupError as error:
        return [Fault(None, key, str(error))]
    return []


def _file(key: str, path: Path) -> list[Fault]:
    try:
        path.open("rb").close()
    except OSError as error:
        return [Fault(None, key, f"{path} cannot be read: {error.strerror or error}")]
    return []


def _recordings(key: str, source: Recordings) -> list[Fault]:
    faults = []
    if source.root is not None and not source.root.is_dir():
        faults.append(Fault(None, f"{key}.root", f"{source.root} is no folder that can be read here"))
    if source.url is not None and source.url.startswith("sftp:") and find_spec("asyncssh") is None:
        faults.append(Fault(None, f"{key}.url", "SFTP needs asyncssh: install hotline[sftp]"))
    if source.messages is not None and not source.messages.is_dir():
        faults.append(Fault(None, f"{key}.messages", f"{source.messages} is no folder that can be read here"))
    for name in ("secret_file", "key_file", "known_hosts", "ca_file"):
        path = getattr(source, name)
        if path is not None:
            faults += _file(f"{key}.{name}", path)
    if source.secret_env is not None and not os.environ.get(source.secret_env):
        faults.append(Fault(None, key, f"{source.secret_env} is not set"))
    return faults
