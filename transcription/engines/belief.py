"""What of a whisper's text is believed: echoes, inventions, leaked prompts and guesses go. Pure.

Shared by the engine that loads a whisper model and the one that asks a server which does.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transcription.transcript import Word
from transcription.wording import invented, tidy, unlooped

PROMPTS = {"zh": "以下是普通话的客服电话录音，使用简体中文。"}  # steers to simplified characters and punctuation
DOUBT = -1.2  # mean log probability of a token below which whisper was guessing
PIECE = 6  # characters; 客服 and 电话 are in the prompt, too, and people do say them
NOISE = 0.6  # whisper's own chance that nobody speaks, believed only together with a poor log probability
FASTEST = 25.0  # characters a second of sound; the fastest talkers stay below 10 Chinese ones or 20 letters
GRACE = 20  # characters that even the shortest sound may have
UNKNOWN = 0.5  # confidence where nothing tells of it
LONGEST_PROMPT = 200  # characters: whisper reads 224 tokens of it and forgets the beginning of more


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text. ``log``: mean log probability of its tokens, ``silence``: chance that nobody speaks; or None."""

    text: str
    log: float | None
    silence: float | None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Believed:
    """What is left. ``echo``: a loop was dropped; ``leak``: hot words stood there as the prompt has them."""

    text: str
    confidence: float
    words: tuple[Word, ...] = ()
    echo: bool = False
    leak: bool = False


def prompt_of(language: str, hot_words: Sequence[str]) -> str | None:
    """The prompt: what kind of talk this is, and names that shall rather be written than others."""
    fixed = PROMPTS.get(language, "")
    if not hot_words:
        return fixed or None
    named = "、".join(hot_words) if language == "zh" else ", ".join(hot_words)
    return f"{fixed}{named[: LONGEST_PROMPT - len(fixed)]}{'。' if language == 'zh' else '.'}"


def believed(pieces: Iterable[Piece], language: str, prompt: str | None, seconds: float) -> Believed:
    """The pieces of ``seconds`` of sound as one text, without what nobody said."""
    texts, weights, words = list[str](), list[tuple[float | None, int]](), list[Word]()
    echo = leak = False
    for piece in pieces:
        if piece.log is not None and piece.log < DOUBT and (piece.silence or 0.0) > NOISE:
            continue
        written = tidy(piece.text, language)
        text = unlooped(written)
        if len(text) > FASTEST * seconds + GRACE:  # no mouth is that fast
            text = ""
        echo = echo or bool(written and not text)
        if not text or invented(text):
            continue
        if prompt is not None and _leaked(text, prompt):
            leak = leak or not _leaked(text, PROMPTS.get(language, ""))
            continue
        texts.append(text)
        weights.append((piece.log, len(text)))
        words += piece.words if text == written else ()  # times of a loop that was cut belong to nothing
    total = sum(length for log, length in weights if log is not None)
    if not total:
        return Believed("".join(texts), UNKNOWN if texts else 0.0, tuple(words), echo, leak)
    mean = sum(log * length for log, length in weights if log is not None) / total
    return Believed("".join(texts), math.exp(min(0.0, mean)), tuple(words), echo, leak)


def _leaked(text: str, prompt: str) -> bool:
    """Whether the text is a piece of the prompt, long enough that nobody says it by chance."""
    said, given = (re.sub(r"[\W_]+", "", one).lower() for one in (text, prompt))
    return len(said) >= PIECE and said in given
