"""Identity cards and bank cards, on request telephones, addresses, e-mails and tax numbers, blackened in what was said.

Pure. Which digits belong together :mod:`.digit_runs` says, what they are :mod:`.secret_numbers`; here they are hidden:
every time they are said, read back or begun anew, in the turns and in the words behind them, of the same length. The
last four digits stay of a number long enough: people tell cards apart by them. When they are said, in seconds, is left
as bleeps for the sound.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz.distance import Levenshtein

from transcription.account import FactKind
from transcription.aligned import align, places
from transcription.bleeping import bleeps
from transcription.digit_runs import Digit, Run, runs
from transcription.secret_labels import Called, called, security_code
from transcription.secret_numbers import NEARLY, Reading, nearly_identity, readings
from transcription.secret_words import spots
from transcription.transcript import Speaker, Transcript, Turn, Word

__all__ = ["MASK", "STANDARD", "Blackened", "Policy", "nearly_identity", "redact", "redact_transcript", "redact_turns"]

MASK = "*"
_SHORT = 9  # digits of a telephone: of fewer none stays
_WHOLE = 12  # digits of a number that is known again when it is said again
_PIECE = 6  # digits of it, said alone
_LEAST = 3  # digits of a secret
_SLIPS = 2  # digits of it that may be misheard when it is read back
_CARDS = frozenset({FactKind.ID_CARD, FactKind.BANK_CARD})


@dataclass(frozen=True, slots=True)
class Policy:
    """What a line blackens. ``keep`` last digits stay; ``fuzzy`` also takes what only nearly is a card."""

    id_cards: bool = True
    bank_cards: bool = True
    phones: bool = False
    addresses: bool = False
    emails: bool = False
    tax_numbers: bool = False
    fuzzy: bool = True
    keep: int = 4

    @classmethod
    def of(cls, kinds: Iterable[str]) -> "Policy":
        """The policy that blackens these kinds of facts, by their names; others than ours are left alone."""
        wanted = {FactKind(kind) for kind in kinds}
        return cls(
            id_cards=FactKind.ID_CARD in wanted,
            bank_cards=FactKind.BANK_CARD in wanted,
            phones=FactKind.PHONE in wanted,
            addresses=FactKind.ADDRESS in wanted,
            emails=FactKind.EMAIL in wanted,
            tax_numbers=FactKind.TAX_NO in wanted,
        )

    @property
    def kinds(self) -> frozenset[FactKind]:
        """The kinds it blackens."""
        chosen = {
            FactKind.ID_CARD: self.id_cards,
            FactKind.BANK_CARD: self.bank_cards,
            FactKind.PHONE: self.phones,
            FactKind.ADDRESS: self.addresses,
            FactKind.EMAIL: self.emails,
            FactKind.TAX_NO: self.tax_numbers,
        }
        return frozenset(kind for kind, wanted in chosen.items() if wanted)


@dataclass(frozen=True, slots=True)
class Blackened:
    """A place in a turn: ``text[start:end]`` of turn number ``turn``. ``sure``: check digits prove it."""

    turn: int
    start: int
    end: int
    what: FactKind
    sure: bool


@dataclass(frozen=True, slots=True)
class _Secret:
    """A number to be hidden: its digits, those of them that stay, what it is."""

    digits: tuple[Digit, ...]
    what: FactKind
    sure: bool
    shown: int


STANDARD = Policy()


def redact(text: str, policy: Policy = STANDARD) -> tuple[str, tuple[Blackened, ...]]:
    """The text with its secrets blackened, of the same length, and where they are."""
    masked, found = redact_turns([Turn(Speaker.CALLER, 0.0, 0.0, text, 1.0)], policy)
    return masked[0].text, found


def redact_turns(turns: Sequence[Turn], policy: Policy = STANDARD) -> tuple[tuple[Turn, ...], tuple[Blackened, ...]]:
    """The turns with their secrets blackened, also those said over several turns, and where they are."""
    texts, found = _hidden([(str(turn.speaker), turn.text) for turn in turns], turns, policy)
    heard = [turn for turn in turns if turn.words]
    words: dict[int, str] = {}
    if heard:
        # As heard, numbers look otherwise than in the tidied text: what either shows is hidden in both.
        written = ["".join(word.text for word in turn.words) or turn.text for turn in turns]
        raw, _ = _hidden([(str(turn.speaker), text) for turn, text in zip(turns, written, strict=True)], None, policy)
        words = {i: _also(written[i], raw[i], turns[i].text, texts[i]) for i in range(len(turns)) if turns[i].words}
        for i, masked in words.items():
            texts[i] = _also(turns[i].text, texts[i], written[i], masked)
    kept = [
        replace(turn, text=texts[i], words=_words(turn, words[i]) if i in words else ()) for i, turn in enumerate(turns)
    ]
    return tuple(kept), tuple(found)


def redact_transcript(transcript: Transcript, policy: Policy = STANDARD) -> Transcript:
    """The transcript as it may be kept: turns and words blackened, and when that is heard as bleeps."""
    kept, found = redact_turns(transcript.turns, policy)
    said = [(place.turn, place.start, place.end, place.what.value) for place in found]
    return replace(transcript, turns=kept, bleeps=bleeps(transcript.turns, said))


def _hidden(
    said: Sequence[tuple[object, str]], turns: Sequence[Turn] | None, policy: Policy
) -> tuple[list[str], list[Blackened]]:
    """The texts blackened, and where. ``turns``: to be read for words too."""
    texts = [list(text) for _, text in said]
    found: list[Blackened] = []
    for secret in _secrets(said, policy):
        for digit in secret.digits[: len(secret.digits) - secret.shown]:
            texts[digit.turn][digit.at] = MASK
        for turn in sorted({digit.turn for digit in secret.digits}):
            spread = [digit.at for digit in secret.digits if digit.turn == turn]
            found.append(Blackened(turn, min(spread), max(spread) + 1, secret.what, secret.sure))
    if turns is not None and policy.kinds - _CARDS:
        masked = ["".join(text) for text in texts]
        for spot in spots([replace(t, text=m) for t, m in zip(turns, masked, strict=True)], policy.kinds - _CARDS):
            shown = policy.keep if spot.what is FactKind.PHONE and spot.end - spot.start >= _SHORT else 0
            for at in range(spot.start, spot.end - shown):
                if texts[spot.turn][at].isalnum():
                    texts[spot.turn][at] = MASK
            found.append(Blackened(spot.turn, spot.start, spot.end, spot.what, sure=False))
    return ["".join(text) for text in texts], found


def _secrets(said: Sequence[tuple[object, str]], policy: Policy) -> list[_Secret]:
    """The numbers to be hidden: as the words around them say, then wherever they are said again."""
    found: list[_Secret] = []
    taken: set[tuple[int, int]] = set()
    answered = -1
    all_runs = [run for run in runs(said) if len(run.digits) >= _LEAST]

    def take(run: Run, reading: Reading) -> bool:
        digits = tuple(run.digits[reading.start : reading.end])
        if any((digit.turn, digit.at) in taken for digit in digits):
            return False
        taken.update((digit.turn, digit.at) for digit in digits)
        if reading.what in policy.kinds:
            least = min(NEARLY) if reading.what in _CARDS else _SHORT
            found.append(_Secret(digits, reading.what, reading.sure, policy.keep if len(digits) >= least else 0))
        return True

    for run in all_runs:
        label = called(run, said, answered)
        hits = [reading for reading in _meant(run, said, label, policy) if take(run, reading)]
        if any(hit.what in _CARDS and (hit.sure or hit.end - hit.start in NEARLY) for hit in hits):
            answered = max(answered, label.turn)
    numbers = {"".join(digit.value for digit in secret.digits): secret for secret in found}
    for secret in [secret for number, secret in numbers.items() if len(number) >= _WHOLE]:
        for run in all_runs:
            for reading, shown in _again(run, secret):
                digits = tuple(run.digits[reading.start : reading.end])
                if not any((digit.turn, digit.at) in taken for digit in digits):
                    taken.update((digit.turn, digit.at) for digit in digits)
                    found.append(_Secret(digits, secret.what, secret.sure, min(shown, policy.keep)))
    return found


def _meant(run: Run, said: Sequence[tuple[object, str]], label: Called, policy: Policy) -> Iterator[Reading]:
    if security_code(run, said):
        yield Reading(FactKind.BANK_CARD, 0, len(run.digits), sure=False)
    yield from readings(run, label, fuzzy=policy.fuzzy)


def _again(run: Run, secret: _Secret) -> list[tuple[Reading, int]]:
    """Where a run says a number again, whole and perhaps misheard, or a piece of it; and the digits that may stay."""
    number = "".join(digit.value for digit in secret.digits)
    digits = "".join(digit.value for digit in run.digits)
    again = []
    for start, end, _ in sorted(run.windows(len(number) + _SLIPS), key=lambda window: window[0] - window[1]):
        text = digits[start:end]
        if len(text) < _PIECE:
            continue
        if text in number:
            behind = len(number) - number.index(text) - len(text)
            again.append((Reading(secret.what, start, end, secret.sure), max(0, secret.shown - behind)))
        elif len(text) >= _WHOLE and Levenshtein.distance(text, number, score_cutoff=_SLIPS) <= _SLIPS:
            again.append((Reading(secret.what, start, end, sure=False), secret.shown))
        elif _begun(text, number):
            again.append((Reading(secret.what, start, end, sure=False), 0))
    return again


def _begun(text: str, number: str) -> bool:
    """Whether it is the number's beginning with a slip in its last digit, as before a correction."""
    return len(text) > _PIECE and number.startswith(text[:-1])


def _also(text: str, masked: str, other: str, other_masked: str) -> str:
    """``masked`` (a version of ``text``) with what is hidden in another writing of it hidden too."""
    if text == other:
        return "".join(MASK if MASK in (a, b) else a for a, b in zip(masked, other_masked, strict=True))
    chars = list(masked)
    beside = align(other, text)
    for at, (char, hidden) in enumerate(zip(other, other_masked, strict=True)):
        if char != hidden:
            start, end = beside.span(at, at + 1)
            for i in range(start, end):
                if chars[i].isalnum():
                    chars[i] = MASK
    return "".join(chars)


def _words(turn: Turn, masked: str) -> tuple[Word, ...]:
    starts = places([word.text for word in turn.words])
    return tuple(
        replace(word, text=masked[start : start + len(word.text)])
        for word, start in zip(turn.words, starts, strict=False)
    )
