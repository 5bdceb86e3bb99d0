"""What a recording looks like is what it holds: every step, to the sample, and no pause where somebody speaks."""

import io
import wave
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.audio import load_channels
from transcription.outline import MOST, Side, outline


def side(samples: npt.NDArray[Any], rate: int = 8000) -> Side:
    """Samples as one side, by way of a real file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())
    return Side.of(load_channels("leg.wav", out.getvalue())[0])


def tone(seconds: float, spans: list[tuple[float, float]], rate: int = 8000, loud: int = 8000) -> Side:
    """A tone in those spans of seconds, digital silence elsewhere."""
    at = np.arange(round(seconds * rate))
    sound = np.zeros(len(at))
    for begins, ends in spans:
        here = slice(round(begins * rate), round(ends * rate))
        sound[here] = loud * np.cos(2 * np.pi * 440 * at[here] / rate)
    return side(sound, rate)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000])
@pytest.mark.parametrize("sample", [0, 79, 80, 81, 12_345, 23_999])
def test_one_sample_is_in_its_step_and_in_no_other(rate: int, sample: int) -> None:
    """The first of a step, the last of one, the last of all."""
    sound = np.zeros(24_000)
    sound[sample] = -20_000
    found = outline([side(sound, rate)])
    (lane,) = found.lanes
    heard = [number for number, peak in enumerate(lane) if peak]
    assert len(heard) == 1
    assert heard[0] * found.step <= sample / rate + 1e-9 < (heard[0] + 1) * found.step + 1e-9
    assert lane[heard[0]] == 156  # of 255, as 20,000 is of 32,768


@given(
    st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=400),
    st.integers(1, 50),
    st.sampled_from([8000, 11_025]),
)
def test_every_sample_counts_once(samples: list[int], most: int, rate: int) -> None:
    """As many steps as cover it, no more than asked for; the loudest sample shows, and 0 is silence alone."""
    found = outline([side(np.array(samples), rate)], most)
    (lane,) = found.lanes
    assert len(lane) <= most
    assert len(lane) == 1 or (len(lane) - 1) * found.step < len(samples) / rate <= len(lane) * found.step + 1e-9
    assert max(lane) == min(255, -(-max(abs(one) for one in samples) * 255 // 32_768))
    assert (max(lane) == 0) == (not any(samples))


def test_a_long_call_is_as_small_as_a_short_one() -> None:
    """Twenty minutes of both sides: as many steps as a screen has columns for; the shorter side ends where it ends."""
    found = outline([side(np.zeros(8000 * 1_200)), side(np.zeros(8000 * 600))])
    assert [len(lane) for lane in found.lanes] == [MOST, MOST / 2]
    assert found.seconds == 1_200


def test_pauses_are_where_neither_speaks() -> None:
    """Both sides at once, with a rest kept on either side; short ones stay, so does the end that nothing follows."""
    caller = tone(20, [(2, 4), (9, 10)])
    agent = tone(20, [(4.5, 6), (9.5, 15)])
    quiet = outline([caller, agent]).quiet
    assert quiet == ((0.0, 1.8), (6.2, 8.8), (15.2, 19.8))


def test_noise_of_a_line_is_no_speech_and_a_soft_voice_is() -> None:
    """Hiss far below the voice of its own side is skipped; a caller who speaks softly on a silent line is not."""
    hiss = np.random.default_rng(7).normal(0, 40, 8000 * 10)
    at = np.arange(8000 * 2)
    hiss[: len(at)] += 6000 * np.cos(2 * np.pi * 300 * at / 8000)
    soft = tone(10, [(6, 7)], loud=200)
    assert outline([side(hiss), soft]).quiet == ((2.2, 5.8), (7.2, 9.8))
