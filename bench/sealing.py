"""What safe keeping costs: masking a transcript, laying a tone over a recording, sealing it, reading a piece of it.

.venv/bin/python -m bench.sealing [--minutes 20]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from storage.sealed_file import CipherName, Keys, Sealed, seal
from transcription.beeped import beep
from transcription.redaction import redact_turns
from transcription.transcript import Speaker, Turn

RATE = 8000


def took(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the quickest of a few runs."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=20.0)
    minutes = parser.parse_args().minutes
    said = (
        "好的，那我跟您核对一下，卡号是6299991020304058，",
        "订单号20260417778，明天下午2点半送到，一共328.5元。",
    ) * 2
    turns = [Turn(Speaker.CALLER, i * 5.0, i * 5.0 + 4, said[i % 4], 1.0) for i in range(int(minutes * 12))]
    print(f"a call of {minutes:g} minutes, {len(turns)} turns, one leg of {RATE} Hz")
    print(f"mask the turns            {took(lambda: redact_turns(turns)) * 1000:8.1f} ms")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wav, copy = folder / "a.wav", folder / "b.wav"
        noise = np.random.default_rng(1).integers(-9000, 9000, int(minutes * 60 * RATE), dtype=np.int16)
        soundfile.write(wav, noise, RATE)
        spans = [(n * 60.0, n * 60.0 + 5) for n in range(int(minutes))]
        print(f"tone, written and checked {took(lambda: beep(wav, copy, spans)) * 1000:8.1f} ms")
        for cipher in CipherName:
            keys = Keys("k", {"k": os.urandom(32)}, cipher)
            sealed = folder / f"{cipher.value}.sealed"
            spent = took(lambda sealed=sealed, keys=keys: seal(wav, sealed, keys, "x"))  # type: ignore[misc]
            size = wav.stat().st_size / 1e6
            print(f"seal, checked: {cipher.value:11}{spent * 1000:8.1f} ms   {size / spent:6.0f} MB/s of {size:.1f} MB")
            middle = int(size * 5e5)

            def piece(sealed: Path = sealed, keys: Keys = keys, middle: int = middle) -> None:
                list(Sealed(sealed, keys, "x").read(middle, middle + 65_536))

            print(f"open and read 64 KiB of its middle {took(piece) * 1000:.2f} ms")


if __name__ == "__main__":
    main()
