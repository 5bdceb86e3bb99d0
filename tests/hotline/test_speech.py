"""Which engine, model and language each line has, and how they live together."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hotline.settings import ConfigError, Settings, load
from hotline.speech import NO_MODEL, Speech, machine_memory, open_speech, spec_of
from transcription.engines import Endpoint, EngineSpec
from transcription.memory import MB
from transcription.worker import NoRoom, Transcriber

CLIP = Path(__file__).parents[1] / "audio/zh_caller.wav"
HANGS = CLIP.with_name("zh_greeting.wav")  # five seconds long, on which a script may hang


@asynccontextmanager
async def speaking(choose: Callable[[str], EngineSpec | None], **more: Any) -> AsyncIterator[Speech]:
    """A speech side that leaves no child behind."""
    speech = Speech(choose, **more)
    try:
        yield speech
    finally:
        await speech.close()


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., EngineSpec]:
    """A script by name."""

    def write(name: str, **settings: object) -> EngineSpec:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"texts": [name], **settings}), encoding="utf-8")
        return EngineSpec("scripted", path)

    return write


def a_model(folder: Path, kind: str) -> Path:
    """A folder that looks like a whole model of a kind."""
    names = {
        "whisper": ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"),
        "vosk": ("am/final.mdl", "conf/mfcc.conf", "graph/HCLG.fst", "graph/phones/word_boundary.int"),
    }[kind]
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}" if name.endswith("json") else b"\0" * 1_000_000)
    return folder


def settings(tmp_path: Path, text: str) -> Settings:
    """A configuration beside its data folder."""
    path = tmp_path / "hotline.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


LINES = """
data = "data"
[transcription]
model = "zh"
language = "zh"
threads = 3
word_times = true
memory_mb = 900
[transcription.endpoint]
url = "http://127.0.0.1:9000/v1"
model = "large"
key_env = "SPEECH_KEY"
timeout = 20
[[line]]
number = "4000000001"
record = false
[[line]]
number = "4000000002"
record = false
[line.speech]
language = "en"
[[line]]
number = "4000000003"
record = false
[line.speech]
model = "ko"
language = "ko"
grammar = ["환불 #"]
[[line]]
number = "4000000004"
record = false
[line.speech]
engine = "openai"
endpoint_model = "turbo"
hot_words = ["美的"]
[[line]]
number = "4000000005"
record = false
[line.speech]
engine = "whisper"
"""


def test_each_line_has_its_own_engine_model_and_language(tmp_path: Path) -> None:
    """Its own, else the common one where that fits: a Mandarin model does not hear an English line."""
    a_model(tmp_path / "zh", "vosk")
    a_model(tmp_path / "ko", "vosk")
    a_model(tmp_path / "data/models/whisper-base", "whisper")
    told = settings(tmp_path, LINES)
    common = {"threads": 3, "word_times": True}
    end = Endpoint("http://127.0.0.1:9000/v1", "turbo", "SPEECH_KEY", 20.0)
    whisper = tmp_path / "data/models/whisper-base"
    assert [spec_of(told, f"400000000{n}") for n in range(1, 6)] == [
        EngineSpec("vosk", tmp_path / "zh", "zh", **common),  # type: ignore[arg-type]
        EngineSpec("whisper", whisper, "en", **common),  # type: ignore[arg-type]
        EngineSpec("vosk", tmp_path / "ko", "ko", grammar=("환불 #",), **common),  # type: ignore[arg-type]
        EngineSpec("openai", Path("turbo"), "zh", hot_words=("美的",), endpoint=end, **common),  # type: ignore[arg-type]
        EngineSpec("whisper", whisper, "zh", **common),  # type: ignore[arg-type]
    ]
    assert spec_of(told, "4000000009") == spec_of(told, "4000000001"), "a line taken out of the file since"


def test_a_common_whisper_model_speaks_every_language(tmp_path: Path) -> None:
    """It is told the line's."""
    a_model(tmp_path / "zh", "whisper")
    told = settings(tmp_path, LINES)
    found = spec_of(told, "4000000002")
    assert found is not None
    assert (found.engine, found.model, found.language) == ("whisper", tmp_path / "zh", "en")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('[transcription]\nengine = "openai"', "needs the address of your server"),
        ('[[line]]\nnumber = "4001"\nrecord = false\n[line.speech]\nengine = "openai"', "needs the address"),
        ('[transcription.endpoint]\nurl = "ftp://x/v1"', "endpoint.url"),
        ('[transcription.endpoint]\nurl = "http://x:99999/v1"', "no such port"),
        ('[transcription.endpoint]\nurl = "http://u:p@x/v1"', "no user or password in the url"),
        ('[transcription.endpoint]\nurl = "http://10.0.0.7/v1"\nkey_env = "K"', "over http the key would cross"),
        ('[transcription.endpoint]\nurl = "https://x/v1"\nkey = "sk-1"', "no such setting"),
        ('[transcription]\nlanguage = "auto"', "language"),
        ('[[line]]\nnumber = "4001"\nrecord = false\n[line.speech]\nhot_words = ["a\\nb"]', "hot_words"),
        ("[transcription]\nmemory_mb = 5", "memory_mb"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, wrong: str, said: str) -> None:
    """By `hotline check`, with the key that is wrong."""
    with pytest.raises(ConfigError, match=said):
        settings(tmp_path, wrong)


async def test_lines_that_want_the_same_share_it(script: Callable[..., EngineSpec], tmp_path: Path) -> None:
    """Another model has its own workers; a line without a model, or with a broken one, holds up no other."""
    specs = {"a": script("one"), "b": script("one"), "c": EngineSpec("scripted", tmp_path / "two.json"), "d": None}
    async with speaking(specs.__getitem__, lines="abcd") as speech:
        assert speech.report() == NO_MODEL, "of line d; the others were not tried yet"
        found = {line: await speech.transcriber(line) for line in "abcd"}
        one = found["a"]
        assert one is not None
        assert one is found["b"]
        assert found["c"] is found["d"] is None
        assert [speech.trouble(line) for line in "abd"] == [None, None, NO_MODEL]
        assert "two.json" in (speech.trouble("c") or "")
        script("two")
        other = await speech.transcriber("c")
        assert other is not None
        said = [await each.transcribe(CLIP, None) for each in (one, other)]
        assert [made.turns[0].text for made in said] == ["one", "two"]
        assert speech.report() == NO_MODEL, "of line d still"


async def begin(transcriber: Transcriber, group: asyncio.TaskGroup) -> asyncio.Task[Any]:
    """Hear a recording whose second leg never ends; returned once its first was heard."""
    begun = asyncio.Event()
    task = group.create_task(transcriber.transcribe(CLIP, HANGS, progress=lambda _share: begun.set()))
    await begun.wait()
    return task


async def test_models_share_the_memory_and_what_is_at_work_is_left_alone(script: Callable[..., EngineSpec]) -> None:
    """The idle one gives way; beside one at work there is no room; a forgotten one finishes what it hears."""
    specs = {"a": script("one", do="hang", only=5), "b": script("two")}
    async with speaking(specs.__getitem__, lines="ab") as speech:
        old = await speech.transcriber("a")
        assert old is not None
        speech._memory.most = speech._memory.held * 9 // 5
        other = await speech.transcriber("b")
        assert other is not None
        assert (old.pids, len(other.pids)) == ([], 1), "both do not fit: the idle one gave way"
        async with asyncio.TaskGroup() as group:
            hearing = await begin(old, group)
            assert other.pids == []
            with pytest.raises(NoRoom, match="other models are at work"):
                await other.transcribe(CLIP, None)
            assert len(old.pids) == 1
            await speech.forget(old)
            assert len(old.pids) == 1, "what it hears is heard to its end"
            hearing.cancel()
        assert old.pids == []
        await speech.forget(old)
        speech._memory.most = speech._memory.most // 5
        assert await speech.transcriber("a") is None, "it alone is too large"
        assert "transcription.memory_mb allows" in (speech.report() or "")


def test_the_settings_say_how_much_memory(tmp_path: Path) -> None:
    """So many megabytes, else half of the machine's."""
    assert open_speech(settings(tmp_path, LINES))._memory.most == 900 * MB
    assert open_speech(Settings(data=tmp_path))._memory.most == machine_memory() // 2
    assert machine_memory() > 2**28
