"""How numbers are written: SIP and tel URIs, display names, full width, separators, extensions, withheld callers.

Takes the wrapping off and leaves digits. What the digits mean is none of its business.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from numbering.number import Kind

_LONGEST_TEXT = 256  # a SIP URI with its parameters; what is longer was never a number
_LONGEST_DIGITS = 24

_WITHHELD = re.compile(
    r"anonymous(?:\.invalid)?|unavailable|restricted|unknown|private|withheld|blocked|hidden|none|null|nobody"
    r"|no number|number withheld|caller unknown|asterisk|n/a"
    r"|匿名(?:来电)?|未知(?:号码)?|隐藏(?:号码|来电)?|保密(?:号码)?|无(?:号码|来电显示)?|未显示号码",
)

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−─━ー﹣"), "-")
_URI = re.compile(r"(sips?|tel|callto):(?://)?", re.IGNORECASE)
_DOTTED_QUAD = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?")
_LABEL = re.compile(
    r"(?:联系)?(?:电话|手机|座机|固话|号码|tel|mobile|phone|mob|cell|office)(?:号码|号)?\s*[.:]*\s*(?=[\d(+])"
)
_SPREADSHEET_FLOAT = re.compile(r"(\d{5,})\.0+")
_ALLOWED = re.compile(r"[(\[\s]*\+?[\d\s().\-\[\]_·~/]*")
_MARK = r"(?:转|轉|分机|分機|内线|內線|接|号|號|extension|extn|ext|x|#|\*|,)"
_EXTENSION = re.compile(rf"(?P<base>.*?\d[)\]]?)[\s(\[\-;]*(?:{_MARK}[\s.:(\-=]*)+(?P<ext>\d{{1,6}})[)\]]?")
_ONLY_EXTENSION = re.compile(r"(?:转|轉|分机|分機|内线|內線|ext\.?|extension)[号號]?[\s.:]*(\d{3,4})")
_GROUP = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Spelling:
    """Digits as someone wrote them.

    ``plus``: led by ``+``. ``ext``: an extension marked as such (转, ext, #). ``last``: the last group of digits where
    the writer set it apart by a hyphen, space or bracket; it may turn out to be an extension. ``context``: the digits
    of a tel URI's ``phone-context``, country code and maybe area.
    """

    digits: str
    plus: bool = False
    ext: str | None = None
    last: str | None = None
    context: str | None = None


def read(raw: str | None) -> Spelling | Kind:
    """The digits of ``raw``, or ``Kind.WITHHELD`` or ``Kind.INVALID``. Never raises."""
    if raw is None:
        return Kind.WITHHELD
    if raw.isascii() and raw.isdigit():
        return Spelling(raw) if len(raw) <= _LONGEST_DIGITS else Kind.INVALID
    text = _plain(raw)
    if text is None:
        return Kind.INVALID
    text = _unquoted(_unwrapped(text))
    context = uri_ext = None
    scheme = _URI.match(text)
    if scheme or "@" in text:
        opened = _open_uri(text[scheme.end() :] if scheme else text)
        if opened is None:
            return Kind.INVALID
        text, context, uri_ext = opened
    text = text.casefold()
    if not text or _WITHHELD.fullmatch(text):
        return Kind.WITHHELD
    return _digits(text, context, uri_ext)


def _plain(text: str) -> str | None:
    """One width, one dash, no invisible characters; None for control characters and endless text."""
    if len(text) > _LONGEST_TEXT:
        return None
    if text.isascii():
        return text.strip() if text.isprintable() else None
    kinds = {character: unicodedata.category(character) for character in set(text)}
    if "Cc" in kinds.values():
        return None  # CR and LF forge header lines; no writing of a number holds them
    # Address books and spreadsheets wrap numbers in direction marks (U+202A...), invisible and meaningless.
    visible = "".join(character for character in text if kinds[character] != "Cf")
    return unicodedata.normalize("NFKC", visible).translate(_DASHES).strip()


def _unwrapped(text: str) -> str:
    """The part between the last pair of angle brackets, where a display name stands before it."""
    start, end = text.rfind("<"), text.rfind(">")
    return text[start + 1 : end].strip() if 0 <= start < end else text


def _unquoted(text: str) -> str:
    return text.strip("\"'` ")


def _open_uri(rest: str) -> tuple[str, str | None, str | None] | None:
    """User part, context and extension of what follows ``sip:`` or ``tel:``; None when no number can be in it."""
    user, at, host = rest.partition("@")
    if not at and _DOTTED_QUAD.match(user):
        return None  # sip:10.0.0.1 is a host, not the number 10001
    number, *parameters = user.split("?")[0].split(";")
    parameters += host.split("?")[0].split(";")[1:]
    values = {name.casefold(): value for name, _, value in (parameter.partition("=") for parameter in parameters)}
    text = _plain(unquote(number.split(":")[0]))
    if text is None:
        return None
    context = values.get("phone-context", "")
    ext = values.get("ext", "")
    return (
        text,
        context[1:] if context.startswith("+") and context[1:].isascii() and context[1:].isdigit() else None,
        ext if ext.isascii() and ext.isdigit() and len(ext) <= 6 else None,  # noqa: PLR2004 - as in _EXTENSION
    )


def _digits(text: str, context: str | None, ext: str | None) -> Spelling | Kind:
    if not _ALLOWED.fullmatch(text):  # a label before it, an extension behind it, or no number at all
        text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
        if found := _ONLY_EXTENSION.fullmatch(text):
            return Spelling(found[1])
        if ext is None and (found := _EXTENSION.fullmatch(text)):
            text, ext = found["base"], found["ext"]
        if not _ALLOWED.fullmatch(text):
            return Kind.INVALID
    if "." in text:
        if _DOTTED_QUAD.fullmatch(text):
            return Kind.INVALID
        if found := _SPREADSHEET_FLOAT.fullmatch(text):
            text = found[1]
    groups = list(_GROUP.finditer(text))
    digits = "".join(group[0] for group in groups)
    if not 0 < len(digits) <= _LONGEST_DIGITS:
        return Kind.INVALID
    last = None
    if ext is None and len(groups) > 1 and "/" not in text[groups[-2].end() : groups[-1].start()]:
        last = groups[-1][0]  # 88886666/67 means two lines, not an extension
    return Spelling(digits, plus="+" in text, ext=ext, last=last, context=context)
