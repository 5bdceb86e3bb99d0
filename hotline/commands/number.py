"""``hotline number [--area 0755] -- RAW...``: what the service makes of telephone numbers, a JSON line each."""

import argparse
import io
import json
import sys
from collections.abc import Iterator

from hotline.cli import UsageError
from numbering.identify import identify
from numbering.plan import area_code
from numbering.region import with_region


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--area", metavar="CODE", help="area code of the line, for local numbers (0755)")
    parser.add_argument("raw", nargs="*", metavar="RAW", help="numbers as they arrived; none: one a line from stdin")
    parser.epilog = "Put -- before numbers that begin with a minus."


def run(args: argparse.Namespace) -> int:
    """Print ``{"raw", "e164", "ext", "kind", "region"}`` for each number."""
    if args.area is not None and area_code(args.area) is None:
        raise UsageError(f"China has no area code {args.area!r}")
    for raw in args.raw or _lines():
        number = with_region(identify(raw, args.area))
        answer = {
            "raw": number.raw,
            "e164": number.e164,
            "ext": number.ext,
            "kind": number.kind.value,
            "region": number.region,
        }
        line = json.dumps(answer, ensure_ascii=False)
        # Bytes that are no UTF-8 arrive as lone surrogates; escaped they are still the same JSON.
        sys.stdout.write(line.encode("utf-8", "backslashreplace").decode() + "\n")
    return 0


def _lines() -> Iterator[str]:
    if sys.stdin.isatty():
        raise UsageError("name the numbers, or give them on standard input, one a line")
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    for line in sys.stdin:
        yield line.rstrip("\r\n")
