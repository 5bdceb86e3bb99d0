"""A call's summary as its page shows it, sentence by sentence: where each was said, and who put it right. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from transcription.account import Detail, Promise, Summary
from transcription.corrections import Correction, Part, facts_by_place, promises_by_place

LABELS = (Part.CATEGORY, Part.URGENCY, Part.SENTIMENT)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, label or value.

    ``id`` is its anchor, ``part`` and ``key`` its place for a correction, ``value`` what a correction would replace.
    ``turns``: indexes of the turns that say it, or that the machine took it from before a person put it right.
    ``correction``: who put it right and when, and what the machine had said.
    """

    id: str
    part: Part
    key: str
    value: Mapping[str, str]
    turns: tuple[int, ...]
    sure: bool = True
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """What can only be read: the next step, a language model's sentence."""

    id: str
    text: str
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """A summary as the page shows it. ``issue`` None: none was recognised, and nobody wrote one."""

    issue: Said | None
    labels: tuple[Said, ...]
    promises: tuple[Said, ...]
    facts: tuple[Said, ...]
    polished: tuple[Sentence, ...]
    step: tuple[int, ...]  # turns of the next step


def summed(
    summary: Summary,
    machine: Summary,
    corrections: Sequence[Correction],
    length: int,
    polished: Mapping[str, object] | None = None,
) -> Summed:
    """``summary`` as people have it, ``machine`` as the machine made it; ``length``: how many turns there are."""
    put_right = {(one.part, one.key): one for one in corrections}

    def there(indexes: Iterable[int]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(index for index in indexes if 0 <= index < length))

    def labels() -> Iterator[Said]:
        for part in LABELS:
            text = getattr(summary, part.value).value
            reasons = there(summary.reasons.get(part.value, ()))
            yield Said(f"said-{part.value}", part, "", {"text": text}, reasons, correction=put_right.get((part, "")))

    def facts() -> Iterator[Said]:
        for number, (key, fact) in enumerate(facts_by_place(machine, corrections)):
            value = {"kind": fact.kind.value, "value": fact.value}
            correction = put_right.get((Part.FACT, key))
            yield Said(f"said-fact-{number}", Part.FACT, key, value, there(_turns(fact)), fact.sure, correction)

    def promises() -> Iterator[Said]:
        for number, (key, one) in enumerate(promises_by_place(machine, corrections)):
            value = {"who": one.who, "what": one.what, "by_when": one.by_when}
            correction = put_right.get((Part.PROMISE, key))
            turns = there(_turns(one))
            yield Said(f"said-promise-{number}", Part.PROMISE, key, value, turns, correction=correction)

    about = put_right.get((Part.ISSUE, ""))
    issue = None
    if summary.issue is not None:
        cited = there(machine.evidence.get(machine.issue or "", ()))
        issue = Said("said-issue", Part.ISSUE, "", {"text": summary.issue}, cited, correction=about)
    step = summary.next_step
    return Summed(
        issue,
        tuple(labels()),
        tuple(promises()),
        tuple(facts()),
        tuple(_polished(polished or {}, there)),
        () if step is None else there(step.turns),
    )


def _turns(one: Detail | Promise) -> tuple[int, ...]:
    return one.turns or (one.turn,)


def _polished(made: Mapping[str, object], there: Callable[[Iterable[int]], tuple[int, ...]]) -> Iterator[Sentence]:
    sentences = made.get("sentences")
    for number, one in enumerate(sentences if isinstance(sentences, list) else ()):
        yield Sentence(f"said-polished-{number}", str(one.get("text", "")), there(one.get("turns") or ()))
