"""Where a login may lead: back to a page of ours, and to a provider that can be believed. Pure."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def back(target: str) -> str:
    """A path of ours to go back to; the start page when it is anything else (no open redirect)."""
    try:
        parts = urlsplit(target)
    except ValueError:  # as "//[" is
        return "/"
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if ours and "\\" not in target and target.isprintable() else "/"


def trusted(address: str) -> bool:
    """Whether what is there can be believed: https, or this machine."""
    try:
        parts = urlsplit(address)
        if parts.scheme == "https":
            return bool(parts.hostname)
        local = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:  # no address at all, or a name
        return False
    return parts.scheme == "http" and local
