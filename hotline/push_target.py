"""One receiver of pushes: how it is told, what came of it, and how that goes on the whole (:mod:`hotline.pushing`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import structlog
from yarl import URL

from crm.breaker import Breaker, State
from crm.http import REDIRECTS, WRITE, Answer, Http
from crm.http_answers import error_of
from crm.push import Format, Happening, Message
from crm.trouble import CrmError, InvalidError, RateLimitedError, RestingError
from hotline.crm_settings import Push
from storage.deliveries import Attempt

log = structlog.get_logger()

FIRST_PAUSE = 2.0  # seconds
GONE = 410
LONGEST_ANSWER = 64 * 1024  # bytes that are read of one
_GATEWAY = (502, 504)  # whether the system behind it heard, nobody knows


class Heard(Enum):
    """What a receiver made of a message. ``BELIEVED``: most likely it has had it before, see Format.heard_before."""

    YES = auto()
    BELIEVED = auto()
    GONE = auto()


@dataclass(slots=True)
class Exchange:
    """What went over the wire, as far as it came. ``began``: epoch seconds."""

    receiver: str
    call: str
    name: str
    what: str
    began: float
    sent: Message | None = None
    answer: Answer | None = None

    def attempt(self, now: float, error: CrmError | None) -> Attempt | None:
        """How it went; None where nothing was sent."""
        if self.sent is None:
            return None
        return Attempt(
            target=self.receiver,
            call=self.call,
            name=self.name,
            what=self.what,
            at=self.began,
            took=max(0.0, now - self.began),
            status=None if self.answer is None else self.answer.status,
            error=None if error is None else str(error),
            sent=self.sent.body.decode("utf-8", "replace"),
            answer=None if self.answer is None else self.answer.text,
        )


class Target:
    """One receiver: how it is told, and how that goes. ``gone``: since when it wants to hear no more."""

    def __init__(self, name: str, push: Push, form: Format, path: str) -> None:
        self.format, self._name, self._push, self._path = form, name, push, path
        self.breaker = Breaker()
        self.error: str | None = None
        self.gone: float | None = None
        self._told = self._failed = 0
        self._http: Http | None = None

    def report(self) -> Mapping[str, Any]:
        """For the operator."""
        return {
            "kind": self._push.kind,
            "told": self._told,
            "failed": self._failed,
            "error": self.error,
            "gone": self.gone,
            "state": self.breaker.state,
        }

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()

    def rests(self, now: float) -> bool:
        """Whether it is not even asked now."""
        return self.breaker.state is State.OPEN and now < self.breaker.until

    async def tell(self, happening: Happening, now: float, exchange: Exchange, *, doubtful: bool) -> Heard:
        """Tell it; ``exchange`` is filled. Raises CrmError."""
        if not self.breaker.may(now):
            raise RestingError(f"somebody else is seeing whether it is back: {self.error}", FIRST_PAUSE)
        error: CrmError | None = None
        said = False
        try:
            heard = await self._send(happening, now, exchange, doubtful=doubtful)
            said = True
        except CrmError as trouble:
            said, error = True, trouble
            raise
        finally:
            self._learn(now, error, said=said)
        self._told += heard is Heard.YES
        if heard is Heard.GONE:
            self.gone = now
            log.warning("a receiver of pushes is gone and told no more", receiver=self._name)
        return heard

    def _learn(self, now: float, error: CrmError | None, *, said: bool) -> None:
        if not said:
            self.breaker.unsaid()
        elif error is None or not error.counts:
            self.breaker.succeeded(now)
        else:
            self.breaker.failed(now, error.after if isinstance(error, RateLimitedError) else None)
        if said:
            self.error = None if error is None else str(error)
            self._failed += error is not None

    async def _send(self, happening: Happening, now: float, exchange: Exchange, *, doubtful: bool) -> Heard:
        if self._http is None:
            url = URL(self._push.url)
            name = f"the {self._push.kind} at {url.host}"
            self._http = Http(name, str(url.origin()), ca=self._push.ca_file, longest=LONGEST_ANSWER)
        message = exchange.sent = self.format.message(happening, now)
        answer = exchange.answer = await self._http.ask(
            "POST", self._path, pace=WRITE, writes=True, data=message.body, headers=message.headers, as_it_is=True
        )
        if answer.status == GONE:
            return Heard.GONE
        if answer.status in REDIRECTS:
            raise InvalidError(f"{answer.system} answered {answer.status}, a redirect{_where(answer)}: set url to it")
        unknown = answer.status in _GATEWAY
        error = error_of(answer.system, answer.status, answer.headers, answer.text, writes=unknown)
        if error is None:
            return Heard.YES
        if self.format.heard_before(happening, answer.status, answer.text, doubtful=doubtful):
            return Heard.BELIEVED
        raise error


def _where(answer: Answer) -> str:
    """To which machine; the rest of an address may hold a token."""
    try:
        host = URL(answer.headers.get("location", "")).host
    except ValueError:
        host = None
    return f" to {host}" if host else ""
