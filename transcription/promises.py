"""Who promised what by when. Pure.

A promise binds the speaker or his company to a future act for the other side: an agreed appointment, a call back, a
repair, a refund, something sent, passed on or paid for; of the caller, an act that the company waits for. No promises:
acts that are finished, forecasts and rules (一般, 预计), what cannot be promised, empty assurances (一定重视), what was
proposed and not agreed, open conditions (如果...), the caller's own plans and threats. One entry for each act: what is
said again or changed later replaces what was said first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from transcription.account import Promise
from transcription.acts import MEETINGS, Act, Event, Tie
from transcription.agent_promises import AgentReader
from transcription.caller_promises import CallerReader
from transcription.context import Context, granted
from transcription.deadlines import Deadlines
from transcription.details import Found
from transcription.dialogue import Line
from transcription.ledger import Ledger
from transcription.lexicon import Lexicon
from transcription.restated import Restated
from transcription.transcript import Speaker

_GENERIC = set("弄搞办做好完到理结清整有出来")  # of any act that comes to its end
_COMES = re.compile("到(?:货|店|账)?[，。]?$")
_LEAD = re.compile("^(?:等|那|都|全|一切|到时候?|行|好的?|嗯|[，。])+")
_POSTED = re.compile("寄|交给?快递|邮箱|短信|微信|链接")  # it comes another day, or not by hand
_WHO = re.compile("师傅|员|司机|小哥|人|车|他|她|同事|老师|经理|工")
_NEAR = 14  # lines: how far before an act that which it waits for may be
_HANGS_ON = (*MEETINGS, "send", "repair", "other")


def promises(found: Found, conversation: Sequence[Line], called_at: datetime, words: Lexicon) -> tuple[Promise, ...]:
    """The promises of the call in the order in which they were made."""
    deadlines = Deadlines(called_at, words, found.standing, found.mentions)
    ledger = Ledger(Restated(conversation, words))
    agent = AgentReader(Context(conversation, words, deadlines, ledger.acts))
    caller = CallerReader(conversation, words, deadlines)
    for line in conversation:
        if line.caller and line.index + 1 < len(conversation):
            for act in _granted(line, conversation[line.index + 1], deadlines, words):
                ledger.add(act)
        for act in caller.read(line) if line.caller else agent.read(line):
            ledger.add(act)
    made = _dated(ledger.acts, agent.events, conversation, deadlines)
    return tuple(Promise(str(act.who), act.what, act.by_when, act.line, act.turns) for act in made)


def _granted(line: Line, answer: Line, deadlines: Deadlines, words: Lexicon) -> Iterator[Act]:
    """What the caller asks for and the agent agrees to: 到了先给我打电话 -- 好的."""
    for kind, clause in granted(line, answer, words):
        tie, verbs = deadlines.tie(clause.text)
        by_when, turns = deadlines.when(line, clause, clause.start, meeting=False) if tie is Tie.NONE else ("", ())
        both = tuple(sorted({line.index, answer.index, *turns}))
        what = clause.text.strip("，。！？；…")
        yield Act(kind, Speaker.AGENT, what, by_when, line.index, both, (line.index, clause.start), tie, verbs)


def _dated(
    acts: Sequence[Act], events: Sequence[Event], conversation: Sequence[Line], deadlines: Deadlines
) -> list[Act]:
    """The acts; those that hang on others take their day from what became of these."""
    made: list[Act] = []
    for index, act in enumerate(acts):
        if act.tie is Tie.NONE or act.by_when or act.counted:
            made.append(act)
            continue
        anchor = _anchor(act, [*made, *acts[index + 1 :]])
        day = anchor.day if anchor else ""
        if act.tie is Tie.AFTER:
            day = _event(act, events, anchor.line if anchor else -1) or day
        if act.tie is Tie.BEFORE and act.verbs == "当天" and not anchor:
            theirs = [other for other in acts if other.who is Speaker.CALLER and other.by_when]
            day = theirs[-1].day if theirs else ""
        besides = "一并" in act.verbs or "顺" in act.verbs  # of an appointment, if there is one
        if not day and act.tie is not Tie.AFTER and act.who is Speaker.AGENT and not besides:
            day = deadlines.agreed(conversation[act.line])
        if day and act.tie is Tie.DAY_BEFORE:
            day = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
        turns = tuple(sorted({*act.turns, *(anchor.turns if anchor and day else ())}))
        made.append(replace(act, by_when=day, turns=turns))
    return made


def _event(act: Act, events: Sequence[Event], since: int) -> str:
    """The day of what an act waits for, if it was named after line ``since``: 明天到...到了通知您."""
    verbs = set(act.verbs) - set("了以之后一就当天") - _GENERIC
    near = [event for event in events if since < event.line <= act.line and act.line - event.line <= _NEAR]
    comes = "到" in act.verbs
    return next(
        (event.day for event in reversed(near) if verbs & set(event.what) or (comes and _COMES.search(event.what))), ""
    )


def _anchor(act: Act, acts: Sequence[Act]) -> Act | None:
    """The act that another one waits for or goes before."""
    others = [old for old in acts if old.who is Speaker.AGENT and old.by_when]
    if act.who is Speaker.CALLER and act.tie is Tie.AFTER:
        own = [old for old in acts if old.who is Speaker.CALLER and old.by_when and act.verbs in old.what]
        return own[-1] if own else None
    if act.tie is Tie.AFTER:
        before = [old for old in others if old.line <= act.line and act.line - old.line <= _NEAR]
        beside = [old for old in before if old.sentence == act.sentence]
        if beside:
            return beside[-1]
        verbs = set(act.verbs) - set("了以之后一就当天")
        thing = _done_to(act)
        alike = [
            old
            for old in before
            if verbs & set(old.what) - _GENERIC
            or (verbs and verbs <= _GENERIC and (not thing or thing & set(old.what)))
        ]
        return alike[-1] if alike else None
    meetings = [old for old in others if old.kind in _HANGS_ON and not old.tie]
    meetings = [old for old in meetings if old.kind != "send" or not _POSTED.search(old.what)]
    before = [old for old in meetings if old.line <= act.line]
    strict = [old for old in before if old.kind in MEETINGS]
    after = [old for old in meetings if old.line > act.line]
    return [*after[:1], *before[-1:], *strict[-1:], None][-2 if meetings else -1]


def _done_to(act: Act) -> set[str]:
    """Of 烧好了打电话, 单号出来了发您: what is written before the end of the act that another waits for."""
    before = _LEAD.sub("", act.what.partition(act.verbs)[0].rpartition("，")[2])
    if _WHO.search(before):
        return set()  # 师傅到了
    return set(before) - _GENERIC - set("的了就也都等我们您你它把给先再一")
