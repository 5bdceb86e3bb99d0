"""A real HTTP server that speaks OpenAI's /audio/transcriptions, and misbehaves as it is told."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile
from aiohttp import web

from transcription.engines import Endpoint

GOOD = {
    "task": "transcribe",
    "language": "zh",
    "duration": 2.0,
    "text": "我要投訴 空調",
    "segments": [
        {"id": 0, "start": 0.0, "end": 2.0, "text": "我要投訴 空調", "avg_logprob": -0.1, "no_speech_prob": 0.01}
    ],
    "words": [{"word": "我要", "start": 0.2, "end": 0.6}, {"word": "投訴", "start": 0.6, "end": 99.0}],
}


@dataclass
class Server:
    """What it was asked, and what it answers: ``answer`` a body or an object, with ``status``.

    Silence is answered well as long as ``ready``: that is how the engine tries a server.
    """

    url: str = ""
    answer: object = field(default_factory=lambda: GOOD)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    ready: bool = True
    drip: bool = False  # a byte now and then, for ever
    asked: list[dict[str, Any]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def endpoint(self, **more: Any) -> Endpoint:
        """How an engine is told of it."""
        return Endpoint(self.url, "whisper-1", **more)

    async def transcriptions(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/audio/transcriptions."""
        form = await request.post()
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        samples, rate = soundfile.read(io.BytesIO(upload.file.read()), dtype="int16")
        texts = {name: form.getall(name) for name in form if name != "file"}
        self.asked.append(
            {**texts, "rate": rate, "seconds": len(samples) / rate, "key": request.headers.get("Authorization")}
        )
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
        if self.ready and not np.any(samples):
            return web.json_response({"text": "", "segments": []})
        if self.drip:
            return await self._drip(request)
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(body=body, status=self.status, headers=self.headers, content_type="application/json")

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        self.begun.set()
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.02)
        except ConnectionError:
            return response


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Server]:
    """The server on a free port."""
    server = Server(**settings)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/audio/transcriptions", server.transcriptions)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
