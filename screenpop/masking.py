"""A conversation as those get it who may not see everything. Pure.

Hidden are the caller's number and given name, and in what was said and summed up every kind of secret, telephones and
addresses too, whatever the line's policy leaves in the clear for the people of the house.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from numbering.display import mask
from numbering.identify import identify
from storage.pages import CallEvent, CallPage, TicketItem, TicketPage, TimelineItem
from storage.records import EventKind
from transcription.account import FactKind, Summary
from transcription.corrections import Correction
from transcription.formats import Conversation
from transcription.redaction import Policy, redact, redact_turns
from transcription.transcript import Transcript, Turn

EVERYTHING = Policy(phones=True, addresses=True, emails=True, tax_numbers=True)
IN_LISTS = Policy(id_cards=False, bank_cards=False, phones=True)  # beside what the line's own policy hides
_FILES = frozenset({EventKind.RECORDED, EventKind.LEFT_MESSAGE})  # PBXs name files by who called
_NUMBER = re.compile(r"\d{7,}")
_PIECE = 3  # digits of a number that is said in pieces
_DIGIT = re.compile(r"[\d零〇一二两三四五六七八九幺]")
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
        sounds=tuple(replace(one, name=_NUMBER.sub("****", one.name)) for one in told.sounds),
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
        events=tuple(_event(one) for one in page.events),
        alarms=tuple(replace(one, detail=one.detail and _text(_NUMBER.sub("****", one.detail))) for one in page.alarms),
    )


def hidden_ticket(item: TicketItem) -> TicketItem:
    """A ticket of a list for whoever sees no numbers: without those of its title, typed or heard."""
    return replace(item, ticket=replace(item.ticket, title=_text(item.ticket.title)))


def hidden_ticket_page(page: TicketPage) -> TicketPage:
    """A ticket's page for whoever sees no numbers: what was typed, heard and noted without them."""
    return replace(
        page,
        item=hidden_ticket(page.item),
        summary=page.summary and _summary(page.summary),
        timeline=tuple(_happened(one) for one in page.timeline),
    )


def as_listed(turns: Sequence[Turn], at: int) -> Turn:
    """One of some turns as a list shows it: a caller's number is masked there, and so is one that was said."""
    digits = len(_DIGIT.findall(turns[at].text))
    return redact_turns(turns, IN_LISTS)[0][at] if digits >= _PIECE else turns[at]


def as_hidden(turns: Sequence[Turn], at: int) -> Turn:
    """One of some turns for whoever sees no numbers."""
    return redact_turns(turns, EVERYTHING)[0][at]


def hidden_text(text: str) -> str:
    """What somebody typed, for whoever sees no numbers."""
    return _text(text)


def _event(one: CallEvent) -> CallEvent:
    return replace(one, detail={}) if one.kind in _FILES else one


def _happened(one: TimelineItem) -> TimelineItem:
    told: dict[str, Any] = {name: _any(value) for name, value in one.detail.items()}
    return replace(one, detail=told)


def _any(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {name: _any(inner) for name, inner in value.items()}
    return [_any(inner) for inner in value] if isinstance(value, list) else value


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
