"""The ballots of a round as a table of whole numbers: values by rank, weights in one unit.

An influence q is a square root under some rules; here it is known to within one unit of 2^-BITS, and exactly on demand.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from deliberation.protocol.ballots import ROOTED, Points
from deliberation.protocol.exact import Surd

BITS = 128
Root = tuple[int, Fraction]  # n and c: c * sqrt(bases[n])
Shares = tuple[
    tuple[int, int], ...
]  # ranks of values, each with its weight, in lowest terms: a weighted mean


@dataclass(frozen=True)
class Scale:
    """All values f of the ballots, the lowest first: a rank stands for one. near: q of each, in units of 2^-BITS.

    roots: q of the ranks that were asked for already. bases: none is another one times the square of a rational number.
    """

    rule: str
    values: tuple[Fraction, ...]
    near: tuple[int, ...]
    roots: dict[int, Root] = field(default_factory=dict)
    bases: list[Fraction] = field(default_factory=lambda: [Fraction(1)])

    @classmethod
    def of(cls, ballots: Iterable[Points], *, rule: str) -> Scale:
        found = {value for given in ballots for value in given.values()}
        values = tuple(sorted(found, key=lambda value: (float(value), value)))
        return cls(rule, values, tuple(_units(value, is_root=rule in ROOTED) for value in values))

    def total(self, parts: Iterable[Shares]) -> Surd:
        """The sum of several weighted means of q; of equal sums the terms are the same."""
        sums: dict[int, Fraction] = {}
        for shares in parts:
            whole = sum(share for _, share in shares)
            for rank, share in shares:
                base, c = self._root(rank)
                sums[base] = sums.get(base, Fraction(0)) + c * Fraction(share, whole)
        return Surd(tuple((c, self.bases[base]) for base, c in sorted(sums.items()) if c))

    def _root(self, rank: int) -> Root:
        """q of this value."""
        if rank not in self.roots:
            value = self.values[rank]
            self.roots[rank] = self._rooted(value) if self.rule in ROOTED else (0, value)
        return self.roots[rank]

    def _rooted(self, value: Fraction) -> Root:
        """sqrt(a / b) = sqrt(a b p q) / (b p) * sqrt(p / q), where the root of a b p q is whole."""
        sign, above, below = (1 if value > 0 else -1), abs(value.numerator), value.denominator
        for n, base in enumerate(self.bases):
            square = above * below * base.numerator * base.denominator
            root = math.isqrt(square)
            if root * root == square:
                return n, Fraction(sign * root, below * base.numerator)
        self.bases.append(abs(value))
        return len(self.bases) - 1, Fraction(sign)


def _units(value: Fraction, *, is_root: bool) -> int:
    above, below = abs(value.numerator), value.denominator
    size = math.isqrt((above << 2 * BITS) // below) if is_root else (above << BITS) // below
    return size if value > 0 else -size


@dataclass(frozen=True)
class Sheet:
    """ranks: of each ballot, by the position of the proposal. rho: of each ballot.

    columns: of each proposal, (rank, rho, bit) of the ballots that weigh it, the lowest value first; ballot n is bit n.
    """

    scale: Scale
    rho: tuple[int, ...]
    ranks: tuple[Mapping[int, int], ...]
    columns: tuple[tuple[tuple[int, int, int], ...], ...]

    @classmethod
    def of(
        cls, ballots: Sequence[Points], *, rho: Sequence[Fraction], proposals: Sequence[int], rule: str
    ) -> Sheet:
        scale = Scale.of(ballots, rule=rule)
        rank_of = {value: rank for rank, value in enumerate(scale.values)}
        ranks = tuple(
            {at: rank_of[given[each]] for at, each in enumerate(proposals) if each in given}
            for given in ballots
        )
        unit = math.lcm(*(each.denominator for each in rho))
        whole = tuple(int(each * unit) for each in rho)
        columns = (
            sorted((given[at], whole[n], 1 << n) for n, given in enumerate(ranks) if at in given)
            for at in range(len(proposals))
        )
        return cls(scale, whole, ranks, tuple(map(tuple, columns)))

    @property
    def width(self) -> int:
        """The number of proposals."""
        return len(self.columns)

    def column(self, position: int, *, present: int) -> list[tuple[int, int]]:
        """(rank, rho) of the ballots present that weigh this proposal, the lowest value first."""
        return [(rank, rho) for rank, rho, bit in self.columns[position] if bit & present]

    def ranks_of(self, position: int, *, present: int) -> tuple[int, ...]:
        """Of the ballots present that weigh this proposal, the lowest first."""
        return tuple([rank for rank, _, bit in self.columns[position] if bit & present])
