"""Lost seats, and whether they could have flipped a result, computed exactly from the margin (protocol.md 7).

A lost ballot could have been any legal ballot. For a rival to pass the winner, each lost voter chooses which
of the two to weigh and how; for a given choice the best ballot is known in closed form, so all choices are
gone through. Voters with the same weight and the same own proposals are alike, which keeps the choices few.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product

from deliberation.protocol.anonymity import keyed
from deliberation.protocol.matrix import class_of
from deliberation.protocol.types import Degradation, RoundInput, Rules, Tally

COMPUTABLE = frozenset({"quadratic", "quadratic_sdk", "quadratic_unsigned", "linear"})
MOST_CHOICES = 50_000  # beyond it the answer is "not computed", never a guess
EPSILON = 1e-12


def degradation(inputs: RoundInput, tally: Tally, *, rules: Rules) -> Degradation:
    """The seats that gave no ballot or no proposal, and whether their ballots could have changed this round's
    winner.
    """
    ballots, proposals = lost_ballots(inputs, tally), lost_proposals(inputs)
    return Degradation(ballots, proposals, could_flip(inputs, tally, rules=rules))


def lost_ballots(inputs: RoundInput, tally: Tally) -> tuple[int, ...]:
    """Awaited seats (agents, people whom the policy requires) without a ballot; a vetoed ballot is not a lost
    one.
    """
    if inputs.panel_of_one:
        return ()
    awaited = {
        each.seat
        for each in inputs.participants
        if (each.kind == "model" and each.reviews) or each.seat in inputs.required
    }
    return tuple(sorted(awaited - tally.influence.keys() - tally.struck.keys()))


def lost_proposals(inputs: RoundInput) -> tuple[int, ...]:
    """Agents without a proposal in the round."""
    authors = {proposal.author for proposal in inputs.proposals}
    return tuple(
        sorted(
            {
                each.seat
                for each in inputs.participants
                if each.kind == "model" and each.proposes and each.seat not in authors
            }
        )
    )


def could_flip(inputs: RoundInput, tally: Tally, *, rules: Rules) -> bool | None:
    """Could the lost ballots have changed this round's winner (its class, under `winner_by: class`)? None:
    not computed for this rule, too many lost seats to go through, or a draw at best, which a tie-break decides.
    """
    if inputs.panel_of_one:
        return _could_outnumber(inputs, tally)
    lost = lost_ballots(inputs, tally)
    if not lost:
        return False
    if tally.rule not in COMPUTABLE:
        return None
    table = Table.of(inputs, tally, lost=lost)
    if tally.winner is None:
        return any(table.reachable(proposal) for proposal in table.standing)
    answers = [
        table.can_pass(rival, over)
        for rival, over in _duels(tally, table, by_class=rules.winner_by == "class")
    ]
    return True if True in answers else None if None in answers else False


def _duels(
    tally: Tally, table: Table, *, by_class: bool
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(rivals, winners): single proposals, or the members of two classes whose sums compete."""
    if not by_class:
        yield from (
            ((each,), (tally.winner,))
            for each in table.standing
            if each != tally.winner and tally.winner is not None
        )
        return
    groups = [tuple(each for each in group.members if each in table.standing) for group in tally.classes]
    best = next(group for group in groups if tally.winner in group)
    yield from ((group, best) for group in groups if group and group != best)


def _could_outnumber(inputs: RoundInput, tally: Tally) -> bool:
    """Panel of one: the lost samples all give one rival's answer, or one new answer. A draw is decided by
    lot, as in the tally.
    """
    lost = lost_proposals(inputs)
    authors = {proposal.id: proposal.author for proposal in inputs.proposals}
    groups = [
        [authors[each] for each in group.members if each not in tally.vetoed] for group in tally.classes
    ]
    best = class_of(tally.classes, tally.winner).members if tally.winner is not None else ()
    holders = [authors[each] for each in best if each not in tally.vetoed]
    rivals = [[*group, *lost] for group in groups if group != holders] + [list(lost)]
    return bool(lost) and any(_outranks(rival, holders, inputs=inputs, tally=tally) for rival in rivals)


def _outranks(rival: Sequence[int], holders: Sequence[int], *, inputs: RoundInput, tally: Tally) -> bool:
    """More weight, or the same and the better lot."""
    lead = math.fsum(tally.rho[seat] for seat in rival) - math.fsum(tally.rho[seat] for seat in holders)
    if abs(lead) > EPSILON or not holders:
        return lead > 0
    lots = [
        min(keyed(inputs.secret, f"tie/{inputs.number}/{seat}") for seat in side) for side in (rival, holders)
    ]
    return lots[0] < lots[1]


@dataclass(frozen=True)
class Voter:
    """A lost voter: its weight and the proposals that it may not weigh, its own."""

    weight: float
    own: frozenset[int]


@dataclass(frozen=True)
class Table:
    """Sums of rho q and rho per unvetoed proposal, its ballots so far, and the lost voters."""

    rule: str
    tops: dict[int, float]
    bottoms: dict[int, float]
    ballots: dict[int, int]
    needed: int
    standing: tuple[int, ...]
    voters: tuple[Voter, ...]

    @classmethod
    def of(cls, inputs: RoundInput, tally: Tally, *, lost: Sequence[int]) -> Table:
        standing = tuple(each for each in tally.net_support if each not in tally.vetoed)
        given = {each: [voter for voter, q in tally.influence.items() if each in q] for each in standing}
        own = {seat: frozenset(each.id for each in inputs.proposals if each.author == seat) for seat in lost}
        return cls(
            rule=tally.rule,
            tops={
                each: math.fsum(tally.rho[voter] * tally.influence[voter][each] for voter in given[each])
                for each in standing
            },
            bottoms={each: math.fsum(tally.rho[voter] for voter in given[each]) for each in standing},
            ballots={each: len(given[each]) for each in standing},
            needed=2 if len({each.seat for each in inputs.participants if each.reviews}) >= 4 else 1,
            standing=standing,
            voters=tuple(Voter(tally.rho[seat], own[seat]) for seat in lost),
        )

    def reachable(self, proposal: int) -> bool:
        """Could it be eligible, had the lost voters weighed it?"""
        return self.ballots[proposal] + sum(proposal not in voter.own for voter in self.voters) >= self.needed

    def most(self, proposal: int) -> float:
        """The largest net support that it could have."""
        extra = math.fsum(voter.weight for voter in self.voters if proposal not in voter.own)
        whole = self.bottoms[proposal] + extra
        return (self.tops[proposal] + extra) / whole if whole else 0.0

    def least(self, proposal: int) -> float:
        """The smallest net support that it could have; an unsigned ballot cannot go below 0."""
        extra = math.fsum(voter.weight for voter in self.voters if proposal not in voter.own)
        whole = self.bottoms[proposal] + extra
        pull = 0.0 if self.rule == "quadratic_unsigned" else extra
        return (self.tops[proposal] - pull) / whole if whole else 0.0

    def can_pass(self, rivals: tuple[int, ...], over: tuple[int, ...]) -> bool | None:
        """Could the rivals' sum of net support exceed that of the winners? None: equal it at best."""
        hopeful = [each for each in rivals if self.reachable(each)]
        if (
            not hopeful
            or math.fsum(map(self.most, hopeful)) < math.fsum(map(self.least, over)) - EPSILON
            and len(over) == 1 == len(rivals)
        ):
            return False
        kinds = Counter(self.voters)
        options = {
            voter: list(_subsets([each for each in (*rivals, *over) if each not in voter.own]))
            for voter in kinds
        }
        if math.prod(math.comb(len(options[voter]) + n - 1, n) for voter, n in kinds.items()) > MOST_CHOICES:
            return None
        ways = [
            [
                [(voter, choice) for choice in chosen]
                for chosen in combinations_with_replacement(options[voter], n)
            ]
            for voter, n in kinds.items()
        ]
        best = -math.inf
        for way in product(*ways):
            best = max(best, self._lead([pair for part in way for pair in part], rivals, over))
            if best > EPSILON:
                return True
        return None if best >= -EPSILON else False

    def _lead(
        self, choices: list[tuple[Voter, tuple[int, ...]]], rivals: tuple[int, ...], over: tuple[int, ...]
    ) -> float:
        """The most by which the rivals can lead if each voter weighs exactly the proposals of its choice."""
        bottoms = {
            each: self.bottoms[each] + math.fsum(voter.weight for voter, choice in choices if each in choice)
            for each in (*rivals, *over)
        }
        counts = {each: self.ballots[each] + sum(each in choice for _, choice in choices) for each in bottoms}
        able = {each for each, count in counts.items() if count >= self.needed and bottoms[each]}
        if not able.intersection(rivals):
            return -math.inf
        signs = {each: 1 if each in rivals else -1 for each in able}
        fixed = math.fsum(signs[each] * self.tops[each] / bottoms[each] for each in able)
        moved = [
            self._reach([(signs[each], voter.weight / bottoms[each]) for each in choice if each in able])
            for voter, choice in choices
        ]
        return fixed + math.fsum(moved)

    def _reach(self, slopes: list[tuple[int, float]]) -> float:
        """The most that one ballot can move the lead: influence of at most one unit, squared where influence
        costs its square.
        """
        usable = [slope for sign, slope in slopes if sign > 0 or self.rule != "quadratic_unsigned"]
        if self.rule == "linear":
            return max(usable, default=0.0)
        return math.sqrt(math.fsum(slope * slope for slope in usable))


def _subsets(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for size in range(len(items) + 1):
        yield from combinations(items, size)
