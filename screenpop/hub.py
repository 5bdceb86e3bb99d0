"""The sockets of all open pages of this process.

One follower a topic, however many pages: a message is made into text once and handed to every page's own bounded queue.
A page that does not keep up loses its queue and gets a snapshot instead; one that takes nothing at all is cut off. It
can never make another page wait. Snapshots are asked for on the topic itself (:mod:`screenpop.asks`), when a page joins
and every :data:`BEAT` seconds: that is the heartbeat, and it mends whatever a fan-out has lost. What several desks say
becomes one truth on the way (:mod:`screenpop.views`).

What happens now and then is one clock's for all pages, a part of them at each of its ticks: an open page that is told
nothing costs next to nothing, and two hundred of them never come at once.

Must not know what a card is. What pages say is not listened to.
"""

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from aiohttp import WSCloseCode, web

from screenpop.asks import DESKS, ask
from screenpop.desk import topic
from screenpop.views import SILENCE, Views
from storage.fanout import LAGGED, Fanout

BEAT = 20.0  # seconds
QUEUED = 64  # messages; an agent has a few calls at once, so more means that the page sleeps
SEND_TIME = 10.0  # seconds a page may take to accept one message
LOGGED_OUT = 4401  # close code: the login has ended, do not come back by yourself
MOVED = 4402  # close code: the login sits at another phone, come back
TICKETS = "tickets"
CALLBACKS = "callbacks"  # missed callers: the list has changed
LAGGED_WORD = {"type": "ticket"}
CALLBACKS_WORD = {"type": "callbacks"}
BEATS = '{"type":"beat"}'
MOST_PAGES = 40  # of one login or token; what opens more, for ever trying, must not use up the service's connections
FORGOTTEN = 600.0  # seconds after a desk's last sign of life: it has another name when it comes back
TICKS = 20  # of a beat, at each of which a part of the pages is told that we live

log = structlog.get_logger()


async def all_stand(_pages: "Collection[Page]") -> "Collection[Page]":
    """Whose login has ended, where logins never do."""
    return ()


def as_text(message: Mapping[str, Any]) -> str:
    """A message as the socket carries it."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


class Page:
    """One open page's queue. ``cut`` drops its connection at once, with whatever could not be sent.

    ``token``: what it came with, a browser's or a ``program``'s; ``role`` and ``extension`` (whose cards): as they were
    then.
    """

    def __init__(
        self,
        login: str,
        session: int,
        cut: Callable[[], None] = lambda: None,
        *,
        token: str = "",
        program: bool = False,
        role: str = "",
        extension: str | None = None,
    ) -> None:
        self.login = login
        self.session = session
        self.cut = cut
        self.token, self.program = token, program
        self.role, self.extension = role, extension
        self.turn = 0  # the tick at which it is told that we live, where nobody else tells it
        self.behind = False
        self._texts: deque[str] = deque()
        self._some = asyncio.Event()

    def put(self, text: str) -> None:
        """Queue a message; a full queue is emptied, and :attr:`behind` asks for a snapshot."""
        if len(self._texts) >= QUEUED:
            self._texts.clear()
            self.behind = True
        self._texts.append(text)
        self._some.set()

    async def get(self) -> str:
        """The next message."""
        while not self._texts:
            self._some.clear()
            await self._some.wait()
        return self._texts.popleft()


class _Topic:
    """The pages that follow one topic, and the task that feeds them. ``views``: where the topic is an agent's."""

    def __init__(self, name: str, agent: str | None, views: Views, turn: int) -> None:
        self.name = name
        self.agent = agent
        self.views = views
        self.turn = turn  # the tick at which its cards are asked for
        self.pages: set[Page] = set()
        self.ready = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def tell(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Queue messages on every page; one ``to`` a login on that login's only."""
        for message in messages:
            login = message.get("to")
            text = as_text({name: value for name, value in message.items() if name != "to"})
            for page in self.pages:
                if login in (None, page.login):
                    page.put(text)


class Hub:
    """Feeds pages from the fan-out. :meth:`run` must be running. ``near`` names this process's desk, if it has one.

    ``ended`` is asked every ``beat`` seconds which pages' logins have ended.
    """

    def __init__(
        self,
        fanout: Fanout,
        beat: float = BEAT,
        *,
        near: str | None = None,
        ended: Callable[[Collection[Page]], Awaitable[Collection[Page]]] = all_stand,
    ) -> None:
        self._fanout = fanout
        self._near = near
        self._beat = beat
        self._ended = ended
        self._turns = itertools.cycle(range(TICKS))
        self._signs: dict[str, float] = {}  # when each desk was last heard to live
        self._hears: dict[str, Mapping[str, bool]] = {}
        self._topics: dict[str, _Topic] = {}
        self._sockets: dict[Page, web.WebSocketResponse] = {}
        self._group: asyncio.TaskGroup | None = None
        self._running = asyncio.Event()

    async def run(self) -> None:
        """Hold the followers until cancelled; then close every socket. A follower that breaks ends this with it."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._running.set()
            try:
                group.create_task(self._listen_to_desks())
                group.create_task(self._check())
                await self._tick()
            finally:
                self._group = None
                await self.close()

    async def close(self) -> None:
        """Tell every page that the service goes away; they come back by themselves."""
        stops = b"the service stops"
        sockets = list(self._sockets.values())
        await asyncio.gather(*(socket.close(code=WSCloseCode.GOING_AWAY, message=stops) for socket in sockets))

    def end_session(self, session: int) -> None:
        """Have the sockets of a login that has ended closed; nobody waits for their goodbye."""
        for page, socket in self._sockets.items():
            if page.session == session and self._group is not None:
                self._group.create_task(socket.close(code=LOGGED_OUT, message=b"logged out"))

    def renew_session(self, session: int) -> None:
        """Have the pages of a login come back: what they came with opens nothing any more, their browser has anew."""
        for page, socket in self._sockets.items():
            if page.session == session and self._group is not None:
                self._group.create_task(socket.close(code=MOVED, message=b"another token"))

    def move_session(self, session: int, word: Mapping[str, Any]) -> None:
        """Say a last word to the pages of a login that sits elsewhere from now on; they come back there."""
        for page, socket in self._sockets.items():
            if page.session == session and self._group is not None:
                self._group.create_task(_move(socket, as_text(word)))

    def __len__(self) -> int:
        """How many pages are open."""
        return len(self._sockets)

    async def serve(self, socket: web.WebSocketResponse, page: Page, *, tickets: bool, callbacks: bool = False) -> None:
        """Feed one prepared socket until it closes.

        ``tickets``: with word of changed tickets, ``callbacks``: with word of missed callers.
        """
        await self._running.wait()
        if self._group is None:
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the service stops")
            return
        page.turn = next(self._turns)
        theirs = [one for one in self._sockets if one.session == page.session]
        if len(theirs) >= MOST_PAGES:
            theirs[0].cut()  # the oldest: one that lost its line comes back before that is noticed here
        self._sockets[page] = socket
        try:
            async with asyncio.TaskGroup() as group:
                lists = [name for name, on in ((TICKETS, tickets), (CALLBACKS, callbacks)) if on]
                feed = group.create_task(self._feed(socket, page, lists))
                async for _ in socket:
                    pass
                feed.cancel()
        finally:
            del self._sockets[page]

    async def _feed(self, socket: web.WebSocketResponse, page: Page, lists: Sequence[str]) -> None:
        agent = page.extension
        if agent is None:
            page.put(BEATS)
        async with AsyncExitStack() as following:
            for name in lists:
                await following.enter_async_context(self._following(page, name, None))
            await following.enter_async_context(self._following(page, topic(agent) if agent else None, agent))
            while True:
                text = await page.get()
                try:
                    async with asyncio.timeout(SEND_TIME):
                        await socket.send_str(text)
                except ConnectionError:
                    return
                except TimeoutError:
                    log.info("page_cut_off", login=page.login)
                    page.cut()  # a close frame would wait behind what it does not take
                    return
                if page.behind:
                    page.behind = False
                    for name in lists:
                        page.put(as_text(_again(name)))
                    if agent:
                        await ask(self._fanout, agent)

    async def _check(self) -> None:
        """Every beat, close the sockets of the logins that have ended."""
        while True:
            await asyncio.sleep(self._beat)
            if not self._sockets:
                continue
            for page in await self._ended(tuple(self._sockets)):
                socket = self._sockets.get(page)
                if socket is not None and self._group is not None:
                    self._group.create_task(socket.close(code=LOGGED_OUT, message=b"logged out"))

    @asynccontextmanager
    async def _following(self, page: Page, name: str | None, agent: str | None) -> AsyncIterator[None]:
        """Have a page on a topic. The topic is followed from its first page to its last."""
        if name is None or self._group is None:
            yield
            return
        follower = self._topics.get(name)
        if follower is None:
            views = Views(self._near, asyncio.get_running_loop().time(), self._signs)
            follower = self._topics[name] = _Topic(name, agent, views, next(self._turns))
            follower.task = self._group.create_task(self._follow(follower))
        follower.pages.add(page)
        try:
            await follower.ready.wait()
            if agent:
                await ask(self._fanout, agent)
            yield
        finally:
            follower.pages.discard(page)
            if not follower.pages:
                del self._topics[name]
                if follower.task is not None:
                    follower.task.cancel()

    async def _follow(self, follower: _Topic) -> None:
        clock = asyncio.get_running_loop().time
        async with self._fanout.subscribe(follower.name) as messages:
            follower.ready.set()
            async for name, message in messages:
                if name == LAGGED:
                    await self._lagged(follower)
                else:
                    follower.tell(follower.views.take(message, clock()) if follower.agent else [message])

    async def _listen_to_desks(self) -> None:
        """Hear the desks' signs of life, once for all topics; what is new in one is told to each of them."""
        clock = asyncio.get_running_loop().time
        async with self._fanout.subscribe(DESKS) as messages:
            async for topic_name, message in messages:
                if topic_name == LAGGED:
                    self._hears.clear()  # the next sign of each is news
                    continue
                name, now = str(message.get("desk", "")), clock()
                silent = now - self._signs.get(name, -SILENCE) >= SILENCE
                self._signs[name] = now
                if not silent and self._hears.get(name) == message["hears"]:
                    continue
                self._hears[name] = message["hears"]
                for gone in [one for one, seen in self._signs.items() if now - seen > FORGOTTEN]:
                    del self._signs[gone]
                    self._hears.pop(gone, None)
                await asyncio.sleep(0)  # what the desk said of its cards before is taken by now
                for follower in self._agents():
                    follower.tell(follower.views.take(message, now))

    async def _tick(self) -> None:
        """At each tick, look whether other processes' desks live, ask for some agents' cards, beat on some pages."""
        for turn in itertools.cycle(range(TICKS)):
            await asyncio.sleep(self._beat / TICKS)
            now = asyncio.get_running_loop().time()
            for follower in self._agents():
                follower.tell(follower.views.look(now))
                if follower.turn == turn and follower.agent:
                    await ask(self._fanout, follower.agent)
            for page in self._sockets:
                if page.turn == turn and page.extension is None:
                    page.put(BEATS)

    def _agents(self) -> list[_Topic]:
        return [follower for follower in self._topics.values() if follower.agent]

    async def _lagged(self, follower: _Topic) -> None:
        """The fan-out lost something: a snapshot mends the cards; lists renew themselves at any word."""
        if follower.agent:
            await ask(self._fanout, follower.agent)
        follower.tell([_again(follower.name)])


def _again(name: str) -> Mapping[str, Any]:
    """The word at which a list renews itself."""
    return CALLBACKS_WORD if name == CALLBACKS else LAGGED_WORD


async def _move(socket: web.WebSocketResponse, word: str) -> None:
    try:
        async with asyncio.timeout(SEND_TIME):
            await socket.send_str(word)
    except (ConnectionError, TimeoutError):
        log.info("page_not_told_of_its_seat")
    await socket.close(code=MOVED, message=b"another phone")
