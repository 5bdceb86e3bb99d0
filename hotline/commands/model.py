"""``hotline model list|add|get|demo``: the speech models of this installation.

A model is kept below ``<data>/models`` once it has really been loaded. Nothing is downloaded but by ``get``.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hotline.cli import UsageError
from hotline.settings import ConfigError, load
from transcription.modelfetch import SMALL_MANDARIN, get
from transcription.modelstore import DemoModelError, ModelError, StoredModel, assemble_demo_model, stored
from transcription.modelstore import add as add_model

_EVERY = 1.0  # seconds between two lines of progress where there is no terminal
_MB = 2**20


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="hotline.toml, for its data folder and language")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    todo = parser.add_subparsers(dest="todo", required=True, metavar="list|add|get|demo")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print the result as JSON")
    todo.add_parser("list", parents=[common], help="what is there")
    adding = todo.add_parser("add", parents=[common], help="copy a vosk or faster-whisper model in, once it loads")
    adding.add_argument("path", type=Path, help="its folder or zip file")
    adding.add_argument("--name", help="the name to keep it under (default: the folder's)")
    getting = todo.add_parser("get", parents=[common], help="download a vosk model from its makers")
    getting.add_argument("name", nargs="?", default=SMALL_MANDARIN, help=f"default: {SMALL_MANDARIN}")
    getting.add_argument("--from", dest="url", metavar="URL", help="the zip file at another place")
    getting.add_argument("--sha256", help="the checksum to insist on, instead of the one known")
    todo.add_parser(
        "demo", parents=[common], help="put the demo's draft-quality model together, if its wheels are there"
    )


def run(args: argparse.Namespace) -> int:
    """Do it; what is in the store, or the model that came into it, goes to stdout."""
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    models = settings.data / "models"
    if args.todo == "list":
        _print(stored(models), as_json=args.json)
        return 0
    language = settings.transcription.language
    try:
        if args.todo == "add":
            made = asyncio.run(add_model(models, args.path, name=args.name, language=language, tell=_tell))
        elif args.todo == "get":
            made = asyncio.run(
                get(
                    models, args.name,
                    url=args.url, sha256=args.sha256, language=language, tell=_tell, progress=_progress(),
                )
            )  # fmt: skip
        else:
            folder = assemble_demo_model(models)
            made = next(model for model in stored(models) if model.path == folder)
            _tell("whisper-base: draft quality, for trying the service out; see docs/speech.md for better ones")
    except (ModelError, DemoModelError) as error:
        _tell(str(error))
        return 1
    _print([made], as_json=args.json)
    return 0


def _print(models: list[StoredModel], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"name": m.name, "engine": m.kind, "path": str(m.path), "bytes": m.size, "faults": list(m.faults)}
            for m in models
        ]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return
    for m in models:
        state = "; ".join(m.faults) or "whole"
        sys.stdout.write(f"{m.name}\t{m.kind or '?'}\t{m.size / _MB:.0f} MB\t{state}\t{m.path}\n")
    if not models:
        _tell("there is no speech model yet: hotline model get, or hotline model add PATH")


def _tell(text: str) -> None:
    sys.stderr.write(f"hotline model: {text}\n")


def _progress() -> Callable[[int, int | None], None]:
    """Bytes done on stderr: one line that changes on a terminal, else a line now and then."""
    last = 0.0

    def show(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _EVERY and done != total:
            return
        last = now
        share = f" of {total / _MB:.1f} MB ({100 * done / total:.0f} %)" if total else " MB"
        end = "\r" if sys.stderr.isatty() and done != total else "\n"
        sys.stderr.write(f"  {done / _MB:.1f}{share}{end}")
        sys.stderr.flush()

    return show
