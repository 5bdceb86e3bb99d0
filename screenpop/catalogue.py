"""``python -m screenpop.catalogue``: brings both catalogues up to the texts that templates and modules hold.

For developers. New texts come in untranslated, gone ones leave, everything else stays; the test of the catalogues
says what is still to be translated.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from screenpop.i18n import LANGUAGES, LOCALES

HERE = Path(__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "false", "extensions": "jinja2.ext.i18n"}}
KEYWORDS = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}

BOILERPLATE = (
    "# ",
    "#\n",
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Project-Id-Version',
    '"Report-Msgid-Bugs-To',
    '"Last-Translator',
    '"Language-Team',
    '"Generated-By',
)

Text = str | tuple[str, str]


def texts() -> Iterator[tuple[Text, str]]:
    """Every text a page may show, singular or singular and plural, and the file it is in."""
    for name, _, text, _, _ in extract_from_dir(HERE, METHODS, OPTIONS, KEYWORDS):
        if isinstance(text, str):
            yield text, name
        else:
            yield (str(text[0]), str(text[1])), name


def path(language: str) -> Path:
    """A language's catalogue."""
    return LOCALES / language / "LC_MESSAGES" / "hotline.po"


def read(language: str) -> Catalog:
    """A language's catalogue as it is; an empty one where there is none."""
    if not path(language).exists():
        return Catalog(locale=language, domain="hotline")
    with path(language).open("rb") as source:
        return read_po(source, locale=language, domain="hotline")


def renewed(language: str) -> Catalog:
    """A language's catalogue with today's texts. English translates itself."""
    old = read(language)
    new = Catalog(locale=language, domain="hotline", project="hotline", charset="utf-8", fuzzy=False)
    for text, name in texts():
        known = old.get(text)
        string = known.string if known and not known.fuzzy else ""
        if language == "en":
            string = text
        new.add(text, string, locations=[(name, 0)])
    return new


def main() -> int:
    """Write both catalogues anew."""
    for language in LANGUAGES:
        written = io.BytesIO()
        write_po(written, renewed(language), width=120, sort_output=True, include_lineno=False, omit_header=False)
        lines = written.getvalue().decode().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(BOILERPLATE)]
        path(language).write_text("".join(kept), encoding="utf-8")
        missing = sum(1 for message in read(language) if message.id and not message.string)
        sys.stderr.write(f"{language}: {len(read(language))} texts, {missing} untranslated\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
