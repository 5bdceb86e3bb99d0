"""What telephone lines carry beside speech is not heard as speech: music, keys, fax, noise, the other party's echo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from transcription.crosstalk import same
from transcription.engines import Span
from transcription.voice import loudness, spans

RATE = 8000
Clips = Callable[[str], Any]
RNG = np.random.default_rng(11)


def seconds(length: float) -> Any:
    """The times of the samples of so many seconds."""
    return np.arange(int(length * RATE)) / RATE


def note(hertz: float, length: float) -> Any:
    """A plucked string: overtones that fade at their own pace."""
    at = seconds(length)
    return sum(np.sin(2 * np.pi * hertz * k * at) * np.exp(-at * k * 0.9) / k for k in range(1, 9) if hertz * k < 3400)


def song(length: float, *, beat: float = 0.45, drums: bool = True) -> Any:
    """Chords over a bass with a tune and a drum, level -20 dBFS: what a hold queue plays."""
    chords = ((220, 277.2, 329.6), (196, 246.9, 293.7), (174.6, 220, 261.6), (164.8, 207.7, 246.9))
    tune = (659.3, 587.3, 523.3, 587.3, 659.3, 784, 880, 784)
    out = np.zeros(int(length * RATE) + RATE)
    for i in range(int(length / beat)):
        start = int(i * beat * RATE)
        parts = [note(hertz, beat * 1.6) * 0.4 for hertz in chords[i // 4 % 4]] + [note(tune[i % 8], beat * 1.4)]
        parts += [RNG.normal(0, 1, 600) * np.exp(-np.arange(600) / 90) * 0.6] if drums else []
        for part in parts:
            out[start : start + len(part)] += part[: len(out) - start]
    out = out[: int(length * RATE)]
    return out * 0.1 / np.sqrt(np.mean(out**2))


def keys(pressed: str, on: float = 0.08, off: float = 0.08) -> Any:
    """DTMF as a telephone sends it."""
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    pads = "123A456B789C*0#D"
    parts = []
    for key in pressed:
        row, column = divmod(pads.index(key), 4)
        at = seconds(on)
        parts += [0.15 * (np.sin(2 * np.pi * rows[row] * at) + np.sin(2 * np.pi * columns[column] * at))]
        parts += [np.zeros(int(off * RATE))]
    return np.concatenate(parts)


def tone(hertz: float, length: float, level: float = 0.2) -> Any:
    """A sine."""
    return level * np.sin(2 * np.pi * hertz * seconds(length))


def data(length: float) -> Any:
    """A fax page or a modem: symbols on a carrier of 1700 Hz at one level."""
    symbols = np.exp(1j * np.pi / 4 * RNG.integers(0, 8, int(length * 1200) + 1))
    shape = np.interp(seconds(length) * 1200, np.arange(len(symbols)), symbols.real)
    return 0.1 * np.sin(2 * np.pi * 1700 * seconds(length) + np.pi * shape)


def fsk(length: float) -> Any:
    """V.21: two tones in turn, 300 times a second."""
    bits = RNG.integers(0, 2, int(length * 300) + 1)[(seconds(length) * 300).astype(int)]
    return 0.15 * np.sin(2 * np.pi * np.cumsum(np.where(bits, 1650, 1850)) / RATE)


def leg(length: float, *parts: tuple[float, Any]) -> Any:
    """Samples with ``parts`` (at, sound) on an empty line."""
    sound = RNG.normal(0, 0.0003, int(length * RATE))
    for at, part in parts:
        start = int(at * RATE)
        sound[start : start + len(part)] += part[: len(sound) - start]
    return (np.clip(sound, -1, 1) * 32_767).astype(np.int16)


def covered(found: list[Span], start: float, end: float) -> float:
    """The share of start..end that the spans cover."""
    return sum(max(0.0, min(end, span.end) - max(start, span.start)) for span in found) / (end - start)


MACHINES = {
    "music": song(20),
    "music without drums, slow": song(20, beat=0.9, drums=False),
    "faint music": song(20) * 0.2,
    "keys": keys("13800138000#"),
    "keys pressed slowly": keys("159*", 0.3, 0.5),
    "keys pressed fast": keys("147258369", 0.05, 0.05),
    "busy": np.concatenate([np.concatenate([tone(450, 0.35), np.zeros(2800)])] * 8),
    "congestion": np.concatenate([np.concatenate([tone(450, 0.7), np.zeros(5600)])] * 4),
    "not in service": np.concatenate([tone(950, 0.33), tone(1400, 0.33), tone(1800, 0.33)] * 3),
    "the beep before a message": tone(1000, 0.4),
    "fax calling": np.concatenate([np.concatenate([tone(1100, 0.5), np.zeros(3 * RATE)])] * 3),
    "fax answering": tone(2100, 3.3),
    "fax data": data(8),
    "fax handshake": fsk(5),
    "hum": tone(50, 10, 0.05) + tone(150, 10, 0.03),
    "steady noise": RNG.normal(0, 0.03, 10 * RATE),
}


@pytest.mark.parametrize("what", MACHINES)
def test_nobody_speaks_there(what: str) -> None:
    """Alone on the line: nothing is given to the engine, which would make words of it."""
    sound = MACHINES[what]
    found = spans(leg(len(sound) / RATE + 2, (1, sound)), RATE)
    assert covered(found, 1, 1 + len(sound) / RATE) <= (0.1 if "music" in what else 0.0)


@pytest.mark.parametrize("what", MACHINES)
def test_the_sentences_around_it_are_heard(clip: Clips, what: str) -> None:
    """Before and after, half a second away from it."""
    sound, first, second = MACHINES[what], clip("zh_caller"), clip("zh_agent")
    begins = 1 + len(first) / RATE + 0.5
    then = begins + len(sound) / RATE + 0.5
    length = then + len(second) / RATE + 1
    found = spans(leg(length, (1, first), (begins, sound), (then, second)), RATE)
    assert covered(found, 1.1, begins - 0.6) > 0.95
    assert covered(found, then + 0.1, length - 1.1) > 0.95


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_talk_right_after_hold_music_is_heard(clip: Clips, gap: float) -> None:
    """The agent comes back and says so at once."""
    back = clip("zh_agent")
    found = spans(leg(24, (1, song(15)), (16 + gap, back)), RATE)
    assert covered(found, 16.2 + gap, 16 + gap + len(back) / RATE - 0.1) > 0.9
    assert covered(found, 2, 14) < 0.15


def test_keys_do_not_swallow_a_voice(clip: Clips) -> None:
    """A caller who presses keys while talking is heard; a voice is never a key."""
    voice = clip("zh_caller")
    found = spans(leg(8, (1, voice), (2, keys("12"))), RATE)
    assert covered(found, 1.1, 1 + len(voice) / RATE - 0.1) > 0.85


@pytest.mark.parametrize(("delay", "decibels"), [(0.0, -20), (0.18, -14), (0.35, -22), (0.6, -16)])
def test_what_leaks_from_the_other_leg_is_not_said_twice(clip: Clips, delay: float, decibels: float) -> None:
    """The agent's voice comes back on the caller's leg, through a room and A-law; the caller's own words stay."""
    agent, caller = clip("zh_agent"), clip("zh_caller")
    theirs = leg(18, (1, agent), (13, agent))
    room = RNG.normal(0, 1, 400) * np.exp(-np.arange(400) / 60)
    room[0] = 3
    echo = np.convolve(theirs / 32_768, room / np.sqrt(np.sum(room**2)))[: len(theirs)] * 10 ** (decibels / 20)
    echo = np.concatenate([np.zeros(int(delay * RATE)), echo])[: len(theirs)]
    own = leg(18, (0, echo), (7, caller))
    found = spans(own, RATE, other=theirs)
    assert covered(found, 1, 6) < 0.1
    assert covered(found, 13, 17.5) < 0.1
    assert covered(found, 7.1, 7 + len(caller) / RATE - 0.1) > 0.95
    assert covered(spans(own, RATE), 1, 6) > 0.3, "heard as speech without the other leg: the test tests something"


def test_two_who_speak_at_once_are_both_heard(clip: Clips) -> None:
    """An interruption is no echo, however loud the other is."""
    agent, caller = clip("zh_agent"), clip("zh_caller")
    theirs, own = leg(8, (1, agent)), leg(8, (1.5, caller * 0.5))
    assert covered(spans(own, RATE, other=theirs), 1.6, 1.5 + len(caller) / RATE - 0.1) > 0.95


def test_one_sound_on_both_legs_is_noticed(clip: Clips) -> None:
    """A mix put on both channels; two people are no mix."""
    agent, caller = clip("zh_agent"), clip("zh_caller")
    mix = leg(16, (1, agent), (8, caller))
    assert same(mix, (mix * 0.9).astype(np.int16), loudness(mix))
    assert not same(leg(16, (1, agent)), leg(16, (8, caller)), loudness(leg(16, (8, caller))))


@pytest.mark.parametrize("decibels", [-20, -28])
def test_a_faint_voice_is_heard(clip: Clips, decibels: float) -> None:
    """The detector alone hears nothing that faint; the engine understands it."""
    voice = clip("zh_caller")
    found = spans(leg(8, (2, voice * 10 ** (decibels / 20))), RATE)
    assert covered(found, 2.1, 2 + len(voice) / RATE - 0.1) > 0.9
    assert covered(found, 0, 1.5) == 0


def test_a_muted_line_hides_no_noise(clip: Clips) -> None:
    """A noisy leg that is muted for a while stays a noisy leg."""
    first, second = clip("zh_caller"), clip("zh_agent")
    noise = RNG.normal(0, float(np.sqrt(np.mean(first**2))) / 5, 16 * RATE)
    sound = leg(16, (0, noise), (1, first), (9, second))
    sound[5 * RATE : 8 * RATE] = 0
    assert covered(spans(sound, RATE), 14.5, 16) < 0.3


@pytest.mark.long
def test_a_line_left_open_takes_little_memory(tmp_path: Path, clip: Clips) -> None:
    """One sentence in eighteen minutes: no more memory than a few times the samples, so three hours are no trouble."""
    import tracemalloc  # noqa: PLC0415 - here only

    from transcription.audio import load_leg  # noqa: PLC0415 - here only

    voice = clip("zh_caller")
    sound = np.zeros(1080 * RATE, dtype=np.int16)
    sound[600 * RATE : 600 * RATE + len(voice)] = (voice * 32_767).astype(np.int16)
    soundfile.write(tmp_path / "long.wav", sound, RATE, subtype="ALAW")
    size = sound.nbytes
    tracemalloc.start()
    try:
        made = load_leg(tmp_path / "long.wav")
        found = spans(made.samples, made.rate)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [round(span.start) for span in found] == [600]
    assert most < 6 * size
