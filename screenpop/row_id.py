"""Which row an address names: digits, however many somebody types."""

from aiohttp import web

MOST_DIGITS = 18  # 63 bits hold them all
NONE = -1  # no row has it, and nothing is counted so


def row_id(request: web.Request, name: str = "id") -> int:
    """The number in an address of ours; :data:`NONE` for one that no database counts to."""
    text = request.match_info[name]
    return int(text) if len(text) <= MOST_DIGITS else NONE
