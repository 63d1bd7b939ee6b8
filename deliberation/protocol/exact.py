"""Exact sums of square roots, so that a tie is a tie and not a rounding error (protocol.md 4, ties).

A net support is a sum of c * sqrt(r) with rational c and r. Two such sums are first compared as floats; only
where the floats are too close to tell is the comparison made exactly: terms whose radicands differ by a
rational square are joined (roots of radicands that do not are linearly independent over the rationals, so the
sum is 0 exactly when every joined coefficient is 0), and a sum that is not 0 is evaluated in integer
arithmetic with more and more digits until its sign shows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

Term = tuple[Fraction, Fraction]


def fraction(number: float) -> Fraction:
    """The decimal number that `number` is written as: 33.3 is 333/10, not the double next to it. `number` is
    finite.
    """
    return Fraction(repr(number))


@dataclass(frozen=True)
class Surd:
    """sum of c * sqrt(r) over `terms` (c, r), r >= 0."""

    terms: tuple[Term, ...]

    @classmethod
    def rational(cls, value: Fraction) -> Surd:
        """A plain rational number."""
        return cls(((value, Fraction(1)),))

    @classmethod
    def total(cls, parts: Iterable[Surd]) -> Surd:
        """The sum of several."""
        return cls(tuple(term for part in parts for term in part.terms))

    def minus(self, other: Surd) -> Surd:
        """self - other."""
        return Surd(self.terms + tuple((-c, r) for c, r in other.terms))

    def against(self, other: Surd) -> int:
        """-1, 0 or 1: whether self is less than, equal to or more than other, exactly."""
        return 0 if self.terms == other.terms else self.minus(other).sign()

    def approximate(self) -> float:
        """The float next to the sum: a correctly rounded sum of rounded terms, whatever their order."""
        return math.fsum(_floats(self.terms))

    def value(self) -> float:
        """`approximate()`, but exactly 0.0 where the sum is exactly 0."""
        return self.approximate() if self.sign() else 0.0

    def sign(self) -> int:
        """-1, 0 or 1, exactly."""
        floats = _floats(self.terms)
        near, size = math.fsum(floats), math.fsum(map(abs, floats))
        # each term is off by less than 4 units in the last place (2^-52), the sum by less than that times its
        # size
        if abs(near) > size * 2.0**-48:
            return 1 if near > 0 else -1
        return _exact_sign(_joined(self.terms))


def _floats(terms: tuple[Term, ...]) -> list[float]:
    return [float(c) * math.sqrt(r) for c, r in terms]


def _joined(terms: tuple[Term, ...]) -> list[Term]:
    """Terms with rationally related roots added up, those that cancel left out."""
    same: dict[Fraction, Fraction] = {}
    for c, r in terms:
        same[r] = same.get(r, Fraction(0)) + c
    groups: list[Term] = []
    for r, c in same.items():
        if c and r:
            _join(groups, c, r)
    return [(c, r) for c, r in groups if c]


def _join(groups: list[Term], c: Fraction, r: Fraction) -> None:
    for index, (total, base) in enumerate(groups):
        root = _rational_root(r / base)
        if root is not None:
            groups[index] = (total + c * root, base)
            return
    groups.append((c, r))


def _rational_root(x: Fraction) -> Fraction | None:
    top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
    exact = top * top == x.numerator and bottom * bottom == x.denominator
    return Fraction(top, bottom) if exact else None


def _exact_sign(groups: list[Term]) -> int:
    """Sign of a sum of independent roots: 0 only if there are none; else digits are doubled until the error
    is smaller than the sum.
    """
    digits = 32
    while groups:
        scale = 10**digits
        total = sum((c * _scaled_root(r, scale) for c, r in groups), Fraction(0))
        error = sum((abs(c) for c, _ in groups), Fraction(0))
        if abs(total) > error:
            return 1 if total > 0 else -1
        digits *= 2
    return 0


def _scaled_root(r: Fraction, scale: int) -> int:
    """floor(scale * sqrt(r)); off by less than 1."""
    return math.isqrt(r.numerator * scale * scale // r.denominator)
