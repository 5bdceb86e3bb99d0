"""What a site decided about logins: who must have a second factor, and whose word counts beside a password."""

from dataclasses import dataclass, field

from screenpop.oidc_provider import Provider
from screenpop.seal import Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """``second_factor_of``: roles that log in with one only. ``seal``: how secrets of second factors lie.

    ``provider``: the identity provider, if there is one; ``passwords``: whether they open anything beside it.
    """

    second_factor_of: frozenset[str] = frozenset()
    seal: Seal = field(default_factory=Seal)
    provider: Provider | None = None
    passwords: bool = True

    async def close(self) -> None:
        """Give up the connections to the provider."""
        if self.provider is not None:
            await self.provider.close()
