"""The speech models of this installation: folders below ``<data>/models``, one a model, and how one gets there.

A model is put in only after a worker process has really loaded it and decoded with it, so what is in the store works.
Nothing here installs packages or asks the network (see :mod:`transcription.modelfetch`).
"""

import asyncio
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from transcription.demomodel import NAME as DEMO
from transcription.demomodel import DemoModelError, assemble_demo_model
from transcription.engines import EngineSpec, ModelError
from transcription.modelfolder import Kind, faults, kind_of
from transcription.worker import NoModel, Transcriber

__all__ = [
    "DEMO",
    "DemoModelError",
    "ModelError",
    "StoredModel",
    "add",
    "already",
    "assemble_demo_model",
    "first_working",
    "stored",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CODE = re.compile(  # the languages that vosk's makers write in their models' names
    r"(?:^|[-_.])(ar|br|ca|cn|cs|de|el|en|eo|es|fa|fr|gr|gu|hi|in|it|ja|jp|ka|ko|kz|ky|nl|ph|pl|pt|ru|sv|te|tg|tl|tr|uk|"
    r"us|uz|vn|zh)(?=$|[-_.])"
)
_LARGEST = 20 * 2**30  # bytes unpacked; the largest published vosk model has 4 GB


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A folder of the store. ``faults`` is empty for a whole one."""

    name: str
    kind: Kind | None
    path: Path
    size: int
    faults: tuple[str, ...]


def stored(models: Path) -> list[StoredModel]:
    """What is in the store, the one that is preferred first: vosk before whisper, the demo's last, else by name."""
    if not models.is_dir():
        return []
    found = []
    for folder in models.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            kind = kind_of(folder)
            wrong = tuple(faults(folder, kind)) if kind else ("neither a vosk nor a faster-whisper model",)
            size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            found.append(StoredModel(folder.name, kind, folder, size, wrong))
    return sorted(found, key=lambda model: (model.name == DEMO, model.kind is not Kind.VOSK, model.name))


def first_working(
    models: Path, *, engine: str = "auto", model: Path | None = None, language: str = "zh"
) -> EngineSpec | None:
    """The engine to start: the configured model, else the first whole one of the store that ``engine`` can read.

    ``engine`` is a name of an engine, ``auto`` or ``none``. A configured model is taken as it is: when it is damaged
    that must be seen (NoModel says what is wrong), not papered over. A vosk model whose name speaks of another language
    is never chosen by itself. None: no model, jobs wait.
    """
    if engine == "none":
        return None
    if model is not None:
        kind = kind_of(model) or Kind.VOSK
        return EngineSpec(kind.value if engine == "auto" else engine, model, language)
    whole = [found for found in stored(models) if not found.faults and engine in ("auto", found.kind)]
    whole = [found for found in whole if _may_speak(found, language)]
    return EngineSpec(str(whole[0].kind), whole[0].path, language) if whole else None


def _may_speak(model: StoredModel, language: str) -> bool:
    """Whether a vosk model's name says this language, or none at all; whisper speaks them all."""
    said = set(_CODE.findall(model.name.lower()))
    return model.kind is Kind.WHISPER or not said or bool(said & {language, "cn" if language == "zh" else language})


async def add(
    models: Path,
    source: Path,
    *,
    name: str | None = None,
    language: str = "zh",
    tell: Callable[[str], None] = lambda _text: None,
) -> StoredModel:
    """Copy a model folder or zip into the store once a worker has loaded it. ``tell`` hears what is being done.

    Raises ModelError: the source is no model, what is missing or truncated, a name that is taken, no room, no right.
    """
    try:
        return await _add(models, source, name, language, tell)
    except (OSError, zipfile.BadZipFile, EOFError) as error:
        raise ModelError(f"{source} cannot be added: {error}") from error


async def _add(models: Path, source: Path, name: str | None, language: str, tell: Callable[[str], None]) -> StoredModel:
    making = await asyncio.to_thread(_workshop, models, source)
    try:
        tell(f"reading {source}")
        folder, kind = await asyncio.to_thread(_bring, source, making)
        final = models / _checked_name(name or folder.name, models)
        tell(f"loading it with {kind} to be sure")
        await _prove(EngineSpec(kind.value, folder, language), source)
        os.replace(folder, final)  # noqa: PTH105 - says what it does
    finally:
        await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)
    return next(model for model in stored(models) if model.path == final)


def _workshop(models: Path, source: Path) -> Path:
    """An empty folder inside the store, so that moving a model into place is one rename."""
    if not source.exists():
        raise ModelError(f"{source} is not there")
    models.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".adding-", dir=models))


async def _prove(spec: EngineSpec, source: Path) -> None:
    """Load it in a worker. Raises ModelError speaking of the source: the copy is gone when people read it."""
    transcriber = Transcriber(spec)
    try:
        await transcriber.probe()
    except NoModel as error:
        raise ModelError(str(error).replace(str(spec.model), str(source))) from error
    finally:
        await transcriber.close()


def already(models: Path, name: str) -> StoredModel | None:
    """The whole model of this name in the store, if there is one. Raises ModelError for a name that cannot be one."""
    if not _NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name for a model: letters, digits, dot, dash and underscore only")
    return next((model for model in stored(models) if model.name == name and not model.faults), None)


def _checked_name(name: str, models: Path) -> str:
    if already(models, name) or (models / name).exists():
        raise ModelError(f"there is a model {name!r} already: give another --name, or remove {models / name} first")
    return name


def _bring(source: Path, into: Path) -> tuple[Path, Kind]:
    """A copy of the model below ``into``, and whose it is. Raises ModelError when it is not whole."""
    source = source.resolve()
    target = into / (source.name if source.is_dir() else source.stem)
    if source.is_dir():
        shutil.copytree(source, target)
    elif zipfile.is_zipfile(source):
        target.mkdir()
        _unzip(source, target)
    else:
        raise ModelError(f"{source} is neither a folder nor a whole zip file: a download cut short, perhaps")
    folder, kind = _root(target, source)
    if wrong := faults(folder, kind):
        raise ModelError(f"{source} is no whole {kind} model: {'; '.join(wrong)}")
    folder.chmod(0o755)
    return folder, kind


def _unzip(source: Path, target: Path) -> None:
    """Unpack below ``target`` and nowhere else. Raises ModelError for a zip that wants more."""
    with zipfile.ZipFile(source) as archive:
        total = sum(member.file_size for member in archive.infolist())
        if total > min(_LARGEST, shutil.disk_usage(target).free):
            raise ModelError(f"{source} unpacks to {total / 2**20:.0f} MB, more than there is room for")
        for member in archive.infolist():
            path = PurePosixPath(member.filename.replace("\\", "/"))
            link = stat.S_ISLNK(member.external_attr >> 16)
            if path.is_absolute() or ".." in path.parts or ":" in member.filename or link:
                raise ModelError(
                    f"{source} wants to write to {member.filename!r}: that is no model, and was not unpacked"
                )
        archive.extractall(target)


def _root(copied: Path, source: Path) -> tuple[Path, Kind]:
    """The folder that holds the model: the one brought, or the only one in it, as in the zips of vosk's makers."""
    inside = [entry for entry in copied.iterdir() if entry.is_dir() and entry.name != "__MACOSX"]
    for folder in (copied, *(inside if len(inside) == 1 else ())):
        if kind := kind_of(folder):
            return folder, kind
    raise ModelError(f"{source} holds no speech model: neither am/final.mdl (vosk) nor model.bin (faster-whisper)")
