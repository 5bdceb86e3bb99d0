"""Times of one kind, in rounds, and how they are told."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Took:
    """Times of one kind, seconds; ``goal``: what 99 of 100 should keep."""

    name: str
    goal: float | None = None
    rounds: list[list[float]] = field(default_factory=list)

    def line(self) -> str:
        """p50 and p99: the medians of the rounds, with the rounds' spread."""
        halves = statistics.median(at(took, 0.5) * 1000 for took in self.rounds)
        tails = [at(took, 0.99) * 1000 for took in self.rounds]
        wanted = "" if self.goal is None else f"  (wanted {self.goal * 1000:g})"
        spread = f"({min(tails):.2f}-{max(tails):.2f})"
        return f"{self.name:<38} p50 {halves:7.2f} ms  p99 {statistics.median(tails):7.2f} ms {spread}{wanted}"


def at(took: Sequence[float], share: float) -> float:
    """The time that ``share`` of them keep."""
    return sorted(took)[min(len(took) - 1, int(len(took) * share))]
