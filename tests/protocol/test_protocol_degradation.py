"""Could the lost ballots have flipped it? Against brute force over a grid of ballots (protocol.md 7)."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliberation.protocol.degradation import could_flip, lost_ballots, lost_proposals
from deliberation.protocol.round import close_round
from deliberation.protocol.tally import tally
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, Rules, Veto
from deliberation.protocol.verdict import conclude
from tests.protocol.rounds import LAWS, a_round

GRID = sorted(
    {sign * 100 * f for f in (0, 0.04, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.96, 1) for sign in (1, -1)}
)


def ballots_of(voter: int, inputs: RoundInput) -> Iterator[Ballot]:
    """Every ballot on the grid within the credits, weights left out included."""
    others = [each.id for each in inputs.proposals if each.author != voter]
    for weights in itertools.product([None, *GRID], repeat=len(others)):
        if sum(abs(each) for each in weights if each is not None) <= 100:
            yield Ballot(voter, dict(zip(others, weights, strict=True)))


def flipped_by_some(inputs: RoundInput, lost: tuple[int, ...], rules: Rules) -> bool:
    """Brute force: whether any ballots on the grid change the winner (or the winning class)."""
    before = tally(inputs, rules)
    same = {before.winner}
    if rules.winner_by == "class":
        same = {each for group in before.classes if before.winner in group.members for each in group.members}
    for more in itertools.product(*(list(ballots_of(voter, inputs)) for voter in lost)):
        if tally(replace(inputs, ballots=(*inputs.ballots, *more)), rules).winner not in same:
            return True
    return False


def lost_one(weights: dict[int, dict[int, float]], **more: object) -> RoundInput:
    """Four seats, the fourth without ballot or proposal."""
    made = tuple(Proposal(seat, seat, str(seat)) for seat in (1, 2))
    return a_round(weights, seats=3, proposals=made, **more)


def test_who_is_lost() -> None:
    people = (
        Participant(1),
        Participant(2),
        Participant(3),
        Participant(4, "human"),
        Participant(5, "human"),
    )
    made = (Proposal(1, 1), Proposal(2, 2), Proposal(4, 4))
    inputs = a_round({1: {2: 9}, 2: {1: 9}}, participants=people, proposals=made, required=(5,))
    assert lost_ballots(inputs, tally(inputs, Rules())) == (3, 5)
    assert lost_proposals(inputs) == (3,)
    struck = replace(inputs, vetoes=(Veto("ballot", 2, 1),))
    assert lost_ballots(struck, tally(struck, Rules())) == (3, 5)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({1: {2: 100}, 2: {1: 1}}, True),  # 1.0 over .1: half against one, half for the other passes it
        ({1: {2: 100}, 2: {1: -100}}, False),  # 1.0 over -1.0: 2 sqrt(1/2) of influence is less than 2
        ({1: {2: 4}, 2: {1: 1}}, True),
    ],
)
def test_what_one_lost_ballot_can_bridge(weights: dict[int, dict[int, float]], expected: bool) -> None:
    inputs = lost_one(weights)
    assert could_flip(inputs, tally(inputs, Rules()), rules=Rules()) is expected
    assert flipped_by_some(inputs, (3,), Rules()) is expected


def test_a_margin_that_one_ballot_cannot_bridge() -> None:
    weights = {seat: {1: 81, 2: -16} for seat in range(3, 9)}
    inputs = a_round(weights, seats=9, proposals=(Proposal(1, 1), Proposal(2, 2)))
    lost = lost_ballots(inputs, tally(inputs, Rules()))
    assert lost == (1, 2, 9)
    assert could_flip(inputs, tally(inputs, Rules()), rules=Rules()) is False
    assert could_flip(inputs, tally(inputs, Rules(rule="borda")), rules=Rules(rule="borda")) is None


def test_nothing_lost_flips_nothing() -> None:
    inputs = a_round({1: {2: 1, 3: 2}, 2: {1: 1, 3: 2}, 3: {1: 1, 2: 2}})
    assert could_flip(inputs, tally(inputs, Rules()), rules=Rules()) is False
    assert close_round(inputs, Rules(), []).degradation.could_flip is False


def test_lost_ballots_may_make_a_proposal_eligible() -> None:
    made = tuple(Proposal(seat, seat) for seat in (1, 2))
    inputs = a_round({3: {1: 25}, 4: {2: 100}, 1: {2: 0}}, seats=5, proposals=made)
    assert tally(inputs, Rules()).eligible == (2,)
    assert could_flip(inputs, tally(inputs, Rules()), rules=Rules()) is True
    struck = replace(inputs, vetoes=(Veto("proposal", 1, 1),))
    assert could_flip(struck, tally(struck, Rules()), rules=Rules()) is False


def test_without_a_winner_a_lost_ballot_could_have_made_one() -> None:
    inputs = a_round({}, seats=2)
    assert could_flip(inputs, tally(inputs, Rules()), rules=Rules()) is True


coarse = st.sampled_from([-81.0, -36.0, -4.0, 0.0, 9.0, 25.0, 49.0, 100.0])
four_rules = st.sampled_from(["quadratic", "quadratic_sdk", "quadratic_unsigned", "linear"])


@st.composite
def degraded(draw: st.DrawFn) -> RoundInput:
    """Three proposals at most, some reviewers, one or two lost voters."""
    proposers = draw(st.integers(2, 3))
    made = tuple(Proposal(seat, seat, draw(st.sampled_from("xyz"))) for seat in range(1, proposers + 1))
    weights = {
        seat: {each.id: draw(coarse) for each in made if each.author != seat}
        for seat in range(1, 6)
        if draw(st.booleans())
    }
    last = draw(st.integers(4, 5))
    seated = tuple(
        Participant(seat, weight=draw(st.sampled_from([None, 0.5]))) for seat in range(1, last + 1)
    )
    return a_round(
        {seat: each for seat, each in weights.items() if seat <= last}, participants=seated, proposals=made
    )


@LAWS
@given(degraded(), four_rules, st.sampled_from(["proposal", "class"]))
def test_what_brute_force_flips_is_never_called_safe(inputs, rule, winner_by) -> None:
    rules = Rules(rule=rule, winner_by=winner_by)
    found = tally(inputs, rules)
    lost = lost_ballots(inputs, found)
    if not lost or len(lost) > 1 or found.winner is None:
        return
    if flipped_by_some(inputs, lost, rules):
        assert could_flip(inputs, found, rules=rules) is not False


def test_a_draw_at_best_is_unknown_since_a_tie_break_decides_it() -> None:
    """One ballot left out can lift the first proposal to exactly the net support of the second."""
    weights = {1: {2: 100.0, 3: 0.0}, 2: {1: 0.0, 3: 0.0}, 3: {1: 50.0, 2: 50.0}}
    seated = tuple(Participant(seat, weight=None if seat == 3 else 0.5) for seat in range(1, 5))
    inputs = a_round(weights, participants=seated, answers={1: "x", 2: "y", 3: "z"}, seats=3)
    rules = Rules(rule="quadratic_unsigned")
    assert tally(inputs, rules).winner == 2
    assert could_flip(inputs, tally(inputs, rules), rules=rules) is None


@settings(LAWS, max_examples=30)
@given(degraded(), four_rules)
def test_what_is_called_flippable_has_a_ballot_that_flips_it(inputs, rule) -> None:
    """A fine grid over the ways to weigh a rival and the winner holds a ballot that flips it."""
    rules = Rules(rule=rule)
    found = tally(inputs, rules)
    lost = lost_ballots(inputs, found)
    if not lost or len(lost) > 2 or found.winner is None or not could_flip(inputs, found, rules=rules):
        return
    splits = [(f, s) for f in [x / 40 for x in range(41)] for s in (1, -1)]
    choices = []
    for voter in lost:
        may = [each.id for each in inputs.proposals if each.author != voter]
        options = []
        for rival in [each.id for each in inputs.proposals if each.id != found.winner]:
            for f, _ in splits[::2]:
                weights = {rival: 100 * f, found.winner: -100 * (1 - f)}
                options += [
                    {each: w for each, w in weights.items() if each in may and each in only}
                    for only in ({rival}, {found.winner}, {rival, found.winner})
                ]
        choices.append([Ballot(voter, each) for each in _unique(options)])
    assert any(
        tally(replace(inputs, ballots=(*inputs.ballots, *more)), rules).winner != found.winner
        for more in itertools.product(*choices)
    )


def _unique(options: list[dict[int, float]]) -> list[dict[int, float]]:
    return [dict(each) for each in sorted({tuple(sorted(option.items())) for option in options})]


class TestOverRounds:
    """`final_rule: best` compares rounds, so ballots lost in one may have changed the choice among them."""

    def rounds(self, strong: float, weak: float, seats: int) -> list[RoundInput]:
        made = (Proposal(1, 1), Proposal(2, 2))
        full = {seat: {1: strong, 2: 0.0} for seat in range(3, 7)}
        less = {seat: {1: 0.0, 2: weak} for seat in range(3, 7)}
        return [
            a_round(full, seats=6, proposals=made, number=1, participants=self.seated(6)),
            a_round(less, seats=seats, proposals=made, number=2, participants=self.seated(seats)),
        ]

    def seated(self, seats: int) -> tuple[Participant, ...]:
        """Seats 1 and 2 propose and, being people, are not awaited as voters."""
        return tuple(Participant(seat, "human" if seat <= 2 else "model") for seat in range(1, seats + 1))

    def could_flip(self, inputs: list[RoundInput]) -> bool | None:
        history = []
        for each in inputs:
            history.append(close_round(each, Rules(), history))
        rounds = list(zip(inputs, history, strict=True))
        return conclude(rounds, rules=Rules(), vetoes=(), stop_reason="max_rounds").degradation.could_flip

    def test_a_ballot_lost_in_another_round_counts(self) -> None:
        assert self.could_flip(self.rounds(strong=49, weak=36, seats=6)) is False
        assert self.could_flip(self.rounds(strong=49, weak=36, seats=7)) is True

    def test_unless_it_could_not_have_bridged_the_scores(self) -> None:
        assert self.could_flip(self.rounds(strong=100, weak=4, seats=7)) is False


def samples(answers: dict[int, str | None], *, seats: int, secret: bytes) -> RoundInput:
    seated = tuple(Participant(seat, family="f") for seat in range(1, seats + 1))
    made = tuple(Proposal(seat, seat, answer) for seat, answer in answers.items())
    return a_round({}, participants=seated, proposals=made, panel_of_one=True, secret=secret)


@pytest.mark.parametrize(
    "answers",
    [{1: "x", 2: "x", 3: "x", 4: "y"}, {1: "x", 2: "x", 3: "y"}, {1: "x", 2: "x", 3: "x", 4: "x"}],
)
@pytest.mark.parametrize("secret", [bytes([n]) for n in range(4)])
def test_lost_samples_of_a_panel_of_one(answers: dict[int, str | None], secret: bytes) -> None:
    """Against giving the lost seats every answer; a draw falls to one side by the session's lot."""
    inputs = samples(answers, seats=6, secret=secret)
    found = tally(inputs, Rules())
    lost = lost_proposals(inputs)
    flips = False
    for more in itertools.product(["x", "y", "z"], repeat=len(lost)):
        other = tally(
            samples({**answers, **dict(zip(lost, more, strict=True))}, seats=6, secret=secret), Rules()
        )
        answer = {proposal: group.key for group in other.classes for proposal in group.members}[other.winner]
        flips |= answer != "x"
    assert could_flip(inputs, found, rules=Rules()) is flips
