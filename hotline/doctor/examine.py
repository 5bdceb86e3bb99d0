"""The whole examination: everything gathered, then everything judged."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hotline.doctor import (
    judge_dialplan,
    judge_house,
    judge_link,
    judge_logins,
    judge_manager,
    judge_queues,
    judge_recording,
    judge_records,
    judge_rights,
)
from hotline.doctor.catalogue import Code
from hotline.doctor.entry import enter
from hotline.doctor.files import gather
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Answers, Case, Files, Reach, Records
from hotline.doctor.places import look_at_house, look_at_recordings, look_at_records
from hotline.doctor.probe import probe, probe_login
from hotline.past import records_of
from hotline.settings import Settings
from hotline.telephony_settings import DeskLogin, Pbx, RecorderLogin
from telephony.cdr import RecordsError

_HOUR = 3600.0


async def examine(
    settings: Settings,
    *,
    config: Path | None,
    folders: dict[str, Path],
    listen: float,
    clock: Callable[[], float],
) -> Report:
    """Look at everything. ``folders``: the configuration folder of a PBX by its name, where it is at hand.

    ``listen``: seconds to wait for events of others' calls. OSError when a folder cannot be listed.
    """
    report = Report()
    house = await look_at_house(settings, config)
    judge_house.judge(house, report)
    cases = [
        await _case(settings, pbx, report, folder=folders.get(pbx.name), listen=listen, clock=clock)
        for pbx in settings.pbx
    ]
    judge_link.twins(cases, report)
    for case in cases:
        judge(replace(case, extensions=house.extensions), clock(), report)
    return report


def judge(case: Case, now: float, report: Report) -> None:
    """Everything about one PBX. What its files tell of a refused login comes before the refusal itself."""
    entry = enter(case)
    judge_manager.judge(case, report)
    judge_link.judge(case, report)
    judge_rights.judge(case, entry, report)
    judge_logins.judge(case, report)
    judge_dialplan.judge(case, entry, report)
    judge_queues.judge(case, entry, report)
    judge_recording.judge(case, entry, report)
    if case.sounds is not None:
        judge_recording.judge_folder(case, case.sounds, now, report)
    judge_records.judge(case, datetime.fromtimestamp(now, UTC), report)


async def _case(
    settings: Settings, pbx: Pbx, report: Report, *, folder: Path | None, listen: float, clock: Callable[[], float]
) -> Case:
    secret: str | None = None
    answers = Answers(reach=Reach.NO_SECRET)
    try:
        secret = pbx.secret()
    except LookupError as error:
        report.tell(Code.SECRET_MISSING, f"PBX {pbx.name}", str(error))
    else:
        answers = await probe(pbx, secret, clock, listen)
    recorder = await _further(pbx, pbx.recorder, pbx.recorder_secret, clock)
    desk = await _further(pbx, pbx.desk, pbx.desk_secret, clock)
    files: Files | None = None if folder is None else await asyncio.to_thread(gather, folder)
    recordings = settings.recordings_of(pbx)
    return Case(
        settings=settings,
        pbx=pbx,
        secret=secret,
        answers=answers,
        source=await asyncio.to_thread(_source, pbx),
        files=files,
        sounds=None
        if recordings.root is None
        else await asyncio.to_thread(look_at_recordings, recordings.root, recordings.mark, recordings.wait, clock()),
        records=await _records(pbx, clock),
        recorder=recorder,
        desk=desk,
    )


async def _further(
    pbx: Pbx, login: RecorderLogin | DeskLogin | None, secret: Callable[[], str], clock: Callable[[], float]
) -> Answers | None:
    if login is None:
        return None
    try:
        return await probe_login(pbx, login.user, secret(), clock)
    except LookupError as error:
        return Answers(reach=Reach.NO_SECRET, trouble=str(error))


async def _records(pbx: Pbx, clock: Callable[[], float]) -> Records | None:
    if pbx.cdr is None:
        return None
    if pbx.cdr.file is not None:
        return await asyncio.to_thread(look_at_records, pbx.cdr.file)
    try:
        await records_of(pbx.cdr).rows(clock() - _HOUR)
    except RecordsError as error:
        return Records(trouble=str(error))
    return Records(uniqueid=True)  # a table without such a column is refused


def _source(pbx: Pbx) -> str | None:
    """The address this machine has for the PBX; nothing is sent."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(pbx.host, pbx.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probing:
            probing.connect(address)
            return str(probing.getsockname()[0])
    except OSError:
        return None
