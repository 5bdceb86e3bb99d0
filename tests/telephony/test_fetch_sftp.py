"""Recordings over SFTP, against a real SSH server: host key, logins, links, limits."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from telephony.fetch_sftp import SftpRemote
from telephony.remote import RemoteError, TooLargeError

SOUND = b"RIFF" + bytes(range(256)) * 1000
PASSWORD = "only for this test"


class _Logins(asyncssh.SSHServer):
    """One user with a password."""

    def begin_auth(self, _username: str) -> bool:
        """Everybody must log in."""
        return True

    def password_auth_supported(self) -> bool:
        """By password."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """This one."""
        return (username, password) == ("pbx", PASSWORD)


@dataclass
class Host:
    """A running SSH server, its folder, and what a client needs to know of it."""

    port: int
    root: Path
    known_hosts: Path
    key: Path

    def remote(
        self,
        *,
        secret: str | None = PASSWORD,
        key_file: Path | None = None,
        known_hosts: Path | None = None,
        limit: int = 10**7,
        folder: Path | None = None,
    ) -> SftpRemote:
        """As it would be configured."""
        return SftpRemote(
            f"sftp://pbx@127.0.0.1:{self.port}{folder or self.root}/",
            known_hosts=known_hosts or self.known_hosts,
            secret=secret,
            key_file=key_file,
            limit=limit,
            timeout=5,
        )


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    """The server."""
    root = tmp_path / "monitor"
    (root / "2026/11/21").mkdir(parents=True)
    (root / "2026/11/21/a.wav").write_bytes(SOUND)
    theirs, ours = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    ours.write_private_key(tmp_path / "key")
    ours.write_public_key(tmp_path / "authorized")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=_Logins,
        server_host_keys=[theirs],
        authorized_client_keys=str(tmp_path / "authorized"),
        sftp_factory=True,
    )
    port = server.get_port()
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {theirs.export_public_key().decode()}")
    yield Host(port, root, known, tmp_path / "key")
    server.close()
    await server.wait_closed()


async def test_files_are_listed_and_fetched(host: Host, tmp_path: Path) -> None:
    """By password; what is not there is no error."""
    async with host.remote().open() as store:
        assert "a.wav" in (await store.names("2026/11/21") or ())
        assert await store.names("2026/11/22") == ()
        assert await store.size("2026/11/21/a.wav") == len(SOUND)
        assert await store.size("2026/11/21/b.wav") is None
        assert await store.size("2026/11/21") is None  # a folder is no recording
        await store.fetch("2026/11/21/a.wav", tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == SOUND


async def test_a_key_serves_as_login(host: Host) -> None:
    """Without any password."""
    async with host.remote(secret=None, key_file=host.key).open() as store:
        assert await store.size("2026/11/21/a.wav") == len(SOUND)


async def test_a_host_with_another_key_is_not_talked_to(host: Host, tmp_path: Path) -> None:
    """Nor one that known_hosts does not know: it would get our password."""
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (tmp_path / "other").write_text(f"[127.0.0.1]:{host.port} {stranger}")
    (tmp_path / "none").write_text("")
    for name in ("other", "none", "gone"):
        with pytest.raises(RemoteError):
            async with host.remote(known_hosts=tmp_path / name).open():
                pass


async def test_a_wrong_password_is_told_and_nothing_else_is_tried(host: Host) -> None:
    """No agent's keys, no keys of this user."""
    with pytest.raises(RemoteError, match=r"127\.0\.0\.1"):
        async with host.remote(secret="wrong").open():
            pass


async def test_a_link_out_of_the_folder_is_no_recording(host: Host, tmp_path: Path) -> None:
    """Who can write there could point anywhere; a link within it is fine."""
    (tmp_path / "secret.wav").write_bytes(b"x")
    (host.root / "out.wav").symlink_to(tmp_path / "secret.wav")
    (host.root / "in.wav").symlink_to(host.root / "2026/11/21/a.wav")
    async with host.remote().open() as store:
        assert await store.size("out.wav") is None
        assert await store.size("in.wav") == len(SOUND)


async def test_more_than_the_limit_is_refused(host: Host, tmp_path: Path) -> None:
    """While it is read."""
    async with host.remote(limit=1000).open() as store:
        with pytest.raises(TooLargeError):
            await store.fetch("2026/11/21/a.wav", tmp_path / "a.wav")


async def test_a_folder_that_is_not_there_is_told(host: Host) -> None:
    """A wrong path is a fault of the settings, no missing recording."""
    async with host.remote(folder=host.root / "elsewhere").open() as store:
        assert await store.size("a.wav") is None


async def test_a_server_that_is_not_there_is_tried_again_later(host: Host) -> None:
    """A typed error, for the job."""
    remote = SftpRemote("sftp://pbx@127.0.0.1:1/x/", known_hosts=host.known_hosts, secret="x", limit=1, timeout=1)
    with pytest.raises(RemoteError, match=r"127\.0\.0\.1:1"):
        async with remote.open():
            pass
