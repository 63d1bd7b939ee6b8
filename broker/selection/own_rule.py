"""Who wins one row under the session's own rule, by the ballots of a panel's members alone (protocol.md 3 and 4).

The broker knows no session, so what the session counts is counted here a second time, for agents alone: nobody strikes
anything, and all are equally reliable. The tests hold both counts together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

from broker.selection.reading import Fields

RULES = ("quadratic", "quadratic_sdk", "quadratic_unsigned", "linear", "plurality")
WINNERS_BY = ("proposal", "class")
ROOTED = frozenset({"quadratic", "quadratic_sdk", "quadratic_unsigned"})
CREDITS = 100
MANY = 4  # members from which on a proposal needs a second ballot
NOTHING, LEAST_SUM = Decimal(0), Decimal("1e-9")
SAME = Decimal("1e-40")  # sums of roots that are nearer are equal: the digits below end far beyond
EXACT = Context(prec=60)

Key = TypeVar("Key")
Weights = Mapping[int, Decimal]


@dataclass(frozen=True)
class OwnRule:
    """How the session counts its ballots. family_share: k members of one family count 1/k each."""

    rule: str = RULES[0]
    winner_by: str = WINNERS_BY[0]
    family_share: bool = True

    @classmethod
    def read(cls, value: Any) -> OwnRule:
        of = Fields(
            {} if value is None else value, where="own_rule", known=("rule", "winner_by", "family_share")
        )
        return cls(
            rule=of.one_of("rule", allowed=RULES),
            winner_by=of.one_of("winner_by", allowed=WINNERS_BY),
            family_share=of.flag("family_share") is not False,
        )


@dataclass(frozen=True)
class Table:
    """One row with a panel at it. ballots: by voter, its weights of other members; shares: what a voter's ballot
    counts; classes: members with the same answer have the same.
    """

    ballots: Mapping[int, Weights]
    shares: Mapping[int, Decimal]
    classes: Mapping[int, object]


def ballots_needed(members: int) -> int:
    """Ballots that have to weigh a proposal before it may win (protocol.md 4)."""
    return 2 if members >= MANY else 1


def winners(table: Table, own: OwnRule) -> tuple[int, ...]:
    """The winner; several where only the lot would part them. Every member's proposal is weighed by somebody."""
    count = _Count(table, {voter: influences(given, rule=own.rule) for voter, given in table.ballots.items()})
    support = {member: count.net_support(member) for member in table.classes}
    if own.winner_by == "proposal":
        return count.parted(_highest(support))
    groups: dict[object, list[int]] = {}
    for member, answer in table.classes.items():
        groups.setdefault(answer, []).append(member)
    sums = {answer: _total(support[each] for each in group) for answer, group in groups.items()}
    best = [_highest({each: support[each] for each in groups[answer]}) for answer in _highest(sums)]
    return count.parted([member for top in best for member in count.parted(top)])


def influences(weights: Weights, *, rule: str) -> dict[int, Decimal]:
    """q of each weighed proposal (protocol.md 3)."""
    points = _POINTS[rule](weights)
    return {each: _root(f) for each, f in points.items()} if rule in ROOTED else points


@dataclass(frozen=True)
class _Count:
    table: Table
    given: Mapping[int, Mapping[int, Decimal]]

    def net_support(self, member: int) -> Decimal:
        """sum rho q / sum rho over the ballots that weigh it (protocol.md 4)."""
        shares = self.table.shares
        pairs = [(shares[voter], q[member]) for voter, q in self.given.items() if member in q]
        whole = _total(share for share, _ in pairs)
        return EXACT.divide(_total(EXACT.multiply(share, q) for share, q in pairs), whole)

    def parted(self, top: Sequence[int]) -> tuple[int, ...]:
        """Ties: the higher minimum q, then the lower controversy (protocol.md 4)."""
        if len(top) < 2:
            return tuple(top)
        left = _highest({member: min(self._influence(member)) for member in top})
        return tuple(_highest({member: self._controversy(member).copy_negate() for member in left}))

    def _controversy(self, member: int) -> Decimal:
        """Variance of q over the voters: the mean of q^2 less the square of the mean."""
        q = self._influence(member)
        count = Decimal(len(q))
        mean = EXACT.divide(_total(q), count)
        squares = EXACT.divide(_total(EXACT.multiply(each, each) for each in q), count)
        return EXACT.subtract(squares, EXACT.multiply(mean, mean))

    def _influence(self, member: int) -> list[Decimal]:
        return [q[member] for q in self.given.values() if member in q]


def _highest(values: Mapping[Key, Decimal]) -> list[Key]:
    best = max(values.values())
    return [key for key, value in values.items() if best - value <= SAME]


def _total(values: Iterable[Decimal]) -> Decimal:
    total = NOTHING
    for value in values:
        total = EXACT.add(total, value)
    return total


@lru_cache(maxsize=65536)
def _root(f: Decimal) -> Decimal:
    """sign(f) sqrt(|f|)."""
    return EXACT.sqrt(f.copy_abs()).copy_sign(f)


# Points f of one ballot by each rule (protocol.md 3).


def _shared(weights: Weights, *, least: Decimal) -> dict[int, Decimal]:
    whole = max(least, _total(weight.copy_abs() for weight in weights.values()))
    return {each: EXACT.divide(weight, whole) for each, weight in weights.items()}


def _spread(weights: Weights) -> dict[int, Decimal]:
    """f = w / max(100, W)."""
    return _shared(weights, least=Decimal(CREDITS))


def _spread_all(weights: Weights) -> dict[int, Decimal]:
    """f = w / W, 0 where W < 1e-9."""
    if _total(weight.copy_abs() for weight in weights.values()) < LEAST_SUM:
        return dict.fromkeys(weights, NOTHING)
    return _shared(weights, least=NOTHING)


def _spread_positive(weights: Weights) -> dict[int, Decimal]:
    """As the first, with weights below 0 as 0."""
    return _spread({each: max(weight, NOTHING) for each, weight in weights.items()})


def _first(weights: Weights) -> dict[int, Decimal]:
    """One vote for the highest weight, shared where several stand highest."""
    top = max(weights.values())
    vote = EXACT.divide(Decimal(1), Decimal(sum(weight == top for weight in weights.values())))
    return {each: vote if weight == top else NOTHING for each, weight in weights.items()}


_POINTS: Mapping[str, Callable[[Weights], dict[int, Decimal]]] = MappingProxyType(
    {
        "quadratic": _spread,
        "quadratic_sdk": _spread_all,
        "quadratic_unsigned": _spread_positive,
        "linear": _spread,
        "plurality": _first,
    }
)
