"""A round counted without some of its ballots (protocol.md 4), and what each voter makes of it.

Counted as the tally counts, but for what is left out; eligibility is asked anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from deliberation.protocol.ballots import Weights, clean
from deliberation.protocol.contest import Contest
from deliberation.protocol.equivalence import classes_of
from deliberation.protocol.matrix import Matrix, ballots_needed, build, class_of
from deliberation.protocol.poll import Poll, Spare
from deliberation.protocol.poll_rules import Hand
from deliberation.protocol.types import RoundInput, Rules


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
    contest: Contest

    @classmethod
    def of(cls, inputs: RoundInput, rules: Rules) -> Count:
        rules = rules.for_panel_of_one() if inputs.panel_of_one else rules
        matrix = build(inputs, rules)
        classes = classes_of(matrix.proposals.values(), kind=rules.equivalence)
        return cls(inputs, Contest(matrix, classes, rules.winner_by == "class", inputs.secret, inputs.number))

    @property
    def matrix(self) -> Matrix:
        return self.contest.matrix

    @property
    def uses_ballots(self) -> bool:
        return self.matrix.rule != "majority_answer"

    @property
    def standing(self) -> Sequence[int]:
        """The proposals that are not vetoed."""
        return [each for each in self.matrix.authors if each not in self.matrix.vetoed]

    def poll(self, *, spare: Sequence[Spare] = ()) -> Poll:
        return Poll.of(self.contest, standing=self.standing, needed=ballots_needed(self.matrix), spare=spare)

    def weights_of(self, voter: int) -> Weights:
        """What counts of the ballot of this voter."""
        ballot = next(each for each in self.inputs.ballots if each.voter == voter)
        return clean(ballot, authors=self.matrix.authors)[0]


def leave_one_out(count: Count, *, proposal: int) -> tuple[Influence, ...]:
    """For each voter whose ballot counts: what `proposal` has without it. None where the rule uses no ballots."""
    if not count.uses_ballots:
        return ()
    poll = count.poll()
    whole, same = poll.whole(), class_of(count.contest.classes, proposal).members
    return tuple(
        _influence(poll, poll.minus(whole, ballot), voter=voter, proposal=proposal, same=same)
        for ballot, voter in enumerate(poll.voters)
    )


def _influence(poll: Poll, hand: Hand, *, voter: int, proposal: int, same: Collection[int]) -> Influence:
    """Of the ballot of `voter`, which is not in the hand. same: the proposals with the answer of this one."""
    own, rival = poll.net_support(hand, proposal=proposal), poll.winner(hand, but=same)
    margin = None
    if own is not None and rival is not None:
        ahead, behind = (poll.standing_of(hand, proposal=each) for each in (proposal, rival))
        margin = ahead.minus(behind).value()
    return Influence(voter, None if own is None else own.value(), margin, poll.winner(hand))
