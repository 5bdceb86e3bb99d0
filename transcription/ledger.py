"""The acts of a call as they are promised; one that is said again, or changed, stays one. Pure."""

import re
from dataclasses import replace

from transcription.acts import Act
from transcription.restated import Restated

_GOES = re.compile("过去|来|去|到")
_LATEST = 40  # acts among which a repetition is looked for
_STAYS = ("forward", "praise", "bear", "compensate", "other")  # beside these in a sentence, 我转告经理 is an act too


class Ledger:
    """The acts of one call."""

    def __init__(self, restated: Restated) -> None:
        """Nothing promised yet."""
        self.acts: list[Act] = []
        self._restated = restated

    def add(self, act: Act) -> None:
        """Take the act in."""
        first = max(0, len(self.acts) - _LATEST)
        if act.kind not in _STAYS:  # 我转告经理, 明天给您打电话: one act
            self.acts[first:] = [old for old in self.acts[first:] if not _only_passed_on(old, act)]
        said = [old for old in self.acts[first:] if old.who is act.who]
        theirs = self.acts[-1] if self.acts and self.acts[-1].who is not act.who else None
        if (
            act.bare
            and theirs
            and act.line - theirs.line == 1
            and act.day == theirs.day != ""
            and _GOES.search(theirs.what)
        ):
            return  # 周五下午我过去取 -- 好，周五下午
        known = act.bare and any(old.day == act.day and old.kind != act.kind for old in said)
        if known and not any(old.kind == act.kind and not old.day for old in said):
            return  # 对，9月15号: said again
        for index in range(len(self.acts) - 1, first - 1, -1):
            if self._restated.same(self.acts[index], act):
                self.acts[index] = _joined(self.acts[index], act)
                return
        self.acts.append(act)


def _only_passed_on(old: Act, new: Act) -> bool:
    return old.kind == "forward" and not old.by_when and old.sentence == new.sentence and old.who is new.who


def _joined(old: Act, new: Act) -> Act:
    keep, other = (old, new) if old.by_when and not new.by_when else (new, old)
    if old.by_when[:10] == new.by_when[:10] and len(old.by_when) > len(new.by_when):
        keep, other = old, new
    if keep.kind == "forward" != other.kind:
        keep = replace(keep, kind=other.kind)
    return replace(
        keep,
        turns=tuple(sorted({*old.turns, *new.turns})),
        sentence=new.sentence,
        tie=keep.tie or other.tie,
        verbs=keep.verbs or other.verbs,
    )
