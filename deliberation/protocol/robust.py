"""Leave-one-out: whose ballot decided (protocol.md 4, robust twin [O])."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deliberation.protocol.ballots import influence
from deliberation.protocol.comparators import aggregate_of, is_mean
from deliberation.protocol.contest import Contest, Scores
from deliberation.protocol.exact import Surd
from deliberation.protocol.matrix import Matrix


def pivotal(contest: Contest, eligible: Sequence[int], *, winner: int | None) -> tuple[int, ...] | None:
    """Voters whose ballot, left out, changes the winner; None under 3 ballots, or where no ballots are used.

    The full tally's eligibility holds; a proposal that is left without a weight is skipped. Under the mean
    rules each ballot is subtracted from the sums: O(voters x proposals), exact arithmetic only where floats
    cannot tell.
    """
    matrix = contest.matrix
    if len(matrix.points) < 3 or matrix.rule == "majority_answer":
        return None
    sums = {proposal: _Sums.of(matrix, proposal) for proposal in eligible} if is_mean(matrix.rule) else {}
    changed = []
    for voter in matrix.points:
        scores = _less(matrix, sums, voter=voter) if sums else _again(matrix, eligible, voter=voter)
        if contest.decide(eligible, scores, without=voter).winner != winner:
            changed.append(voter)
    return tuple(sorted(changed))


@dataclass(frozen=True)
class _Sums:
    """sum of rho q, sum of rho and the number of ballots that weigh one proposal."""

    top: float
    bottom: float
    ballots: int

    @classmethod
    def of(cls, matrix: Matrix, proposal: int) -> _Sums:
        voters = matrix.voters_of(proposal)
        weights = [float(matrix.rho[voter]) for voter in voters]
        q = [influence(matrix.points[voter][proposal], rule=matrix.rule) for voter in voters]
        return cls(
            math.fsum(w * each for w, each in zip(weights, q, strict=True)), math.fsum(weights), len(voters)
        )


def _less(matrix: Matrix, sums: dict[int, _Sums], *, voter: int) -> Scores:
    """The scores without `voter`, by subtraction; the slack grows as the rest gets small beside the whole."""
    near: dict[int, float] = {}
    slack = 2.0**-40
    for proposal, all_of_it in sums.items():
        given = matrix.points[voter].get(proposal)
        weight = float(matrix.rho[voter]) if given is not None else 0.0
        if given is not None and all_of_it.ballots == 1:
            continue
        rest = all_of_it.bottom - weight
        share = weight * influence(given, rule=matrix.rule) if given is not None else 0.0
        near[proposal] = (all_of_it.top - share) / rest if rest > 0 else 0.0
        slack = max(slack, all_of_it.bottom / rest * 2.0**-40 if rest > 0 else math.inf)
    return Scores(near, _exactly(matrix, voter), slack)


def _again(matrix: Matrix, eligible: Sequence[int], *, voter: int) -> Scores:
    """The scores without `voter`, computed anew: medians and majorities cannot be subtracted."""
    return Scores.of({proposal: aggregate_of(matrix.rule)(matrix, proposal, voter) for proposal in eligible})


def _exactly(matrix: Matrix, voter: int) -> Callable[[int], Surd]:
    """proposal -> exact net support without one voter, on demand."""
    return lambda proposal: aggregate_of(matrix.rule)(matrix, proposal, voter) or Surd(())
