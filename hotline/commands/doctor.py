"""``hotline doctor``: names each fault of the whole installation with its remedy; ``--watch`` follows one call."""

import argparse
import asyncio
import json
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from hotline.cli import UsageError
from hotline.clock import now
from hotline.doctor.examine import examine
from hotline.doctor.finding import Finding, Report
from hotline.doctor.watch import watch
from hotline.doctor.watching import Step
from hotline.settings import ConfigError, Settings, find, load


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "--config", type=Path, help="the configuration file (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument(
        "--pbx-config",
        action="append",
        default=[],
        metavar="[PBX=]DIR",
        help="the PBX's configuration folder or a copy of it, mostly /etc/asterisk: much more can be told with it",
    )
    parser.add_argument("--pbx", metavar="NAME", help="look at this PBX only")
    parser.add_argument(
        "--listen", type=float, default=2.0, metavar="SECONDS", help="how long to listen to others' calls (2)"
    )
    parser.add_argument("--watch", action="store_true", help="follow one test call live, and say what was missing")
    parser.add_argument(
        "--timeout", type=float, default=300.0, metavar="SECONDS", help="how long --watch goes on at most (300)"
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(args: argparse.Namespace) -> int:
    """Examine, or watch; 0 when sound, 1 with faults, or when the call watched for did not come whole."""
    path = find(args.config)
    try:
        settings = _only(load(path), args.pbx)
    except ConfigError as error:
        raise UsageError(f"the configuration has faults, mend them first:\n{error}") from error
    if not settings.pbx:
        raise UsageError("no [[pbx]] is configured: nothing to look at but the built-in one")
    if args.watch:
        return _watch(settings, args)
    folders = _folders(args.pbx_config, settings)
    try:
        report = asyncio.run(examine(settings, config=path, folders=folders, listen=max(0.0, args.listen), clock=now))
    except OSError as error:
        raise UsageError(f"--pbx-config: {error}") from error
    if args.json:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
    else:
        _print(report)
    return 1 if report.faults else 0


def _watch(settings: Settings, args: argparse.Namespace) -> int:
    if len(settings.pbx) > 1:
        raise UsageError(f"say which PBX: --pbx {settings.pbx[0].name}")

    def say(step: Step) -> None:
        if args.json:
            print(json.dumps({"after": step.after, "lag": step.lag, "text": step.text}, ensure_ascii=False), flush=True)
        else:
            print(f"{'' if step.after is None else f'{step.after:.3f} s':>12}  {_harmless(step.text)}", flush=True)

    try:
        report = asyncio.run(watch(settings, settings.pbx[0], clock=now, say=say, patience=args.timeout))
    except KeyboardInterrupt:
        return 1
    if args.json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)
    return 1 if report.faults or report.unchecked else 0


def _only(settings: Settings, name: str | None) -> Settings:
    if name is None:
        return settings
    chosen = tuple(pbx for pbx in settings.pbx if pbx.name == name)
    if not chosen:
        raise UsageError(f"no [[pbx]] is named {name}: {', '.join(pbx.name for pbx in settings.pbx)}")
    return settings.model_copy(update={"pbx": chosen})


def _folders(given: Sequence[str], settings: Settings) -> dict[str, Path]:
    """``DIR`` for the only PBX, ``NAME=DIR`` for one of several."""
    names = {pbx.name for pbx in settings.pbx}
    found = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if equals and name in names:
            found[name] = Path(folder)
        elif len(names) == 1:
            found[next(iter(names))] = Path(text)
        else:
            raise UsageError(f"--pbx-config {text}: say which PBX's it is, as {min(names)}={text}")
    return found


def _print(report: Report) -> None:
    for finding in (*report.faults, *report.warnings):
        _print_finding(finding)
    for note in report.unchecked:
        print(_wrapped(f"not checked  {note.subject}: {note.what}"))
        print(_wrapped(f"             {note.how}"))
    if report.sound:
        print(f"{len(report.sound)} things are as they should be (--json lists them)", file=sys.stderr)
    faults, warnings = len(report.faults), len(report.warnings)
    print(f"{faults} fault{'s' * (faults != 1)}, {warnings} warning{'s' * (warnings != 1)}")


def _print_finding(finding: Finding) -> None:
    print(_wrapped(f"{finding.severity.value.upper():12} {finding.code}: {finding.subject}: {finding.what}"))
    print(_wrapped(f"{'':12} why: {finding.why}"))
    print(_wrapped(f"{'':12} do:  {finding.remedy}"))


def _wrapped(text: str) -> str:
    return textwrap.fill(
        _harmless(text), 118, subsequent_indent=" " * 18, break_long_words=False, break_on_hyphens=False
    )


def _harmless(text: str) -> str:
    """Without what moves a terminal's cursor: a caller chooses his number, and some of a dialplan's text."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
