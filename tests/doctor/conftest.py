"""A sound PBX in files, to be spoilt, and what a running one answers."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hotline.doctor.examine import judge
from hotline.doctor.files import gather
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Answers, Case, Reach
from hotline.settings import Settings

SECRET = "0123456789abcdef0123"
NOW = 1_795_290_138.0

Judged = Callable[..., Report]


def settings(**changes: Any) -> Settings:
    """A company with one PBX and one line. Keywords of ``pbx`` go to it, others stand beside it."""
    pbx = {
        "name": "main",
        "user": "hotline",
        "trunks": ["PJSIP/sz-trunk"],
        "voicemail_event": "MessageLeft",
        "cdr": {"file": "/nowhere/Master.csv", "timezone": "UTC"},
    } | changes.pop("pbx", {})
    return Settings.model_validate(
        {
            "pbx": [pbx],
            "line": [{"number": "4007002505", "aliases": ["01062802505"]}],
            "recordings": {"root": "/nowhere"},
        }
        | changes
    )


@pytest.fixture
def pbx_files(tmp_path: Path) -> Path:
    """A copy of the sound PBX's configuration folder."""
    folder = tmp_path / "asterisk"
    shutil.copytree(Path(__file__).with_name("pbx"), folder)
    for file in folder.rglob("*.conf"):
        file.chmod(0o640)
    return folder


@pytest.fixture
def judged(pbx_files: Path) -> Judged:
    """What is found in ``pbx_files`` as they are now; without a running PBX unless ``answers`` are given."""

    def found(answers: Answers | None = None, chosen: Settings | None = None, **more: Any) -> Report:
        settled = chosen or settings()
        case = Case(
            settings=settled,
            pbx=settled.pbx[0],
            secret=more.pop("secret", SECRET),
            answers=answers or Answers(reach=Reach.NO_SECRET),
            source=more.pop("source", "127.0.0.1"),
            files=more.pop("files", gather(pbx_files)),
            **more,
        )
        report = Report()
        judge(case, NOW, report)
        return report

    return found
