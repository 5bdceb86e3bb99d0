"""Asking a server that speaks OpenAI's ``/audio/transcriptions``: one stretch of sound, one answer, one time limit.

Only the address that the operator named is asked: no redirect is followed, no proxy of the environment used. The answer
is strange input: its size is limited and nothing in it is taken for what it should be. Knows no model and no speech.
"""

import http.client
import io
import json
import os
import secrets
import socket
import ssl
import threading
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from transcription.engines import Endpoint, EndpointAway, EndpointBusy, ModelError, Samples, SoundRefused

LARGEST = 4 * 2**20  # bytes of an answer; half a minute of speech with all its words is below 100 kB
QUOTED = 200  # characters of an error's body that are told on
BUSY = (408, 425, 429, 500, 502, 503, 504)
NOT_THE_SOUND = (401, 402, 403, 404, 405, 406, 407, 410)  # who we are, or what is asked where


class Client:
    """Asks one server. Usable by several threads: each question has its own connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Read the key from the environment. Raises ModelError when it is not there or the address is none."""
        place = urlsplit(endpoint.url)
        if place.scheme not in ("http", "https") or not place.hostname:
            raise ModelError(f"{endpoint.url} is no http or https address")
        self._host, self._port, self._secure = place.hostname, place.port, place.scheme == "https"
        self._path = f"{place.path.rstrip('/')}/audio/transcriptions"
        self._timeout = endpoint.timeout
        self._headers = {"Accept": "application/json", "Connection": "close", "User-Agent": "hotline"}
        if endpoint.key_env is not None:
            self._headers["Authorization"] = f"Bearer {_key(endpoint.key_env)}"
        self._tls = None
        if self._secure:
            try:
                self._tls = ssl.create_default_context(cafile=endpoint.ca_file and str(endpoint.ca_file))
            except OSError as error:
                raise ModelError(f"the certificates in {endpoint.ca_file} cannot be read: {error}") from error

    def transcribe(self, samples: Samples, rate: int, fields: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        """What the server makes of the sound. Raises EndpointAway, EndpointBusy, SoundRefused."""
        boundary = secrets.token_hex(16)
        body = _multipart(boundary, fields, _wav(samples, rate))
        headers = {**self._headers, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        connection = self._connected()
        try:
            with _deadline(connection, self._timeout) as late:
                try:
                    with suppress(ConnectionError):  # it may refuse us before it has heard all: its answer says why
                        connection.request("POST", self._path, body, headers)
                    response = connection.getresponse()
                    answer = response.read(LARGEST + 1)
                except (OSError, http.client.HTTPException) as error:
                    why = f"no answer within {self._timeout:g} s" if late.is_set() else _told(error)
                    raise EndpointBusy(f"{self._host}: {why}") from error
            if late.is_set():  # cut in the middle of a body without a length, which reads like its end
                raise EndpointBusy(f"{self._host}: no answer within {self._timeout:g} s")
        finally:
            connection.close()
        return self._read(response.status, answer)

    def _connected(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:  # ssl's errors are OSErrors
            raise EndpointAway(f"{self._host} cannot be reached: {_told(error)}") from error
        return connection

    def _read(self, status: int, answer: bytes) -> Mapping[str, Any]:
        """The answer's object, or what the status means for us."""
        said = " ".join(answer[: 4 * QUOTED].decode(errors="replace").split())[:QUOTED]
        if status in BUSY or status > 500:  # noqa: PLR2004 - what else servers say when they fail
            raise EndpointBusy(f"{self._host} answered {status}: {said}")
        if status in NOT_THE_SOUND or (not 400 <= status < 500 and status != 200):  # noqa: PLR2004 - redirects too
            raise EndpointAway(f"{self._host} answered {status}: {said}")
        if status != 200:  # noqa: PLR2004 - OK
            raise SoundRefused(f"{self._host} answered {status}: {said}")
        if len(answer) > LARGEST:
            raise EndpointAway(f"{self._host} answered with more than {LARGEST / 2**20:.0f} MB")
        try:
            made = json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise EndpointAway(f"{self._host} answers, but not as /audio/transcriptions does: {said}") from error
        if not isinstance(made, dict) or not isinstance(made.get("text"), str):
            raise EndpointAway(f"{self._host} answers, but not as /audio/transcriptions does: {said}")
        return made


def _key(variable: str) -> str:
    """The key. Raises ModelError, never with the key in its text."""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ModelError(f"no key for the speech server: set {variable}")
    if not key.isascii() or not key.isprintable():
        raise ModelError(f"the key in {variable} holds characters that no header may have")
    return key


@contextmanager
def _deadline(connection: http.client.HTTPConnection, seconds: float) -> Iterator[threading.Event]:
    """Cut the connection after so many seconds, whatever it is at: a socket's own limit is one for each byte."""
    late = threading.Event()
    own: socket.socket = connection.sock  # the connection forgets it once the answer has begun

    def cut() -> None:
        late.set()
        with suppress(OSError):  # it may have ended by itself meanwhile
            own.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _wav(samples: Samples, rate: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    return made.getvalue()


def _multipart(boundary: str, fields: Sequence[tuple[str, str]], sound: bytes) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = 'Content-Disposition: form-data; name="file"; filename="speech.wav"\r\nContent-Type: audio/wav'
    parts += [f"--{boundary}\r\n{head}\r\n\r\n".encode(), sound, f"\r\n--{boundary}--\r\n".encode()]
    return b"".join(parts)
