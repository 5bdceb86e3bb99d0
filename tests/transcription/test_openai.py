"""A speech server of one's own, asked over real HTTP: what it hears, and every way in which it may fail or lie."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transcription.engines import Endpoint, EndpointAway, EndpointBusy, EngineSpec, ModelError, SoundRefused, Span
from transcription.engines.belief import PROMPTS
from transcription.engines.openai_engine import OpenAIEngine
from transcription.worker import NoModel, Refused, Transcriber, TranscriptionError

from .conftest import texts
from .speech_server import GOOD, Server, serving

SOUND = (np.sin(np.arange(3 * 16_000) / 5) * 3000).astype(np.int16)
SPAN = Span(1.0, 3.0)
LegFile = Callable[..., Path]


def spec(endpoint: Endpoint, **more: Any) -> EngineSpec:
    """The engine's spec."""
    return EngineSpec("openai", Path(endpoint.model), endpoint=endpoint, **more)


async def opened(server: Server, timeout: float = 60.0, **more: Any) -> OpenAIEngine:  # noqa: ASYNC109 - a setting
    """The engine, which has tried the server."""
    return await asyncio.to_thread(OpenAIEngine, spec(server.endpoint(timeout=timeout), **more))


async def heard(engine: OpenAIEngine) -> list[Any]:
    """What it makes of a span in the middle of a leg."""
    return await asyncio.to_thread(engine.transcribe, SOUND, [SPAN], lambda _count: None)


async def test_a_stretch_of_speech_is_asked_for_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sound of the span alone, as 16 kHz WAV, with language, model, key, prompt; times come back in the leg's."""
    monkeypatch.setenv("SPEECH_KEY", "k-123\n")
    async with serving(key="k-123") as server:
        end = server.endpoint(key_env="SPEECH_KEY")
        engine = await asyncio.to_thread(OpenAIEngine, spec(end, hot_words=("美的", "KFR-35GW"), word_times=True))
        (segment,) = await heard(engine)
    asked = server.asked[-1]
    assert (asked["rate"], asked["seconds"], asked["key"]) == (16_000, 2.0, "Bearer k-123")
    assert (asked["model"], asked["language"], asked["response_format"]) == (["whisper-1"], ["zh"], ["verbose_json"])
    assert asked["prompt"] == [f"{PROMPTS['zh']}美的、KFR-35GW。"]
    assert asked["timestamp_granularities[]"] == ["segment", "word"]
    assert (segment.start, segment.end, segment.text) == (1.0, 3.0, "我要投诉空调")
    assert 0.85 < segment.confidence < 0.95
    assert [(word.text, word.start, word.end) for word in segment.words] == [("我要", 1.2, 1.6), ("投诉", 1.6, 3.0)]


@pytest.mark.parametrize(
    ("answer", "text", "confidence"),
    [
        ({"text": "喂"}, "喂", 0.5),  # no segments, no confidence: in doubt
        ({"text": "喂", "segments": []}, "喂", 0.5),
        ({"text": "喂", "segments": "none", "words": 7}, "喂", 0.5),
        ({"text": "喂", "segments": [{"text": "喂", "avg_logprob": "high"}]}, "喂", 0.5),
        ({"text": "对" * 40}, None, None),  # a loop
        ({"text": "今天天气很好" * 3 + "我们去公园散步吧" * 9}, None, None),  # no mouth is that fast
        ({"text": "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目"}, None, None),
        ({"text": "喂", "segments": [{"text": "喂", "avg_logprob": -2, "no_speech_prob": 0.9}]}, None, None),
        ({"text": ""}, None, None),
    ],
)
async def test_what_is_not_sure_is_not_said(answer: object, text: str | None, confidence: float | None) -> None:
    """Missing figures are doubt; loops, inventions and guesses on noise are nothing."""
    async with serving() as server:
        engine = await opened(server)
        server.answer = answer
        said = await heard(engine)
    assert [(one.text, one.confidence) for one in said] == ([] if text is None else [(text, confidence)])


@pytest.mark.parametrize(
    "words",
    [
        [{"word": "我", "start": 1, "end": 0.5}],
        [{"word": "我", "start": -1, "end": 0.5}],
        [{"word": "我", "start": float("nan"), "end": 0.5}],
        [{"word": 7, "start": 0, "end": 0.5}],
        [{"word": "我", "start": 1, "end": 1.5}, {"word": "要", "start": 0, "end": 0.5}],
        [{"word": "我" * 100, "start": 0, "end": 0.5}],
    ],
)
async def test_words_with_odd_times_are_none(words: object) -> None:
    """The text stays: it is the times that lie."""
    async with serving() as server:
        engine = await opened(server)
        server.answer = {**GOOD, "words": words}
        (segment,) = await heard(engine)
    assert (segment.text, segment.words) == ("我要投诉空调", ())


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (400, {"error": "bad audio"}, SoundRefused),
        (413, {"error": "too large"}, SoundRefused),
        (422, {"error": "no"}, SoundRefused),
        (401, {"error": "who are you"}, EndpointAway),
        (403, {"error": "no"}, EndpointAway),
        (404, b"not found", EndpointAway),
        (302, b"", EndpointAway),
        (204, b"", EndpointAway),
        (429, {"error": "slow down"}, EndpointBusy),
        (500, b"Traceback", EndpointBusy),
        (503, b"", EndpointBusy),
        (200, b"<html>log in</html>", EndpointAway),
        (200, b"[" * 100_000, EndpointAway),
        (200, [1, 2], EndpointAway),
        (200, {"text": None}, EndpointAway),
        (200, b'{"text": "' + b"x" * 5_000_000 + b'"}', EndpointAway),
    ],
)
async def test_each_failure_is_of_one_kind(
    status: int, answer: object, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound's fault for good; ours or the server's set-up: wait; the server's trouble: try again."""
    monkeypatch.setattr("transcription.engines.openai_engine.AGAIN", 0.0)
    async with serving() as server:
        engine = await opened(server)
        server.answer, server.status = answer, status
        server.headers = {"Location": f"{server.url}/elsewhere"} if status == 302 else {}
        asked = len(server.asked)
        with pytest.raises(error, match=r"127\.0\.0\.1 answer"):
            await heard(engine)
    assert len(server.asked) - asked == (2 if error is EndpointBusy else 1)


async def test_a_server_that_drips_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket's own limit begins anew with every byte: ours does not."""
    monkeypatch.setattr("transcription.engines.openai_engine.AGAIN", 0.0)
    async with serving() as server:
        engine = await opened(server, 0.3)
        server.drip = True
        with pytest.raises(EndpointBusy, match=r"no answer within 0\.3 s"):
            await heard(engine)
        assert server.begun.is_set()


async def test_a_server_is_tried_before_it_is_used(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    """Nobody there, a wrong key, no key, no address: said before any recording is touched."""
    monkeypatch.delenv("SPEECH_KEY", raising=False)
    with pytest.raises(EndpointAway, match="cannot be reached"):
        OpenAIEngine(spec(Endpoint(f"http://127.0.0.1:{unused_tcp_port}/v1", "m")))
    with pytest.raises(ModelError, match="set SPEECH_KEY"):
        OpenAIEngine(spec(Endpoint("http://127.0.0.1:9/v1", "m", "SPEECH_KEY")))
    with pytest.raises(ModelError, match="no http or https address"):
        OpenAIEngine(spec(Endpoint("file:///etc/passwd", "m")))
    with pytest.raises(ModelError, match="url"):
        OpenAIEngine(EngineSpec("openai", Path("m")))
    monkeypatch.setenv("SPEECH_KEY", "wrong\r\nX-More: 1")
    with pytest.raises(ModelError, match="SPEECH_KEY") as told:
        OpenAIEngine(spec(Endpoint("http://127.0.0.1:9/v1", "m", "SPEECH_KEY")))
    assert "wrong" not in str(told.value)
    async with serving(ready=False, status=400, answer={"error": "no such model"}) as server:
        with pytest.raises(ModelError, match="no such model"):
            await opened(server)
    async with serving(key="right") as server:
        with pytest.raises(EndpointAway, match="Incorrect API key"):
            await opened(server)


async def test_a_hot_word_that_may_only_be_read_from_the_prompt_is_heard_again_without() -> None:
    """What stands in the prompt comes back on noise: what is left without the prompt was said."""
    async with serving() as server:
        engine = await opened(server, hot_words=("美的空调", "格力空调"))
        server.answer = {"text": "美的空调、格力空调。"}
        said = await heard(engine)
        assert [bool(asked.get("prompt")) for asked in server.asked[1:]] == [True, False]
    assert [one.text for one in said] == ["美的空调、格力空调。"]


async def test_through_a_worker_each_failure_becomes_what_a_job_understands(leg_file: LegFile) -> None:
    """Heard in a process of its own, which no failure kills; away: wait; busy: again; refused: for good."""
    leg = leg_file("rx", 6, (0.5, "zh_caller"))
    async with serving() as server:
        transcriber = Transcriber(spec(server.endpoint(), grammar=("空调",)))
        try:
            made = await transcriber.transcribe(leg, None)
            assert set(texts(made.turns)) == {("caller", "我要投诉空调")}
            assert (made.engine, made.model) == ("openai", "whisper-1")
            assert made.turns[0].start <= made.turns[0].words[0].start <= made.turns[0].end
            assert transcriber.notes == ("a speech server knows no grammar: name the words in hot_words",)
            pids = transcriber.pids
            for status, error in ((401, NoModel), (503, TranscriptionError), (415, Refused)):
                server.status = status
                with pytest.raises(error, match=str(status)):
                    await transcriber.transcribe(leg, None)
            assert transcriber.pids == pids
            server.status = 200
            assert (await transcriber.transcribe(leg, None)).turns
        finally:
            await transcriber.close()


def test_the_spec_reaches_the_worker_as_it_is() -> None:
    """Every field, paths and lists alike."""
    end = Endpoint("https://speech.example/v1", "m", "KEY", 5.0, Path("/ca.pem"))
    whole = EngineSpec("openai", Path("m"), "en", ("a",), 3, ("b", "c"), word_times=True, endpoint=end)
    for one in (whole, EngineSpec("vosk", Path("/models/x"))):
        assert EngineSpec.of_json(json.loads(json.dumps(one.as_json()))) == one
