"""A job as the outbox hands it out, and how one is added beside a fact."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, case

from storage.job_tables import jobs
from storage.once import insert_into, insert_once
from storage.records import NewJob


class JobError(Exception):
    """The outside world failed a job, which is tried again: ``at`` (epoch seconds) or after the usual backoff."""

    def __init__(self, text: str, at: float | None = None) -> None:
        super().__init__(text)
        self.at = at


class HopelessError(Exception):
    """Trying again would not help: the job is given up at once, and people who mended the cause may replay it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A handler's answer when nothing failed but the time has not come: look again at ``until``; ``why`` is shown."""

    until: float
    why: str


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"  # to be claimed once it is due
    RUNNING = "running"  # claimed; claimed anew when its lease is over
    DONE = "done"
    DEAD = "dead"  # given up; people see it and may replay it


@dataclass(frozen=True, slots=True)
class Job:
    """A job.

    ``claims`` is the fence: of all who ever claimed it, only the last may finish it. ``attempts`` counts the tries,
    this one included, but for those that ended in waiting.
    ``due``: when it may be claimed, or while it runs, when its lease is over. ``why``: what a deferred job waits for.
    """

    id: int
    kind: str
    key: str
    payload: Mapping[str, Any]
    state: JobState
    claims: int
    attempts: int
    due: float
    why: str | None
    error: str | None
    created: float
    changed: float


def add_job(conn: Connection, job: NewJob, now: float) -> bool:
    """Write a job in the caller's transaction; False when one of that kind and key is there, done ones too.

    One that is wanted ``again`` is always written, see :class:`storage.records.NewJob`.
    """
    row = {
        "kind": job.kind,
        "key": job.key,
        "payload": dict(job.payload),
        "state": JobState.READY.value,
        "claims": 0,
        "attempts": 0,
        "due": job.not_before,
        "created": now,
        "changed": now,
    }
    if job.again:
        conn.execute(_add_again(conn.dialect.name), row)
        return True
    return insert_once(conn, jobs, row, ["kind", "key"]) is not None


@cache
def _add_again(dialect: str) -> Any:
    insert = insert_into(dialect, jobs)
    over = jobs.c.state.in_((JobState.DONE.value, JobState.DEAD.value))
    news = {name: case((over, insert.excluded[name]), else_=jobs.c[name]) for name in ("state", "attempts", "due")}
    runs = jobs.c.state == JobState.RUNNING.value
    renewed = {"payload": insert.excluded.payload, "changed": insert.excluded.changed, "again": runs}
    return insert.on_conflict_do_update(index_elements=["kind", "key"], set_={**news, **renewed})


def as_job(row: Row[Any]) -> Job:
    """A row of the jobs table."""
    return Job(
        id=row.id,
        kind=row.kind,
        key=row.key,
        payload=row.payload,
        state=JobState(row.state),
        claims=row.claims,
        attempts=row.attempts,
        due=row.due,
        why=row.why,
        error=row.error,
        created=row.created,
        changed=row.changed,
    )
