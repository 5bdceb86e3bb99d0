"""A call that was recorded and written down, and everything that makes its sound safe."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from hotline.originals import Originals
from hotline.recorder import Recorder, Recorders
from hotline.sealing import SEAL, Sealing
from hotline.telephony_settings import Policy
from numbering.identify import identify
from storage.audit import Audit
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.jobs import Job, Wait
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import RecordingRow
from storage.sealed_file import CipherName, Keys
from storage.sounds import Sounds
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Outcome
from telephony.recordings import Rules
from transcription.redaction import Policy as Masked
from transcription.redaction import redact_transcript
from transcription.transcript import Speaker, Transcript, Turn

NOON = 1_795_147_200.0
LINE = "4007002505"
RATE = 8000
SECONDS = 18
CARD = "6299991020304058"
SPAN = (10.0, 15.0)  # when the card is said


def turns(text: str = f"卡号{CARD}") -> tuple[Turn, ...]:
    """A short talk in which a card is told."""
    return (
        Turn(Speaker.AGENT, 1.0, 4.0, "您好，请报一下银行卡卡号", 0.9, "1001"),
        Turn(Speaker.CALLER, *SPAN, text, 0.9),
        Turn(Speaker.AGENT, 20.0, 22.0, "好的，谢谢", 0.9, "1001"),
    )


class SealHouse:
    """Database, recordings, sealing. ``policy`` is the line's; ``keyring`` may be changed while it runs."""

    def __init__(self, db: Database, folder: Path, policy: Policy) -> None:
        self.db, self.folder, self.now = db, folder, NOON
        self.root, self.data = folder / "rec", folder / "var"
        self.root.mkdir(exist_ok=True)
        self.ledger, self.reads, self.outbox, self.audit = Ledger(db), Reads(db), Outbox(db), Audit(db)
        self.sounds = Sounds(db)
        self.keyring: Keys | None = Keys("k1", {"k1": b"\7" * 32}, CipherName.AES)
        rules = Rules(mark=".done", quiet=20.0, repairs=self.data / "repaired")
        self.recorder = Recorder(self.root, rules, lambda: self.now)
        self.originals = Originals(
            recorders=Recorders({"main": self.recorder}),
            sounds=self.sounds,
            policies={LINE: policy},
            folder=self.data,
            keys=self._keys,
        )
        self.sealing = Sealing(
            originals=self.originals,
            reads=self.reads,
            outbox=self.outbox,
            fanout=MemoryFanout(),
            clock=lambda: self.now,
            lines=[LINE],
        )
        self.calls = 0

    def _keys(self) -> Keys:
        if self.keyring is None:
            raise LookupError("no secret for sealing key 'k1'")
        return self.keyring

    async def call(self, *, legs: Sequence[str] = ("rx", "tx", "mix"), caller: str = "13812345678") -> CallKey:
        """A call that was answered and recorded."""
        self.calls += 1
        key = CallKey("main", f"1795147200.{self.calls}")
        facts: list[Fact] = [
            Arrived(call=key, at=self.now, caller=caller, caller_name=None, number=LINE, dialled=LINE),
            Confirmed(call=key, at=self.now + 0.1),
            Answered(call=key, at=self.now + 1, agent="1001"),
            Ended(call=key, at=self.now + 30, outcome=Outcome.ANSWERED),
        ]
        for fact in facts:
            await self.ledger.record(fact, now=self.now, number=identify(caller))
        names = {leg: f"{key.linkedid}{'' if leg == 'mix' else '-' + leg}.wav" for leg in legs}
        for seed, name in enumerate(names.values()):
            noise = np.random.default_rng(seed).integers(-3000, 3000, SECONDS * RATE, dtype=np.int16)
            soundfile.write(self.root / name, noise, RATE)
        (self.root / f"{key.linkedid}.done").touch()
        row = RecordingRow(names.get("rx"), names.get("tx"), names.get("mix"), float(SECONDS), began=self.now)
        await self.ledger.link_recording(key, row, self.now)
        return key

    async def said(self, call: CallKey, said: Sequence[Turn] | None = None) -> None:
        """Its transcript is kept, masked as the line has it."""
        self.now += 60
        transcript = Transcript(tuple(turns() if said is None else said), "scripted", "own", seconds=float(SECONDS))
        page = await self.page(call)
        kept = redact_transcript(transcript, Masked())
        await self.ledger.said(call, kept, None, self.now, self.sealing.follow(page, kept))

    async def page(self, call: CallKey) -> CallPage:
        """The call's page."""
        page = await self.reads.call(call)
        assert page is not None
        return page

    async def seal(self) -> None:
        """Do the jobs that wait. Raises what they raise."""
        while (job := await self.outbox.claim([SEAL], self.now, 60)) is not None:
            await self.do(job, self.sealing.seal)

    async def do(self, job: Job, handler: Callable[[Job], object]) -> None:
        """Do one; what it raises gives it back."""
        try:
            result = handler(job)
            assert hasattr(result, "__await__")
            answer: Wait | None = await result
        except Exception as error:
            await self.outbox.retry(job, str(error), self.now)
            self.now += 3600
            raise
        assert answer is None
        await self.outbox.done(job, self.now)

    def lying(self) -> dict[str, int]:
        """How many files lie where."""
        rooms = {
            "rec": self.root,
            "bleeped": self.data / "bleeped",
            "sealed": self.data / "sealed",
            "open": self.data / "open",
        }
        return {
            name: sum(len(files) for _, _, files in os.walk(room))
            - (name == "rec") * len(list(self.root.glob("*.done")))
            for name, room in rooms.items()
        }
