"""The speech engines of this service: one set of workers for each engine and model that a line asks for.

Found when first needed, looked for again while there is none. Lines that want the same share it, and all share the
memory that speech recognition may take.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from hotline.settings import Settings, Transcription
from hotline.telephony_settings import LineSpeech
from transcription.engines import Endpoint, EngineSpec
from transcription.memory import MB, Memory
from transcription.modelfolder import Kind, kind_of
from transcription.modelstore import first_working
from transcription.worker import Limits, NoModel, NoRoom, Transcriber

log = structlog.get_logger()

NO_MODEL = "no speech model"


class Speech:
    """Holds the transcribers. ``choose(line)`` names the engine and model of a line, or None while there is none.

    ``choose`` looks at folders only; the transcriber's own children load the model. ``processes``: recordings at once,
    whichever lines they are of; ``memory``: bytes that all models together may take, None for no limit; ``lines``:
    those whose models :meth:`report` looks for.
    """

    def __init__(
        self,
        choose: Callable[[str], EngineSpec | None],
        processes: int = 1,
        *,
        memory: int | None = None,
        lines: Sequence[str] = ("",),
        limits: Limits | None = None,
    ) -> None:
        self._choose, self._processes, self._limits = choose, processes, limits
        self._lines = tuple(lines)
        self._memory = Memory(memory)
        self._chosen: dict[str, EngineSpec] = {}
        self._ready: dict[EngineSpec, Transcriber] = {}
        self._troubles: dict[EngineSpec, str] = {}
        self._looking: defaultdict[EngineSpec, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def transcriber(self, line: str = "") -> Transcriber | None:
        """The line's transcriber, with a model that loads, or None: there is none yet."""
        spec = self._chosen.get(line) or self._choose(line)
        if spec is None:
            return None
        self._chosen[line] = spec
        async with self._looking[spec]:  # a model that takes minutes to load holds up no other
            return self._ready.get(spec) or await self._opened(spec)

    async def _opened(self, spec: EngineSpec) -> Transcriber | None:
        fresh = Transcriber(spec, processes=self._processes, limits=self._limits, memory=self._memory)
        try:
            name = await fresh.probe()
        except NoModel as error:
            await fresh.close()
            if self._troubles.get(spec) != str(error):
                log.warning(
                    "the speech model cannot be used", engine=spec.engine, model=str(spec.model), error=str(error)
                )
            self._troubles[spec] = str(error)
            if not isinstance(error, NoRoom):
                self._unchoose(spec)  # what was put into the store meanwhile may be better
            return None
        except BaseException:
            await fresh.close()
            raise
        log.info("speech model ready", engine=spec.engine, model=name, language=spec.language)
        self._troubles.pop(spec, None)
        self._ready[spec] = fresh
        return fresh

    def trouble(self, line: str = "") -> str | None:
        """What keeps the line's calls from being written down; None: nothing that is known of."""
        spec = self._chosen.get(line) or self._choose(line)
        return NO_MODEL if spec is None else self._troubles.get(spec)

    def report(self) -> str | None:
        """What stands in the way of transcripts, or of all that is asked of them, for the operator; None: nothing."""
        said = [trouble for line in self._lines if (trouble := self.trouble(line)) is not None]
        said += [note for one in self._ready.values() for note in one.notes]
        return "; ".join(dict.fromkeys(said)) or None

    async def forget(self, transcriber: Transcriber) -> None:
        """Its model does not load any more: look for one again next time. What is being heard is heard to its end."""
        spec = transcriber.spec
        if self._ready.get(spec) is transcriber:
            del self._ready[spec]
            self._unchoose(spec)
        await transcriber.leave()

    def _unchoose(self, spec: EngineSpec) -> None:
        self._chosen = {line: chosen for line, chosen in self._chosen.items() if chosen != spec}

    async def close(self) -> None:
        """End the children."""
        ready, self._ready = list(self._ready.values()), {}
        await asyncio.gather(*(one.close() for one in ready))


def open_speech(settings: Settings) -> Speech:
    """The speech engines that the settings ask for."""
    lines = [line.number for line in settings.line] or [""]
    asked = settings.transcription.memory_mb
    return Speech(
        partial(spec_of, settings),
        settings.transcription.processes,
        memory=machine_memory() // 2 if asked is None else asked * MB,
        lines=lines,
    )


def spec_of(settings: Settings, line: str = "") -> EngineSpec | None:
    """The engine, model and language of a line: its own, else the common ones; None while there is no model.

    A common model is not taken for a line of another language or engine, but whisper's, which speaks them all.
    """
    return spec_for(settings, next((one.speech for one in settings.line if one.number == line), LineSpeech()))


def spec_for(settings: Settings, own: LineSpeech) -> EngineSpec | None:
    """As :func:`spec_of`, of a line with these settings."""
    common = settings.transcription
    engine, language = own.engine or common.engine, own.language or common.language
    found = _server(common, own, language) if engine == "openai" else _model(settings, own, engine, language)
    if found is None:
        return None
    return replace(
        found,
        grammar=own.grammar,
        hot_words=own.hot_words,
        threads=common.threads,
        word_times=common.word_times,
    )


def _server(common: Transcription, own: LineSpeech, language: str) -> EngineSpec | None:
    server = common.endpoint
    if server is None:
        return None
    model = own.endpoint_model or server.model
    endpoint = Endpoint(server.url, model, server.key_env, server.timeout, server.ca_file)
    return EngineSpec("openai", Path(model), language, endpoint=endpoint)


def _model(settings: Settings, own: LineSpeech, engine: str, language: str) -> EngineSpec | None:
    common, model = settings.transcription, own.model
    if model is None and common.model is not None and engine == common.engine:
        fits = language == common.language or kind_of(common.model) is Kind.WHISPER
        model = common.model if fits else None
    return first_working(settings.data / "models", engine=engine, model=model, language=language)


def machine_memory() -> int:
    """Bytes of memory that this process may hope for: the machine's, or its container's."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return whole
    return min(whole, int(most)) if most.isdigit() else whole
