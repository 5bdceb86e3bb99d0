"""When which agent talked, as seconds of the recording. Pure."""

from collections.abc import Sequence

from storage.pages import CallEvent
from storage.records import EventKind

_BEGINS = (EventKind.ANSWERED, EventKind.RESUMED)
_ENDS = (EventKind.LEFT, EventKind.HELD)


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
        (max(0.0, start - recorded_from), max(0.0, end - recorded_from), agent) for start, end, agent in found
    )


def recorded_from(events: Sequence[CallEvent]) -> float | None:
    """When the recording began: the PBX says so (MixMonitorStart, the dialplan's own event) within milliseconds."""
    return next(
        (event.at for event in events if event.kind is EventKind.RECORDED and not event.detail.get("stopped")), None
    )
