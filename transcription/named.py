"""The values named in a call, found by line and kind, for the rules that say which of them stand. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transcription.account import FactKind
from transcription.dialogue import Line, Mention
from transcription.lexicon import Lexicon

_WHICH = re.compile("哪[一1]?天|什么时候|几号|几点|多会儿|啥时候|何时|约[到在]?哪")
_BACK = 8  # lines: how far back the same offer is looked for


@dataclass(frozen=True)
class Named:
    """All mentions of a call. ``today``: the day of the call, ISO."""

    mentions: Sequence[Mention]
    lines: Sequence[Line]
    words: Lexicon
    at: Mapping[int, Sequence[int]]  # line -> mentions of it
    today: str

    def past(self, mention: Mention) -> bool:
        """Whether it is a day before the call: what was is not up for choice."""
        return mention.kind is FactKind.DATE and mention.value < self.today

    def of(self, line: int, kind: FactKind) -> list[int]:
        """The mentions of a kind in a line."""
        return [i for i in self.at.get(line, ()) if self.mentions[i].kind is kind]

    def refuses(self, text: str) -> bool:
        """Whether the text says no."""
        return bool(self.words["talk.refuse"].search(text) or self.words["talk.unsuitable"].search(text))

    def after(self, line: int, count: int) -> Iterator[Line]:
        """The next lines."""
        return iter(self.lines[line + 1 : line + 1 + count])

    def same_before(self, index: int) -> Iterator[int]:
        """The mention and earlier ones of the same value that may be the same offer."""
        mention = self.mentions[index]
        for line in range(max(0, mention.line - _BACK), mention.line + 1):
            for i in self.of(line, mention.kind):
                if i <= index and self.mentions[i].value == mention.value:
                    yield i

    def same_offer(self, index: int) -> Iterator[int]:
        """The same as far as it is the offer that is being refused: not what the refuser said of himself before."""
        mention = self.mentions[index]
        refuser = self.lines[mention.line].caller
        same = list(self.same_before(index))
        offered = [i for i in same if self.lines[self.mentions[i].line].caller != refuser]
        first = self.mentions[offered[0]].line if offered else mention.line
        for i in same:
            line = self.lines[self.mentions[i].line]
            if line.caller == refuser and line.index < first and not self.wished(i):
                continue
            if line.caller and line.caller != refuser and not self.wished(i):
                continue
            yield i
        yield from (i for i in self.of(mention.line, mention.kind) if self.mentions[i].value == mention.value)

    def wished(self, index: int) -> bool:
        """Whether the mention is a wish or a question: 能5号送吗."""
        mention = self.mentions[index]
        clause = self.lines[mention.line].clause_at(mention.start)
        before = self.lines[mention.line - 1] if mention.line else None
        if before is not None and before.caller != self.lines[mention.line].caller and _WHICH.search(before.whole):
            return True
        return clause.asks or bool(
            self.words["talk.wish"].search(clause.text) or re.search("[吧呗]|改|换", clause.text)
        )

    def windows_from(self, index: int) -> Iterator[int]:
        """Windows offered shortly before that begin at the refused hour."""
        mention = self.mentions[index]
        for line in range(max(0, mention.line - 2), mention.line):
            for i in self.of(line, mention.kind):
                if self.mentions[i].value.startswith(f"{mention.value}-"):
                    yield i

    def reply(self, line: int, count: int = 3) -> Line | None:
        """What the other side says next, within so many lines."""
        caller = self.lines[line].caller
        return next((other for other in self.after(line, count) if other.caller != caller and other.whole), None)

    def others(self, index: int, start: int, count: int) -> list[int]:
        """Later mentions of the same kind and another value in ``count`` lines from ``start``."""
        mention = self.mentions[index]
        return [
            i
            for line in range(start, start + count)
            for i in self.of(line, mention.kind)
            if i != index and self.mentions[i].value != mention.value
        ]

    def again(self, index: int, start: int) -> bool:
        """Whether the same value is named again from line ``start`` on."""
        mention = self.mentions[index]
        return any(
            self.mentions[i].value == mention.value
            for line in range(start, start + _BACK)
            for i in self.of(line, mention.kind)
        )
