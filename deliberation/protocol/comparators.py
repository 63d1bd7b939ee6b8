"""Net support under each rule, exactly (protocol.md 4; the comparators of protocol.md 3 [O]).

An aggregate gives the net support of one proposal from the ballots that count; None where no ballot weighs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, combinations
from types import MappingProxyType

from deliberation.protocol.ballots import Points, term
from deliberation.protocol.exact import Surd
from deliberation.protocol.matrix import Matrix

Aggregate = Callable[[Matrix, int], Surd | None]
Row = tuple[Fraction, Points]  # of one voter: the weight rho, and the ballot


def mean(matrix: Matrix, proposal: int) -> Surd | None:
    """ns_p = sum rho q / sum rho over the counted ballots that weigh p (protocol.md 4)."""
    voters = matrix.voters_of(proposal)
    whole = sum((matrix.rho[voter] for voter in voters), Fraction(0))
    if not voters:
        return None
    return Surd(
        tuple(
            term(matrix.points[voter][proposal], times=matrix.rho[voter] / whole, rule=matrix.rule)
            for voter in sorted(voters)
        )
    )


def median(matrix: Matrix, proposal: int) -> Surd | None:
    """The rho-weighted median of q: the mean of lower and upper one (protocol.md 4, robust twin [O])."""
    voters = matrix.voters_of(proposal)
    if not voters:
        return None
    ranked = sorted((matrix.points[voter][proposal], matrix.rho[voter]) for voter in voters)
    half = sum((weight for _, weight in ranked), Fraction(0)) / 2
    middle = (_first_at(ranked, half, beyond=False), _first_at(ranked, half, beyond=True))
    return Surd(tuple(term(f, times=Fraction(1, 2), rule=matrix.rule) for f in middle))


def _first_at(ranked: Sequence[tuple[Fraction, Fraction]], half: Fraction, *, beyond: bool) -> Fraction:
    """The first value at which the weights so far reach `half` (or pass it)."""
    reached = accumulate(weight for _, weight in ranked)
    return next(
        value
        for (value, _), so_far in zip(ranked, reached, strict=True)
        if so_far > half or (so_far == half and not beyond)
    )


def copeland(matrix: Matrix, proposal: int) -> Surd | None:
    """(majorities won - lost) / (other proposals); a ballot compares the proposals that it weighs."""
    rows = [(matrix.rho[voter], matrix.points[voter]) for voter in matrix.voters_of(proposal)]
    if not rows:
        return None
    others = [other for other in matrix.authors if other != proposal]
    won = sum(_majority(rows, proposal, other) for other in others)
    return Surd.rational(Fraction(won, max(len(others), 1)))


def _majority(rows: Iterable[Row], one: int, other: int) -> int:
    """1, 0 or -1: whether the rows, which all weigh `one`, are for it, even, or for the other."""
    margin = Fraction(0)
    for rho, given in rows:
        if other in given and given[one] != given[other]:
            margin += rho if given[one] > given[other] else -rho
    return (margin > 0) - (margin < 0)


def share_of_answers(matrix: Matrix, proposal: int) -> Surd | None:
    """`majority_answer`: each author is one vote for its own answer, by weight; class sums of it are the
    plurality over classes, and the conviction is the share of the largest class. Reviews are not used.
    """
    counts = Counter(author for each, author in matrix.authors.items() if each not in matrix.vetoed)
    if proposal in matrix.vetoed:
        return None
    whole = sum((matrix.rho[author] for author in counts), Fraction(0))
    author = matrix.authors[proposal]
    return Surd.rational(matrix.rho[author] / counts[author] / whole)


_SPECIAL: Mapping[str, Aggregate] = MappingProxyType(
    {"median": median, "copeland": copeland, "majority_answer": share_of_answers}
)


def aggregate_of(rule: str) -> Aggregate:
    """How net support comes from ballots under `rule`."""
    return _SPECIAL.get(rule, mean)


def is_mean(rule: str) -> bool:
    """True where net support is a weighted mean of q, so that one ballot can be subtracted from the sums."""
    return rule not in _SPECIAL


def variance(matrix: Matrix, proposal: int) -> Surd | None:
    """Controversy: the variance of q over reviewers, exactly: mean of q^2 less the square of the mean
    (protocol.md 4).
    """
    voters = matrix.voters_of(proposal)
    if not voters:
        return None
    sums: dict[Fraction, Fraction] = {}  # radicand -> coefficient: reviewers who agree are one root
    squares = Fraction(0)
    for voter in voters:
        c, r = term(matrix.points[voter][proposal], times=Fraction(1), rule=matrix.rule)
        sums[r] = sums.get(r, Fraction(0)) + c
        squares += c * c * r
    count = len(voters)
    roots = sorted((r, c / count) for r, c in sums.items() if c and r)
    rational = squares / count - sum((c * c * r for r, c in roots), Fraction(0))
    products = [(-2 * c * d, r * s) for (r, c), (s, d) in combinations(roots, 2)]
    return Surd(((rational, Fraction(1)), *products))
