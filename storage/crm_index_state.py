"""How far the copy of a CRM's customers is, as it is kept between two rounds. Pure.

One JSON text: nobody asks for a part of it, and a later version may tell more.
"""

import json
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Told:
    """Loads are numbered; ``load`` is the one under way, or the last. Times are epoch seconds on our clock.

    ``began``, ``paged``, ``ended``: of that load, its last page and its end (None: not over). ``place``: where it goes
    on should it be broken off. ``count``: customers it brought so far, in ``spent`` seconds of work. ``known``: how
    many the copy has, counted after the last load, then added up (what lookups teach aside). ``added``,
    ``changed``, ``dropped``: in what the copy differed from it. ``whole``: when the last load that came to its end
    began: the copy is at least so new. ``start``: the cursor of changes before the load. ``feed``: that of now;
    ``fed``: when nothing more was to be had; ``news``: changes taken since the load. ``held``: customers that the load
    did not list and that were kept all the same, as they are suspiciously many. ``error``: why it does not go on, since
    ``error_at``.
    """

    load: int = 0
    began: float | None = None
    paged: float | None = None
    ended: float | None = None
    place: str | None = None
    count: int = 0
    spent: float = 0.0
    known: int = 0
    added: int = 0
    changed: int = 0
    dropped: int = 0
    whole: float | None = None
    start: str | None = None
    feed: str | None = None
    fed: float | None = None
    news: int = 0
    held: int = 0
    error: str | None = None
    error_at: float | None = None

    @property
    def loading(self) -> bool:
        """Whether a load is under way, or was broken off."""
        return self.began is not None and self.ended is None

    @property
    def rate(self) -> float | None:
        """Customers a second of that load."""
        return self.count / self.spent if self.spent > 0 else None

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def read(cls, text: str) -> "Told":
        """What :meth:`text` gave, by this or another version."""
        has = json.loads(text)
        return cls(**{field.name: has[field.name] for field in fields(cls) if field.name in has})
