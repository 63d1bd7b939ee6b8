"""How little would make another proposal win a round: ballots left out, or one vote. All of it is counted exactly."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from deliberation.protocol.ballots import Points, points
from deliberation.protocol.leaving_out import Count
from deliberation.protocol.poll import Poll
from deliberation.protocol.poll_rules import Hand

MOST_SETS = 2**12  # all sets of 12 ballots; beyond it the answer can be a bound


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


def smallest_flip(count: Count, *, over: Collection[int] = ()) -> Flip | None:
    """The fewest ballots without which a proposal outside `over` wins: by default one other than the winner. Of
    sets of the same size the first, by the numbers of the voters.

    None where nobody wins in the first place. Exact for up to 12 ballots under every rule; beyond that it may be a
    bound, and says so.
    """
    if not count.uses_ballots:
        return Flip(None, None, True, len(count.matrix.points)) if count.standing else None
    poll = count.poll()
    winner = poll.winner(poll.whole())
    return None if winner is None else _Search(poll, frozenset(over) | {winner}).run()


def pivotal_votes(count: Count) -> tuple[VoteFlip, ...]:
    """The single weights without which another proposal wins."""
    if not count.uses_ballots:
        return ()
    votes = list(_votes(count))
    poll = count.poll(spare=[(voter, given) for voter, _, given in votes])
    whole = poll.whole()
    winner, found = poll.winner(whole), []
    for spare, (voter, proposal, _) in enumerate(votes, start=len(poll.voters)):
        hand = poll.plus(poll.minus(whole, poll.voters.index(voter)), spare)
        then = poll.winner(hand)
        if then is not None and then != winner:
            found.append(VoteFlip(voter, proposal, then))
    return tuple(found)


def _votes(count: Count) -> Iterator[tuple[int, int, Points]]:
    """Each voter and proposal, and what the voter's ballot comes to when it has no opinion of that proposal."""
    for voter in sorted(count.matrix.points):
        weights = count.weights_of(voter)
        for proposal in sorted(weights):
            others = {each: weight for each, weight in weights.items() if each != proposal}
            yield voter, proposal, points(others, rule=count.matrix.rule)


class _Search:
    """Sets of ballots by size, then, where there are too many, ballot after ballot by what helps most."""

    def __init__(self, poll: Poll, over: frozenset[int]) -> None:
        self.poll, self.over = poll, over
        self.count = len(poll.voters)

    def run(self) -> Flip:
        sets_left = MOST_SETS
        for size in range(1, self.count + 1):
            sets_left -= math.comb(self.count, size)
            if sets_left < 0:
                return self._greedily(tried=size - 1)
            for hand in self._hands(self.poll.whole(), size=size):
                if self._is_flip(hand):
                    return self._flip(hand, exact=True, tried=size - 1)
        return Flip(None, None, True, self.count)

    def _hands(self, hand: Hand, *, size: int, first: int = 0) -> Iterator[Hand]:
        """Without each `size` of the ballots from the `first` on, in order."""
        for ballot in range(first, self.count - size + 1):
            left = self.poll.minus(hand, ballot)
            if size == 1:
                yield left
            else:
                yield from self._hands(left, size=size - 1, first=ballot + 1)

    def _is_flip(self, hand: Hand) -> bool:
        winner = self.poll.winner(hand)
        return winner is not None and winner not in self.over

    def _flip(self, hand: Hand, *, exact: bool, tried: int) -> Flip:
        gone = tuple(voter for n, voter in enumerate(self.poll.voters) if not hand.present >> n & 1)
        return Flip(gone, self.poll.winner(hand), exact, tried)

    def _greedily(self, *, tried: int) -> Flip:
        hand = self.poll.whole()
        while hand.present:
            rest = [self.poll.minus(hand, n) for n in range(self.count) if hand.present >> n & 1]
            hand = max(rest, key=self._lead)
            if self._is_flip(hand):
                return self._flip(hand, exact=False, tried=tried)
        return Flip(None, None, False, tried)

    def _lead(self, hand: Hand) -> tuple[float, int]:
        return self.poll.lead(hand, over=self.over)
