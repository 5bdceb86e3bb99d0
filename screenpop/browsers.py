"""What a browser calls itself, in two words a person knows. Pure: a guess for display, nothing is decided by it."""

_BROWSERS = (
    ("MicroMessenger/", "微信"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("QQBrowser/", "QQ 浏览器"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser(agent: str | None) -> tuple[str, str]:
    """Browser and system of a ``User-Agent``, '' for what is not known."""
    said = agent or ""
    return _first(said, _BROWSERS), _first(said, _SYSTEMS)


def _first(said: str, table: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in table if mark in said), "")
