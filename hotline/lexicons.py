"""The words that a line's summaries know beside the standard ones: read from the file that its settings name."""

from pathlib import Path

from hotline.settings import Fault, Settings
from transcription.lexicon import Lexicon, LexiconError, standard


def read(file: Path) -> Lexicon:
    """The standard lexicon with the entries of ``file``. Raises LexiconError with the file's name."""
    try:
        return standard().extended(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconError(f"{file} cannot be read: {error}") from error
    except LexiconError as error:
        raise LexiconError(f"{file}: {error}") from error


def by_line(settings: Settings) -> dict[str, Lexicon]:
    """The lexicons of lines that have one of their own, by the line's number. Raises LexiconError."""
    return {line.number: read(file) for line in settings.line if (file := line.speech.lexicon) is not None}


def faults(settings: Settings) -> list[Fault]:
    """What is wrong with them, each file once a line."""
    found = []
    for index, line in enumerate(settings.line):
        if line.speech.lexicon is not None:
            try:
                read(line.speech.lexicon)
            except LexiconError as error:
                found.append(Fault(None, f"line[{index}].speech.lexicon", str(error)))
    return found
