"""What a site decided about logins: who must have a second factor, and how their secrets are kept."""

from dataclasses import dataclass, field

from screenpop.seal import Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """``second_factor_of``: roles that log in with one only. ``seal``: how secrets of second factors lie."""

    second_factor_of: frozenset[str] = frozenset()
    seal: Seal = field(default_factory=Seal)
