"""The child process: one loaded model, one recording after another (``python -m transcription.child JSON``).

It speaks JSON lines: first ``{"ready": model, "notes"}`` or ``{"no_model": why}``; then for each order
``{"seconds": audio}``, some ``{"share": done}``, and ``{"heard": ...}``, ``{"problem": [trouble, why]}`` or one of
``{"away": why}``, ``{"busy": why}``, ``{"refused": why}`` of a server that was asked.
Anything unforeseen kills it, with a traceback on stderr: the parent copes with dead children, not with confused ones.
"""

import io
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from transcription.engines import EndpointAway, EndpointBusy, EngineSpec, ModelError, SoundRefused, open_engine
from transcription.hearing import hear
from transcription.process import TOLD_NO_MODEL
from transcription.transcript import Speaker
from transcription.trouble import AudioProblem

_EXCUSES = {EndpointAway: "away", EndpointBusy: "busy", SoundRefused: "refused"}


def main() -> int:
    """Load the model of the first argument and work until stdin closes."""
    start = json.loads(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when we end
    tell = _channel()
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    os.nice(start["niceness"])
    try:
        engine = open_engine(EngineSpec.of_json(start["spec"]))
    except (ModelError, EndpointAway) as error:
        tell({"no_model": str(error)})
        return TOLD_NO_MODEL
    _confine(2 * start["headroom"])
    tell({"ready": engine.model, "notes": engine.notes})
    while True:
        order = orders.get()
        legs = {speaker: Path(order[speaker]) for speaker in Speaker if order[speaker] is not None}
        try:
            heard = hear(
                engine, legs,
                talk=order["talk"], language=start["spec"]["language"], max_seconds=order["max_seconds"],
                started=lambda seconds: tell({"seconds": seconds}), done=lambda share: tell({"share": share}),
            )  # fmt: skip
        except AudioProblem as problem:
            tell({"problem": [problem.trouble, problem.text]})
        except tuple(_EXCUSES) as error:
            tell({_EXCUSES[type(error)]: str(error)})
        else:
            tell({"heard": asdict(heard)})


def _channel() -> Callable[[dict[str, Any]], None]:
    """A way to send messages on what was stdout; stdout becomes stderr, so that a library's print breaks nothing."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def tell(message: dict[str, Any]) -> None:
        out.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        out.flush()

    return tell


def _listen(orders: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Take orders from stdin; when it closes the parent is gone or done with us, whatever the main thread is at."""
    # unbuffered: a thread asleep in a buffered read makes Python abort when the main thread ends with an error
    for line in io.FileIO(0, closefd=False):
        orders.put(json.loads(line))
    os._exit(0)


def _confine(more: int) -> None:
    """Let the address space grow by ``more`` bytes at most: a backstop behind the parent's look at the memory."""
    try:
        import resource  # noqa: PLC0415 - not on every system

        with Path("/proc/self/statm").open("rb") as statm:
            now = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError):
        return
    resource.setrlimit(resource.RLIMIT_AS, (now + more, resource.getrlimit(resource.RLIMIT_AS)[1]))


if __name__ == "__main__":
    sys.exit(main())
