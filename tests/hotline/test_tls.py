"""The service's own certificate: faults told beforehand, https served, a renewed one taken up, a spoilt one not."""

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from hotline.settings import Server
from hotline.tls import Renewal, TlsError, beyond_this_machine, context, faults

NOW = 1_795_147_200.0
DAY = 86400.0


def made(folder: Path, name: str = "desk.test", days: int = 90, since: float = NOW, *, secret: bytes = b"") -> Server:
    """A certificate with its key in a folder, and the settings that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hotline")])
    begins = datetime.fromtimestamp(since, UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    lock = BestAvailableEncryption(secret) if secret else NoEncryption()
    (folder / "cert.pem").write_bytes(cert.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    return Server(tls_cert=folder / "cert.pem", tls_key=folder / "key.pem", url="https://desk.test/")


def told(server: Server, now: float = NOW + DAY) -> list[str]:
    """Keys and texts of what is wrong."""
    return [f"{fault.key}: {fault.text}" for fault in faults(server, now)]


def test_a_sound_pair_is_sound(tmp_path: Path) -> None:
    """Nothing to say; a wildcard will do, too; nothing configured, too."""
    assert told(made(tmp_path)) == []
    assert told(made(tmp_path, "*.test")) == []
    assert told(Server()) == []


def test_each_fault_is_told(tmp_path: Path) -> None:
    """What it is, in which setting."""
    server = made(tmp_path)
    assert "ended on" in told(server, NOW + 91 * DAY)[0]
    assert "not valid before" in told(server, NOW - DAY)[0]
    assert "desk.test" in told(made(tmp_path, "other.test"))[0]
    assert "passphrase" in told(made(tmp_path, secret=b"x"))[0]
    server = made(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    assert "is not the key" in told(server.model_copy(update={"tls_key": made(other).tls_key}))[0]
    (tmp_path / "key.pem").write_text("nothing")
    assert told(server) == [f"server.tls_key: {tmp_path / 'key.pem'} holds no private key in PEM"]
    (tmp_path / "cert.pem").write_text("nothing")
    (tmp_path / "key.pem").unlink()
    assert "cannot be read" in told(server)[0]
    with pytest.raises(TlsError):
        context(server)


def test_one_without_the_other_is_a_fault(tmp_path: Path) -> None:
    """They go together."""
    with pytest.raises(ValidationError, match="go together"):
        Server(tls_cert=tmp_path / "cert.pem")


@pytest.mark.parametrize(
    ("server", "beyond"),
    [
        (Server(), False),
        (Server(host="localhost"), False),
        (Server(host="::1"), False),
        (Server(host="0.0.0.0"), True),  # noqa: S104 - what is warned of
        (Server(host="192.168.1.5"), True),
        (Server(host="desk.local"), True),
        (Server(host="192.168.1.5", secure=True), False),
    ],
)
def test_plain_http_beyond_this_machine_is_noticed(server: Server, *, beyond: bool) -> None:
    """Unless a proxy ends TLS."""
    assert beyond_this_machine(server) is beyond


async def hello(request: web.Request) -> web.Response:
    """Whether it came by https."""
    return web.Response(text=str(request.secure))


async def serial(port: int) -> int:
    """The serial number of the certificate that a new connection is shown."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    assert reader is not None
    return x509.load_der_x509_certificate(shown).serial_number


async def test_a_renewed_certificate_is_taken_up_and_a_spoilt_one_is_not(tmp_path: Path) -> None:
    """Without a restart; while the files are half written, or bad, the one before goes on."""
    server = made(tmp_path)
    listening = context(server)
    assert listening is not None
    assert listening.minimum_version == ssl.TLSVersion.TLSv1_2
    app = web.Application()
    app.router.add_get("/", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=listening).start()
    port = runner.addresses[0][1]
    assert server.tls_cert is not None
    assert server.tls_key is not None
    renewal = Renewal(listening, server.tls_cert, server.tls_key, lambda: NOW)
    async with (
        ClientSession(connector=TCPConnector(ssl=False)) as client,
        client.get(f"https://127.0.0.1:{port}/") as answer,
    ):
        assert await answer.text() == "True"
    first = await serial(port)
    assert not renewal.look(), "nothing is new"
    before = server.tls_key.read_bytes()
    made(tmp_path)
    fresh = server.tls_key.read_bytes()
    server.tls_key.write_bytes(before)
    assert not renewal.look(), "the key is still the old one"
    assert await serial(port) == first
    server.tls_key.write_bytes(fresh + b"\n")
    assert renewal.look()
    second = await serial(port)
    assert second != first
    server.tls_cert.write_text("spoilt")
    assert not renewal.look()
    server.tls_cert.unlink()
    assert not renewal.look()
    assert await serial(port) == second
    await runner.cleanup()


def test_what_was_mended_without_a_newer_time_is_taken_up(tmp_path: Path) -> None:
    """Copied back with the times it had, or given the rights it lacked: such files look as they did before."""
    server = made(tmp_path)
    listening = context(server)
    assert listening is not None
    assert server.tls_cert is not None
    assert server.tls_key is not None
    renewal = Renewal(listening, server.tls_cert, server.tls_key, lambda: NOW)
    sound = server.tls_cert.read_bytes()
    server.tls_cert.write_bytes(b"x" * len(sound))
    os.utime(server.tls_cert, (NOW, NOW))
    assert not renewal.look()
    server.tls_cert.write_bytes(sound)
    os.utime(server.tls_cert, (NOW, NOW))
    assert renewal.look()
