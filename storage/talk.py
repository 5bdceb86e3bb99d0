"""When which agent talked, as seconds of the recording. Pure."""

from collections.abc import Sequence
from pathlib import PurePath

from storage.pages import CallEvent
from storage.records import EventKind
from telephony.call import Outcome

_BEGINS = (EventKind.ANSWERED, EventKind.RESUMED)
_ENDS = (EventKind.LEFT, EventKind.HELD)
_SHORTEST = 0.1  # seconds; a REFER takes the caller back from hold for the moment of the transfer
_SLACK = 1.0  # seconds by which the two ways to tell a recording's beginning may differ


def windows(events: Sequence[CallEvent], recorded_from: float | None) -> list[tuple[float, float, str]] | None:
    """The agents' talks ``(start, end, extension)`` in seconds from ``recorded_from`` (epoch seconds), in order.

    None when it is not known when the recording began: then nothing can be said about any second of it. A talk whose
    end was not seen lasts as long as the call was watched. While the caller was on hold nobody talked: what the leg
    holds then is music.
    """
    if recorded_from is None:
        return None
    found: list[tuple[float, float, str]] = []
    begun: dict[str, float] = {}
    last = max((event.at for event in events), default=recorded_from)
    for event in events:
        if event.kind in _BEGINS:
            begun.setdefault(event.subject, event.at)
        elif event.kind in _ENDS and event.subject in begun:
            found.append((begun.pop(event.subject), event.at, event.subject))
    found += [(start, last, agent) for agent, start in begun.items()]
    return sorted(
        (max(0.0, start - recorded_from), max(0.0, end - recorded_from), agent)
        for start, end, agent in found
        if end - max(start, recorded_from) >= _SHORTEST
    )


def began(
    events: Sequence[CallEvent],
    seconds: float | None,
    ended: float | None,
    outcome: Outcome | None,
    names: Sequence[str] = (),
) -> float | None:
    """When the first sample of a recording of ``seconds`` was taken, epoch seconds on the PBX's clock; None: unknown.

    The PBX says when it began (within milliseconds; of the recordings it told of, the one that has one of ``names``).
    Where it does not, or began to write only when there was sound to write, the file tells: silence is filled in, so
    that it ends with the recording and is as long as it lasted. Only of a call that was lost the end is not known.
    """
    told = [event for event in events if event.kind is EventKind.RECORDED and not event.detail.get("stopped")]
    files = {PurePath(name).name for name in names}
    of_it = [event for event in told if files & {PurePath(str(name)).name for name in event.detail.get("files") or ()}]
    start = next((event.at for event in of_it or told), None)
    stops = [event.at for event in events if event.kind is EventKind.RECORDED and event.detail.get("stopped")]
    end = next((at for at in stops if start is None or at >= start), None if outcome is Outcome.LOST else ended)
    if end is None or seconds is None:
        return start
    computed = end - seconds
    return computed if start is None or computed - start > _SLACK else start
