"""What becomes of a recording once it was written down: bleeped, sealed, dropped; nothing is lost on the way."""

import errno
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from hotline import sealing
from hotline.resealing import rotate, verify
from hotline.telephony_settings import Policy
from screenpop.sounds import ClosedError, Sound, Why, WithheldError
from storage.audit import What
from storage.database import Database
from storage.jobs import JobError
from storage.sealed_file import CipherName, Keys
from telephony.call import CallKey
from tests.hotline.seal_house import CARD, RATE, SPAN, SealHouse, turns
from transcription.transcript import Speaker, Turn

Make = Callable[[Policy], SealHouse]

KEEP, ENCRYPT, DROP = Policy(), Policy(originals="encrypt"), Policy(originals="drop")


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    """A house with a policy."""
    db = Database.open(sqlite_url)
    yield lambda policy: SealHouse(db, tmp_path, policy)
    await db.close()


async def heard(house: SealHouse, call: CallKey, leg: str, *, unmasked: bool) -> bytes:
    """What somebody gets to hear."""
    page = await house.page(call)
    sound: Sound = await house.originals.sound(page, page.recordings[0], leg, unmasked=unmasked)
    if isinstance(sound.file, Path):
        return sound.file.read_bytes()
    return b"".join(sound.file.read(0, sound.file.size))


def samples(content: bytes, folder: Path) -> Any:
    """Decoded."""
    (folder / "heard.wav").write_bytes(content)
    return soundfile.read(folder / "heard.wav", dtype="int16")[0]


@pytest.mark.parametrize("leg", ["rx", "tx", "mix"])
async def test_a_tone_lies_over_the_card_on_every_leg(leg: str, house: Make, tmp_path: Path) -> None:
    """Who may not hear it gets the copy, of the same length; whoever may, the original as it lies."""
    there = house(KEEP)
    call = await there.call()
    await there.said(call)
    await there.seal()
    original = (there.root / f"{call.linkedid}{'' if leg == 'mix' else '-' + leg}.wav").read_bytes()
    assert await heard(there, call, leg, unmasked=True) == original
    masked = samples(await heard(there, call, leg, unmasked=False), tmp_path)
    plain = samples(original, tmp_path)
    assert len(masked) == len(plain)
    middle = slice(int((SPAN[0] + 0.5) * RATE), int((SPAN[1] - 0.5) * RATE))
    assert not np.any(masked[middle] == plain[middle]) or np.mean(masked[middle] == plain[middle]) < 0.01
    assert np.array_equal(masked[: 8 * RATE], plain[: 8 * RATE])
    assert np.array_equal(masked[int(16.5 * RATE) :], plain[int(16.5 * RATE) :])
    assert there.lying() == {"rec": 3, "bleeped": 3, "sealed": 0, "open": 0}


async def test_nobody_hears_the_original_while_the_copy_is_not_there(house: Make) -> None:
    """Before the transcript, between it and its copy, and after a new transcript until its own copy is there."""
    there = house(KEEP)
    call = await there.call()

    async def refused() -> bool:
        with pytest.raises(WithheldError) as told:
            await heard(there, call, "rx", unmasked=False)
        page = await there.page(call)
        assert await there.originals.withheld(page, unmasked=False) == {page.recordings[0].name: Why.NOT_YET}
        assert not await there.originals.withheld(page, unmasked=True)
        return told.value.why is Why.NOT_YET

    assert await refused()
    await there.said(call)
    assert await refused()
    await there.seal()
    first = await heard(there, call, "rx", unmasked=False)
    page = await there.page(call)
    assert not await there.originals.withheld(page, unmasked=False)
    await there.said(call, turns(f"身份证110199196611150383，卡号{CARD}"))
    assert await refused()
    await there.seal()
    assert await heard(there, call, "rx", unmasked=False) != first
    assert there.lying()["bleeped"] == 3


async def test_where_nothing_is_masked_everybody_hears_the_original(house: Make) -> None:
    """No copy is made."""
    there = house(KEEP)
    call = await there.call()
    await there.said(call, turns("我的订单号是20260417"))
    await there.seal()
    assert await heard(there, call, "rx", unmasked=False) == await heard(there, call, "rx", unmasked=True)
    assert there.lying()["bleeped"] == 0


@pytest.mark.parametrize("cipher", list(CipherName))
async def test_originals_are_sealed_and_still_heard(cipher: CipherName, house: Make) -> None:
    """By those who may; the plain files are gone, that they are is in the audit trail, once."""
    there = house(ENCRYPT)
    there.keyring = Keys("k1", {"k1": b"\7" * 32}, cipher)
    call = await there.call()
    before = {path.name: path.read_bytes() for path in there.root.glob("*.wav")}
    await there.said(call)
    await there.seal()
    assert there.lying() == {"rec": 0, "bleeped": 3, "sealed": 3, "open": 0}
    for leg, name in (("rx", "-rx.wav"), ("tx", "-tx.wav"), ("mix", ".wav")):
        assert await heard(there, call, leg, unmasked=True) == before[f"{call.linkedid}{name}"]
        assert await heard(there, call, leg, unmasked=False) != before[f"{call.linkedid}{name}"]
    (entry,) = await there.audit.rows(what=What.RECORDING_SEALED)
    assert entry.subject == str(call)
    assert entry.detail is not None
    assert (entry.detail["key"], entry.detail["cipher"], len(entry.detail["files"])) == ("k1", cipher.value, 3)
    await there.outbox.add_now(sealing.wanted(call), there.now)
    await there.seal()
    assert len(await there.audit.rows(what=What.RECORDING_SEALED)) == 1


async def test_a_sealed_call_can_be_written_down_anew(house: Make) -> None:
    """The original is opened for as long as it is read; a new copy is made of it."""
    there = house(ENCRYPT)
    call = await there.call()
    before = (there.root / f"{call.linkedid}-rx.wav").read_bytes()
    await there.said(call, turns("没有号码"))
    await there.seal()
    assert await heard(there, call, "rx", unmasked=False) == before  # clean: opened on the way
    page = await there.page(call)
    async with there.originals.plain(call, page.recordings[0], "rx") as file:
        assert file.read_bytes() == before
        assert there.lying()["open"] == 1
    assert there.lying()["open"] == 0
    await there.said(call)
    await there.seal()
    assert await heard(there, call, "rx", unmasked=False) != before
    assert there.lying() == {"rec": 0, "bleeped": 3, "sealed": 3, "open": 0}


async def test_dropped_originals_leave_the_copy_to_everybody(house: Make) -> None:
    """Where something is masked; a recording without anything masked stays as it lies."""
    there = house(DROP)
    secret, harmless = await there.call(), await there.call()
    await there.said(secret)
    await there.said(harmless, turns("没有号码"))
    await there.seal()
    assert there.lying() == {"rec": 3, "bleeped": 3, "sealed": 0, "open": 0}
    assert await heard(there, secret, "rx", unmasked=True) == await heard(there, secret, "rx", unmasked=False)
    assert [row.subject for row in await there.audit.rows(what=What.RECORDING_DROPPED)] == [str(secret)]


async def test_a_call_nobody_wrote_down_is_sealed_by_the_round(house: Make) -> None:
    """After an hour; one that was written down and missed, at once; each once."""
    there = house(ENCRYPT)
    late, missed = await there.call(), await there.call()
    await there.said(missed)
    there.now += sealing.PATIENCE + 60
    for _ in range(2):
        await there.sealing.add()
        while (job := await there.outbox.claim([sealing.SEAL_ROUND], there.now, 60)) is not None:
            await there.do(job, there.sealing.round)
        await there.seal()
    assert there.lying() == {"rec": 0, "bleeped": 3, "sealed": 6, "open": 0}
    with pytest.raises(WithheldError):
        await heard(there, late, "rx", unmasked=False)
    assert await heard(there, late, "rx", unmasked=True)
    assert not await there.sounds.undone(
        bleeped=["4007002505"], sealed=["4007002505"], before=there.now, job="seal", limit=9
    )


Broken = Callable[..., Any]


def failing(error: Exception, *, after: int = 0) -> Broken:
    """A function that fails, once it was called so often."""
    left = [after]

    def fail(real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise error
            return real(*args, **kwargs)

        return called

    return fail


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("beep", 0),
        ("beep", 2),
        ("decided", 1),
        ("seal", 1),
        ("sealed", 0),
        ("sealed", 2),
        ("forget", 0),
        ("removed", 0),
    ],
)
async def test_a_full_disk_or_a_crash_at_any_step_loses_nothing(
    step: str, after: int, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails, the sound is there in one form or the other; done again, all is as it should be."""
    there = house(ENCRYPT)
    call = await there.call()
    before = (there.root / f"{call.linkedid}-rx.wav").read_bytes()
    await there.said(call)
    owner = {"beep": sealing, "seal": sealing, "forget": type(there.recorder)}.get(step, there.sounds)
    broken = failing(OSError(errno.ENOSPC, "No space left on device"), after=after)
    with monkeypatch.context() as patch:
        patch.setattr(owner, step, broken(getattr(owner, step)))
        with pytest.raises(JobError, match="stays as it is"):
            await there.seal()
        assert await heard(there, call, "rx", unmasked=True) == before
        with suppress(WithheldError):
            assert await heard(there, call, "rx", unmasked=False) != before
    there.now += 7200
    await there.seal()
    assert there.lying() == {"rec": 0, "bleeped": 3, "sealed": 3, "open": 0}
    assert await heard(there, call, "rx", unmasked=True) == before


async def test_without_its_key_nothing_is_sealed_and_nothing_opened(house: Make) -> None:
    """The job says so and is tried again; listening says so, too; with the key all is well."""
    there = house(ENCRYPT)
    call = await there.call()
    await there.said(call)
    keyring, there.keyring = there.keyring, None
    with pytest.raises(JobError, match="no secret for sealing key 'k1'"):
        await there.seal()
    assert there.lying()["rec"] == 3
    there.keyring = keyring
    await there.seal()
    there.keyring = None
    with pytest.raises(ClosedError):
        await heard(there, call, "rx", unmasked=True)
    there.keyring = Keys("k2", {"k2": b"\2" * 32})
    with pytest.raises(ClosedError, match="'k1' is not configured"):
        await heard(there, call, "rx", unmasked=True)


async def test_keys_are_rotated(house: Make) -> None:
    """What the old key sealed the new one seals; then the old one may go. A damaged file is named, and left."""
    there = house(ENCRYPT)
    call, other = await there.call(), await there.call()
    before = (there.root / f"{call.linkedid}-rx.wav").read_bytes()
    for one in (call, other):
        await there.said(one)
    await there.seal()
    there.keyring = Keys("k2", {"k1": b"\7" * 32, "k2": b"\2" * 32}, CipherName.SM4)
    known = (await there.sounds.of(other))[(f"{other.linkedid}.wav", "mix")]
    damaged = there.data / "sealed" / str(known.sealed)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    looked = await verify(there.originals, lambda _: None)
    assert (looked.files, looked.sound, len(looked.faults)) == (6, 5, 1)
    looked = await rotate(there.originals, there.reads, lambda _: None)
    assert (looked.files, looked.sound) == (6, 5)
    assert str(other) in looked.faults[0]
    assert damaged.is_file()
    there.keyring = Keys("k2", {"k2": b"\2" * 32})
    assert await heard(there, call, "rx", unmasked=True) == before
    assert there.lying() == {"rec": 0, "bleeped": 6, "sealed": 6, "open": 0}


async def test_a_sealed_file_is_nobody_elses(house: Make) -> None:
    """Put in another's place, it does not open."""
    there = house(ENCRYPT)
    one, two = await there.call(legs=("mix",)), await there.call(legs=("mix",))
    for call in (one, two):
        await there.said(call)
    await there.seal()
    first = (await there.sounds.of(one))[(f"{one.linkedid}.wav", "mix")]
    second = (await there.sounds.of(two))[(f"{two.linkedid}.wav", "mix")]
    (there.data / "sealed" / str(second.sealed)).write_bytes((there.data / "sealed" / str(first.sealed)).read_bytes())
    with pytest.raises(ClosedError, match="not of main"):
        await heard(there, two, "mix", unmasked=True)


async def test_another_recording_of_the_call_is_covered_only_where_it_was_heard(house: Make) -> None:
    """Within the one that was written down: moved by what lies between their beginnings. Beyond it: nobody knows."""
    there = house(KEEP)
    call = await there.call()
    await there.said(call)
    page = await there.page(call)
    spoken = page.recordings[0]
    (start, end), *_ = sealing.covered(page, spoken) or [(0.0, 0.0)]
    inside = replace(spoken, mix="x.wav", rx=None, tx=None, began=(spoken.began or 0) + 5, seconds=12.0)
    beyond = replace(inside, seconds=60.0)
    unknown = replace(inside, began=None)
    ((low, high),) = sealing.covered(page, inside) or [(0.0, 0.0)]
    assert low == pytest.approx(start - 5.5)
    assert high == pytest.approx(end - 4.5)
    assert sealing.covered(page, beyond) is None
    assert sealing.covered(page, unknown) is None


async def test_what_no_tone_can_be_laid_over_is_for_nobody_elses_ears(house: Make) -> None:
    """A damaged leg: the others are bleeped, this one is withheld for good; the round leaves it alone."""
    there = house(KEEP)
    call = await there.call()
    (there.root / f"{call.linkedid}-tx.wav").write_bytes(b"no sound at all")
    await there.said(call)
    await there.seal()
    assert await heard(there, call, "rx", unmasked=False)
    with pytest.raises(WithheldError) as told:
        await heard(there, call, "tx", unmasked=False)
    assert told.value.why is Why.NEVER
    assert not await there.sounds.undone(bleeped=["4007002505"], sealed=[], before=there.now, job="seal", limit=9)


async def test_deleting_a_recording_deletes_all_that_was_made_of_it(house: Make) -> None:
    """Copies, sealed files, and what a crash left under its number."""
    there = house(ENCRYPT)
    call, other = await there.call(), await there.call()
    for one in (call, other):
        await there.said(one)
    await there.seal()
    number = await there.sounds.recording_id(call, f"{call.linkedid}.wav")
    assert number is not None
    (there.data / "sealed" / "0" / f"{number}-rx-0123456789ab.sealed.part").write_bytes(b"left by a crash")
    gone = there.originals.forget(number)
    assert len(gone) == 7
    await there.sounds.forget(number)
    assert there.lying() == {"rec": 0, "bleeped": 3, "sealed": 3, "open": 0}
    assert not await there.sounds.of(call)
    assert await heard(there, other, "rx", unmasked=True)


async def test_a_line_without_bleeps_lets_everybody_hear(house: Make) -> None:
    """``beep = false``, or nothing to redact."""
    for policy in (Policy(beep=False), Policy(redact=())):
        there = house(policy)
        call = await there.call()
        assert await heard(there, call, "rx", unmasked=False)
        assert there.sealing.follow(await there.page(call), None) == []  # type: ignore[arg-type]
        there.calls += 5


async def test_transcripts_of_an_older_version_are_bleeped_by_their_masks(house: Make) -> None:
    """They have no bleeps, but what was masked in them shows."""
    there = house(KEEP)
    call = await there.call()
    old = [Turn(Speaker.CALLER, *SPAN, "************4058", 0.9)]
    await there.said(call, old)
    page = await there.page(call)
    assert page.transcript is not None
    assert not page.transcript.bleeps
    spans = sealing.covered(page, page.recordings[0])
    assert spans
    assert spans[0][0] <= SPAN[0]
    assert spans[0][1] >= SPAN[1]


async def test_a_copy_that_is_gone_is_made_anew(house: Make) -> None:
    """Somebody emptied the folder: the job, done again, mends it; until then the recording is gone, not given away."""
    there = house(KEEP)
    call = await there.call(legs=("rx",))
    await there.said(call)
    await there.seal()
    for file in (there.data / "bleeped").rglob("*.wav"):
        file.unlink()
    with pytest.raises(LookupError):
        await heard(there, call, "rx", unmasked=False)
    await there.outbox.add_now(sealing.wanted(call), there.now)
    await there.seal()
    assert await heard(there, call, "rx", unmasked=False) != await heard(there, call, "rx", unmasked=True)


async def test_what_was_given_up_is_left_to_people(house: Make) -> None:
    """The round does not begin it anew every ten minutes."""
    there = house(ENCRYPT)
    call = await there.call(legs=("rx",))
    await there.said(call)
    job = await there.outbox.claim([sealing.SEAL], there.now, 60)
    assert job is not None
    await there.outbox.dead(job, "no right to write there", there.now)
    lines = ["4007002505"]
    assert not await there.sounds.undone(bleeped=lines, sealed=lines, before=there.now, job="seal", limit=9)
    assert await there.outbox.replay(job.id, there.now)
    await there.seal()
    assert there.lying() == {"rec": 0, "bleeped": 1, "sealed": 1, "open": 0}
