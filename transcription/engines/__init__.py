"""Speech-to-text engines behind one protocol. They run in the worker process, which may crash.

An engine knows nothing of files, legs or speakers: it gets the samples of one leg and the spans in which somebody
speaks, and says what was said in each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # the parent process needs the spec, not half a second of numpy
    import numpy as np
    import numpy.typing as npt

Samples: TypeAlias = "npt.NDArray[np.int16]"


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine to start: ``engine`` one of :data:`ENGINES`, ``model`` its folder (the script for ``scripted``).

    ``language`` is the line's, never guessed from the sound (ISO 639-1). ``grammar`` limits vosk to these phrases where
    the model allows it (dynamic graph: ``Gr.fst``); empty means free speech. ``threads`` is whisper's.
    """

    engine: str
    model: Path
    language: str = "zh"
    grammar: tuple[str, ...] = ()
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of speech, seconds from the leg's start."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said in one span: tidied text and confidence 0 to 1."""

    start: float
    end: float
    text: str
    confidence: float


class ModelError(Exception):
    """The model, or the library that reads it, cannot be used: the text says what is missing or truncated."""


class Engine(Protocol):
    """A loaded model. Made once per worker process, used for one leg after another by one thread."""

    name: str
    model: str  # what the transcript says made it, e.g. the folder's name
    rate: int  # Hz it wants its samples in

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """What was said in each of ``spans`` of ``samples`` (mono, at :attr:`rate`); spans without words are left out.

        Calls ``done(number of spans finished)`` now and then.
        """
        ...


ENGINES = ("vosk", "whisper", "scripted")


def open_engine(spec: EngineSpec) -> Engine:
    """Load the engine of ``spec``: seconds of work, hundreds of megabytes. Raises ModelError.

    The libraries are imported only here: whisper is an extra, and the parent process needs none of them.
    """
    if spec.engine == "vosk":
        from transcription.engines.vosk_engine import VoskEngine  # noqa: PLC0415 - see above

        return VoskEngine(spec)
    if spec.engine == "whisper":
        from transcription.engines.whisper_engine import WhisperEngine  # noqa: PLC0415 - see above

        return WhisperEngine(spec)
    if spec.engine == "scripted":
        from transcription.engines.scripted import ScriptedEngine  # noqa: PLC0415 - see above

        return ScriptedEngine(spec)
    raise ModelError(f"there is no engine {spec.engine!r}; there are: {', '.join(ENGINES)}")
