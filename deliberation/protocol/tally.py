"""The tally of one round (protocol.md 4)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deliberation.protocol.ballots import Points, influence
from deliberation.protocol.comparators import aggregate_of, median
from deliberation.protocol.contest import Contest, Decision, Scores
from deliberation.protocol.equivalence import classes_of
from deliberation.protocol.exact import Surd
from deliberation.protocol.matrix import Matrix, build, class_of, eligible
from deliberation.protocol.robust import pivotal
from deliberation.protocol.types import AnswerClass, RoundInput, Rules, Tally

Support = Mapping[int, float | None]


def tally(inputs: RoundInput, rules: Rules) -> Tally:
    """Net support, winner, conviction, controversy, coverage, ties, robust twin and pivotal voters of a
    round.

    Whatever cannot count is dropped and noted; never raises on hostile numbers.
    """
    count = _Count.of(inputs, rules.for_panel_of_one() if inputs.panel_of_one else rules)
    matrix, decision = count.matrix, count.decision()
    numbers = _numbers(count.support)
    twin = count.median_decision()
    rival = count.rival(decision.winner)
    return Tally(
        rule=matrix.rule,
        net_support=numbers,
        influence=_influences(matrix.points, rule=matrix.rule),
        struck=_influences(matrix.struck, rule=matrix.rule),
        rho={seat: float(weight) for seat, weight in sorted(matrix.rho.items())},
        weighed_by={proposal: len(matrix.voters_of(proposal)) for proposal in matrix.authors},
        eligible=count.able,
        vetoed=tuple(sorted(matrix.vetoed)),
        winner=decision.winner,
        runner_up=rival,
        margin=count.margin(decision.winner, rival),
        conviction=conviction(numbers, count.able, winner=decision.winner, classes=count.classes),
        controversy={proposal: controversy(matrix, proposal) for proposal in matrix.authors},
        coverage=coverage(matrix, panel_of_one=inputs.panel_of_one),
        classes=count.classes,
        ties=decision.ties,
        tie_break=decision.tie_break,
        median_net_support=_numbers(count.medians),
        median_winner=twin.winner,
        median_differs=None
        if decision.winner is None or twin.winner is None
        else twin.winner != decision.winner,
        pivotal=pivotal(count.contest, count.able, winner=decision.winner),
        notes=matrix.notes,
    )


def conviction(
    support: Support, able: Sequence[int], *, winner: int | None, classes: Sequence[AnswerClass]
) -> float:
    """w = class(winner) / sum over eligible p of |ns_p|, in [-1, 1]; 0 without a winner or support
    (protocol.md 4).
    """
    known = {proposal: ns for proposal in able if (ns := support[proposal]) is not None}
    whole = math.fsum(map(abs, known.values()))
    if winner is None or not whole:
        return 0.0
    if known[winner] <= 0:
        return known[winner] / whole
    members = class_of(classes, winner).members
    return math.fsum(max(known[each], 0.0) for each in members if each in known) / whole


def controversy(matrix: Matrix, proposal: int) -> float | None:
    """Variance over reviewers of q (protocol.md 4 [P]); None where nobody weighed it."""
    q = [influence(matrix.points[voter][proposal], rule=matrix.rule) for voter in matrix.voters_of(proposal)]
    if not q:
        return None
    middle = math.fsum(q) / len(q)
    return math.fsum((each - middle) ** 2 for each in q) / len(q)


def coverage(matrix: Matrix, *, panel_of_one: bool) -> float:
    """Ballots cast and not vetoed / seats awaited (protocol.md 2); in a panel of one, answers / seats."""
    given = set(matrix.authors.values()) if panel_of_one else matrix.points.keys()
    return len(given & matrix.awaited) / len(matrix.awaited) if matrix.awaited else 0.0


@dataclass(frozen=True)
class _Count:
    """The exact values that one tally is made of."""

    matrix: Matrix
    classes: tuple[AnswerClass, ...]
    contest: Contest
    able: tuple[int, ...]
    support: Mapping[int, Surd | None]
    medians: Mapping[int, Surd | None]

    @classmethod
    def of(cls, inputs: RoundInput, rules: Rules) -> _Count:
        matrix = build(inputs, rules)
        classes = classes_of(matrix.proposals.values(), kind=rules.equivalence)
        by_answer = rules.rule == "majority_answer"
        aggregate = aggregate_of(rules.rule)
        return cls(
            matrix=matrix,
            classes=classes,
            contest=Contest(
                matrix, classes, rules.winner_by == "class" or by_answer, inputs.secret, inputs.number
            ),
            able=eligible(matrix),
            support={proposal: aggregate(matrix, proposal) for proposal in matrix.authors},
            medians={} if by_answer else {proposal: median(matrix, proposal) for proposal in matrix.authors},
        )

    def decision(self) -> Decision:
        return self.contest.decide(self.able, Scores.of(self.support))

    def median_decision(self) -> Decision:
        return self.contest.decide(self.able, Scores.of(self.medians))

    def rival(self, winner: int | None) -> int | None:
        """The best eligible proposal outside the winner's class."""
        if winner is None:
            return None
        members = class_of(self.classes, winner).members
        return self.contest.decide(
            [each for each in self.able if each not in members], Scores.of(self.support)
        ).winner

    def margin(self, winner: int | None, rival: int | None) -> float | None:
        """By how much the winner leads its rival: in net support, or in class sums where the class wins."""
        if winner is None or rival is None:
            return None
        return self._standing(winner).minus(self._standing(rival)).value()

    def _standing(self, proposal: int) -> Surd:
        members = class_of(self.classes, proposal).members if self.contest.by_class else (proposal,)
        return Surd.total(
            surd for each in members if each in self.able and (surd := self.support[each]) is not None
        )


def _numbers(support: Mapping[int, Surd | None]) -> dict[int, float | None]:
    return {proposal: None if surd is None else surd.value() for proposal, surd in support.items()}


def _influences(points: Mapping[int, Points], *, rule: str) -> dict[int, dict[int, float]]:
    return {
        voter: {proposal: influence(given[proposal], rule=rule) for proposal in sorted(given)}
        for voter, given in sorted(points.items())
    }
