"""Who wins a round with any of its ballots: exactly as Contest decides, in some microseconds for each set of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import add, sub
from typing import TypeVar

from deliberation.protocol.ballots import Points
from deliberation.protocol.comparators import variance
from deliberation.protocol.contest import Contest
from deliberation.protocol.exact import Surd
from deliberation.protocol.poll_rules import Hand, Sums, Support, support_of
from deliberation.protocol.sheet import Shares, Sheet

Spare = tuple[int, Points]
Group = tuple[int, ...]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Poll:
    """The ballots of one contest, to be counted with some of them. Proposals are known inside by their position.

    rows: what each ballot adds. weighed_by: ballots, as bits. standing: those that may win, with `needed` ballots.
    groups: of one answer each. lots: what parts the last ties. known, calm: what was asked for already.
    """

    contest: Contest
    proposals: tuple[int, ...]
    voters: tuple[int, ...]
    sheet: Sheet
    support: Support
    rows: tuple[Sums, ...]
    weighed_by: tuple[int, ...]
    standing: tuple[int, ...]
    needed: int
    groups: tuple[Group, ...]
    lots: tuple[tuple[bytes, int], ...]
    known: dict[tuple[Shares, ...], Surd] = field(default_factory=dict)
    calm: dict[Group, Surd] = field(default_factory=dict)

    @classmethod
    def of(
        cls, contest: Contest, *, standing: Iterable[int], needed: int, spare: Sequence[Spare] = ()
    ) -> Poll:
        """Of a rule that counts ballots. `spare`: further ones with their voters, numbered after those that count, and
        in no hand at first.
        """
        matrix = contest.matrix
        voters, proposals = tuple(sorted(matrix.points)), tuple(matrix.authors)
        cast = [*((voter, matrix.points[voter]) for voter in voters), *spare]
        rho = [matrix.rho[voter] for voter, _ in cast]
        sheet = Sheet.of([given for _, given in cast], rho=rho, proposals=proposals, rule=matrix.rule)
        support = support_of(sheet)
        places = {each: at for at, each in enumerate(proposals)}
        return cls(
            contest=contest,
            proposals=proposals,
            voters=voters,
            sheet=sheet,
            support=support,
            rows=tuple(map(support.row, range(len(cast)))),
            weighed_by=tuple(sum(bit for _, _, bit in column) for column in sheet.columns),
            standing=tuple(places[each] for each in standing),
            needed=needed,
            groups=tuple(tuple(places[each] for each in group.members) for group in contest.classes),
            lots=tuple((contest.lot(each), each) for each in proposals),
        )

    def whole(self) -> Hand:
        """All ballots that count."""
        nothing = Hand(0, [0] * len(self.rows[0]) if self.rows else [])
        return functools.reduce(self.plus, range(len(self.voters)), nothing)

    def minus(self, hand: Hand, ballot: int) -> Hand:
        return Hand(hand.present & ~(1 << ballot), list(map(sub, hand.sums, self.rows[ballot])))

    def plus(self, hand: Hand, ballot: int) -> Hand:
        return Hand(hand.present | 1 << ballot, list(map(add, hand.sums, self.rows[ballot])))

    def winner(self, hand: Hand, *, but: Collection[int] = ()) -> int | None:
        """Who wins with these ballots, had the proposals `but` not stood; None: nobody may."""
        able = [at for at in self._able(hand) if self.proposals[at] not in but] if but else self._able(hand)
        if not able:
            return None
        near = self.support.near(hand)
        if not self.contest.by_class:
            return self.proposals[self._best(able, near, hand=hand)]
        groups = [tuple(at for at in group if at in able) for group in self.groups]
        top = self._highest([group for group in groups if group], near, hand=hand)
        return self.proposals[self._parted([self._best(group, near, hand=hand) for group in top], hand)]

    def lead(self, hand: Hand, *, over: Collection[int]) -> tuple[float, int]:
        """By how much the best outside `over` leads the best inside, then by how much over the ballots that weigh both:
        for the order of a search, in units of its own.
        """
        near = self.support.near(hand)
        inside: list[int] = []
        outside: list[int] = []
        for at in self._able(hand):
            (inside if self.proposals[at] in over else outside).append(at)
        if not inside or not outside:
            return (math.inf if outside else -math.inf), 0
        ahead, behind = (max(each, key=near.__getitem__) for each in (outside, inside))
        return near[ahead] - near[behind], self._gap(hand, ahead, behind)

    def _gap(self, hand: Hand, ahead: int, behind: int) -> int:
        """Of two proposals, by ballot and weight: it moves where a median or a majority stays as it is."""
        near = self.sheet.scale.near
        both = self.weighed_by[ahead] & self.weighed_by[behind] & hand.present
        ballots = zip(self.sheet.ranks, self.sheet.rho, strict=True)
        return sum(
            rho * (near[ranks[ahead]] - near[ranks[behind]])
            for ballot, (ranks, rho) in enumerate(ballots)
            if both >> ballot & 1
        )

    def net_support(self, hand: Hand, *, proposal: int) -> Surd | None:
        """None where no ballot of these weighs it."""
        at = self.proposals.index(proposal)
        return self.support.exactly(at, hand) if self.weighed_by[at] & hand.present else None

    def standing_of(self, hand: Hand, *, proposal: int) -> Surd:
        """What it goes into the contest with: its net support, or where answers compete that of its answer."""
        at = self.proposals.index(proposal)
        group = next(each for each in self.groups if at in each) if self.contest.by_class else (at,)
        able = self._able(hand) if self.contest.by_class else group
        return Surd.total(self.support.exactly(each, hand) for each in group if each in able)

    def _able(self, hand: Hand) -> list[int]:
        present, needed = hand.present, self.needed
        return [at for at in self.standing if (self.weighed_by[at] & present).bit_count() >= needed]

    def _best(self, able: Sequence[int], near: Sequence[int], *, hand: Hand) -> int:
        top = self._highest([(at,) for at in able], near, hand=hand)
        return self._parted([at for (at,) in top], hand)

    def _highest(self, groups: Sequence[Group], near: Sequence[int], *, hand: Hand) -> Sequence[Group]:
        """The groups with the largest sum of net support: exactly, where near values leave a doubt."""
        values = [near[group[0]] if len(group) == 1 else sum(near[at] for at in group) for group in groups]
        doubt = 2 * self.support.doubt * len(near)
        least = max(values) - doubt
        close = [group for group, value in zip(groups, values, strict=True) if value >= least]
        if len(close) == 1 or not doubt:
            return close
        return _top({group: self._exactly(group, hand) for group in close})

    def _exactly(self, group: Group, hand: Hand) -> Surd:
        """The sum of net support."""
        parts = tuple(sorted([self.support.shares(at, hand) for at in group]))
        if parts not in self.known:
            self.known[parts] = self.sheet.scale.total(parts)
        return self.known[parts]

    def _parted(self, top: Sequence[int], hand: Hand) -> int:
        """Of equals: as Contest parts them."""
        if len(top) == 1:
            return top[0]
        ranks = {at: self.sheet.ranks_of(at, present=hand.present) for at in top}
        highest = max([each[0] for each in ranks.values()])
        left = [at for at in top if ranks[at][0] == highest]
        if len({ranks[at] for at in left}) > 1:
            left = _top({at: self._calm(at, ranks[at]) for at in left})
        return min(left, key=self.lots.__getitem__)

    def _calm(self, position: int, ranks: Group) -> Surd:
        """The variance of the values of these ranks, below 0 instead of above."""
        ranks = ranks[:1] if ranks[0] == ranks[-1] else ranks  # nothing varies
        if ranks not in self.calm:
            proposal, values = self.proposals[position], self.sheet.scale.values
            points = {n: {proposal: values[rank]} for n, rank in enumerate(ranks)}
            found = variance(replace(self.contest.matrix, points=points), proposal)
            self.calm[ranks] = Surd(()).minus(found or Surd(()))
        return self.calm[ranks]


def _top(values: Mapping[Item, Surd]) -> list[Item]:
    """The items with the largest value. Many values are one and the same object."""
    best = next(iter(values.values()))
    top: list[Item] = []
    for item, value in values.items():
        sign = 0 if value is best else value.against(best)
        if sign > 0:
            best, top = value, []
        if sign >= 0:
            top.append(item)
    return top
