"""``hotline check``: is the configuration sound? Names every fault at once, each with its line."""

import argparse
import json
import sys
from pathlib import Path

from hotline.settings import ConfigError, Fault, Settings, find, load


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
        try:
            pbx.secret()
        except LookupError as error:
            faults.append(Fault(None, f"pbx[{index}]", str(error)))
    root = settings.recordings.root
    if root is not None and not root.is_dir():
        faults.append(Fault(None, "recordings.root", f"{root} is no folder that can be read here"))
    model = settings.transcription.model
    if model is not None and not model.is_dir():
        faults.append(Fault(None, "transcription.model", f"{model} is no folder: give the unpacked model's folder"))
    return faults
