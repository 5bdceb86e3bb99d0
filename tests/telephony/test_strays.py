"""Sound files that may belong to no call: found by their Uniqueid, in the root and its day folders."""

import os
from pathlib import Path

import pytest

from telephony.strays import look, uniqueid_of

THEN = 1795290138.0  # 2026-11-21 in UTC


def file(root: Path, name: str, at: float = THEN) -> None:
    """A sound file that changed then."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    os.utime(path, (at, at))


@pytest.mark.parametrize(
    ("name", "uniqueid"),
    [
        ("4007002505-1795290138.1.wav", "1795290138.1"),
        ("4007002505-1795290138.1-rx.wav", "1795290138.1"),
        ("in-4007002505-13812345678-20261121-120000-1795290138.44.WAV", "1795290138.44"),
        ("1795290138.1.2.wav", None),
        ("greeting.wav", None),
        ("13812345678.wav", None),
    ],
)
def test_the_uniqueid_in_a_name(name: str, uniqueid: str | None) -> None:
    """Seconds, a dot, a count; a telephone number is none."""
    assert uniqueid_of(name) == uniqueid


def test_what_is_looked_at(tmp_path: Path) -> None:
    """Not what still changes, nor old files, marks, links, other folders, nor FreePBX's outbound and internal calls."""
    for name in ("2026/11/21/a-1795290138.1.wav", "2026/11/22/a-1795290138.2.wav", "b-1795290138.3.gsm"):
        file(tmp_path, name)
    file(tmp_path, "2026/11/21/new-1795290138.4.wav", THEN + 5000)
    file(tmp_path, "2026/11/21/old-1795290138.5.wav", THEN - 5000)
    for name in ("a-1795290138.6.done", "out-138-1795290138.7.wav", "internal-1001-1795290138.8.wav", "menu.wav"):
        file(tmp_path, f"2026/11/21/{name}")
    file(tmp_path, "else/a-1795290138.9.wav")
    (tmp_path / "l-1795290138.10.wav").symlink_to(tmp_path / "2026/11/21/a-1795290138.1.wav")
    found = look(tmp_path, since=THEN - 10, before=THEN + 10)
    assert sorted(one.name for one in found) == [
        "2026/11/21/a-1795290138.1.wav",
        "2026/11/22/a-1795290138.2.wav",
        "b-1795290138.3.gsm",
    ]
    assert {one.uniqueid for one in found} == {"1795290138.1", "1795290138.2", "1795290138.3"}


def test_a_root_that_is_gone_is_told(tmp_path: Path) -> None:
    """An unmounted folder is no clean bill."""
    with pytest.raises(FileNotFoundError):
        look(tmp_path / "gone", since=0, before=THEN)
