"""The summary of a call from its turns: every sentence cites the turns that say it. Pure: no clock, no engine.

Rules over words, not a model: what nobody said cannot come out. Kinds, categories and labels are defined in
``docs/summary.md``; the words are in ``lexicon.toml``. Identity and bank cards are masked wherever they would show.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from transcription import details, mood
from transcription.account import Category, Detail, FactKind, Promise, Step, Summary
from transcription.category import categorise
from transcription.dialogue import lines
from transcription.issue import issue
from transcription.lexicon import Lexicon, standard
from transcription.promises import promises
from transcription.redaction import redact
from transcription.transcript import Turn

LABELS = {
    FactKind.ORDER_NO: "订单号",
    FactKind.TICKET_NO: "单号",
    FactKind.MODEL: "型号",
    FactKind.FAULT_CODE: "故障码",
    FactKind.PHONE: "电话",
    FactKind.ID_CARD: "身份证",
    FactKind.BANK_CARD: "银行卡",
    FactKind.TAX_NO: "税号",
    FactKind.EMAIL: "邮箱",
    FactKind.AMOUNT: "金额",
    FactKind.DATE: "日期",
    FactKind.TIME: "时间",
    FactKind.ADDRESS: "地址",
}
_DIGITS = re.compile(r"\d[\d\-，、 ]{4,}[\dX]?")
_LEAST = 6  # digits of a card that may not show


def summarise(turns: Sequence[Turn], called_at: datetime, lexicon: Lexicon | None = None) -> Summary:
    """The call in short.

    ``turns`` in order of start; indexes in the summary are theirs. ``called_at`` (aware, in the line's own zone) is
    what 明天 and 半小时内 are counted from. Raises ValueError where it has no zone. Takes time linear in the text.
    """
    if called_at.tzinfo is None:
        raise ValueError("called_at needs a time zone")
    words = lexicon or standard()
    conversation = lines(turns)
    verdict = categorise(conversation, words)
    told, cited = issue(conversation, verdict.category, words)
    found = details.find(conversation, called_at, words)
    urgency, urgent = mood.urgency(conversation, verdict.category, found, called_at, words)
    sentiment, felt = mood.sentiment(conversation, words)
    facts: tuple[Detail, ...] = ()
    promised: tuple[Promise, ...] = ()
    if verdict.category is not Category.INVALID:  # a call that asks nothing of the company leaves nothing to keep
        facts = details.facts(found, conversation)
        promised = tuple(
            replace(promise, what=_masked(promise.what, found.secrets))
            for promise in promises(found, conversation, called_at, words)
        )
    told = _masked(told, found.secrets) if told else None
    evidence: dict[str, tuple[int, ...]] = {}
    for sentence, said in (
        *([(told, cited)] if told else []),
        *((f"{LABELS[fact.kind]}：{fact.value}", fact.turns) for fact in facts),
        *((promise.what, promise.turns) for promise in promised),
    ):
        evidence[sentence] = tuple(sorted({*evidence.get(sentence, ()), *said}))
    reasons = {"category": verdict.turns, "urgency": urgent, "sentiment": felt}
    return Summary(
        told,
        verdict.category,
        urgency,
        sentiment,
        facts,
        promised,
        evidence,
        {label: said for label, said in reasons.items() if said},
    )


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as ``hotline summarise --json`` prints it: UTF-8 text, seconds as floats."""
    return {
        "issue": summary.issue,
        "category": summary.category.value,
        "urgency": summary.urgency.value,
        "sentiment": summary.sentiment.value,
        "facts": [
            {
                "kind": fact.kind.value,
                "value": fact.value,
                "speaker": str(fact.speaker),
                "at": fact.at,
                "turns": list(fact.turns),
                "sure": fact.sure,
                **({"by": fact.by} if fact.by else {}),
            }
            for fact in summary.facts
        ],
        "promises": [
            {
                "who": promise.who,
                "what": promise.what,
                "by_when": promise.by_when,
                "turns": list(promise.turns),
                **({"by": promise.by} if promise.by else {}),
            }
            for promise in summary.promises
        ],
        "next_step": _step(summary.next_step),
        "evidence": {sentence: list(turns) for sentence, turns in summary.evidence.items()},
        "reasons": {label: list(turns) for label, turns in summary.reasons.items()},
    }


def _step(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {"who": step.who, "what": step.what, "by_when": step.by_when, "turns": list(step.turns)}


def _masked(text: str, secrets: Sequence[str]) -> str:
    """The text without card numbers: those with sound check digits, and pieces of those that were said in the call."""
    text, _ = redact(text)

    def hide(found: re.Match[str]) -> str:
        digits = re.sub(r"[^\dX]", "", found.group())
        inside = len(digits) >= _LEAST and any(digits in secret for secret in secrets)
        return re.sub(r"[\dX](?=(?:[^\dX]*[\dX]){4})", "*", found.group()) if inside else found.group()

    return _DIGITS.sub(hide, text) if secrets else text
