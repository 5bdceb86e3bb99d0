"""Looks at this machine: recordings, call records, database, Redis, models, files with secrets. Judges nothing.

Blocking where it reads folders: call those in a thread. Nothing is made and nothing changed.
"""

import asyncio
import csv
import heapq
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hotline.clock import now
from hotline.doctor.gathered import House, Records, Sounds
from hotline.settings import Settings
from hotline.telephony_settings import Pbx
from storage.accounts import Accounts
from storage.database import Database, sqlite_file
from storage.migrate import current, head
from storage.trouble import StorageError
from telephony.recordings import SUFFIXES
from transcription.modelstore import first_working

_NEWEST = 30  # recordings looked at
_MOST_FOLDERS = 400  # days, newest first
_UNIQUE = re.compile(r"(?<![0-9.])\d{9,11}\.\d{1,7}(?!\d)")
_LEG = re.compile(r"[-_.](rx|tx|in|out|r|t)$", re.IGNORECASE)
_MESSAGES = "voicemail"  # a message below the root is the caller's alone: it has no legs
_TAIL = 65_536  # bytes of the call records' end
_WAIT = 5.0  # seconds for the database, and for Redis


def look_at_recordings(root: Path, mark: str, quiet: float, now: float) -> Sounds:
    """The newest recordings that are surely complete by their age. ``quiet``: seconds, as configured."""
    try:
        newest = heapq.nlargest(_NEWEST * 4, _sounds(root), key=lambda pair: pair[0])
    except OSError as error:
        return Sounds(trouble=f"{root} cannot be read: {error.strerror or error}")
    whole = [path for changed, path in newest if now - changed > quiet and not _LEG.search(path.stem)][:_NEWEST]
    names = [str(path.relative_to(root)) for path in whole]
    return Sounds(
        looked_at=len(whole),
        unmarked=tuple(n for n, p in zip(names, whole, strict=True) if not _marked(p, mark)),
        without_legs=tuple(n for n, p in zip(names, whole, strict=True) if not _legs(p)),
        without_uniqueid=tuple(n for n, p in zip(names, whole, strict=True) if not _UNIQUE.search(p.name)),
        unreadable=tuple(n for n, p in zip(names, whole, strict=True) if not os.access(p, os.R_OK)),
        newest=newest[0][0] if newest else None,
    )


def _sounds(root: Path) -> Iterator[tuple[float, Path]]:
    """Sound files with when they changed: of the folder itself, and of the newest folders below it."""
    if not root.is_dir():
        raise FileNotFoundError(2, "it is no folder")
    below = [root]
    for folder in root.iterdir():
        if folder.is_dir():
            below += [folder, *(inner for inner in folder.rglob("*") if inner.is_dir())]
    dated = sorted(below, key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in dated[:_MOST_FOLDERS]:
        for path in folder.iterdir():
            if path.suffix in SUFFIXES and path.is_file():
                yield path.stat().st_mtime, path


def _marked(path: Path, mark: str) -> bool:
    return any(path.with_name(stem + mark).exists() for stem in (path.stem, path.name))


def _legs(path: Path) -> bool:
    if path.parent.name == _MESSAGES:
        return True
    around = [other for other in path.parent.glob(f"{_plain(path.stem)}*") if other.suffix in SUFFIXES]
    return any(_LEG.search(other.stem) and _LEG.sub("", other.stem) == path.stem for other in around)


def _plain(stem: str) -> str:
    """The stem for a glob, whatever brackets it has."""
    return re.sub(r"([*?\[])", r"[\1]", stem)


def look_at_records(file: Path) -> Records:
    """The end of a cdr_csv file: is the Uniqueid there."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _TAIL))
            text = stream.read().decode("utf-8", "replace")
    except OSError as error:
        return Records(trouble=f"{file} cannot be read: {error.strerror or error}")
    lines = [line for line in text.split("\n")[:-1] if line]
    row = next(csv.reader(lines[-1:]), [])
    if not row:
        return Records()
    return Records(columns=len(row), uniqueid=any(_UNIQUE.fullmatch(cell) for cell in row))


async def look_at_house(settings: Settings, config: Path | None) -> House:
    """The service's own needs."""
    return replace(
        await _database(settings),
        redis=await _redis(settings.redis_url),
        data=_data(settings.data),
        model=await asyncio.to_thread(_model, settings),
        readable=tuple(str(path) for path in _secret_files(settings, config) if _for_everybody(path)),
    )


MONTH = 30 * 86400.0  # seconds; where nobody sat for so long, nobody does


async def _database(settings: Settings) -> House:
    try:
        url = settings.database_url
        file = sqlite_file(url)
        if file is not None and not file.exists():
            return House()  # the service makes it at its first start
        db = Database.open(url)
    except StorageError as error:
        return House(database=str(error))
    try:
        async with asyncio.timeout(_WAIT):
            if await current(db) != head():
                return House(database_behind=True)
            accounts = Accounts(db)
            own = {user.extension for user in await accounts.everybody() if user.active and user.extension}
            return House(extensions=await accounts.seats.named(now() - MONTH) | own)
    except StorageError as error:
        return House(database=str(error))
    except TimeoutError:
        return House(database=f"the database does not answer within {_WAIT:g} s")
    finally:
        await db.close()


async def _redis(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        redis: Redis = Redis.from_url(url, socket_connect_timeout=_WAIT, socket_timeout=_WAIT)
    except ValueError as error:
        return str(error)
    try:
        await redis.ping()
    except (RedisError, OSError, TimeoutError) as error:
        return f"Redis does not answer: {error}"
    finally:
        await redis.aclose()
    return None


def _data(folder: Path) -> str | None:
    """Whether the service could write there; a folder that is not there yet is made by it."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    return None if there.is_dir() and os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written"


def _model(settings: Settings) -> bool | None:
    chosen = settings.transcription
    if chosen.engine == "none":
        return None
    models = settings.data / "models"
    if chosen.model is None and not models.is_dir():
        return False
    found = first_working(models, engine=chosen.engine, model=chosen.model, language=chosen.language)
    return found is not None and (chosen.model is None or chosen.model.is_dir())


def _secret_files(settings: Settings, config: Path | None) -> Iterator[Path]:
    def of(pbx: Pbx) -> Iterator[Path | None]:
        yield pbx.secret_file
        yield pbx.recorder.secret_file if pbx.recorder else None
        yield pbx.desk.secret_file if pbx.desk else None
        yield settings.recordings_of(pbx).secret_file
        yield settings.recordings_of(pbx).key_file

    files = [path for pbx in settings.pbx for path in of(pbx)]
    files.append(settings.routing.token_file)
    if config is not None and re.search(r"://[^/@:\s]+:[^@/\s]+@", settings.database.url or settings.redis.url or ""):
        files.append(config)
    yield from dict.fromkeys(path for path in files if path is not None)


def _for_everybody(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
