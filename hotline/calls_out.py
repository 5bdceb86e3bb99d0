"""Calls that go out: what becomes of them, told to the desk they were made from and to the list of missed callers.

A call may have been asked for by a click (:mod:`hotline.hand`, which tells us of it here) or dialled on the phone: the
PBX tells of both alike. Nothing here waits in the way of a card. Of several processes that listen, each writes what it
hears: the list takes it once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from numbering.number import Number
from screenpop.desk import topic
from screenpop.hub import CALLBACKS, CALLBACKS_WORD
from storage.callback import Result
from storage.callbacks import Callbacks
from storage.fanout import Fanout
from storage.trouble import StorageError
from telephony.events import Originated
from telephony.outgoing import Out, OutCall

log = structlog.get_logger()

REMEMBERED = 500  # calls asked for by a click
LONGEST = 180.0  # seconds that a click is waited for: a phone rings, then a number
WHY = 3.0  # seconds that the reason may come after the end: they come on two connections
_RESULTS = {Out.NO_ANSWER: Result.NO_ANSWER, Out.BUSY: Result.BUSY, Out.FAILED: Result.FAILED}
_NOT_ANSWERED = "3"  # Reason of OriginateResponse; all else: busy, or not there


@dataclass(frozen=True, slots=True)
class Click:
    """A call asked for by a click: from whose phone, by whom, to which number (E.164), since when; how far it came.

    ``taken``: the phone was taken up. The PBX tells of the phone on one connection and of its channel on another.
    """

    agent: str
    who: str
    number: str
    began: float
    state: Out | None = None
    taken: bool = False


class CallsOut:
    """Takes what the PBXs tell; :meth:`run` must be running.

    ``identify`` understands a number as it was dialled; ``clock`` gives epoch seconds.
    """

    def __init__(
        self,
        callbacks: Callbacks,
        fanout: Fanout,
        identify: Callable[[str | None, str | None], Number],
        clock: Callable[[], float],
    ) -> None:
        self._callbacks, self._fanout, self._identify, self._clock = callbacks, fanout, identify, clock
        self._clicks: OrderedDict[str, Click] = OrderedDict()  # by the Uniqueid of the phone's channel
        self._inbox: asyncio.Queue[OutCall | Originated] = asyncio.Queue()

    def busy(self, agent: str) -> bool:
        """Whether a call is being made from this phone: it rings, or the number does."""
        now = self._clock()
        return any(
            click.agent == agent and click.state not in (Out.TALKING, Out.OVER) and now - click.began < LONGEST
            for click in self._clicks.values()
        )

    async def begin(self, uniqueid: str, click: Click) -> None:
        """A call is to be asked for: the phone is busy from the first step of this on."""
        self._clicks[uniqueid] = click
        while len(self._clicks) > REMEMBERED:
            self._clicks.popitem(last=False)
        await self._tell(click, "ringing")

    async def refused(self, uniqueid: str) -> None:
        """The PBX would not do it."""
        click = self._clicks.pop(uniqueid, None)
        if click is not None:
            await self._tell(click, "over", "refused")

    def take(self, news: OutCall | Originated) -> None:
        """Take what a PBX tells; returns at once."""
        self._inbox.put_nowait(news)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            news = await self._inbox.get()
            try:
                if isinstance(news, Originated):
                    await self._phone(news)
                else:
                    await self._went(news)
            except StorageError as error:
                log.warning("a call out is not noted", why=str(error))
            finally:
                self._inbox.task_done()

    async def settled(self) -> None:
        """Wait until everything that was told is so (for tests)."""
        await self._inbox.join()

    async def _phone(self, news: Originated) -> None:
        """The agent's phone was taken up, or was not: then nothing was called."""
        uniqueid = news.uniqueid or ""
        click = self._clicks.get(uniqueid)
        if click is None:
            return
        over = click.state is Out.OVER
        if news.response == "Success" and not over:
            self._clicks[uniqueid] = replace(click, taken=True)
            return
        del self._clicks[uniqueid]
        why = "phone_no_answer" if news.reason == _NOT_ANSWERED else "phone_unreachable"
        await self._tell(click, "over", None if news.response == "Success" else why)

    async def _went(self, news: OutCall) -> None:
        click = self._clicks.get(news.linkedid)
        if click is None:
            number = self._identify(news.number, None).e164
            if number is not None and news.state not in (Out.CALLING, Out.FAILED, Out.OVER):
                await self._note(number, news.state, news.at, None)
            return
        if news.state is Out.OVER and click.state is None and not click.taken:
            self._put_down(news, click)
            return
        state = click.state if news.state is Out.OVER and click.state is Out.FAILED else news.state
        if state is Out.FAILED and news.state is not Out.OVER:
            self._clicks[news.linkedid] = replace(click, state=state)  # the dialplan may try another trunk
            return
        if state in _RESULTS or state is Out.OVER:
            del self._clicks[news.linkedid]
            await self._tell(click, "over", _RESULTS[state].value if state in _RESULTS else None)
        else:
            self._clicks[news.linkedid] = replace(click, state=state)
            await self._tell(click, state.value)
        if state is Out.TALKING or state in _RESULTS:
            await self._note(click.number, state, news.at, click.who)

    def _put_down(self, news: OutCall, click: Click) -> None:
        """The phone's channel is gone before anybody said that it was taken up: why is about to be said."""
        self._clicks[news.linkedid] = replace(click, state=Out.OVER)
        asyncio.get_running_loop().call_later(WHY, self._inbox.put_nowait, news)

    async def _note(self, number: str, state: Out, at: float | None, who: str | None) -> None:
        """On the list of missed callers."""
        at = self._clock() if at is None else at
        if state is Out.TALKING:
            changed = await self._callbacks.talked(number, at, who)
        else:
            changed = await self._callbacks.tried(number, _RESULTS[state], at, who)
        if changed:
            await self._fanout.publish(CALLBACKS, CALLBACKS_WORD)

    async def _tell(self, click: Click, state: str, why: str | None = None) -> None:
        """Word to the pages of the phone's agent."""
        said = {"state": state, "why": why, "e164": click.number, "who": click.who}
        await self._fanout.publish(topic(click.agent), {"type": "dial", "dial": said})
