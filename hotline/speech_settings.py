"""The part of the configuration that says how speech is recognised. Read by :mod:`hotline.settings`.

What one line has of its own stands beside its other settings (:class:`hotline.telephony_settings.LineSpeech`).
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from hotline.telephony_settings import Part


class SpeechServer(Part):
    """A server of one's own that speaks OpenAI's ``/audio/transcriptions``, for ``engine = "openai"``.

    Only this address is ever asked. ``key_env``: the variable that holds the key, None for a server that wants none;
    ``timeout``: seconds for one stretch of speech, at most 20 s of sound.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")]
    model: Annotated[str, Field(pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]{0,99}$")] = "whisper-1"
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] | None = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _no_secret_in_the_clear(self) -> "SpeechServer":
        place = urlsplit(self.url)
        try:
            _ = place.port
        except ValueError as error:
            raise ValueError(f"no such port: {error}") from error
        if place.username is not None or place.password is not None:
            raise ValueError("no user or password in the url: name the key's variable in key_env")
        host = place.hostname or ""
        if self.key_env and place.scheme == "http" and host not in ("localhost", "::1") and not host.startswith("127."):
            raise ValueError("over http the key would cross the network in the clear: use https")
        return self


class LanguageModel(SpeechServer):
    """A server of one's own that speaks OpenAI's ``/chat/completions``; it gets what was said, masked (docs/llm.md).

    ``url`` ends before ``/chat/completions``. ``timeout``: seconds for one answer.
    """

    model: Annotated[str, Field(pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]{0,99}$")]
    timeout: Annotated[float, Field(gt=0, le=600)] = 120.0


class Transcription(Part):
    """The speech engine. ``model`` is a folder; without one the first that works in the data folder is taken.

    ``processes``: recordings written down at once, each by a process that holds a model. ``threads``: of each process.
    ``memory_mb``: what all of them may hold together, None for half of what the machine has. ``word_times``: the time
    of every word from whisper and from a server too, which may double its work; vosk gives it always.
    """

    engine: Literal["auto", "vosk", "whisper", "openai", "scripted", "none"] = "auto"
    model: Path | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "zh"
    processes: Annotated[int, Field(ge=1, le=32)] = 1
    threads: Annotated[int, Field(ge=1, le=32)] = 2
    memory_mb: Annotated[int, Field(ge=100)] | None = None
    word_times: bool = False
    endpoint: SpeechServer | None = None
    llm: LanguageModel | None = None
