"""What was made of recordings' files, on both databases."""

from storage.audit import Audit, What
from storage.database import Database
from storage.ledger import Ledger
from storage.records import RecordingRow
from storage.sounds import Safe, Sounds
from telephony.call import Arrived, CallKey, Ended, Outcome
from transcription.transcript import Transcript

LINE = "4007002505"


async def recorded(db: Database, linkedid: str, *, said: float | None = None) -> tuple[CallKey, int]:
    """A call with a recording of two legs, and its number."""
    ledger, call = Ledger(db), CallKey("main", linkedid)
    await ledger.record(Arrived(call=call, at=1.0, caller="1", caller_name=None, number=LINE, dialled=LINE), now=1.0)
    await ledger.record(Ended(call=call, at=9.0, outcome=Outcome.ANSWERED), now=9.0)
    await ledger.link_recording(call, RecordingRow(f"{linkedid}-rx.wav", f"{linkedid}-tx.wav", None, 8.0), 10.0)
    if said is not None:
        await ledger.said(call, Transcript((), "scripted", "own"), None, said)
    number = await Sounds(db).recording_id(call, f"{linkedid}-rx.wav")
    assert number is not None
    return call, number


async def test_what_is_known_of_a_file_is_written_over_not_doubled(db: Database) -> None:
    """Decided again, sealed again; read by the recording's name and the leg."""
    sounds = Sounds(db)
    call, number = await recorded(db, "1.1")
    assert await sounds.of(call) == {}
    for said, safe, name in ((20.0, Safe.CLEAN, None), (30.0, Safe.BLEEPED, "0/1-rx-a.wav")):
        await sounds.decided(number, "rx", said=said, safe=safe, bleeped=name)
    for key in ("k1", "k2"):
        await sounds.sealed(number, "rx", name=f"0/1-rx-{key}.sealed", key=key, size=2**33)
    await sounds.decided(number, "tx", said=30.0, safe=Safe.NEVER, bleeped=None)
    known = await sounds.of(call)
    assert set(known) == {("1.1-rx.wav", "rx"), ("1.1-rx.wav", "tx")}
    rx = known["1.1-rx.wav", "rx"]
    assert (rx.said, rx.safe, rx.bleeped, rx.sealed, rx.key, rx.bytes) == (
        30.0,
        Safe.BLEEPED,
        "0/1-rx-a.wav",
        "0/1-rx-k2.sealed",
        "k2",
        2**33,
    )
    assert [sound.leg for _, sound in await sounds.sealed_files()] == ["rx"]
    assert not await sounds.sealed_files(but="k2")
    assert not await sounds.sealed_files(after=rx.id)
    assert await sounds.recording_id(call, "other.wav") is None


async def test_that_the_plain_files_are_gone_is_written_down_once(db: Database) -> None:
    """In one transaction with the audit trail; a recording forgotten leaves nothing."""
    sounds = Sounds(db)
    call, number = await recorded(db, "1.2")
    for now in (50.0, 60.0):
        await sounds.removed(call, number, ["rx", "tx"], what=What.RECORDING_SEALED, detail={"key": "k1"}, now=now)
    assert {sound.removed for sound in (await sounds.of(call)).values()} == {50.0}
    (entry,) = await Audit(db).rows(what=What.RECORDING_SEALED)
    assert (entry.at, entry.who, entry.subject, entry.detail) == (50.0, "policy", str(call), {"key": "k1"})
    await sounds.forget(number)
    assert await sounds.of(call) == {}


async def test_what_is_left_to_do(db: Database) -> None:
    """Written down and not decided by that transcript; not sealed though written down, or linked long ago."""
    sounds = Sounds(db)
    said, number = await recorded(db, "2.1", said=20.0)
    unsaid, _ = await recorded(db, "2.2")

    async def left(*, bleeped: bool = False, sealed: bool = False, before: float = 0.0) -> set[CallKey]:
        lines = ([LINE] if bleeped else [], [LINE] if sealed else [])
        return set(await sounds.undone(bleeped=lines[0], sealed=lines[1], before=before, job="seal", limit=9))

    assert await left() == set()
    assert await left(bleeped=True) == {said}
    assert await left(sealed=True) == {said}
    assert await left(sealed=True, before=99.0) == {said, unsaid}
    await sounds.decided(number, "rx", said=20.0, safe=Safe.CLEAN, bleeped=None)
    assert await left(bleeped=True) == set()
    await Ledger(db).said(said, Transcript((), "scripted", "own"), None, 40.0)
    assert await left(bleeped=True) == {said}
    await sounds.removed(said, number, ["rx", "tx"], what=What.RECORDING_SEALED, detail={}, now=50.0)
    assert await left(sealed=True) == set()
