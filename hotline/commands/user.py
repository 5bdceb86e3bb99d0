"""``hotline user [list | add LOGIN | change LOGIN | remove LOGIN]``: people who log in.

A password is typed unseen, read from standard input, or made up and printed once. There is no default one.
"""

import argparse
import getpass
import json
import sys
from typing import Any

from argon2 import PasswordHasher

from hotline import passwords
from hotline.cli import UsageError
from hotline.clock import now
from hotline.opening import add_database, with_database
from screenpop.passwords import LONGEST, SHORTEST, Weakness, weakness
from screenpop.rights import Role
from storage.accounts import LOGIN, AccountError, Accounts, User
from storage.audit import Audit, What
from storage.database import Database
from storage.identities import Identities
from storage.second_factors import SecondFactors
from storage.sessions import Sessions

WEAK = {
    Weakness.SHORT: f"a password has at least {SHORTEST} characters",
    Weakness.LONG: f"a password has at most {LONGEST} characters",
    Weakness.COMMON: "this password is one of those that are guessed first",
    Weakness.NAME: "this password is mostly the login or the name",
    Weakness.SAME: "this is the present password",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, one user a line")
    parser.add_argument("--name", help="what colleagues call them")
    parser.add_argument("--role", choices=[role.value for role in Role], help="what they may do (new users: agent)")
    parser.add_argument("--extension", help="the phone they sit at; empty for none")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password-stdin", action="store_true", help="read the password's line from standard input")
    secret.add_argument("--generate", action="store_true", help="make a password up and print it once")
    secret.add_argument("--ask", action="store_true", help="with change: ask for a new password")
    active = parser.add_mutually_exclusive_group()
    active.add_argument("--disable", action="store_true", help="with change: may not log in any more")
    active.add_argument("--enable", action="store_true", help="with change: may log in again")
    parser.add_argument(
        "--reset-second-factor", action="store_true", help="with change: the phone is lost; logs them out, too"
    )
    parser.add_argument(
        "--unlink", action="store_true", help="with change: forget which account of the identity provider is theirs"
    )
    parser.add_argument("action", nargs="?", choices=["list", "add", "change", "remove"], default="list")
    parser.add_argument("login", nargs="?", metavar="LOGIN")


def run(args: argparse.Namespace) -> int:
    """Do it; 1 when the account does not allow it (taken, not there)."""
    if (args.login is None) != (args.action == "list"):
        raise UsageError("list takes no LOGIN" if args.action == "list" else f"{args.action} takes a LOGIN")
    if args.action == "add":
        if not LOGIN.fullmatch(args.login.strip().lower()):
            raise UsageError("a login has up to 64 of a-z 0-9 . _ @ - and begins with a letter or digit")
        _refuse(args.disable or args.enable, "--disable and --enable go with change")
    if args.action != "change":
        _refuse(args.reset_second_factor or args.unlink, "--reset-second-factor and --unlink go with change")
    if args.action in ("list", "remove"):
        given = args.password_stdin or args.generate or args.ask or args.disable or args.enable
        _refuse(
            given or args.name is not None or args.role or args.extension is not None, f"{args.action} changes nothing"
        )
    password = _password(args)
    hashed = None if password is None else PasswordHasher().hash(password)
    actions = {"list": _list, "add": _add, "change": _change, "remove": _remove}
    try:
        with_database(args, lambda db: actions[args.action](db, args, hashed))
    except AccountError as error:
        sys.stderr.write(f"hotline user: {error}\n")
        return 1
    if args.generate and password is not None:
        sys.stdout.write(json.dumps({"password": password}) + "\n" if args.json else f"password: {password}\n")
    return 0


def _refuse(wrong: object, text: str) -> None:
    if wrong:
        raise UsageError(text)


def _password(args: argparse.Namespace) -> str | None:
    """The new password, None when it stays as it is. UsageError for one that is too short."""
    if args.generate:
        return passwords.make_up()
    if args.password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif args.action == "add" or args.ask:
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask for the password: use --password-stdin or --generate")
        password = getpass.getpass(f"Password for {args.login}: ")
        _refuse(password != getpass.getpass("Once more: "), "the two passwords differ")
    else:
        return None
    why = weakness(password, args.login, args.name or "")
    if why is not None:
        raise UsageError(WEAK[why])
    return password


async def _list(db: Database, args: argparse.Namespace, _hashed: str | None) -> None:
    factors = await SecondFactors(db).everybody()
    for user in await Accounts(db).everybody():
        _show(user, args, second_factor=user.id in factors)


async def _add(db: Database, args: argparse.Namespace, hashed: str | None) -> None:
    assert hashed is not None
    name, role = args.name or args.login, args.role or Role.AGENT.value
    at, extension = now(), args.extension or None
    user = await Accounts(db).add(args.login, name=name, role=role, password=hashed, now=at, extension=extension)
    await Audit(db).add("cli", What.USER_ADDED, user.login, at, {"role": user.role, "extension": user.extension})
    _show(user, args)


async def _change(db: Database, args: argparse.Namespace, hashed: str | None) -> None:
    changes: dict[str, str | bool | None] = {}
    for field in ("name", "role"):
        if getattr(args, field):
            changes[field] = getattr(args, field)
    if args.extension is not None:
        changes["extension"] = args.extension or None
    if args.disable or args.enable:
        changes["active"] = args.enable
    if hashed is not None:
        changes["password"] = hashed
    if not changes and not args.reset_second_factor and not args.unlink:
        raise UsageError(
            "change what? --name, --role, --extension, --disable, --enable, a password, a second factor, an identity"
        )
    at = now()
    user = await Accounts(db).change(args.login, at, **changes)
    told: dict[str, Any] = {name: value for name, value in changes.items() if name != "password"}
    if args.reset_second_factor:
        told["second_factor_removed"] = await SecondFactors(db).remove(user.id)
        await Sessions(db).end_others(user.id, None)
    if args.unlink:
        told["unlinked"] = await Identities(db).unlink(user.id)
    await Audit(db).add("cli", What.USER_CHANGED, user.login, at, told | {"password": hashed is not None})
    _show(user, args, second_factor=user.id in await SecondFactors(db).everybody())


async def _remove(db: Database, args: argparse.Namespace, _hashed: str | None) -> None:
    if not await Accounts(db).remove(args.login):
        raise AccountError(f"there is no user {args.login!r}")
    await Audit(db).add("cli", What.USER_REMOVED, args.login.lower(), now())


def _show(user: User, args: argparse.Namespace, *, second_factor: bool = False) -> None:
    if args.json:
        names = ("login", "name", "role", "extension", "active", "demo")
        told = {name: getattr(user, name) for name in names} | {"second_factor": second_factor}
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    marks = "  second factor" if second_factor else ""
    marks += "" if user.active else "  may not log in"
    sys.stdout.write(f"{user.login:<20} {user.role:<10} {user.extension or '-':<8} {user.name}{marks}\n")
