"""Who may log in, by the ``permit`` and ``deny`` lines of a section. Pure."""

import ipaddress
from collections.abc import Iterator, Sequence

from hotline.doctor.astconf import Item

_NARROWEST_WIDE = 16  # a network of more addresses than a /16 is no company's own
_STRANGERS = ("203.0.113.7", "198.51.100.99")  # addresses set aside for examples: nobody permits them on purpose

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def permitted(items: Sequence[Item], address: str) -> bool:
    """Whether a login from this address is taken: the last line that fits decides, without any the answer is yes."""
    ours = ipaddress.ip_address(address)
    answer = True
    for allow, network in _rules(items):
        if ours.version == network.version and ours in network:
            answer = allow
    return answer


def too_wide(items: Sequence[Item]) -> str | None:
    """Why these lines let too many in; None when they do not."""
    rules = list(_rules(items))
    if not any(allow is False for allow, _ in rules):
        return "it has no deny, so every address may log in"
    if any(permitted(items, stranger) for stranger in _STRANGERS):
        return "addresses anywhere may log in"
    for allow, network in rules:
        if allow and not network.is_loopback and network.version == 4 and network.prefixlen < _NARROWEST_WIDE:  # noqa: PLR2004
            return f"permit {network} lets {network.num_addresses:,} addresses log in"
    return None


def _rules(items: Sequence[Item]) -> Iterator[tuple[bool, Network]]:
    for item in items:
        if item.key not in ("permit", "deny"):
            continue
        for part in item.value.split(","):
            text = part.strip()
            allow = (item.key == "permit") != text.startswith("!")
            try:
                yield allow, ipaddress.ip_network(text.removeprefix("!"), strict=False)
            except ValueError:
                continue
