"""``hotline dialplan``: the AMI users and the dialplan for this configuration, and where they go on the PBX."""

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from hotline.cli import UsageError
from hotline.dialplan import extensions, manager, notes
from hotline.dialplan.plan import Kind, Plan, Secrets, Unfit, plan
from hotline.settings import ConfigError, Settings, find, load
from hotline.telephony_settings import Pbx

PARTS: dict[str, tuple[str, Callable[[Plan], str]]] = {
    "manager": (manager.FILE, manager.render),
    "extensions": (extensions.FILE, extensions.render),
    "notes": (notes.FILE, notes.render),
}
_MARK = b"hotline: "  # in the first line of each of our files
_SECRET = re.compile(r"[A-Za-z0-9_.~+/=@%:-]{8,200}")


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument(
        "--config", type=Path, help="the configuration file (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument("--pbx", metavar="NAME", help="which [[pbx]], where there are several")
    parser.add_argument(
        "--for", dest="kind", type=Kind, choices=list(Kind), default=Kind.ASTERISK, help="whose files (asterisk)"
    )
    parser.add_argument("--part", choices=PARTS, help="print this file alone")
    parser.add_argument(
        "--with-secrets", action="store_true", help="print the secrets too; files written have them without asking"
    )
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the files there instead of printing them")


def run(args: argparse.Namespace) -> int:
    """Print or write; 0 done, 1 when the configuration does not say enough, every fault named."""
    if find(args.config) is None:
        raise UsageError("no configuration file: write a hotline.toml with your [[pbx]] and [[line]]s first")
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(f"the configuration has faults:\n{error}") from error
    pbx = _chosen(settings, args.pbx)
    try:
        secrets = _secrets(settings, pbx) if args.with_secrets or args.write else Secrets()
        made = plan(settings, pbx, args.kind, secrets)
    except Unfit as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 1
    parts = [PARTS[args.part]] if args.part else list(PARTS.values())
    texts = {name: render(made) for name, render in parts}
    if args.write:
        for path in _write(texts, args.write):
            print(path)
    elif args.part:
        print("".join(texts.values()), end="")
    else:
        print("\n".join(f"; ======== {name}\n{_shown(name, text)}" for name, text in texts.items()), end="")
    return 0


def _chosen(settings: Settings, name: str | None) -> Pbx:
    names = ", ".join(pbx.name for pbx in settings.pbx)
    if not settings.pbx:
        raise UsageError("the configuration names no [[pbx]]")
    if name is None and len(settings.pbx) > 1:
        raise UsageError(f"there are several PBXs, choose one with --pbx: {names}")
    found = next((pbx for pbx in settings.pbx if name in (None, pbx.name)), None)
    if found is None:
        raise UsageError(f"no [[pbx]] is named {name!r}; there are: {names}")
    return found


def _secrets(settings: Settings, pbx: Pbx) -> Secrets:
    """What is known here; the notes name what is not. Raises Unfit for one that a PBX's file would read otherwise."""
    faults: list[str] = []

    def take(what: str, read: Callable[[], str]) -> str | None:
        try:
            secret = read()
        except LookupError:
            return None
        if not _SECRET.fullmatch(secret):
            faults.append(f"the secret of {what} is too short or has characters that a PBX's file reads otherwise")
        return secret

    made = Secrets(
        user=take(f"PBX {pbx.name!r}", pbx.secret),
        recorder=take("the recorder", pbx.recorder_secret) if pbx.recorder else None,
        desk=take("the desk login", pbx.desk_secret) if pbx.desk else None,
        token=take("routing", settings.routing.token) if settings.routing.http_port else None,
    )
    if faults:
        raise Unfit(faults)
    return made


def _shown(name: str, text: str) -> str:
    """Notes as comments: so the whole output is still what Asterisk would read."""
    return text if name != notes.FILE else "".join(f"; {line}".rstrip() + "\n" for line in text.splitlines())


def _write(texts: dict[str, str], folder: Path) -> list[Path]:
    """Write the files for nobody else's eyes, each at once and whole. Overwrites none that is not ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        foreign = [name for name in texts if (folder / name).exists() and not _ours(folder / name)]
        if foreign:
            raise UsageError(f"{folder / foreign[0]} is not of this command's making: move it away first")
        for name, text in texts.items():
            draft = folder / f".{name}.part"
            draft.unlink(missing_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(folder / name)
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}") from error
    return [folder / name for name in texts]


def _ours(path: Path) -> bool:
    with path.open("rb") as file:
        return _MARK in file.readline(200)
