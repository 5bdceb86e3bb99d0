"""Call notes and tickets as text: plain, or as HTML for systems that keep that. Pure."""

from collections.abc import Sequence
from html import escape

Links = Sequence[tuple[str, str]]


def plain(paragraphs: Sequence[str], links: Links = ()) -> str:
    """Paragraphs, then each link as ``what: address``."""
    return "\n".join((*paragraphs, *(f"{text}: {url}" for text, url in links)))


def html(paragraphs: Sequence[str], links: Links = ()) -> str:
    """The same as HTML. Only http and https become links: whatever else stands there is shown as text."""
    parts = [f"<p>{'<br>'.join(escape(line) for line in paragraph.splitlines())}</p>" for paragraph in paragraphs]
    for text, url in links:
        if url.startswith(("https://", "http://")):
            parts.append(f'<p><a href="{escape(url)}">{escape(text)}</a></p>')
        else:
            parts.append(f"<p>{escape(text)}: {escape(url)}</p>")
    return "".join(parts)


def shortened(text: str, longest: int | None) -> str:
    """The text, cut to ``longest`` characters with a sign that it was."""
    if longest is None or len(text) <= longest:
        return text
    return f"{text[: max(0, longest - 1)]}…"
