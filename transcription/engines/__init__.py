"""Speech-to-text engines behind one protocol. They run in the worker process, which may crash.

An engine knows nothing of files, legs or speakers: it gets the samples of one leg and the spans in which somebody
speaks, and says what was said in each.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from transcription.transcript import Word

if TYPE_CHECKING:  # the parent process needs the spec, not half a second of numpy
    import numpy as np
    import numpy.typing as npt

Samples: TypeAlias = "npt.NDArray[np.int16]"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server of one's own that speaks OpenAI's ``/audio/transcriptions``.

    ``url``: up to and with ``/v1``; ``model``: the name it goes by there; ``key_env``: the variable that holds the key,
    None for a server without one; ``timeout``: seconds for one stretch of speech, in all; ``ca_file``: certificates to
    trust instead of the machine's.
    """

    url: str
    model: str
    key_env: str | None = None
    timeout: float = 60.0
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine to start: ``engine`` one of :data:`ENGINES`, ``model`` its folder (the script for ``scripted``).

    ``language`` is the line's, never guessed from the sound (ISO 639-1). ``grammar`` limits vosk to these phrases where
    the model allows it (dynamic graph: ``Gr.fst``); empty means free speech. ``hot_words``: names that whisper and an
    endpoint shall rather write than others that sound alike. ``word_times``: have whisper and an endpoint give the time
    of every word, which costs more; vosk always does. ``threads``: whisper's own, or legs that vosk hears side by side.
    ``endpoint``: where ``openai`` asks; its ``model`` here is only a name.
    """

    engine: str
    model: Path
    language: str = "zh"
    grammar: tuple[str, ...] = ()
    threads: int = 2
    hot_words: tuple[str, ...] = ()
    word_times: bool = False
    endpoint: Endpoint | None = None

    def as_json(self) -> dict[str, Any]:
        """The spec for another process."""
        return json.loads(json.dumps(asdict(self), default=str))  # type: ignore[no-any-return]

    @classmethod
    def of_json(cls, told: dict[str, Any]) -> "EngineSpec":
        """The spec that :meth:`as_json` made."""
        end = told["endpoint"]
        if end is not None:
            end = Endpoint(**{**end, "ca_file": end["ca_file"] and Path(end["ca_file"])})
        lists = {name: tuple(told[name]) for name in ("grammar", "hot_words")}
        return cls(**{**told, **lists, "model": Path(told["model"]), "endpoint": end})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of speech, seconds from the leg's start."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Segment:
    """What was said in one span: tidied text and confidence 0 to 1. ``words`` as heard, where the engine gives them."""

    start: float
    end: float
    text: str
    confidence: float
    words: tuple[Word, ...] = ()


class ModelError(Exception):
    """The model, or the library that reads it, cannot be used: the text says what is missing or truncated."""


class EndpointAway(Exception):  # noqa: N818 - a state to wait in
    """The server that transcribes cannot be reached, or does not let us in: nothing is wrong with the recording."""


class EndpointBusy(Exception):  # noqa: N818 - a state to wait in
    """The server that transcribes failed or was too slow this time."""


class SoundRefused(Exception):  # noqa: N818 - says it better
    """The engine will not transcribe this sound, today or tomorrow."""


class Engine(Protocol):
    """A loaded model. Made once per worker process, used for one recording after another.

    Up to :attr:`at_once` legs of a recording are given to it side by side, each by a thread.
    """

    name: str
    model: str  # what the transcript says made it, e.g. the folder's name
    rate: int  # Hz it wants its samples in
    at_once: int
    notes: tuple[str, ...]  # what was asked of it and cannot be had, for the operator

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """What was said in each of ``spans`` of ``samples`` (mono, at :attr:`rate`); spans without words are left out.

        Calls ``done(number of spans finished)`` now and then. Raises EndpointAway, EndpointBusy, SoundRefused.
        """
        ...


ENGINES = ("vosk", "whisper", "openai", "scripted")


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
    if spec.engine == "openai":
        from transcription.engines.openai_engine import OpenAIEngine  # noqa: PLC0415 - see above

        return OpenAIEngine(spec)
    if spec.engine == "scripted":
        from transcription.engines.scripted import ScriptedEngine  # noqa: PLC0415 - see above

        return ScriptedEngine(spec)
    raise ModelError(f"there is no engine {spec.engine!r}; there are: {', '.join(ENGINES)}")
