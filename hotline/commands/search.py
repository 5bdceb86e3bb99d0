"""``hotline search``: calls and tickets by what was said and what stands on them; ``--rebuild`` makes the index anew.

Whoever may read the database may read all of it: this asks as one who may see everything.
"""

import argparse
import json
import sys

from hotline.cli import UsageError
from hotline.opening import add_database, with_database
from screenpop.answers.search import FoundCall
from storage.customer_search import CustomerSearch
from storage.database import Database
from storage.search import Asker, Search

AT_ONCE = 1000  # customers
ADMIN = Asker("", None, everything=True)


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("words", nargs="*", help="all of them must have been said")
    parser.add_argument("--line", metavar="NUMBER", help="on this line only")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="calls, and tickets, at most (default: 20)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line: calls, then tickets")
    parser.add_argument("--rebuild", action="store_true", help="index everything anew; the service may run meanwhile")


def run(args: argparse.Namespace) -> int:
    """Search, 1 when nothing was found; or rebuild."""
    if args.rebuild == bool(args.words):
        raise UsageError("name words to look for, or --rebuild")
    if args.limit < 1:
        raise UsageError("--limit is at least 1")
    return with_database(args, lambda db: _rebuild(db) if args.rebuild else _search(db, args))


async def _rebuild(db: Database) -> int:
    search, customers = Search(db), CustomerSearch(db)
    await search.forget()
    await customers.forget()
    done = 0
    while some := await search.catch_up() + await customers.catch_up(AT_ONCE):
        done += some
        print(f"{done} calls, tickets and customers", file=sys.stderr)
    return 0


async def _search(db: Database, args: argparse.Namespace) -> int:
    search, question = Search(db), " ".join(args.words)
    calls = (await search.calls(question, ADMIN, line=args.line, limit=args.limit)).hits
    tickets = await search.tickets(question, ADMIN, line=args.line, limit=args.limit)
    if args.json:
        hits = [FoundCall.of_hit(hit, full=True).model_dump(mode="json") for hit in calls]
        found = [*({"call": hit} for hit in hits), *({"ticket": item.ticket.number} for item in tickets)]
        sys.stdout.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in found)
    else:
        for hit in calls:
            sys.stdout.write(f"{hit.item.key}\n")
            sys.stdout.writelines(f"  {one.start:7.1f} {one.speaker:6} {one.text}\n" for one in hit.snippets)
        sys.stdout.writelines(f"{item.ticket.number} {item.ticket.title}\n" for item in tickets)
    return 0 if calls or tickets else 1
