"""Others are told of our calls: a help desk with its own call list, a webhook (``[[crm.push]]``).

A job for each call and receiver brings it up to date: what was not told yet is told, in order. A receiver that is away
is waited for, a day for each call; one that says that it is gone (410) is asked no more, by any service on this
database, until people say so or one starts. Redirects are not followed: the answer to who may hear of our calls is in
the configuration and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

from yarl import URL

from crm.push import Format, Happening
from crm.push_webhook import SecretError, Webhook
from crm.push_zammad import Zammad
from crm.registry import ConnectorError
from crm.trouble import AuthError, CrmError, RateLimitedError, RestingError, UnknownOutcomeError
from hotline.crm_opening import secret
from hotline.crm_settings import Push
from hotline.push_events import Teller
from hotline.push_target import FIRST_PAUSE, Exchange, Heard, Target
from hotline.settings import Settings
from storage.deliveries import Deliveries
from storage.drain import Handler
from storage.jobs import HopelessError, Job, Wait
from storage.pages import CallPage
from storage.pushed import Pushed, Tellings
from storage.reads import Reads
from telephony.call import CallKey

DAY = 86400.0
PATIENCE = DAY  # how long a call's receiver is waited for
OLD = 3 * DAY  # what happened longer ago is news to nobody: a receiver configured today, a call transcribed anew
KEEP = 30 * DAY  # how long we remember what was told; longer than OLD, or it would be told again
LONGEST_PAUSE = 900.0
AUTH_PAUSE = 60.0


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
            kind_of(push): Target(kind_of(push), push, _format(push, secret), _path(push, secret))
            for push in settings.crm.push
        }
        self._reads, self._pushed, self._clock, self._teller = reads, pushed, clock, teller
        self._deliveries = deliveries
        self._forgot = 0.0
        self._began = clock()

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {kind: partial(self._push, target) for kind, target in self._targets.items()}

    def report(self) -> Sequence[Mapping[str, Any]]:
        """How it goes with each receiver, for the operator."""
        return [{"receiver": kind, **target.report()} for kind, target in self._targets.items()]

    async def resume(self, receiver: str) -> bool:
        """Ask a receiver again that had said it was gone; False when there is none of that name."""
        if receiver not in self._targets:
            return False
        await self._pushed.back(receiver)
        return True

    async def close(self) -> None:
        """Close the connections."""
        for target in self._targets.values():
            await target.close()

    async def _push(self, target: "Target", job: Job) -> Wait | None:
        """Tell one receiver what it was not told yet of one call."""
        call = str(job.payload["call"])
        tellings = await self._pushed.of_call(job.kind, call)
        target.gone = tellings.gone if tellings.gone is not None and tellings.gone >= self._began else None
        page = None if target.gone else await self._reads.call(CallKey.parse(call))
        if page is None:
            return None
        await self._forget()
        todo = self._todo(target, page, tellings)
        believed: list[str] = []
        for place, one in enumerate(todo):
            if target.rests(self._clock()):
                return Wait(target.breaker.until, f"left alone for now: {target.error}")
            try:
                heard = await self._tell(target, job.kind, call, one, tellings)
            except CrmError as error:
                return await self._failed(target, job.kind, call, todo[place:], error)
            if heard is Heard.GONE:
                await self._pushed.went(job.kind, self._clock())
                return None
            if tellings.gone is not None:  # this service began after that, and it hears again
                await self._pushed.back(job.kind)
            believed.append(one.name)
            if heard is Heard.YES:  # what it takes now shows that it has what came before
                for each in believed:
                    await self._pushed.told(job.kind, call, each, self._clock())
                believed.clear()
        return None

    async def _tell(self, target: "Target", kind: str, call: str, one: "Todo", tellings: Tellings) -> "Heard":
        """Tell one happening, and keep how it went. Raises CrmError."""
        now = self._clock()
        if one.name not in tellings.again:
            await self._pushed.begins(kind, call, one.name, now)
        exchange = Exchange(kind, call, one.name, one.happening.what.value, now)
        try:
            heard = await target.tell(one.happening, now, exchange, doubtful=one.name in tellings.told)
        except CrmError as error:
            await self._note(exchange, error)
            if one.name not in tellings.told and not isinstance(error, UnknownOutcomeError):
                await self._pushed.not_told(kind, call, one.name)
            raise
        await self._note(exchange, None)
        return heard

    async def _failed(self, target: "Target", kind: str, call: str, todo: Sequence["Todo"], error: CrmError) -> Wait:
        """When to try again. Raises HopelessError; what is left is told when people say so, however old by then."""
        age = max(0.0, self._clock() - todo[0].since)
        if age > PATIENCE and not isinstance(error, RestingError):
            await self._pushed.given_up(kind, call, [one.name for one in todo], self._clock())
            raise HopelessError(f"given up after {age / 3600:.0f} hours: {error}") from error
        return self._later(target, error, age)

    def _todo(self, target: "Target", page: CallPage, tellings: Tellings) -> list["Todo"]:
        """What is to be told of the call."""
        todo, now = [], self._clock()
        for happening in self._teller.happenings(page):
            name = target.format.name_of(happening)
            happened = page.item.arrived if happening.at is None else happening.at
            if name is None or tellings.told.get(name):
                continue
            if name in tellings.again or now - happened <= OLD:
                todo.append(Todo(name, happening, tellings.again.get(name, happened)))
        return todo

    async def _note(self, exchange: "Exchange", error: CrmError | None) -> None:
        """Keep how it went; nothing where it was not even sent."""
        attempt = exchange.attempt(self._clock(), error)
        if attempt is not None:
            await self._deliveries.add(attempt)

    def _later(self, target: "Target", error: CrmError, age: float) -> Wait:
        pause = min(max(FIRST_PAUSE, age / 4), LONGEST_PAUSE)
        if isinstance(error, AuthError):
            pause = max(pause, AUTH_PAUSE)
        if isinstance(error, RateLimitedError) and error.after is not None:
            pause = max(pause, error.after)
        return Wait(max(self._clock() + pause, target.breaker.until), str(error))

    async def _forget(self) -> None:
        now = self._clock()
        if now - self._forgot > DAY:
            self._forgot = now
            await self._pushed.forget(now - KEEP)
            await self._deliveries.forget(now - KEEP)


class Todo(NamedTuple):
    """Something to tell. ``since``: since when it waits, epoch seconds."""

    name: str
    happening: Happening
    since: float


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
