"""More calls about one thing than usual: whether, since when, and which words say why.

What is usual is what the same minutes of the last weeks brought. Counted are callers, not calls: one who rings six
times is one. A count is unusual where so many would come by chance less than once in fifty thousand looks; the tail is
that of a negative binomial, which is what remains of a Poisson rate known from a few weeks only, and is wider still
where those weeks differ more than chance would have it. ``docs/search.md`` says how many false notices that makes.

Must not know what a call is, nor what time it is: ``at`` is an argument. Times are epoch seconds.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

DAY, WEEK = 86400.0, 7 * 86400.0
WINDOWS = (900.0, 3600.0, 21600.0)  # a burst of minutes is seen in the first, a slow one in the last
HOUR = 3600.0
WEEKS, DAYS = 8, 7  # looked back at most
FEWEST_BACK = 2  # a time known once only says nothing of how it varies
CHANCE = 2e-5  # of one look at one window
STILL = 0.02  # a burst goes on while its last hour is less likely than that
FEWEST, TIMES = 5, 2.5  # callers; times the usual
QUIET = HOUR  # after the last call that was still too many, a burst is over
TELLING, SURE = 6, 1.96


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody rang about it. ``who``: what tells one caller from another."""

    at: float
    who: str


@dataclass(frozen=True, slots=True)
class Burst:
    """``begins`` its first call, ``last`` its last; ``callers`` between; ``peak`` in one hour, where ``usual`` come."""

    begins: float
    last: float
    callers: int
    peak: int
    usual: float

    def over(self, now: float) -> bool:
        """Whether nothing unusual came for an hour."""
        return now - self.last > QUIET


def shifts(known: float) -> tuple[float, ...]:
    """How far back to look, seconds, where calls are known since ``known`` seconds: weeks, else days, else nothing."""
    for step, most in ((WEEK, WEEKS), (DAY, DAYS)):
        # the whole of the longest window must lie in what is known
        count = min(most, int((known - WINDOWS[-1]) // step))
        if count >= FEWEST_BACK:
            return tuple(step * back for back in range(1, count + 1))
    return ()


def follow(at: float, came: Sequence[Came], back: Sequence[float], open_one: Burst | None) -> Burst | None:
    """What a call at ``at`` makes of it: a burst that begins, ``open_one`` gone on, or None: nothing unusual.

    ``came``: all that rang about it, those of the longest window before ``at`` and of the same windows so far ``back``.
    """
    if not back:
        return None
    hour = _callers(came, at, HOUR)
    usual = sum(_callers(came, at - shift, HOUR) for shift in back) / len(back)
    if open_one is not None:
        before = [_callers(came, at - shift, HOUR) for shift in back]
        if chance(hour, before) >= STILL or hour < TIMES / 2 * usual:
            return None
        since, until = min(open_one.begins, at), max(open_one.last, at)
        return Burst(since, until, _between(came, since, until), max(open_one.peak, hour), open_one.usual)
    for window in WINDOWS:
        count = _callers(came, at, window)
        before = [_callers(came, at - shift, window) for shift in back]
        if count < max(FEWEST, TIMES * sum(before) / len(before)) or chance(count, before) >= CHANCE:
            continue
        since = _began(came, at, window, hour)
        return Burst(since, at, _between(came, since, at), max(hour, 1), usual)
    return None


def chance(count: int, before: Sequence[int]) -> float:
    """How likely it is that so many come or more, when so many came before in the same windows."""
    seen, rounds = sum(before), len(before)
    shape = seen + 0.5
    mean = shape / rounds
    spread = mean + mean * mean / shape
    varies = sum((one - seen / rounds) ** 2 for one in before) / (rounds - 1) if rounds > 1 else 0.0
    if seen and varies > seen / rounds:  # the weeks differ more than chance has it
        spread = max(spread, varies * (1 + 1 / rounds))
    size = mean * mean / (spread - mean)
    share = math.log(mean / (size + mean))
    log = size * math.log(size / (size + mean))
    below = 0.0
    for number in range(count):
        below += math.exp(log)
        log += math.log((number + size) / (number + 1)) + share
    return max(0.0, 1.0 - below)


def telling(inside: Sequence[Collection[str]], outside: Sequence[Collection[str]]) -> tuple[str, ...]:
    """The words of the calls ``inside`` a burst that those ``outside`` do not use like that, the surest first.

    Log-odds of a call's using the word, shrunk towards how all of them do (Monroe et al., Fightin' Words, 2008).
    """
    many: Counter[str] = Counter(word for call in inside for word in set(call))
    few: Counter[str] = Counter(word for call in outside for word in set(call))
    rounds, others = len(inside), len(outside)
    found = []
    for word, times in many.items():
        if times < max(2, rounds / 5):
            continue
        prior = 2 * (times + few[word] + 0.5) / (rounds + others + 1)
        ours, theirs = times + prior, few[word] + prior
        odds = math.log(ours / (rounds - times + 2 - prior)) - math.log(theirs / (others - few[word] + 2 - prior))
        sure = odds / math.sqrt(1 / ours + 1 / theirs)
        if sure >= SURE:
            found.append((-sure, word))
    return tuple(word for _, word in sorted(found)[:TELLING])


def _began(came: Sequence[Came], at: float, window: float, hour: int) -> float:
    """The call from which on most came beyond half the last hour's rate: a stray one hours before is none of them."""
    first = {one.who: one.at for one in sorted(came, key=lambda one: -one.at) if at - window < one.at <= at}
    moments = sorted(first.values())
    rate = max(hour, 1) / 2 / HOUR
    gains = [(len(moments) - place - rate * (at - moment), -moment) for place, moment in enumerate(moments)]
    return -max(gains)[1]


def _callers(came: Sequence[Came], until: float, window: float) -> int:
    return len({one.who for one in came if until - window < one.at <= until})


def _between(came: Sequence[Came], since: float, until: float) -> int:
    return len({one.who for one in came if since <= one.at <= until})
