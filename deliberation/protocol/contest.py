"""Who wins, and how a tie is parted (protocol.md 4).

Values are compared as floats first and exactly (exact.py) where floats cannot tell, so a tie is what
arithmetic says it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from deliberation.protocol.anonymity import keyed
from deliberation.protocol.comparators import variance
from deliberation.protocol.exact import Surd
from deliberation.protocol.matrix import Matrix
from deliberation.protocol.types import AnswerClass

TieBreak = Literal["min_q", "controversy", "hmac"]
_LOT: TieBreak = "hmac"
SLACK = 2.0**-40  # how far a float can be from the number that it stands for


@dataclass(frozen=True)
class Scores:
    """Net support of proposals: `near` as floats, each within SLACK of the truth; `exactly` on demand."""

    near: Mapping[int, float]
    exactly: Callable[[int], Surd]

    @classmethod
    def of(cls, support: Mapping[int, Surd | None]) -> Scores:
        """From exact net support; proposals without one are left out."""
        known = {proposal: surd for proposal, surd in support.items() if surd is not None}
        return cls({proposal: surd.approximate() for proposal, surd in known.items()}, known.__getitem__)


@dataclass(frozen=True)
class Decision:
    """`ties`: the proposals that stood equal at the top, () for a clear win."""

    winner: int | None
    ties: tuple[int, ...] = ()
    tie_break: TieBreak | None = None


@dataclass(frozen=True)
class Contest:
    """One round's contest: what tie-breaks and class sums need beside the scores."""

    matrix: Matrix
    classes: tuple[AnswerClass, ...]
    by_class: bool
    secret: bytes
    number: int

    def decide(self, candidates: Iterable[int], scores: Scores) -> Decision:
        """The winner among those `candidates` that have a score."""
        standing = [proposal for proposal in candidates if proposal in scores.near]
        if not standing:
            return Decision(None)
        if not self.by_class:
            return self._best(standing, scores)
        return self._best_class(standing, scores)

    def lot(self, proposal: int) -> bytes:
        """What parts the last equals: the lowest wins: HMAC(secret, "tie/r/seat") (protocol.md 4)."""
        return keyed(self.secret, f"tie/{self.number}/{self.matrix.authors[proposal]}")

    def _best(self, standing: Sequence[int], scores: Scores) -> Decision:
        return self._part(_highest(standing, scores.near, scores.exactly, slack=SLACK))

    def _best_class(self, standing: Sequence[int], scores: Scores) -> Decision:
        """`winner_by: class`: the largest class sum of net support, then its best member (protocol.md 4)."""
        groups = [[each for each in group.members if each in standing] for group in self.classes]
        groups = [group for group in groups if group]
        top = _highest(
            range(len(groups)),
            {index: sum(scores.near[each] for each in group) for index, group in enumerate(groups)},
            lambda index: Surd.total(scores.exactly(each) for each in groups[index]),
            slack=SLACK * len(standing),
        )
        best = [self._best(groups[index], scores) for index in top]
        if len(best) > 1:
            return self._part([each.winner for each in best if each.winner is not None])
        # under majority_answer all members of a class stand equal by construction, which is no tie worth
        # recording
        return Decision(best[0].winner) if self.matrix.rule == "majority_answer" else best[0]

    def _part(self, top: Sequence[int]) -> Decision:
        """Ties: higher minimum q, then lower controversy, then HMAC(secret, "tie/r/seat") (protocol.md 4)."""
        if len(top) == 1:
            return Decision(top[0])
        uses_ballots = self.matrix.rule != "majority_answer"
        left, how = self._by_ballots(list(top)) if uses_ballots else (list(top), _LOT)
        winner = min(left, key=lambda proposal: (self.lot(proposal), proposal))
        return Decision(winner, tuple(sorted(top)), how)

    def _by_ballots(self, top: list[int]) -> tuple[list[int], TieBreak]:
        lowest = {proposal: self._lowest(proposal) for proposal in top}
        left = [proposal for proposal in top if lowest[proposal] == max(lowest.values())]
        if len(left) == 1:
            return left, "min_q"
        calm = {proposal: variance(self.matrix, proposal) or Surd(()) for proposal in left}
        negated = {proposal: Surd(()).minus(surd) for proposal, surd in calm.items()}
        left = _highest(
            left,
            {each: surd.approximate() for each, surd in negated.items()},
            negated.__getitem__,
            slack=SLACK,
        )
        return left, "controversy" if len(left) == 1 else _LOT

    def _lowest(self, proposal: int) -> Fraction:
        return min(self.matrix.points[voter][proposal] for voter in self.matrix.voters_of(proposal))


def _highest(
    items: Sequence[int], near: Mapping[int, float], exactly: Callable[[int], Surd], *, slack: float
) -> list[int]:
    """The items with the exactly largest value; `near` is within `slack` of it."""
    best = max(near[item] for item in items)
    close = [item for item in items if near[item] >= best - 2 * slack]
    top, value = close[:1], exactly(close[0])
    for item in close[1:]:
        sign = exactly(item).against(value)
        if sign > 0:
            top, value = [item], exactly(item)
        elif sign == 0:
            top.append(item)
    return top
