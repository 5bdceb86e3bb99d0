"""What we write into Odoo: HTML of plain texts, and the external ids that keep a second writing from adding a record.

Pure. Odoo keeps external ids unique by (module, name); a module in double underscores belongs to no add-on, so that no
upgrade clears its ids away.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape
from html.parser import HTMLParser

MODULE = "__hotline__"
_LONGEST_READABLE = 80
_BREAKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3"})


def external_name(key: str) -> str:
    """The name below :data:`MODULE` for a key of ours: readable, without dots, the same for the same key only."""
    readable = re.sub(r"[^A-Za-z0-9]+", "_", key).strip("_")[:_LONGEST_READABLE]
    return f"{readable}_{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def html_of(paragraphs: Iterable[str], links: Sequence[tuple[str, str]] = (), title: str | None = None) -> str:
    """Paragraphs, a title before and links (text, URL) behind them. Only http and https addresses become links."""
    parts = [f"<p><b>{escape(title)}</b></p>"] if title else []
    parts += [
        f"<p>{'<br>'.join(escape(line) for line in text.splitlines())}</p>" for text in paragraphs if text.strip()
    ]
    if links:
        parts.append(f"<p>{' · '.join(_link(text, url) for text, url in links)}</p>")
    return "".join(parts)


def text_of(html: str) -> str:
    """What a person reads in HTML, lines kept."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.said).splitlines())
    return "\n".join(line for line in lines if line)


def _link(text: str, url: str) -> str:
    if not re.match(r"https?://", url, re.IGNORECASE):
        return f"{escape(text)}: {escape(url)}"
    return f'<a href="{escape(url)}">{escape(text)}</a>'


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """A block begins a line."""
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """And ends one."""
        if tag in _BREAKS:
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        """Line ends in the source are spaces."""
        self.said.append(data.replace("\n", " "))
