"""What ``hotline dialplan`` prints is sound to ``hotline doctor``."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hotline.cli import main
from hotline.doctor.files import gather
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Answers, Reach
from hotline.settings import load
from tests.doctor.conftest import SECRET

TOML = """
[[pbx]]
name = "main"
user = "hotline"
trunks = ["PJSIP/sz-trunk"]
voicemail_event = "CC400Voicemail"
[[line]]
number = "4007002505"
aliases = ["01062802505"]
routing.queue = "support"
routing.menu = {"1" = "sales", "2" = "support"}
[[line]]
number = "4008001234"
routing.queue = "sales"
[recordings]
root = "/var/spool/asterisk/monitor"
[routing]
http_port = 8401
"""


@pytest.mark.parametrize("product", ["asterisk", "freepbx"])
def test_what_is_printed_is_sound(
    judged: Callable[..., Report], pbx_files: Path, tmp_path: Path, product: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user, the filter, the dialplan; put where the notes say."""
    monkeypatch.setenv("HOTLINE_PBX_MAIN_SECRET", SECRET)
    monkeypatch.setenv("HOTLINE_ROUTING_TOKEN", "a-token-of-this-test")
    config = tmp_path / "hotline.toml"
    config.write_text(TOML, encoding="utf-8")
    assert (
        main(["dialplan", "--config", str(config), "--for", product, "--with-secrets", "--write", str(pbx_files)]) == 0
    )
    written = {file.name for file in pbx_files.glob("*hotline*")}
    (manager,), (dialplan,) = ([name for name in written if kind in name] for kind in ("manager", "extensions"))
    (pbx_files / "manager.d" / "hotline.conf").unlink()
    general = "[general]\nenabled = yes\nbindaddr = 127.0.0.1\n"
    (pbx_files / "manager.conf").write_text(f"{general}#include {manager}\n")
    (pbx_files / "extensions.conf").write_text(f"#include {dialplan}\n")
    pjsip = pbx_files / "pjsip.conf"
    pjsip.write_text(pjsip.read_text().replace("context = carrier-in", "context = hotline-trunk"))
    report = judged(Answers(reach=Reach.NO_SECRET), load(config), files=gather(pbx_files))
    assert report.findings == []
    assert report.unchecked == []
