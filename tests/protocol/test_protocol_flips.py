"""The smallest change that flips a winner, against the count of every set there is; a bound says that it is one."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.flips import Flip, pivotal_votes, smallest_flip
from deliberation.protocol.leaving_out import Count, leave_one_out
from deliberation.protocol.matrix import class_of
from deliberation.protocol.rules import RULES
from deliberation.protocol.tally import tally
from deliberation.protocol.types import Proposal, RoundInput, Rules, Tally, Veto
from deliberation.protocol.what_if import Change, Recorded, recount
from tests.protocol.rounds import LAWS, a_round, rounds

COUNTED = [rule for rule in RULES if rule != "majority_answer"]  # the rules that count ballots
MODES = [Rules(rule=rule, winner_by=by) for rule in RULES for by in ("proposal", "class")]
PLAIN = st.sampled_from([0.0, 10.0, -10.0, 40.0, 90.0])  # ties are frequent


def without(inputs: RoundInput, voters: Iterable[int], rules: Rules) -> Tally:
    """As close_round() counts it when these ballots are vetoed."""
    return tally(replace(inputs, vetoes=tuple(Veto("ballot", each, 1) for each in voters)), rules)


def flipping(inputs: RoundInput, rules: Rules, over: set[int]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Every set of ballots that makes another one win, the small sets first."""
    voters = sorted(tally(inputs, rules).influence)
    for size in range(1, len(voters) + 1):
        for each in combinations(voters, size):
            winner = without(inputs, each, rules).winner
            if winner is not None and winner not in over:
                yield each, winner


@LAWS
@given(st.one_of(rounds(), rounds(weights=PLAIN)), st.sampled_from(MODES))
def test_the_smallest_flip_is_that_of_brute_force(inputs: RoundInput, rules: Rules) -> None:
    whole = tally(inputs, rules)
    found = smallest_flip(Count.of(inputs, rules))
    if whole.winner is None:
        assert found is None
        return
    assert found is not None and found.exact
    ballots, winner = next(flipping(inputs, rules, {whole.winner}), (None, None))
    assert (found.ballots, found.winner) == (ballots, winner)


@LAWS
@given(rounds(weights=PLAIN), st.sampled_from(MODES))
def test_another_answer_is_looked_for_in_the_same_way(inputs: RoundInput, rules: Rules) -> None:
    whole = tally(inputs, rules)
    if whole.winner is None:
        return
    same = class_of(whole.classes, whole.winner).members
    found = smallest_flip(Count.of(inputs, rules), over=same)
    assert found is not None and found.exact
    assert (found.ballots, found.winner) == next(flipping(inputs, rules, {*same}), (None, None))


@LAWS
@given(rounds(least=3), st.sampled_from(MODES))
def test_leaving_one_out_is_striking_its_ballot(inputs: RoundInput, rules: Rules) -> None:
    whole = tally(inputs, rules)
    if whole.winner is None:
        return
    found = leave_one_out(Count.of(inputs, rules), proposal=whole.winner)
    assert [each.voter for each in found] == (sorted(whole.influence) if rules.rule in COUNTED else [])
    for each in found:
        then = without(inputs, (each.voter,), rules)
        assert (each.winner, each.net_support) == (then.winner, then.net_support[whole.winner])
        if then.winner == whole.winner:
            assert each.margin == then.margin


@LAWS
@given(st.one_of(rounds(), rounds(weights=PLAIN)), st.sampled_from(MODES))
def test_a_pivotal_vote_is_one_whose_striking_makes_another_win(inputs: RoundInput, rules: Rules) -> None:
    record = Recorded((inputs,), rules)
    whole = tally(inputs, rules)
    expected = []
    for voter, given_ in sorted(whole.influence.items()):
        for proposal in sorted(given_):
            change = Change(votes=frozenset({(1, voter, proposal)}))
            winner = recount(record, change).outcomes[1].tally.winner
            if winner not in (whole.winner, None):
                expected.append((voter, proposal, winner))
    found = pivotal_votes(Count.of(inputs, rules))
    assert [(each.voter, each.proposal, each.winner) for each in found] == (expected if whole.winner else [])


def test_one_ballot_by_hand() -> None:
    inputs = a_round({1: {2: 10, 3: 0}, 2: {1: 30, 3: 0}, 3: {1: 0, 2: 60}})
    assert tally(inputs, Rules()).winner == 2
    assert smallest_flip(Count.of(inputs, Rules())) == Flip((3,), 1, True, 0)


def test_where_all_agree_no_set_of_ballots_flips_it() -> None:
    inputs = a_round({2: {1: 90}, 3: {1: 80}})
    assert smallest_flip(Count.of(inputs, Rules())) == Flip(None, None, True, 2)


def crowd(voters: int, *, against: int = 0) -> RoundInput:
    """Votes on 1 and 2: the first `against` are for 2 alone, the rest for 1 and a little for 2."""
    first = range(3, 3 + against)
    return of_two({voter: {2: 80} if voter in first else {1: 80, 2: 20} for voter in range(3, 3 + voters)})


def of_two(ballots: dict[int, dict[int, float]]) -> RoundInput:
    """1 and 2 propose, all others only vote."""
    made = tuple(Proposal(seat, seat, f"answer {seat}") for seat in (1, 2))
    return a_round(ballots, seats=max(ballots), proposals=made)


@pytest.mark.parametrize("by", ["proposal", "class"])
@pytest.mark.parametrize("rule", COUNTED)
def test_twelve_ballots_are_searched_through(rule: str, by: str) -> None:
    found = smallest_flip(Count.of(crowd(12), Rules(rule=rule, winner_by=by)))
    assert found == Flip(None, None, True, 12)


@pytest.mark.parametrize("rule", COUNTED)
def test_twelve_who_tie_are_searched_through(rule: str) -> None:
    """Lots part 1 and 2 in every set."""
    even = of_two({voter: {1: 50, 2: 50} for voter in range(3, 15)})
    assert smallest_flip(Count.of(even, Rules(rule=rule))) == Flip(None, None, True, 12)


@pytest.mark.parametrize("rule", COUNTED)
def test_beyond_that_it_is_a_bound_and_says_so(rule: str) -> None:
    assert smallest_flip(Count.of(crowd(13), Rules(rule=rule))) == Flip(None, None, False, 6)
    assert smallest_flip(Count.of(crowd(20), Rules(rule=rule))) == Flip(
        None, None, False, 3
    )  # 4,845 sets of four: too many


@pytest.mark.parametrize("rule", ["quadratic", "median", "copeland", "borda"])
def test_a_bound_is_a_set_that_does_it(rule: str) -> None:
    rules, inputs = Rules(rule=rule), crowd(18, against=4)
    found = smallest_flip(Count.of(inputs, rules))
    assert found is not None and found.ballots is not None and not found.exact
    assert len(found.ballots) > found.tried == 4
    assert without(inputs, found.ballots, rules).winner == found.winner == 2


def test_a_small_set_among_many_ballots_is_exact() -> None:
    """Ten are for 1, eight for 2."""
    ballots = {voter: {1: 80, 2: 20} if voter < 13 else {1: 20, 2: 80} for voter in range(3, 21)}
    found = smallest_flip(Count.of(of_two(ballots), Rules()))
    assert found == Flip((3, 4, 5), 2, True, 2)
