"""The speech engine of this service: found when first needed, looked for again while there is none."""

import asyncio
from collections.abc import Callable

import structlog

from transcription.engines import EngineSpec
from transcription.worker import NoModel, Transcriber

log = structlog.get_logger()


class Speech:
    """Holds the one transcriber. ``choose`` names the engine and model to use, or None while there is none.

    ``choose`` looks at folders only; the transcriber's own children load the model.
    """

    def __init__(self, choose: Callable[[], EngineSpec | None], processes: int = 1) -> None:
        self._choose, self._processes = choose, processes
        self._transcriber: Transcriber | None = None
        self._looking = asyncio.Lock()
        self.trouble: str | None = None

    async def transcriber(self) -> Transcriber | None:
        """The transcriber with a model that loads, or None: there is no model yet."""
        async with self._looking:
            return await self._found()

    async def _found(self) -> Transcriber | None:
        if self._transcriber is not None:
            return self._transcriber
        spec = self._choose()
        if spec is None:
            self.trouble = "no speech model"
            return None
        fresh = Transcriber(spec, processes=self._processes)
        try:
            name = await fresh.probe()
        except NoModel as error:
            await fresh.close()
            if self.trouble != str(error):
                log.warning(
                    "the speech model cannot be used", engine=spec.engine, model=str(spec.model), error=str(error)
                )
            self.trouble = str(error)
            return None
        log.info("speech model ready", engine=spec.engine, model=name)
        self.trouble = None
        self._transcriber = fresh
        return fresh

    def report(self) -> str | None:
        """What stands in the way of transcripts, for the operator; None: nothing that is known of."""
        if self._transcriber is not None:
            return None
        return self.trouble or (None if self._choose() else "no speech model")

    async def forget(self) -> None:
        """The model does not load any more: look for one again next time."""
        if self._transcriber is not None:
            await self._transcriber.close()
            self._transcriber = None

    async def close(self) -> None:
        """End the children."""
        await self.forget()
