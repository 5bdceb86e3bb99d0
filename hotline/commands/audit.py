"""``hotline audit``: who listened to and looked at what, newest first."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime

from hotline.cli import UsageError
from hotline.opening import add_database, with_database
from storage.audit import Audit, AuditRow, What
from storage.database import Database


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, one entry a line")
    parser.add_argument("--who", metavar="LOGIN", help="only what this person did")
    parser.add_argument("--what", choices=[what.value for what in What], help="only this kind of deed")
    parser.add_argument("--subject", help="only what was done to this call (pbx:linkedid), ticket or login")
    parser.add_argument("--since", metavar="DATE", help="only from then on: 2026-11-21 or 2026-11-21T08:00+08:00")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="at most N entries (100)")


def run(args: argparse.Namespace) -> int:
    """Print the entries."""
    since = None
    if args.since is not None:
        try:
            since = datetime.fromisoformat(args.since).astimezone().timestamp()
        except ValueError as error:
            raise UsageError(
                f"--since {args.since!r} is no date: write 2026-11-21 or 2026-11-21T08:00+08:00"
            ) from error
    for row in with_database(args, lambda db: _rows(db, args, since)):
        sys.stdout.write(_line(row, as_json=args.json) + "\n")
    return 0


async def _rows(db: Database, args: argparse.Namespace, since: float | None) -> list[AuditRow]:
    what = None if args.what is None else What(args.what)
    return list(await Audit(db).rows(who=args.who, what=what, subject=args.subject, since=since, limit=args.limit))


def _line(row: AuditRow, *, as_json: bool) -> str:
    at = datetime.fromtimestamp(row.at).astimezone()
    if as_json:
        return json.dumps(asdict(row) | {"what": row.what.value}, ensure_ascii=False)
    detail = json.dumps(row.detail, ensure_ascii=False) if row.detail else ""
    return f"{at:%Y-%m-%d %H:%M:%S} {row.who} {row.what.value} {row.subject} {detail} {row.ip or ''}".rstrip()
