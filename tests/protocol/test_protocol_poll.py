"""A poll, which counts any of a round's ballots in whole numbers, against the tally that is made of those alone."""

from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deliberation.protocol.comparators import aggregate_of
from deliberation.protocol.contest import Contest, Scores
from deliberation.protocol.flips import smallest_flip
from deliberation.protocol.leaving_out import Count
from deliberation.protocol.matrix import Matrix, eligible
from deliberation.protocol.poll import Poll
from deliberation.protocol.poll_rules import Hand
from deliberation.protocol.rules import RULES
from deliberation.protocol.sheet import Scale
from deliberation.protocol.types import RoundInput, Rules, Veto
from tests.protocol.rounds import LAWS, a_round, rounds

COUNTED = [rule for rule in RULES if rule != "majority_answer"]
# Sums of roots that are equal though their terms are not: 1 + 9 as votes are 4 + 4, the square roots 1 + 3 and 2 + 2.
SQUARES = st.sampled_from([0.0, 1.0, 4.0, 9.0, 25.0, -1.0, -4.0])
# Nearer to each other than floats can tell.
NEAR = st.sampled_from([50.0, 50.00000000000001, 12.5, 12.500000000000002, 0.0])
FEW = settings(LAWS, max_examples=max(LAWS.max_examples // 3, 1))
crowds = st.one_of(
    rounds(least=3, most=7), rounds(least=4, most=7, weights=SQUARES), rounds(least=4, most=7, weights=NEAR)
)


def left(matrix: Matrix, gone: Collection[int]) -> Matrix:
    points = {voter: given for voter, given in matrix.points.items() if voter not in gone}
    return replace(matrix, points=points)


def winner(count: Count, gone: Collection[int], *, but: Collection[int] = ()) -> int | None:
    """By the exact aggregates and the contest that a tally is made of."""
    matrix = left(count.matrix, gone)
    aggregate = aggregate_of(matrix.rule)
    support = {each: aggregate(matrix, each) for each in matrix.authors}
    contest: Contest = replace(count.contest, matrix=matrix)
    candidates = [each for each in eligible(matrix) if each not in but]
    return contest.decide(candidates, Scores.of(support)).winner


def hand_without(poll: Poll, gone: Collection[int]) -> Hand:
    hand = poll.whole()
    for ballot, voter in enumerate(poll.voters):
        hand = poll.minus(hand, ballot) if voter in gone else hand
    return hand


@pytest.mark.parametrize("rule", COUNTED)
@FEW
@given(inputs=crowds, by=st.sampled_from(["proposal", "class"]), data=st.data())
def test_with_any_of_the_ballots_the_same_one_wins(
    rule: str, inputs: RoundInput, by: str, data: st.DataObject
) -> None:
    veto = Veto("proposal", data.draw(st.integers(1, 9)), 1)
    count = Count.of(replace(inputs, vetoes=(veto,)), Rules(rule=rule, winner_by=by))
    poll = count.poll()
    for gone in data.draw(st.lists(st.sets(st.sampled_from(range(1, 8))), min_size=3, max_size=3)):
        hand = hand_without(poll, gone)
        assert poll.winner(hand) == winner(count, gone)
        assert poll.winner(hand, but={1, 2}) == winner(count, gone, but={1, 2})
        for proposal in count.matrix.authors:
            then = aggregate_of(rule)(left(count.matrix, gone), proposal)
            found = poll.net_support(hand, proposal=proposal)
            assert (found and found.value()) == (then and then.value())


@pytest.mark.parametrize("rule", COUNTED)
@FEW
@given(inputs=crowds, by=st.sampled_from(["proposal", "class"]))
def test_the_smallest_flip_of_up_to_seven_is_the_first_of_all_sets(
    rule: str, inputs: RoundInput, by: str
) -> None:
    rules = Rules(rule=rule, winner_by=by)
    count = Count.of(inputs, rules)
    found = smallest_flip(count)
    first = winner(count, ())
    if first is None:
        assert found is None
        return
    voters = sorted(count.matrix.points)
    sets = (each for size in range(1, len(voters) + 1) for each in combinations(voters, size))
    flips = ((each, then) for each in sets if (then := winner(count, each)) not in (first, None))
    assert found is not None and found.exact
    assert (found.ballots, found.winner) == next(flips, (None, None))


def test_what_floats_cannot_tell_is_told() -> None:
    inputs = a_round({3: {1: 50.0, 2: 50.00000000000001}, 4: {1: 50.0, 2: 50.0}}, seats=4)
    for rule in ("quadratic", "linear", "median"):
        poll = Count.of(inputs, Rules(rule=rule)).poll()
        assert poll.winner(poll.whole()) == 2


def test_a_tie_is_one_though_its_roots_differ() -> None:
    """.2 - .4 - .6 = .2 - .5 - .5, but near values differ: the higher minimum decides, and they do not."""
    inputs = a_round({3: {1: -16.0, 2: -25.0}, 4: {1: -36.0, 2: -25.0}, 5: {1: 4.0, 2: 4.0}}, seats=5)
    poll = Count.of(inputs, Rules()).poll()
    hand = poll.whole()
    near = poll.support.near(hand)
    assert near[0] > near[1]
    assert poll.winner(hand) == 2


def test_equal_sums_of_different_roots_are_equal() -> None:
    values = [Fraction(each) for each in (1, 4, 9, 2, 8, 18)]
    scale = Scale.of([dict(enumerate(values))], rule="quadratic")
    rank = {int(value): rank for rank, value in enumerate(scale.values)}
    pairs = [[((rank[one], 1), (rank[other], 1))] for one, other in ((1, 9), (4, 4), (2, 18), (8, 8))]
    whole, same, other, as_other = (scale.total(each) for each in pairs)
    assert whole == same and other == as_other and whole != other
    assert whole.value() == 2.0
