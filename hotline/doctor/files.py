"""Reads the PBX's configuration folder, where it is at hand: on the PBX itself, mounted, or a copy.

Only files below the folder are read; ``/etc/asterisk/...`` in an include means the folder itself. Judges nothing.
"""

import stat
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from hotline.doctor.astconf import Reader, read
from hotline.doctor.dialplan import of_conf
from hotline.doctor.gathered import Files

NAMES = (
    "manager.conf",
    "extensions.conf",
    "queues.conf",
    "pjsip.conf",
    "sip.conf",
    "iax.conf",
    "cdr.conf",
    "modules.conf",
    "asterisk.conf",
    "http.conf",
)
_SECRETS = ("manager.conf", "pjsip.conf", "sip.conf", "iax.conf")
_HOME = "/etc/asterisk/"
_BIGGEST = 20_000_000  # bytes of one file: a generated dialplan has some


def gather(folder: Path) -> Files:
    """Everything of the folder that is looked at. OSError when it is no folder that can be listed."""
    list(folder.iterdir())
    unreadable: list[str] = []
    reader = _reader(folder.resolve(), unreadable)
    confs = {name: conf for name in NAMES if (conf := read(name, reader)) is not None}
    secret = {file for name in _SECRETS if name in confs for file in confs[name].files}
    return Files(
        folder=str(folder),
        confs=confs,
        readable=tuple(sorted(file for file in secret if _for_everybody(folder / file))),
        unreadable=tuple(unreadable),
        plan=of_conf(confs["extensions.conf"]) if "extensions.conf" in confs else None,
    )


def _reader(folder: Path, unreadable: list[str]) -> Reader:
    def find(name: str) -> Sequence[tuple[str, str]] | None:
        inside = name.removeprefix(_HOME)
        if PurePosixPath(inside).is_absolute():
            return None
        paths = sorted(folder.glob(inside)) if any(char in inside for char in "*?[") else [folder / inside]
        found = []
        for path in paths:
            # a link in the folder may lead out of it (FreePBX has such); what an include writes may not
            if ".." in PurePosixPath(inside).parts or not path.is_file():
                continue
            try:
                if path.stat().st_size > _BIGGEST:
                    unreadable.append(f"{path.name}: too big")
                    continue
                found.append((str(path.relative_to(folder)), path.read_text(encoding="utf-8", errors="replace")))
            except OSError as error:
                unreadable.append(f"{path.name}: {error.strerror or error}")
        return found or None

    return find


def _for_everybody(path: Path) -> bool:
    """Whether the file's own rights let everybody read it: a closed folder protects it only while it stays there."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
