"""Net support from those ballots of a round that are present, under each rule (comparators.py has the formulas)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

from deliberation.protocol.ballots import term
from deliberation.protocol.exact import Surd
from deliberation.protocol.sheet import Shares, Sheet

Sums = list[int]


@dataclass(frozen=True)
class Hand:
    """Some of the ballots, as bits, and what their rows sum up to."""

    present: int
    sums: Sums


class Support(Protocol):
    """doubt: how far off a near value can be, in its unit; 0 where it is exact. Nothing that is said of a proposal has
    a meaning where no ballot present weighs it.
    """

    @property
    def doubt(self) -> int: ...

    def row(self, ballot: int) -> Sums:
        """What one ballot adds to the sums."""

    def near(self, hand: Hand) -> Sequence[int]:
        """Net support by position, in one unit."""

    def shares(self, position: int, hand: Hand) -> Shares:
        """The weighted mean that it is exactly; () where near values are exact."""

    def exactly(self, position: int, hand: Hand) -> Surd:
        """Term for term what the aggregate of comparators.py gives, so that it comes to the same float."""


@dataclass(frozen=True)
class Means:
    """The weighted mean of q. Sums: rho q of each proposal, then rho of each."""

    sheet: Sheet
    doubt: int = 2  # less than a unit of q, and less than another one from the division

    def row(self, ballot: int) -> Sums:
        ranks, rho, near = self.sheet.ranks[ballot], self.sheet.rho[ballot], self.sheet.scale.near
        places = range(self.sheet.width)
        tops = [rho * near[ranks[at]] if at in ranks else 0 for at in places]
        return tops + [rho if at in ranks else 0 for at in places]

    def near(self, hand: Hand) -> Sequence[int]:
        width = self.sheet.width
        pairs = zip(hand.sums[:width], hand.sums[width:], strict=True)
        return [top // (bottom or 1) for top, bottom in pairs]

    def shares(self, position: int, hand: Hand) -> Shares:
        return _shares(self.sheet.column(position, present=hand.present))

    def exactly(self, position: int, hand: Hand) -> Surd:
        whole, scale = hand.sums[self.sheet.width + position], self.sheet.scale
        column = self.sheet.column(position, present=hand.present)
        return Surd(
            tuple(
                term(scale.values[rank], times=Fraction(rho, whole), rule=scale.rule) for rank, rho in column
            )
        )


@dataclass(frozen=True)
class Medians:
    """The weighted median of q: the mean of the lower and the upper one. Nothing is summed."""

    sheet: Sheet
    doubt: int = 2

    def row(self, ballot: int) -> Sums:
        return []

    def near(self, hand: Hand) -> Sequence[int]:
        near = self.sheet.scale.near
        middles = (self._middle(at, hand) for at in range(self.sheet.width))
        return [(near[low] + near[high]) // 2 for low, high in middles]

    def shares(self, position: int, hand: Hand) -> Shares:
        low, high = self._middle(position, hand)
        return _shares([(low, 1), (high, 1)])

    def exactly(self, position: int, hand: Hand) -> Surd:
        scale = self.sheet.scale
        values = (scale.values[rank] for rank in self._middle(position, hand))
        return Surd(tuple(term(value, times=Fraction(1, 2), rule=scale.rule) for value in values))

    def _middle(self, position: int, hand: Hand) -> tuple[int, int]:
        """The first ranks at which the weights so far reach the half, and pass it."""
        column = self.sheet.column(position, present=hand.present)
        whole, so_far, low = sum([rho for _, rho in column]), 0, None
        for rank, rho in column:
            so_far += 2 * rho
            if low is None and so_far >= whole:
                low = rank
            if so_far > whole:
                return (rank if low is None else low), rank
        return 0, 0


@dataclass(frozen=True)
class Majorities:
    """Copeland: majorities won less those lost. Sums: the margin of each pair of proposals."""

    sheet: Sheet
    doubt: int = 0

    @cached_property
    def pairs(self) -> Sequence[tuple[int, int]]:
        return [(one, other) for other in range(self.sheet.width) for one in range(other)]

    def row(self, ballot: int) -> Sums:
        ranks, rho = self.sheet.ranks[ballot], self.sheet.rho[ballot]
        return [
            rho * ((ranks[one] > ranks[other]) - (ranks[one] < ranks[other]))
            if one in ranks and other in ranks
            else 0
            for one, other in self.pairs
        ]

    def near(self, hand: Hand) -> Sequence[int]:
        won = [0] * self.sheet.width
        for (one, other), margin in zip(self.pairs, hand.sums, strict=True):
            if margin > 0:
                won[one] += 1
                won[other] -= 1
            elif margin < 0:
                won[one] -= 1
                won[other] += 1
        return won

    def shares(self, position: int, hand: Hand) -> Shares:
        return ()

    def exactly(self, position: int, hand: Hand) -> Surd:
        return Surd.rational(Fraction(self.near(hand)[position], max(self.sheet.width - 1, 1)))


_SPECIAL: Mapping[str, Callable[[Sheet], Support]] = MappingProxyType(
    {"median": Medians, "copeland": Majorities}
)


def support_of(sheet: Sheet) -> Support:
    """How net support comes from ballots under the rule of the sheet."""
    return _SPECIAL.get(sheet.scale.rule, Means)(sheet)


def _shares(column: Sequence[tuple[int, int]]) -> Shares:
    """`column`: the lowest rank first."""
    if column[0][0] == column[-1][0]:
        return ((column[0][0], 1),)
    found: dict[int, int] = {}
    for rank, rho in column:
        found[rank] = found.get(rank, 0) + rho
    unit = math.gcd(*found.values())
    return tuple((rank, rho // unit) for rank, rho in found.items())
