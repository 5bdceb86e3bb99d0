"""Where a login leads. Pure: to a page of ours, never elsewhere."""

from urllib.parse import urlsplit


def back(target: str) -> str:
    """A path of ours to go back to; the start page when it is anything else (no open redirect)."""
    try:
        parts = urlsplit(target)
    except ValueError:  # as "//[" is
        return "/"
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if ours and "\\" not in target and target.isprintable() else "/"
