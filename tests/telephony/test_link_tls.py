"""The link through TLS: who is believed, who is not, and what the operator is told."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.ami import AmiSettings
from telephony.link import AmiLink, Link, LinkState

x509 = pytest.importorskip("cryptography.x509", reason="makes the certificates of these tests")

from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

PATIENCE = 20.0


def certificate(folder: Path, name: str, host: str) -> Path:
    """A PBX's own certificate for an address, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    today = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today.replace(year=2126))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A PBX that takes every login and has no channels."""
    writer.write(b"Asterisk Call Manager/11.0.0\r\n")
    try:
        while True:
            text = (await reader.readuntil(b"\r\n\r\n")).decode()
            action = dict(line.split(": ", 1) for line in text.strip().split("\r\n"))
            answer = f"Response: Success\r\nActionID: {action['ActionID']}\r\n\r\n"
            if action["Action"] in ("CoreShowChannels", "Status", "QueueStatus"):
                answer += f"Event: {action['Action']}Complete\r\nActionID: {action['ActionID']}\r\n\r\n"
            writer.write(answer.encode())
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def first_word(shown: Path | None, **how: object) -> AsyncIterator[LinkState]:
    """The link's first word about a PBX that shows this certificate (None: speaks no TLS)."""
    context = None
    if shown is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(shown)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    settings = AmiSettings(name="pbx", host="127.0.0.1", user="hotline", secret="s3cret", tls=True)
    settings = replace(settings, port=server.sockets[0].getsockname()[1], **how)  # type: ignore[arg-type]
    link = AmiLink(settings, time.monotonic)
    running = asyncio.get_running_loop().create_task(link.run())
    try:
        async with asyncio.timeout(PATIENCE):
            word = await link.next()
        assert isinstance(word, LinkState)
        yield word
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        server.close()
        await server.wait_closed()


async def test_the_certificate_that_is_named_is_believed(tmp_path: Path) -> None:
    """A PBX's own one, signed by nobody else."""
    own = certificate(tmp_path, "pbx", "127.0.0.1")
    async with first_word(own, tls_ca=own) as word:
        assert word.link is Link.UP


async def test_another_certificate_is_not(tmp_path: Path) -> None:
    """Somebody who stands between, or a certificate that was renewed: the secret is not sent, the remedy is told."""
    own, other = (certificate(tmp_path, name, "127.0.0.1") for name in ("pbx", "other"))
    for trusted in (other, None):  # None: whom the machine trusts, which is not our PBX
        async with first_word(own, tls_ca=trusted) as word:
            assert word.link is Link.DOWN
            assert "tls_ca" in word.why


async def test_a_certificate_for_another_address_is_not(tmp_path: Path) -> None:
    """It may be sound, it is not this PBX's."""
    elsewhere = certificate(tmp_path, "pbx", "192.0.2.1")
    async with first_word(elsewhere, tls_ca=elsewhere) as word:
        assert word.link is Link.DOWN
        assert "the name it is for" in word.why


async def test_a_port_without_tls_is_told(tmp_path: Path) -> None:
    """The AMI's plain port answers with its banner."""
    async with first_word(None, tls_ca=certificate(tmp_path, "pbx", "127.0.0.1")) as word:
        assert word.link is Link.DOWN
        assert "tlsbindaddr" in word.why


@pytest.mark.parametrize("text", [None, "no certificate"])
async def test_a_file_that_holds_no_certificate_is_told(tmp_path: Path, text: str | None) -> None:
    """Missing, or not PEM."""
    file = tmp_path / "ca.pem"
    if text is not None:
        file.write_text(text)
    async with first_word(certificate(tmp_path, "pbx", "127.0.0.1"), tls_ca=file) as word:
        assert word.link is Link.DOWN
        assert ("ca.pem cannot be read" if text is None else "ca.pem holds no certificate") in word.why
