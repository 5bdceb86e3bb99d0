"""What may be wrong with a recording, by name; :mod:`transcription.audio` finds it.

Pure, so that alarms, pages and the parent of the worker can speak of it without loading an audio library.
"""

from enum import StrEnum


class Trouble(StrEnum):
    """Why a recording, or one leg of it, cannot be heard."""

    MISSING = "missing"  # no such file
    UNREADABLE = "unreadable"  # the file is there, the system does not let us read it
    EMPTY = "empty"  # zero bytes
    HALF_HEADER = "half_header"  # the header itself is cut off
    NO_SOUND = "no_sound"  # a whole header with no samples behind it
    NOT_AUDIO = "not_audio"  # no known container, or a damaged one
    RAW = "raw"  # headerless samples: rate and coding can only be guessed, and guesses decode to nonsense
    ODD_FORMAT = "odd_format"  # a rate or a number of channels no telephone recording has
    STEREO = "stereo"  # may hold both legs: read it with load_stereo
    TOO_LONG = "too_long"  # longer than the limit for one recording
    SILENT = "silent"  # samples, but never above the noise floor of an empty line
    SAME = "same"  # the very sound of the other leg: a mix, of which nobody can say who speaks
    FAINT = "faint"  # heard, but so faint that much of it was guessed
    CLIPPED = "clipped"  # heard, but recorded too loud
    NO_SPEECH = "no_speech"  # sound, but nothing in it that the voice detector takes for speech


class AudioProblem(Exception):  # noqa: N818 - an alarm about a recording, no error of ours
    """A recording that cannot be transcribed as it is. Trying again will not help; ``text`` says what was found."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(trouble, text)
        self.trouble = trouble
        self.text = text

    def __str__(self) -> str:
        return f"{self.trouble}: {self.text}"
