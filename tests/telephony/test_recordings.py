"""A call's recording is found by its Uniqueid, only below the root, and only when it is complete."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telephony.recordings import Legs, Problem, RecordingError, Rules, find, find_message, resolve
from telephony.wavhead import Head, read

UID = "1795290138.1"
ARRIVED = 1795290138.6  # 2026-11-21 in UTC
DAY = "2026/11/21"
LATER = ARRIVED + 3600
SECOND = b"\1\0" * 8000


def wav(path: Path, samples: bytes = SECOND * 2, *, size: int | None = None, changed: float = ARRIVED) -> Path:
    """A WAV as MixMonitor writes it: 8 kHz, 16 bit; ``size`` is what the header claims."""
    path.parent.mkdir(parents=True, exist_ok=True)
    claimed = len(samples) if size is None else size
    head = (
        b"RIFF"
        + struct.pack("<I", claimed + 36 if claimed else 0)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    )
    path.write_bytes(head + b"data" + struct.pack("<I", claimed) + samples)
    os.utime(path, (changed, changed))
    return path


def three(root: Path, uid: str = UID, **how: float) -> Path:
    """The three files of one recording; the mixed one's path without its suffix."""
    base = root / DAY / f"4007002505-{uid}"
    for leg in ("", "-rx", "-tx"):
        wav(base.with_name(base.name + leg + ".wav"), **how)  # type: ignore[arg-type]
    return base


def look(root: Path, now: float = LATER, hints: tuple[str, ...] = (), uid: str = UID) -> Legs:
    """The best of what is found with the usual settings."""
    return find(root, uid, arrived=ARRIVED, now=now, rules=rules(root), hints=hints)[0]


def rules(root: Path) -> Rules:
    """The usual settings."""
    return Rules(mark=".done", quiet=20, repairs=root.parent / "repaired")


def problem(root: Path, **how: object) -> Problem:
    """Why nothing is found."""
    with pytest.raises(RecordingError) as caught:
        look(root, **how)  # type: ignore[arg-type]
    return caught.value.problem


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A recordings root."""
    (tmp_path / "monitor").mkdir()
    return tmp_path / "monitor"


def test_the_legs_are_told_apart(root: Path) -> None:
    """r() is the caller, t() the agents, the third file both."""
    base = three(root)
    legs = look(root)
    assert legs.caller == Path(f"{base}-rx.wav")
    assert legs.agent == Path(f"{base}-tx.wav")
    assert legs.mix == Path(f"{base}.wav")
    assert legs.seconds == 2.0
    assert not legs.repaired


def test_another_call_with_a_longer_number_is_not_taken(root: Path) -> None:
    """1795290138.1 is a part of 1795290138.10 and of 21795290138.1, and is neither."""
    three(root, UID + "0")
    three(root, "2" + UID)
    assert problem(root) is Problem.MISSING


def test_a_growing_recording_is_waited_for_until_its_mark_is_there(root: Path) -> None:
    """The post-record mark says complete at once; without it only time does."""
    base = three(root, changed=ARRIVED)
    assert problem(root, now=ARRIVED + 1) is Problem.GROWING
    Path(f"{base}.done").touch()
    assert look(root, now=ARRIVED + 1).mix


def test_a_mark_does_not_make_an_open_file_complete(root: Path) -> None:
    """A leg whose header is not closed yet is still being written, mark or not."""
    base = three(root)
    wav(Path(f"{base}-tx.wav"), size=0, changed=ARRIVED)
    Path(f"{base}.done").touch()
    assert problem(root, now=ARRIVED + 1) is Problem.GROWING


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF - 36, 10**6])
def test_the_file_of_a_killed_pbx_is_repaired_on_a_copy(root: Path, size: int) -> None:
    """The header is made true, an odd last byte left out, and the original kept as it was."""
    base = root / DAY / f"4007002505-{UID}"
    original = wav(Path(f"{base}.wav"), SECOND + b"\1", size=size)
    before = original.read_bytes()
    legs = look(root)
    assert legs.repaired
    assert legs.mix is not None
    assert legs.mix.is_relative_to(root.parent / "repaired")
    assert read(legs.mix).head is Head.SOUND
    assert read(legs.mix).data == len(SECOND)
    assert original.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", Problem.EMPTY),
        (b"RIFF\0\0\0\0WAVE", Problem.NOT_AUDIO),
        (b"<html>not found</html>" * 10, Problem.NOT_AUDIO),
    ],
)
def test_what_is_no_recording_is_named(root: Path, content: bytes, why: Problem) -> None:
    """Empty and foreign files are told apart."""
    path = wav(root / DAY / f"4007002505-{UID}.wav")
    path.write_bytes(content)
    os.utime(path, (ARRIVED, ARRIVED))
    assert problem(root) is why


def test_a_header_without_sound_is_empty(root: Path) -> None:
    """A call that ended with its first packet leaves a header alone."""
    wav(root / DAY / f"x-{UID}.wav", b"")
    assert problem(root) is Problem.EMPTY


def test_a_hint_leads_to_an_unusual_folder_but_only_to_the_calls_own_file(root: Path) -> None:
    """A name told over AMI may be forged: it counts only when it holds the Uniqueid and lies below the root."""
    wav(root / "team-a" / f"{UID}.wav")
    assert problem(root) is Problem.MISSING
    assert look(root, hints=(f"team-a/{UID}.wav",)).mix
    other = wav(root / "team-a" / "1795290000.7.wav")
    legs = look(root, hints=("team-a/1795290000.7.wav",))
    assert other not in (legs.mix, legs.caller, legs.agent)


@pytest.mark.parametrize("name", ["../secret.wav", "/etc/passwd", "a/../../secret.wav", "x\0.wav", "link.wav"])
def test_no_name_leads_out_of_the_root(root: Path, name: str) -> None:
    """Neither dots nor absolute paths nor links nor NUL."""
    (root.parent / "secret.wav").write_bytes(b"x")
    (root / "link.wav").symlink_to(root.parent / "secret.wav")
    with pytest.raises(LookupError):
        resolve(root, name)


def test_a_link_out_of_the_root_is_no_recording(root: Path) -> None:
    """A file planted as a link does not become a call's recording."""
    outside = wav(root.parent / f"{UID}.wav")
    (root / f"{UID}.wav").symlink_to(outside)
    assert problem(root) is Problem.MISSING


def test_a_call_around_midnight_is_found_under_either_day(root: Path) -> None:
    """The PBX's day may be another than ours."""
    wav(root / "2026/11/22" / f"{UID}.wav")
    assert look(root).mix


def test_a_name_as_the_pbx_knows_it_leads_to_the_same_folder_here(root: Path) -> None:
    """MIXMONITOR_FILENAME is a path on the PBX; the folder is mounted elsewhere on this machine."""
    wav(root / "team-a" / f"{UID}.wav")
    assert look(root, hints=(f"/var/spool/asterisk/monitor/team-a/{UID}.wav",)).mix


def test_a_call_recorded_in_parts_has_several_recordings_and_no_leg_is_taken_for_anothers(root: Path) -> None:
    """A dialplan may pause while a card number is told. The best is first: most legs, then the longest."""
    wav(root / DAY / f"a-{UID}-1-rx.wav", SECOND)
    wav(root / DAY / f"a-{UID}-1-tx.wav", SECOND)
    wav(root / DAY / f"a-{UID}-2-rx.wav", SECOND * 9)
    wav(root / DAY / f"a-{UID}-2-tx.wav", SECOND * 9)
    wav(root / DAY / f"a-{UID}-3.wav", SECOND * 20)
    found = find(root, UID, arrived=ARRIVED, now=LATER, rules=rules(root))
    told = [(legs.seconds, [path.name.removeprefix(f"a-{UID}-") for path in legs.files]) for legs in found]
    assert told == [(9.0, ["2-rx.wav", "2-tx.wav"]), (1.0, ["1-rx.wav", "1-tx.wav"]), (20.0, ["3.wav"])]


def test_a_message_is_no_part_of_the_calls_recording(root: Path) -> None:
    """Even where a dialplan keeps it beside it."""
    base = three(root)
    told = f"{DAY}/4007002505-{UID}-message.wav"
    wav(root / told)
    found = find(root, UID, arrived=ARRIVED, now=LATER, rules=rules(root), skip=[told])
    assert [legs.mix for legs in found] == [Path(f"{base}.wav")]


def test_a_message_of_the_same_name_as_the_recording_is_another_file(root: Path) -> None:
    """In a flat folder of recordings, too: neither is taken for the other, be the message there or not yet."""
    told = f"voicemail/4007002505-{UID}.wav"
    whole = wav(root / f"4007002505-{UID}.wav", SECOND * 9)
    assert find(root, UID, arrived=ARRIVED, now=LATER, rules=rules(root), skip=[told])[0].mix == whole
    for name in (told, f"/var/spool/asterisk/{told}"):
        with pytest.raises(RecordingError) as caught:
            message(root, name)
        assert caught.value.problem is Problem.MISSING
    spoken = wav(root.parent / told)
    for name in (told, f"/var/spool/asterisk/{told}"):
        assert message(root, name).caller == spoken


def message(root: Path, told: str, now: float = LATER, uid: str = UID) -> Legs:
    """A message, below the root or in Asterisk's folder of messages beside it."""
    return find_message([root, root.parent / "voicemail"], uid, told, now=now, rules=rules(root))


@pytest.mark.parametrize(
    ("lies", "told"),
    [
        ("monitor/messages/4007002505-{}.wav", "messages/4007002505-{}.wav"),
        ("voicemail/4007002505-{}.wav", "voicemail/4007002505-{}.wav"),
        ("voicemail/4007002505-{}.wav", "/var/spool/asterisk/voicemail/4007002505-{}"),
        ("voicemail/2026/4007002505-{}.WAV", "2026/4007002505-{}.WAV"),
    ],
)
def test_a_message_is_all_the_callers(root: Path, lies: str, told: str) -> None:
    """Found by the name the dialplan tells, with the PBX's folders before it and without a suffix, too."""
    path = wav(root.parent / lies.format(UID))
    legs = message(root, told.format(UID))
    assert (legs.caller, legs.agent, legs.mix, legs.seconds) == (path, None, None, 2.0)


def test_a_message_of_another_call_is_not_taken(root: Path) -> None:
    """A name told over AMI may be a lie, or lead elsewhere."""
    wav(root / f"m-{UID}0.wav")
    wav(root.parent / f"m-{UID}.wav")
    for told in (f"m-{UID}0.wav", f"../m-{UID}.wav", f"m-{UID}.wav", "/etc/passwd", "", f"{UID}\0", f"{UID}/" * 99):
        with pytest.raises(RecordingError) as caught:
            message(root, told)
        assert caught.value.problem is Problem.MISSING, told


def test_a_message_still_being_spoken_is_waited_for(root: Path) -> None:
    """The same rule as for every recording."""
    wav(root / f"m-{UID}.wav", changed=ARRIVED)
    with pytest.raises(RecordingError) as caught:
        message(root, f"m-{UID}.wav", now=ARRIVED + 5)
    assert caught.value.problem is Problem.GROWING
    (root / f"m-{UID}.done").touch()
    assert message(root, f"m-{UID}.wav", now=ARRIVED + 5).caller


PIECES = st.sampled_from(
    ["..", ".", "", "voicemail", "monitor", "2026", UID, f"{UID}.wav", "\0", "\ud800", "录" * 90, "x" * 300]
)
NAMES = st.one_of(st.text(max_size=40), st.lists(PIECES | st.text(max_size=12), max_size=12).map("/".join))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(told=NAMES)
def test_whatever_the_pbx_tells_nothing_outside_is_read_and_nothing_breaks(root: Path, told: str) -> None:
    """Neither as the name of a message nor as a hint: the call's own recording is found all the same."""
    if not (root / DAY).exists():
        three(root)
        wav(root.parent / f"{UID}.wav")
        wav(root.parent / "voicemail" / f"{UID}.wav")
    assert look(root, hints=(told,)).caller
    inside = (root.resolve(), (root.parent / "voicemail").resolve())
    for name in (told, f"{told}/{UID}.wav", f"{told}{UID}"):
        try:
            found = message(root, name).files
        except RecordingError as error:
            assert error.problem is Problem.MISSING, name  # noqa: PT017 - it need not be raised
        else:
            assert any(path in found[0].parents for path in inside)
