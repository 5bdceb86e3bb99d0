"""A real Asterisk whose recordings lie on another machine: fetched over SFTP while the PBX writes them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import pytest

from storage.migrate import upgrade
from tests.pbx.admin import phones
from tests.pbx.service import BOSS, Service, get, hire, logged_in, pbx_toml, serving, site_toml

if TYPE_CHECKING:
    from tests.pbx.labs import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.long, pytest.mark.timeout(120)]


async def test_a_recording_is_fetched_whole_when_its_mark_is_there(lab: "Lab", tmp_path: Path) -> None:
    """All three files, none while it grew; played by the service from its own copy."""
    theirs, ours = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    ours.write_private_key(tmp_path / "key")
    ours.write_public_key(tmp_path / "authorized")
    host = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[theirs],
        authorized_client_keys=str(tmp_path / "authorized"),
        sftp_factory=True,
    )
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{host.get_port()} {theirs.export_public_key().decode()}")
    url = f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    await hire(url)
    far = (
        f'url = "sftp://pbx@127.0.0.1:{host.get_port()}{lab.recordings}/"\n'
        f'key_file = "{tmp_path / "key"}"\nknown_hosts = "{known}"'
    )
    config = pbx_toml(lab) + site_toml(lab.recordings).replace(f'root = "{lab.recordings}"', far)
    secrets = {f"SECRET_OF_{lab.ami_port}": lab.secret, "HOTLINE_DATABASE_URL": url}
    service = Service(tmp_path / "service", config, secrets)
    async with serving(service), logged_in(service.address, BOSS) as boss, phones(lab) as people:
        people.answer = {"1001": 0.5}
        call = await people.call("4008001234")
        await asyncio.sleep(4)
        assert not list((tmp_path / "service").rglob("*.wav"))
        call.hangup()
        found = await _recorded(boss)
        (recording,) = found["recordings"]
        assert set(recording["legs"]) == {"mix", "caller", "agent"}
        for leg in recording["legs"].values():
            async with boss.get(leg) as answer:
                heard = await answer.read()
            assert len(heard) == pytest.approx(44 + recording["seconds"] * 16000, abs=400)
        fetched = [path for path in (tmp_path / "service").rglob("*.wav") if "fetched" in path.parts]
        assert sorted(path.read_bytes() for path in fetched) == sorted(
            path.read_bytes() for path in lab.recordings.rglob(f"*{found['call'].partition(':')[2]}*.wav")
        )
        assert not found["alarms"]
    host.close()
    await host.wait_closed()


async def _recorded(boss: Any) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            for ticket in (await get(boss, "/api/tickets"))["tickets"]:
                for item in (await get(boss, f"/api/tickets/{ticket['id']}"))["call_list"]:
                    if item["recorded"]:
                        found: dict[str, Any] = await get(boss, f"/api/calls/{item['call']}")
                        return found
            await asyncio.sleep(0.3)
