"""Our own machine: database, Redis, speech model, folders. Pure."""

from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.doctor.gathered import House


def judge(house: House, report: Report) -> None:
    """What the service needs beside a PBX."""
    for code, subject, trouble in (
        (Code.DATABASE, "database", house.database),
        (Code.REDIS, "Redis", house.redis),
        (Code.DATA_FOLDER, "data folder", house.data),
    ):
        if trouble is not None:
            report.tell(code, subject, trouble)
    if house.database is None:
        if house.database_behind:
            report.tell(Code.DATABASE_BEHIND, "database", "it was made by an earlier version")
        else:
            report.well("database", "answers")
    if house.model is False:
        report.tell(Code.SPEECH_MODEL, "speech", "no model that works was found")
    for name in house.readable:
        report.tell(Code.SECRET_READABLE, name, "everybody on this machine can read it")
