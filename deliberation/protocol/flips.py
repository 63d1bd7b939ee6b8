"""How little would make another proposal win a round: ballots left out, or one vote.

Under the mean rules a set of ballots is subtracted from the sums as floats, and counted exactly where floats
cannot tell; other rules are counted exactly throughout.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

from deliberation.protocol.ballots import Points, influence
from deliberation.protocol.comparators import is_mean
from deliberation.protocol.leaving_out import Count
from deliberation.protocol.matrix import ballots_needed
from deliberation.protocol.types import RoundInput, Rules

MOST_SETS = 2**12  # all sets of 12 ballots; beyond it the answer is a bound
MOST_TIES = 400  # counted exactly, because floats cannot tell
MOST_COUNTED = 64  # counted exactly, because the rule is no mean: all sets of 6 ballots
SLACK = 1e-9


@dataclass(frozen=True)
class Flip:
    """The smallest set of ballots without which another proposal wins, and who wins then.

    ballots None: none was found. exact: all smaller sets were tried, and all sets where none was found;
    else no set of up to `tried` ballots does it, and `ballots` is one that does, not known to be the smallest.
    """

    ballots: tuple[int, ...] | None
    winner: int | None
    exact: bool
    tried: int


@dataclass(frozen=True)
class VoteFlip:
    """One weight of one ballot without which `winner` wins."""

    voter: int
    proposal: int
    winner: int


def smallest_flip(inputs: RoundInput, rules: Rules, *, over: Collection[int] = ()) -> Flip | None:
    """The fewest ballots without which a proposal outside `over` wins: by default one other than the winner.

    None where nobody wins in the first place. Exact for up to 12 ballots under the mean rules, 6 under others;
    beyond that it may be a bound, and says so.
    """
    count = Count.of(inputs, rules)
    winner = count.winner()
    if winner is None:
        return None
    if count.matrix.rule == "majority_answer":  # no ballot is used
        return Flip(None, None, True, len(count.matrix.points))
    return _Search(count, frozenset(over) | {winner}).run()


def pivotal_votes(inputs: RoundInput, rules: Rules) -> tuple[VoteFlip, ...] | None:
    """The single weights without which another proposal wins; None where there are too many to count."""
    count = Count.of(inputs, rules)
    winner = count.winner()
    if winner is None or count.matrix.rule == "majority_answer":
        return ()
    cells = [(voter, proposal) for voter, given in count.matrix.points.items() for proposal in given]
    if not is_mean(count.matrix.rule) and len(cells) > MOST_COUNTED:
        return None
    sums = _Sums.of(count)
    found = []
    for voter, proposal in sorted(cells):
        if sums.differs(sums.after_vote(count, voter, proposal), over=frozenset({winner})) is False:
            continue
        then = count.without_vote(voter, proposal).winner()
        if then not in (winner, None):
            found.append(VoteFlip(voter, proposal, then))
    return tuple(found)


Totals = tuple[list[float], list[float], list[float]]  # per proposal: sum of rho q, sum of rho, ballots


@dataclass(frozen=True)
class _Sums:
    """The sums of a count as floats, by the position of the proposals in `standing` (the unvetoed ones), and what
    each voter adds to them. `groups`: positions of one answer class, one each where classes do not compete.
    """

    standing: tuple[int, ...]
    totals: Totals
    shares: Mapping[int, Totals]
    groups: tuple[tuple[int, ...], ...]
    needed: int
    is_mean: bool

    @classmethod
    def of(cls, count: Count) -> _Sums:
        matrix = count.matrix
        standing = tuple(each for each in matrix.authors if each not in matrix.vetoed)
        places = {each: index for index, each in enumerate(standing)}
        shares = {
            voter: _share(given, standing, rho=float(matrix.rho[voter]), rule=matrix.rule)
            for voter, given in matrix.points.items()
        }
        nothing = [0.0] * len(standing)
        totals: Totals = reduce(_added, shares.values(), (nothing, nothing, nothing))
        groups = [tuple(places[each] for each in group.members if each in places) for group in count.classes]
        return cls(
            standing,
            totals,
            shares,
            tuple(each for each in groups if each)
            if count.by_class
            else tuple((n,) for n in places.values()),
            ballots_needed(matrix),
            is_mean(matrix.rule),
        )

    def after(self, voters: Iterable[int]) -> Totals:
        """The sums without these ballots."""
        left = self.totals
        for voter in voters:
            left = _added(left, self.shares[voter], times=-1.0)
        return left

    def after_vote(self, count: Count, voter: int, proposal: int) -> Totals:
        """The sums with the ballot of `voter` as it is without its weight for `proposal`."""
        given = count.points_without(voter, proposal)
        share = _share(given, self.standing, rho=float(count.matrix.rho[voter]), rule=count.matrix.rule)
        return _added(self.after((voter,)), share)

    def differs(self, totals: Totals, *, over: frozenset[int]) -> bool | None:
        """Whether one that is not in `over` wins with these sums; None: floats cannot tell. False where nobody wins."""
        if not self.is_mean:
            return None
        top = self._top(totals)
        inside = sum(each in over for each in top)
        return None if 0 < inside < len(top) else bool(top) and not inside

    def lead(self, totals: Totals, *, over: frozenset[int]) -> float:
        """By how much the best outside `over` leads the best inside; for the order of a search."""
        tops, bottoms, counts = totals
        best = {True: -math.inf, False: -math.inf}
        for index, proposal in enumerate(self.standing):
            if counts[index] >= self.needed and counts[index]:
                inside = proposal in over
                best[inside] = max(best[inside], tops[index] / bottoms[index])
        return best[False] - best[True] if best[False] > -math.inf else -math.inf

    def _top(self, totals: Totals) -> list[int]:
        """The proposals that may be the winner, as near as floats are."""
        tops, bottoms, counts = totals
        support = {
            index: tops[index] / bottoms[index]
            for index, ballots in enumerate(counts)
            if ballots >= self.needed and bottoms[index] > 0
        }
        groups = [able for group in self.groups if (able := [each for each in group if each in support])]
        sums = [sum(support[each] for each in group) for group in groups]
        best = max(sums, default=0.0)
        close = [group for group, value in zip(groups, sums, strict=True) if value >= best - SLACK]
        return [
            self.standing[each]
            for group in close
            for each in group
            if support[each] >= max(support[other] for other in group) - SLACK
        ]


def _share(given: Points, standing: Sequence[int], *, rho: float, rule: str) -> Totals:
    tops = [rho * influence(given[each], rule=rule) if each in given else 0.0 for each in standing]
    ballots = [float(each in given) for each in standing]
    return tops, [rho * each for each in ballots], ballots


def _added(totals: Totals, share: Totals, *, times: float = 1.0) -> Totals:
    tops, bottoms, ballots = (
        [value + times * more for value, more in zip(there, added, strict=True)]
        for there, added in zip(totals, share, strict=True)
    )
    return tops, bottoms, ballots


class _Search:
    """Sets of ballots by size, then, where there are too many, ballot after ballot by what helps most."""

    def __init__(self, count: Count, over: frozenset[int]) -> None:
        self.count, self.over = count, over
        self.voters = sorted(count.matrix.points)
        self.sums = _Sums.of(count)
        self.sets_left = MOST_SETS
        self.counts_left = MOST_TIES if self.sums.is_mean else MOST_COUNTED

    def run(self) -> Flip:
        for size in range(1, len(self.voters) + 1):
            if not self._can_try(size):
                return self._greedily(tried=size - 1)
            for voters in combinations(self.voters, size):
                winner = self._wins_then(voters)
                if winner is not None:
                    return Flip(voters, winner, True, size - 1)
                if self.counts_left < 0:
                    return self._greedily(tried=size - 1)
        return Flip(None, None, True, len(self.voters))

    def _can_try(self, size: int) -> bool:
        sets = math.comb(len(self.voters), size)
        self.sets_left -= sets
        return self.sets_left >= 0 and (self.sums.is_mean or sets <= self.counts_left)

    def _wins_then(self, voters: tuple[int, ...]) -> int | None:
        """Who wins without these ballots, if that is one outside `over`."""
        if self.sums.differs(self.sums.after(voters), over=self.over) is False:
            return None
        self.counts_left -= 1
        winner = self.count.without(voters).winner()
        return None if winner in self.over else winner

    def _greedily(self, *, tried: int) -> Flip:
        struck: tuple[int, ...] = ()
        for _ in self.voters if self.sums.is_mean else ():
            rest = [voter for voter in self.voters if voter not in struck]
            struck = max(((*struck, voter) for voter in rest), key=self._lead)
            winner = self._wins_then(struck)
            if winner is not None:
                return Flip(tuple(sorted(struck)), winner, False, tried)
        return Flip(None, None, False, tried)

    def _lead(self, voters: Iterable[int]) -> float:
        return self.sums.lead(self.sums.after(voters), over=self.over)
