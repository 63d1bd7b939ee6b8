"""Leave-one-out: whose ballot decided (protocol.md 4, robust twin [O])."""

from __future__ import annotations

from collections.abc import Sequence

from deliberation.protocol.contest import Contest
from deliberation.protocol.poll import Poll


def pivotal(contest: Contest, eligible: Sequence[int], *, winner: int | None) -> tuple[int, ...] | None:
    """Voters whose ballot, left out, changes the winner; None under 3 ballots, or where no ballots are used.

    The full tally's eligibility holds; a proposal that is left without a weight is skipped. Each ballot is subtracted
    from the sums: O(voters x proposals) under the mean rules, and exact.
    """
    matrix = contest.matrix
    if len(matrix.points) < 3 or matrix.rule == "majority_answer":
        return None
    poll = Poll.of(contest, standing=eligible, needed=1)
    whole = poll.whole()
    return tuple(
        voter for ballot, voter in enumerate(poll.voters) if poll.winner(poll.minus(whole, ballot)) != winner
    )
