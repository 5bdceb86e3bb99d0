"""A conversation as those get it who may not see everything. Pure.

Hidden are the caller's number and given name, and in what was said and summed up every kind of secret, telephones and
addresses too, whatever the line's policy leaves in the clear for the people of the house.
"""

from collections.abc import Mapping
from dataclasses import replace

from numbering.display import mask
from numbering.identify import identify
from storage.pages import CallPage
from transcription.account import FactKind, Summary
from transcription.corrections import Correction
from transcription.formats import Conversation
from transcription.redaction import Policy, redact, redact_turns
from transcription.transcript import Transcript

EVERYTHING = Policy(phones=True, addresses=True, emails=True, tax_numbers=True)
_SECRET = frozenset({FactKind.ADDRESS, FactKind.EMAIL, FactKind.TAX_NO})


def hidden(told: Conversation) -> Conversation:
    """The conversation without what must not leave the house."""
    number = None if told.caller is None else mask(identify(told.caller))
    name = told.caller_name[:1] + "**" if told.caller_name else None
    return replace(
        told,
        caller=number,
        caller_name=name,
        transcript=told.transcript and _transcript(told.transcript),
        summary=told.summary and _summary(told.summary),
        corrections=tuple(_correction(one) for one in told.corrections),
        polished=told.polished and _polished(told.polished),
        masked=True,
    )


def hidden_page(page: CallPage) -> CallPage:
    """A call's page for whoever sees no numbers: what was said and summed up without them."""
    return replace(
        page,
        caller_name=page.caller_name[:1] + "**" if page.caller_name else None,
        transcript=page.transcript and _transcript(page.transcript),
        summary=page.summary and _summary(page.summary),
        machine=page.machine and _summary(page.machine),
        corrections=tuple(replace(_correction(one), key=_key(one.key)) for one in page.corrections),
        polished=page.polished and _polished(page.polished),
    )


def _key(key: str) -> str:
    """The place of a correction, as the masked summary has it: ``phone|138****5678``."""
    kind, bar, value = key.partition("|")
    return f"{kind}|{_value(FactKind(kind), value)}" if bar and kind in set(FactKind) else _text(key)


def _transcript(transcript: Transcript) -> Transcript:
    return replace(transcript, turns=redact_turns(transcript.turns, EVERYTHING)[0])


def _summary(summary: Summary) -> Summary:
    facts = tuple(replace(one, value=_value(one.kind, one.value)) for one in summary.facts)
    labels = {one.value: masked.value for one, masked in zip(summary.facts, facts, strict=True)}
    return replace(
        summary,
        issue=summary.issue and _text(summary.issue),
        facts=facts,
        promises=tuple(replace(one, what=_text(one.what)) for one in summary.promises),
        evidence={_sentence(sentence, labels): turns for sentence, turns in summary.evidence.items()},
    )


def _sentence(sentence: str, labels: Mapping[str, str]) -> str:
    """``电话：13800138000`` with the value as the fact has it by now."""
    head, colon, value = sentence.partition("：")
    return f"{head}：{labels[value]}" if colon and value in labels else _text(sentence)


def _correction(one: Correction) -> Correction:
    return replace(one, key="", value=_fields(one.value), machine=_fields(one.machine))


def _fields(said: Mapping[str, str] | None) -> Mapping[str, str] | None:
    if said is None:
        return None
    kind = said.get("kind")
    return {
        name: _value(FactKind(kind), text) if name == "value" and kind else _text(text) if name != "kind" else text
        for name, text in said.items()
    }


def _polished(made: Mapping[str, object]) -> Mapping[str, object]:
    sentences = made.get("sentences")
    if not isinstance(sentences, list):
        return {}
    return {**made, "sentences": [{**one, "text": _text(str(one.get("text", "")))} for one in sentences]}


def _value(kind: FactKind, value: str) -> str:
    if kind is FactKind.PHONE:
        return mask(identify(value))
    return "***" if kind in _SECRET else value


def _text(text: str) -> str:
    return redact(text, EVERYTHING)[0]
