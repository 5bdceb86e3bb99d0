"""``hotline replay FILE``: the calls, or the facts, of a captured AMI stream. Results on stdout, one JSON line each."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hotline.cli import UsageError
from hotline.replay import calls_of, facts_of
from numbering.identify import identify
from telephony.call import CallKey, Fact
from telephony.framing import Counts
from telephony.lines import Lines
from telephony.tracker import Tracker

_CHUNK = 65536


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="raw bytes of an AMI connection")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--calls", action="store_true", help="one line per 400 call")
    what.add_argument("--facts", action="store_true", help="one line per fact")
    parser.add_argument("--trunk", action="append", default=[], metavar="TECH/NAME", help="the carrier's endpoint")
    parser.add_argument(
        "--number",
        action="append",
        default=[],
        metavar="NUMBER[:ALIAS...]",
        help="one of our numbers, its landing numbers",
    )
    parser.add_argument(
        "--agent",
        action="append",
        default=[],
        metavar="INTERFACE=EXTENSION",
        help="whose phone it is, where no name tells",
    )
    parser.add_argument("--voicemail-event", metavar="NAME", help="UserEvent of the dialplan after a message was left")
    parser.add_argument(
        "--recording-event", metavar="NAME", default="CC400Recording", help="UserEvent with the file names"
    )
    parser.add_argument("--pbx", metavar="NAME", default="pbx", help="the PBX's name in the calls' keys")


def run(args: argparse.Namespace) -> int:
    """Read the file and print what it tells."""
    if not args.trunk:
        raise UsageError("say which endpoint the carrier's calls come from: --trunk PJSIP/carrier")
    if not args.number:
        raise UsageError("say which numbers are ours: --number 4007002505:01062802505")
    agents = dict(pair.partition("=")[::2] for pair in args.agent)
    tracker = Tracker(
        args.pbx,
        _lines(args.number),
        args.trunk,
        agents,
        voicemail_event=args.voicemail_event,
        recording_event=args.recording_event,
    )
    counts = Counts()
    facts = facts_of(_read(args.file), tracker, counts)
    for line in calls_of(facts) if args.calls else map(_fact_line, facts):
        if line.get("caller") is not None and "e164" in line:
            line["e164"] = identify(line["caller"]).e164
        print(json.dumps(line, ensure_ascii=False))
    refused = {name: n for name, n in dataclasses.asdict(counts).items() if n and name not in ("messages", "events")}
    if refused:
        print("refused:", ", ".join(f"{name} {n}" for name, n in refused.items()), file=sys.stderr)
    return 0


def _read(path: Path) -> Iterator[bytes]:
    """The file's bytes, chunk by chunk, so that a capture of any size needs no memory."""
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _lines(numbers: Sequence[str]) -> Lines:
    try:
        return Lines(
            {
                number: aliases.split(":") if aliases else []
                for number, _, aliases in (n.partition(":") for n in numbers)
            }
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _fact_line(fact: Fact) -> dict[str, Any]:
    """A fact as JSON: its name in lower case, then its fields."""
    line: dict[str, Any] = {"fact": type(fact).__name__.lower()}
    for part in dataclasses.fields(fact):
        value = getattr(fact, part.name)
        line[part.name] = str(value) if isinstance(value, CallKey) else value
    return line
