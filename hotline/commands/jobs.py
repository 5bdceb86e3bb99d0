"""``hotline jobs [list | show ID | replay ID... | replay --all-dead]``: what is to be done later, and what failed."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hotline.cli import UsageError
from hotline.clock import now
from hotline.opening import add_database, with_database
from storage.audit import Audit, What
from storage.database import Database
from storage.jobs import Job, JobState
from storage.outbox import Outbox


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    add_database(parser)
    parser.add_argument("--json", action="store_true", help="print JSON: one job a line, for show one object")
    parser.add_argument("--kind", help="only jobs of this kind")
    parser.add_argument("--state", choices=[state.value for state in JobState], help="only jobs in this state")
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="list at most N, newest first (100)")
    parser.add_argument("--all-dead", action="store_true", help="with replay: every dead job (of --kind)")
    parser.add_argument("action", nargs="?", choices=["list", "show", "replay"], default="list")
    parser.add_argument("id", nargs="*", type=int, metavar="ID", help="which jobs, for show and replay")


def run(args: argparse.Namespace) -> int:
    """List jobs, show one (1: no such job), or replay some (1: one of them could not be)."""
    if args.action == "list":
        _refuse(args.id or args.all_dead, "list takes no ID and no --all-dead")
        return with_database(args, lambda db: _list(db, args))
    if args.action == "show":
        _refuse(len(args.id) != 1 or args.all_dead, "show takes one ID")
        return with_database(args, lambda db: _show(db, args))
    _refuse(bool(args.id) == args.all_dead, "replay takes IDs or --all-dead")
    _refuse(args.kind and args.id, "--kind goes with --all-dead, not with IDs")
    return with_database(args, lambda db: _replay(db, args))


def _refuse(wrong: object, text: str) -> None:
    if wrong:
        raise UsageError(text)


async def _list(db: Database, args: argparse.Namespace) -> int:
    outbox = Outbox(db)
    state = None if args.state is None else JobState(args.state)
    found = await outbox.list(state=state, kind=args.kind, limit=args.limit)
    if args.json:
        for job in found:
            sys.stdout.write(_json(job) + "\n")
    else:
        sys.stdout.write(_table(found))
        counts = await outbox.counts()
        for (kind, of), count in sorted(counts.items()):
            sys.stderr.write(f"{kind}: {count} {of.value}\n")
    return 0


async def _show(db: Database, args: argparse.Namespace) -> int:
    job = await Outbox(db).get(args.id[0])
    if job is None:
        sys.stderr.write(f"hotline jobs: there is no job {args.id[0]}\n")
        return 1
    if args.json:
        sys.stdout.write(_json(job) + "\n")
        return 0
    for name, value in asdict(job).items():
        shown = _time(value) if name in ("due", "created", "changed") else value
        sys.stdout.write(f"{name:<9} {'' if shown is None else shown}\n")
    return 0


async def _replay(db: Database, args: argparse.Namespace) -> int:
    outbox, audit, at = Outbox(db), Audit(db), now()
    if args.all_dead:
        count = await outbox.replay_dead(at, args.kind)
        await audit.add("cli", What.JOB_REPLAYED, "all dead jobs", at, {"count": count, "kind": args.kind})
        sys.stdout.write(f"{count} replayed\n" if not args.json else json.dumps({"replayed": count}) + "\n")
        return 0
    missed = []
    for job_id in args.id:
        if await outbox.replay(job_id, at):
            await audit.add("cli", What.JOB_REPLAYED, f"job {job_id}", at)
        else:
            missed.append(job_id)
    for job_id in missed:
        sys.stderr.write(f"hotline jobs: job {job_id} is not there or not over\n")
    done = len(args.id) - len(missed)
    sys.stdout.write(f"{done} replayed\n" if not args.json else json.dumps({"replayed": done}) + "\n")
    return 1 if missed else 0


def _json(job: Job) -> str:
    row: dict[str, Any] = asdict(job) | {"state": job.state.value}
    return json.dumps(row, ensure_ascii=False)


def _table(found: Sequence[Job]) -> str:
    lines = []
    for job in found:
        due = _time(job.due) if job.state in (JobState.READY, JobState.RUNNING) else ""
        said = (job.why or job.error or "").strip().splitlines()
        last = said[-1] if said else ""
        lines.append(
            f"{job.id:>6} {job.state.value:<8} {job.attempts:>2} {due:<19} {job.kind} {job.key}  {last}".rstrip()
        )
    return "".join(f"{line}\n" for line in lines)


def _time(at: float) -> str:
    """Local time of this machine; the epoch's beginning stands for at once."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if at > 0 else "at once"
