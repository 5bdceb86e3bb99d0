"""Recordings over HTTP(S), against a real server: limits, logins, redirects, certificates."""

import asyncio
import base64
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telephony.fetch_http import HttpRemote
from telephony.remote import RemoteError, TooLargeError

SOUND = b"RIFF" + bytes(range(256)) * 400
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A web server whose ``answer`` the test sets; what it was asked stays."""

    def __init__(self, server: TestServer) -> None:
        self.server = server
        self.asked: list[web.Request] = []
        self.answer: Handler = self.sound

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Whatever is asked."""
        self.asked.append(request)
        return await self.answer(request)

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """One file, and nothing else."""
        if request.path == "/rec/2026/a b.wav":
            return web.Response(body=SOUND)
        raise web.HTTPNotFound

    def remote(
        self, *, secret: str | None = None, user: str | None = None, limit: int = 10**6, wait: float = 5
    ) -> HttpRemote:
        """As it would be configured."""
        url = str(self.server.make_url("/rec"))
        return HttpRemote(url, user=user, secret=secret, limit=limit, timeout=wait)


async def serve(tls: ssl.SSLContext | None = None) -> Site:
    """A server on a free port."""
    app = web.Application()
    server = TestServer(app, scheme="https" if tls else "http")
    site = Site(server)
    app.router.add_route("*", "/{tail:.*}", site.handle)
    await server.start_server(ssl=tls)
    return site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """One without TLS."""
    site = await serve()
    yield site
    await site.server.close()


async def test_a_file_is_fetched_as_it_is(site: Site, tmp_path: Path) -> None:
    """Its size by HEAD, odd letters in its name; what is not there is no error; it cannot list."""
    async with site.remote().open() as store:
        assert await store.size("2026/a b.wav") == len(SOUND)
        assert await store.size("2026/b.wav") is None
        assert await store.names("2026") is None
        await store.fetch("2026/a b.wav", tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == SOUND


@pytest.mark.parametrize(
    ("user", "expected"), [("pbx", "Basic " + base64.b64encode(b"pbx:s3cret").decode()), (None, "Bearer s3cret")]
)
async def test_the_login(site: Site, user: str | None, expected: str) -> None:
    """A password with a user, a token without."""
    async with site.remote(user=user, secret="s3cret").open() as store:
        await store.size("2026/a b.wav")
    assert site.asked[0].headers["Authorization"] == expected


async def test_a_refused_login_says_what_to_check(site: Site) -> None:
    """And is no missing recording."""

    async def no(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden

    site.answer = no
    async with site.remote().open() as store:
        with pytest.raises(RemoteError, match="check user and secret"):
            await store.size("a.wav")


async def test_more_than_the_limit_is_refused_whatever_was_told(site: Site, tmp_path: Path) -> None:
    """By Content-Length before a byte is read, and by counting where there is none."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    async with site.remote(limit=1000).open() as store:
        with pytest.raises(TooLargeError):
            await store.fetch("2026/a b.wav", tmp_path / "a")
        assert not (tmp_path / "a").exists()
        site.answer = endless
        with pytest.raises(TooLargeError):
            await store.fetch("a.wav", tmp_path / "b")


async def test_a_body_that_breaks_off_and_one_that_hangs_are_no_files(site: Site, tmp_path: Path) -> None:
    """Fewer bytes than promised; and not one within the time."""

    async def short(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "5000"})
        await response.prepare(request)
        await response.write(b"RIFF")
        assert request.transport is not None
        request.transport.abort()
        return response

    async def hangs(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    for answer in (short, hangs):
        site.answer = answer
        async with site.remote(wait=0.3).open() as store:
            with pytest.raises(RemoteError):
                await store.fetch("a.wav", tmp_path / "a")


async def test_redirects_stay_on_the_same_server(site: Site, tmp_path: Path) -> None:
    """Another host or port gets neither our question nor our login; a circle ends."""
    places: dict[str, str] = {}

    async def moved(request: web.Request) -> web.StreamResponse:
        if request.path in places:
            raise web.HTTPFound(places[request.path])
        return await site.sound(request)

    site.answer = moved
    async with site.remote(secret="s3cret").open() as store:
        places["/rec/old.wav"] = "/rec/2026/a%20b.wav"
        await store.fetch("old.wav", tmp_path / "a.wav")
        assert (tmp_path / "a.wav").read_bytes() == SOUND
        other = await serve()
        for place in (str(other.server.make_url("/x")), "https://elsewhere.invalid/x", "file:///etc/passwd"):
            places["/rec/old.wav"] = place
            with pytest.raises(RemoteError, match=r"another server|nonsense"):
                await store.fetch("old.wav", tmp_path / "b.wav")
        assert other.asked == []
        await other.server.close()
        places["/rec/old.wav"] = "/rec/old.wav"
        with pytest.raises(RemoteError, match="redirected more than"):
            await store.size("old.wav")


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody but its owner signed, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pbx")])
    address = x509.DNSName("localhost")
    today = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(today - dt.timedelta(days=9999))
        .not_valid_after(today + dt.timedelta(days=9999))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, hidden = folder / "cert.pem", folder / "key.pem"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    hidden.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, hidden)
    return shown, context


async def test_a_certificate_is_trusted_only_where_the_settings_say_so(tmp_path: Path) -> None:
    """Self-signed: refused, unless it is the file named."""
    shown, context = certificate(tmp_path)
    site = await serve(context)
    url = f"https://localhost:{site.server.port}/rec/"
    async with HttpRemote(url, limit=10**6, timeout=5).open() as store:
        with pytest.raises(RemoteError, match="certificate"):
            await store.size("2026/a b.wav")
    assert site.asked == []
    async with HttpRemote(url, ca_file=shown, limit=10**6, timeout=5).open() as store:
        assert await store.size("2026/a b.wav") == len(SOUND)
    await site.server.close()
    with pytest.raises(RemoteError, match="cannot be read"):
        async with HttpRemote(url, ca_file=tmp_path / "gone.pem", limit=1, timeout=5).open():
            pass
