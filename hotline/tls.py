"""The service's own certificate: what is wrong with it, and a new one taken up without a restart.

A proxy in front does as well (``[server] secure``); with neither, browsers give no notifications and no cookie that is
kept to https.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hotline.settings import Fault, Server

LOOK = 30.0  # seconds between looks at the files
SOON = 14 * 86400.0  # before its end a certificate is warned of

log = structlog.get_logger()


class TlsError(Exception):
    """Certificate or key cannot be used: the text says why, and names the setting."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key, self.text = key, text


def read(cert: Path, key: Path) -> x509.Certificate:
    """The certificate, which fits its key. Raises TlsError."""
    chain = _pem("server.tls_cert", cert)
    secret = _pem("server.tls_key", key)
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise TlsError("server.tls_cert", f"{cert} holds no certificate in PEM: {error}") from error
    try:
        private = load_pem_private_key(secret, None)
    except TypeError as error:
        raise TlsError("server.tls_key", f"{key} is encrypted: the service needs one without a passphrase") from error
    except ValueError as error:
        raise TlsError("server.tls_key", f"{key} holds no private key in PEM") from error

    if _raw(leaf.public_key()) != _raw(private.public_key()):
        raise TlsError("server.tls_key", f"{key} is not the key of the certificate that {cert} begins with")
    return leaf


def faults(server: Server, now: float) -> list[Fault]:
    """What is wrong with the configured certificate."""
    if server.tls_cert is None or server.tls_key is None:
        return []
    try:
        leaf = read(server.tls_cert, server.tls_key)
    except TlsError as error:
        return [Fault(None, error.key, error.text)]
    found, today = [], datetime.fromtimestamp(now, UTC)
    if today < leaf.not_valid_before_utc:
        found.append(
            Fault(None, "server.tls_cert", f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
        )
    if today > leaf.not_valid_after_utc:
        found.append(Fault(None, "server.tls_cert", f"ended on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"))
    host = urlsplit(server.url or "").hostname
    if host and server.url and server.url.startswith("https:") and not _names(leaf, host):
        found.append(Fault(None, "server.tls_cert", f"is not made out to {host}, where server.url says people come"))
    return found


def context(server: Server) -> ssl.SSLContext | None:
    """What a listener takes; None: plain http. TLS 1.2 and newer. Raises TlsError."""
    if server.tls_cert is None or server.tls_key is None:
        return None
    read(server.tls_cert, server.tls_key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    _load(made, server.tls_cert, server.tls_key)
    return made


class Renewal:
    """Takes up a certificate that was renewed. New connections get it; open ones stay as they are."""

    def __init__(self, made: ssl.SSLContext, cert: Path, key: Path, clock: Callable[[], float]) -> None:
        self._context, self._cert, self._key, self._clock = made, cert, key, clock
        self._seen = self._stamp()

    async def run(self) -> None:
        """Look now and then until cancelled."""
        self._warn()
        while True:
            await asyncio.sleep(LOOK)
            await asyncio.to_thread(self.look)

    def look(self) -> bool:
        """Whether another certificate was taken up. One that cannot be used leaves the one before in place."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            read(self._cert, self._key)  # both files are there, and of one pair: a renewal writes them one by one
            _load(self._context, self._cert, self._key)
        except TlsError as error:
            log.error("certificate_not_renewed", error=str(error))
            return False
        log.info("certificate_renewed")
        self._warn()
        return True

    def _warn(self) -> None:
        try:
            ends = read(self._cert, self._key).not_valid_after_utc
        except TlsError:
            return
        if ends.timestamp() < self._clock() + SOON:
            log.warning("certificate_ends_soon", ends=ends.isoformat())

    def _stamp(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._cert, self._key))


def beyond_this_machine(server: Server) -> bool:
    """Whether people reach plain http from elsewhere, as far as the configuration tells."""
    if server.https:
        return False
    try:
        return not ip_address(server.host).is_loopback
    except ValueError:
        return server.host != "localhost"


def _raw(public: PublicKeyTypes) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pem(key: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(key, f"{path} cannot be read: {error.strerror or error}") from error


def _load(made: ssl.SSLContext, cert: Path, key: Path) -> None:
    try:
        made.load_cert_chain(cert, key, password=lambda: "")  # never asks at a terminal
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise TlsError("server.tls_cert", f"{cert} cannot be used: {error}") from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ctime_ns, found.st_size, found.st_ino  # not mtime: rights that were mended later count, too


def _names(leaf: x509.Certificate, host: str) -> bool:
    """Whether a certificate is made out to a host, as browsers read it: by its alternative names only."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ip_address(host) in names.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    host = host.lower()
    parent = host.partition(".")[2]
    return any(name.lower() in (host, f"*.{parent}") for name in names.get_values_for_type(x509.DNSName))
