"""What the copy of the CRM's customers needs next, and how long to rest after trouble. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.connector import Can, Feed, Traits
from crm.trouble import AuthError, CrmError, RateLimitedError
from storage.crm_index_state import Told

NIGHT = 3  # o'clock at the site: everything is compared once a day
REFUSED = 900.0  # seconds until what the CRM refused is asked again: a person must mend something
UNKNOWN_TO_IT = 60.0  # a key that is not good (any more)
SHORTEST, LONGEST = 5.0, 300.0  # after ordinary trouble, doubled each time
BROKEN_OFF = 3600.0  # a load broken off so long ago begins anew, where the CRM does not tell what changed since
FEW = 20  # customers may vanish from one day to the next whatever share of all that is


def may_load(can: Can) -> bool:
    """Whether the CRM lists its customers."""
    return Can.LOAD in can


def may_follow(can: Can, traits: Traits) -> bool:
    """Whether it tells what changed."""
    return Can.FEED in can and traits.feed is not Feed.FULL_ONLY


def goes_on(told: Told, now: float, *, follows: bool) -> bool:
    """Whether a load goes on where it was broken off; else one begins from the start."""
    return told.loading and (follows or now - (told.paged or 0.0) < BROKEN_OFF)


def load_due(told: Told, now: float, zone: ZoneInfo) -> bool:
    """Whether all customers are to be read: none are, a load was broken off, or the night has come since the last."""
    if told.loading or told.whole is None or told.began is None:
        return True
    return told.began < last_night(now, zone)


def last_night(now: float, zone: ZoneInfo) -> float:
    """When it was last :data:`NIGHT` o'clock in the zone. Epoch seconds."""
    here = datetime.fromtimestamp(now, zone)
    night = here.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    if night > here:
        night = (night - timedelta(days=1)).replace(hour=NIGHT)
    return night.timestamp()


def suspicious(vanished: int, listed: int) -> bool:
    """Whether so many customers are missing from a load that rather the CRM's key or filter has changed.

    More than it still lists: a list cut short, or a key that may see less, must not make us know nobody.
    """
    return vanished > FEW and vanished > listed


def rest(error: CrmError, row: int, poll: float) -> float:
    """Seconds until it is asked again after the ``row``-th trouble in a row; ``poll``: when it would be without any."""
    if isinstance(error, RateLimitedError) and error.after is not None:
        return max(1.0, error.after)
    if isinstance(error, AuthError):
        return max(poll, UNKNOWN_TO_IT)
    if not error.again:
        return max(poll, REFUSED)
    return min(max(poll, LONGEST), SHORTEST * 2.0 ** min(row - 1, 10))
