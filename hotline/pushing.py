"""Others are told of our calls: a help desk with its own call list, a webhook (``[[crm.push]]``).

A job for each call and receiver brings it up to date: what was not told yet is told, in order. A receiver that is away
is waited for, a day for each call; one that says that it is gone (410) is asked no more until the next start. Redirects
are not followed: the answer to who may hear of our calls is in the configuration and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import structlog
from yarl import URL

from crm.breaker import Breaker, State
from crm.http import WRITE, Answer, Http
from crm.http_answers import error_of
from crm.push import Format, Happening, Message
from crm.push_webhook import SecretError, Webhook
from crm.push_zammad import Zammad
from crm.registry import ConnectorError
from crm.trouble import AuthError, CrmError, RateLimitedError, RestingError, UnknownOutcomeError
from hotline.crm_opening import secret
from hotline.crm_settings import Push
from hotline.push_events import Teller
from hotline.settings import Settings
from storage.deliveries import Attempt, Deliveries
from storage.drain import Handler
from storage.jobs import HopelessError, Job, Wait
from storage.pushed import Pushed
from storage.reads import Reads
from telephony.call import CallKey

log = structlog.get_logger()

DAY = 86400.0
PATIENCE = DAY  # how long a call's receiver is waited for
OLD = 3 * DAY  # what happened longer ago is news to nobody: a receiver configured today, a call transcribed anew
KEEP = 30 * DAY  # how long we remember what was told; longer than OLD, or it would be told again
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 900.0
AUTH_PAUSE = 60.0
GONE = 410
_GATEWAY = (502, 504)  # whether the system behind it heard, nobody knows


def kind_of(push: Push) -> str:
    """The kind of its jobs: where it goes, readable, and stays the same when others are added before it."""
    digest = sha256(f"{push.kind} {push.url}".encode()).hexdigest()[:8]
    return f"push:{(URL(push.url).host or '')[:40]}:{digest}"


def kinds(pushes: Sequence[Push]) -> tuple[str, ...]:
    """The kinds of jobs that follow calls, for :class:`storage.following.Follow`."""
    return tuple(dict.fromkeys(map(kind_of, pushes)))


def check(push: Push, read: Callable[[str], str] = secret) -> None:
    """Look at a push's secret. Raises ConnectorError."""
    _format(push, read)


class Pushing:
    """The handlers of all receivers. ``link``: where people see a call. Raises ConnectorError for a secret's fault.

    ``secret``: the value of an environment variable, LookupError where there is none.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        reads: Reads,
        pushed: Pushed,
        deliveries: Deliveries,
        clock: Callable[[], float],
        link: Callable[[CallKey], str | None] = lambda _: None,
        secret: Callable[[str], str] = secret,
    ) -> None:
        names = {agent.extension: agent.name for agent in settings.agent if agent.name}
        teller = Teller(settings.site.name, names, link)
        self._targets = {
            kind_of(push): Target(push, _format(push, secret), _path(push, secret)) for push in settings.crm.push
        }
        self._reads, self._pushed, self._clock, self._teller = reads, pushed, clock, teller
        self._deliveries = deliveries
        self._forgot = 0.0

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {kind: partial(self._push, target) for kind, target in self._targets.items()}

    def report(self) -> Sequence[Mapping[str, Any]]:
        """How it goes with each receiver, for the operator."""
        return [{"receiver": kind, **target.report()} for kind, target in self._targets.items()]

    def resume(self, receiver: str) -> bool:
        """Ask a receiver again that had said it was gone; False when there is none of that name."""
        target = self._targets.get(receiver)
        if target is None:
            return False
        target.gone = None
        return True

    async def close(self) -> None:
        """Close the connections."""
        for target in self._targets.values():
            await target.close()

    async def _push(self, target: "Target", job: Job) -> Wait | None:
        """Tell one receiver what it was not told yet of one call."""
        page = None if target.gone else await self._reads.call(CallKey.parse(str(job.payload["call"])))
        if page is None:
            return None
        call = str(page.item.key)
        told = await self._pushed.of_call(job.kind, call)
        once_more = await self._pushed.wanted_again(job.kind, call)
        believed: list[str] = []
        await self._forget()
        for happening in self._teller.happenings(page):
            name, now = target.format.name_of(happening), self._clock()
            happened = page.item.arrived if happening.at is None else happening.at
            if name is None or told.get(name) or (now - happened > OLD and name not in once_more):
                continue
            if target.rests(now):
                return Wait(target.breaker.until, f"left alone for now: {target.error}")
            await self._pushed.begins(job.kind, call, name, now)
            exchange = Exchange(job.kind, call, name, happening.what.value, now)
            try:
                heard = await target.tell(happening, now, exchange, doubtful=name in told)
                await self._note(exchange, None)
            except CrmError as error:
                await self._note(exchange, error)
                if name not in told and not isinstance(error, UnknownOutcomeError):
                    await self._pushed.not_told(job.kind, call, name)
                return self._later(target, error, happened)
            if heard is Heard.GONE:
                return None
            believed.append(name)
            if heard is Heard.YES:  # what it takes now shows that it has what came before
                for each in believed:
                    await self._pushed.told(job.kind, call, each, self._clock())
                believed.clear()
        return None

    async def _note(self, exchange: "Exchange", error: CrmError | None) -> None:
        """Keep how it went; nothing where it was not even sent."""
        attempt = exchange.attempt(self._clock(), error)
        if attempt is not None:
            await self._deliveries.add(attempt)

    def _later(self, target: "Target", error: CrmError, happened: float) -> Wait:
        now = self._clock()
        age = max(0.0, now - happened)
        if age > PATIENCE and not isinstance(error, RestingError):
            raise HopelessError(f"given up after {age / 3600:.0f} hours: {error}")
        pause = min(max(FIRST_PAUSE, age / 4), LONGEST_PAUSE)
        if isinstance(error, AuthError):
            pause = max(pause, AUTH_PAUSE)
        if isinstance(error, RateLimitedError) and error.after is not None:
            pause = max(pause, error.after)
        return Wait(max(now + pause, target.breaker.until), str(error))

    async def _forget(self) -> None:
        now = self._clock()
        if now - self._forgot > DAY:
            self._forgot = now
            await self._pushed.forget(now - KEEP)
            await self._deliveries.forget(now - KEEP)


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

    def __init__(self, push: Push, form: Format, path: str) -> None:
        self.format, self._push, self._path = form, push, path
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
            log.warning("a receiver of pushes is gone and told no more", receiver=kind_of(self._push))
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
            self._http = Http(f"the {self._push.kind} at {url.host}", str(url.origin()), ca=self._push.ca_file)
        message = exchange.sent = self.format.message(happening, now)
        answer = exchange.answer = await self._http.ask(
            "POST", self._path, pace=WRITE, writes=True, data=message.body, headers=message.headers, refuse=False
        )
        if answer.status == GONE:
            return Heard.GONE
        unknown = answer.status in _GATEWAY
        error = error_of(answer.system, answer.status, answer.headers, answer.text, writes=unknown)
        if error is None:
            return Heard.YES
        if self.format.heard_before(happening, answer.status, answer.text, doubtful=doubtful):
            return Heard.BELIEVED
        raise error


def _format(push: Push, read: Callable[[str], str]) -> Format:
    try:
        if push.kind == "zammad":
            if push.secret_env is not None:
                read(push.secret_env)
            return Zammad()
        assert push.secret_env is not None
        return Webhook(read(push.secret_env))
    except (LookupError, SecretError) as error:
        raise ConnectorError(f"push to {URL(push.url).host}: {push.secret_env}: {error}") from error


def _path(push: Push, read: Callable[[str], str]) -> str:
    """The path of the address; Zammad's token, where it is kept apart, is its last part."""
    url = URL(push.url)
    if push.kind == "zammad" and push.secret_env is not None:
        url = url.joinpath(quote(read(push.secret_env), safe=""), encoded=True)
    return url.raw_path_qs
