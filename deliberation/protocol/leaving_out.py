"""A round counted without some of its ballots or votes (protocol.md 4), and what each voter makes of it.

Counted as the tally counts, but for what is left out; eligibility is asked anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from deliberation.protocol.ballots import Points, clean, points
from deliberation.protocol.comparators import aggregate_of
from deliberation.protocol.contest import Contest, Scores
from deliberation.protocol.equivalence import classes_of
from deliberation.protocol.exact import Surd
from deliberation.protocol.matrix import Matrix, build, class_of, eligible
from deliberation.protocol.types import AnswerClass, RoundInput, Rules


@dataclass(frozen=True)
class Influence:
    """A round without the ballot of one voter: what the winner of the whole round has then. None: nobody weighs
    it any more, or it has no rival. `winner`: who wins then.
    """

    voter: int
    net_support: float | None
    margin: float | None
    winner: int | None


@dataclass(frozen=True)
class Count:
    """One round's ballots, to be counted without some of them."""

    inputs: RoundInput
    matrix: Matrix
    classes: tuple[AnswerClass, ...]
    by_class: bool

    @classmethod
    def of(cls, inputs: RoundInput, rules: Rules) -> Count:
        rules = rules.for_panel_of_one() if inputs.panel_of_one else rules
        matrix = build(inputs, rules)
        classes = classes_of(matrix.proposals.values(), kind=rules.equivalence)
        return cls(inputs, matrix, classes, rules.winner_by == "class" or rules.rule == "majority_answer")

    def without(self, voters: Collection[int]) -> Count:
        left = {voter: given for voter, given in self.matrix.points.items() if voter not in voters}
        return replace(self, matrix=replace(self.matrix, points=left))

    def without_vote(self, voter: int, proposal: int) -> Count:
        given = {**self.matrix.points, voter: self.points_without(voter, proposal)}
        return replace(self, matrix=replace(self.matrix, points=given))

    def points_without(self, voter: int, proposal: int) -> Points:
        """What the voter's ballot comes to when it has no opinion of `proposal`."""
        ballot = next(each for each in self.inputs.ballots if each.voter == voter)
        weights, _ = clean(ballot, authors=self.matrix.authors)
        weights.pop(proposal, None)
        return points(weights, rule=self.matrix.rule)

    def members(self, proposal: int) -> tuple[int, ...]:
        """The proposals with its answer, itself among them."""
        return class_of(self.classes, proposal).members

    def winner(self) -> int | None:
        return self._best(eligible(self.matrix), self._support())

    def _support(self) -> dict[int, Surd | None]:
        aggregate = aggregate_of(self.matrix.rule)
        return {proposal: aggregate(self.matrix, proposal, None) for proposal in self.matrix.authors}

    def _best(self, candidates: Iterable[int], support: Mapping[int, Surd | None]) -> int | None:
        contest = Contest(self.matrix, self.classes, self.by_class, self.inputs.secret, self.inputs.number)
        return contest.decide(candidates, Scores.of(support)).winner

    def influence_on(self, proposal: int, *, voter: int) -> Influence:
        """Of the ballot of `voter`, which this count is made without, on `proposal`."""
        support, able = self._support(), eligible(self.matrix)
        same = self.members(proposal)
        rival = self._best([each for each in able if each not in same], support)
        own = support[proposal]
        margin = None
        if rival is not None and own is not None:
            margin = (
                self._standing(proposal, able, support).minus(self._standing(rival, able, support)).value()
            )
        return Influence(voter, None if own is None else own.value(), margin, self._best(able, support))

    def _standing(self, proposal: int, able: Sequence[int], support: Mapping[int, Surd | None]) -> Surd:
        counted = [each for each in self.members(proposal) if each in able] if self.by_class else [proposal]
        return Surd.total(surd for each in counted if (surd := support[each]) is not None)


def leave_one_out(inputs: RoundInput, rules: Rules, *, proposal: int) -> tuple[Influence, ...]:
    """For each voter whose ballot counts: what `proposal` has without it."""
    count = Count.of(inputs, rules)
    return tuple(
        count.without({voter}).influence_on(proposal, voter=voter) for voter in sorted(count.matrix.points)
    )
