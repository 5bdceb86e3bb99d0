"""``hotline token [list [LOGIN] | add LOGIN | revoke ID]``: what programs log in with.

A token is printed once, when it is made; nobody can read it again.
"""

import argparse
import json
import sys

from hotline.cli import UsageError
from hotline.clock import now
from hotline.opening import add_database, with_database
from screenpop.rights import Role, may
from screenpop.route import Scope
from screenpop.tokens import NEEDS
from storage.accounts import Accounts
from storage.audit import Audit, What
from storage.database import Database
from storage.tokens import Token, TokenError, Tokens

DAY = 86400.0
DAYS = 90
LONGEST = 3650


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, one token a line")
    parser.add_argument("--name", help="with add: what the program is called")
    scopes = ", ".join(Scope)
    parser.add_argument(
        "--scope", action="append", choices=[scope.value for scope in Scope], help=f"with add, once or more: {scopes}"
    )
    lasts = parser.add_mutually_exclusive_group()
    lasts.add_argument("--days", type=int, metavar="N", help=f"with add: how long it is valid ({DAYS})")
    lasts.add_argument("--no-end", action="store_true", help="with add: it never expires")
    parser.add_argument("action", nargs="?", choices=["list", "add", "revoke"], default="list")
    parser.add_argument("subject", nargs="?", metavar="LOGIN|ID")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when it cannot be (nobody of that login, no such token)."""
    adds = args.action == "add"
    if not adds and (args.name is not None or args.scope or args.days is not None or args.no_end):
        raise UsageError(f"{args.action} takes no --name, --scope, --days, --no-end")
    if adds and not (args.subject and args.name and args.scope):
        raise UsageError("add takes a LOGIN, --name and at least one --scope")
    if args.days is not None and not 0 < args.days <= LONGEST:
        raise UsageError(f"--days is 1 to {LONGEST}")
    if args.action == "revoke" and not (args.subject and args.subject.isascii() and args.subject.isdecimal()):
        raise UsageError("revoke takes the ID that list shows")
    actions = {"list": _list, "add": _add, "revoke": _revoke}
    try:
        with_database(args, lambda db: actions[args.action](db, args))
    except TokenError as error:
        sys.stderr.write(f"hotline token: {error}\n")
        return 1
    return 0


async def _list(db: Database, args: argparse.Namespace) -> None:
    at = now()
    for token in await Tokens(db).of(args.subject and args.subject.strip().lower()):
        _show(token, args, at)


async def _add(db: Database, args: argparse.Namespace) -> None:
    at, login = now(), args.subject.strip().lower()
    user = await Accounts(db).find(login)
    if user is None:
        raise TokenError(f"there is no user {login!r}")
    for scope in map(Scope, args.scope):
        if not may(Role(user.role), NEEDS[scope]):
            raise TokenError(f"{login} may not do what the scope {scope.value!r} opens")
    expires = None if args.no_end else at + (args.days or DAYS) * DAY
    made, secret = await Tokens(db).make(login, args.name, args.scope, by="cli", now=at, expires=expires)
    detail = {"id": made.id, "name": made.name, "scopes": sorted(made.scopes), "expires": expires}
    await Audit(db).add("cli", What.PROGRAM_ADDED, login, at, detail)
    _show(made, args, at, secret)


async def _revoke(db: Database, args: argparse.Namespace) -> None:
    at = now()
    ended = await Tokens(db).revoke(int(args.subject), by="cli", now=at) if len(args.subject) < 19 else None  # noqa: PLR2004 - 63 bits
    if ended is None:
        raise TokenError(f"there is no token {args.subject} that still stands")
    await Audit(db).add("cli", What.PROGRAM_REMOVED, ended.login, at, {"id": ended.id, "name": ended.name})


def _show(token: Token, args: argparse.Namespace, at: float, secret: str | None = None) -> None:
    if args.json:
        told = {
            "id": token.id,
            "login": token.login,
            "name": token.name,
            "scopes": sorted(token.scopes),
            "created": token.created,
            "created_by": token.created_by,
            "expires": token.expires,
            "used": token.used,
            "revoked": token.revoked,
            **({} if secret is None else {"secret": secret}),
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    stands = "" if token.live(at) else "  revoked" if token.revoked is not None else "  expired"
    left = "no end" if token.expires is None else f"{max(0.0, token.expires - at) / DAY:.0f} days left"
    scopes = ",".join(sorted(token.scopes))
    sys.stdout.write(f"{token.id:<6} {token.login:<16} {scopes:<32} {left:<16} {token.name}{stands}\n")
    if secret is not None:
        sys.stdout.write(f"token: {secret}\n")
