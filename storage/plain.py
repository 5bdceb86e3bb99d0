"""Text from outside as every database keeps it.

PostgreSQL takes no NUL and nothing longer than its column, and neither database takes half a surrogate pair, which is
what a byte that is no UTF-8 becomes in an HTTP header. A caller's name or a browser's may hold all of these; refusing
the row would lose the call.
"""

from typing import overload


@overload
def plain(text: str, longest: int) -> str: ...
@overload
def plain(text: str | None, longest: int) -> str | None: ...
def plain(text: str | None, longest: int) -> str | None:
    """``text`` without NUL, other unkeepable characters as ``?``, cut to ``longest`` characters."""
    if text is None:
        return None
    return text[: longest * 2].replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:longest]
