"""The smallest change that flips a winner, against the count of every set there is; a bound says that it is one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol import flips
from deliberation.protocol.flips import Flip, pivotal_votes, smallest_flip
from deliberation.protocol.leaving_out import leave_one_out
from deliberation.protocol.matrix import class_of
from deliberation.protocol.rules import RULES
from deliberation.protocol.tally import tally
from deliberation.protocol.types import RoundInput, Rules, Tally, Veto
from deliberation.protocol.what_if import Change, Recorded, recount
from tests.protocol.rounds import LAWS, a_round, rounds

MODES = [Rules(rule=rule, winner_by=by) for rule in RULES for by in ("proposal", "class")]
PLAIN = st.sampled_from([0.0, 10.0, -10.0, 40.0, 90.0])  # ties are frequent


def without(inputs: RoundInput, voters: tuple[int, ...], rules: Rules) -> Tally:
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
    found = smallest_flip(inputs, rules)
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
    found = smallest_flip(inputs, rules, over=same)
    assert found is not None and found.exact
    assert (found.ballots, found.winner) == next(flipping(inputs, rules, {*same}), (None, None))


@LAWS
@given(rounds(least=3), st.sampled_from(MODES))
def test_leaving_one_out_is_striking_its_ballot(inputs: RoundInput, rules: Rules) -> None:
    whole = tally(inputs, rules)
    if whole.winner is None:
        return
    found = leave_one_out(inputs, rules, proposal=whole.winner)
    assert [each.voter for each in found] == sorted(whole.influence)
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
    found = pivotal_votes(inputs, rules)
    assert found is not None
    assert [(each.voter, each.proposal, each.winner) for each in found] == (expected if whole.winner else [])


def test_one_ballot_by_hand() -> None:
    inputs = a_round({1: {2: 10, 3: 0}, 2: {1: 30, 3: 0}, 3: {1: 0, 2: 60}})
    assert tally(inputs, Rules()).winner == 2
    assert smallest_flip(inputs, Rules()) == Flip((3,), 1, True, 0)


def test_where_all_agree_no_set_of_ballots_flips_it() -> None:
    inputs = a_round({2: {1: 90}, 3: {1: 80}})
    assert smallest_flip(inputs, Rules()) == Flip(None, None, True, 2)


def crowd(seats: int) -> RoundInput:
    """All but the first two are for 1, and a little for 2."""
    return a_round({voter: {1: 80, 2: 20} for voter in range(3, seats + 1)}, seats=seats)


def test_twelve_ballots_are_searched_through() -> None:
    found = smallest_flip(crowd(14), Rules())
    assert found == Flip(None, None, True, 12)


def test_beyond_that_it_is_a_bound_and_says_so() -> None:
    found = smallest_flip(crowd(22), Rules())
    assert found == Flip(None, None, False, 3)  # 20 + 190 + 1140 sets; those of four are too many
    mixed = a_round(
        {voter: {1: 80, 2: 20} if voter < 13 else {1: 20, 2: 80} for voter in range(3, 21)}, seats=20
    )
    bound = smallest_flip(mixed, Rules())
    assert bound is not None and bound.ballots is not None
    assert without(mixed, bound.ballots, Rules()).winner == bound.winner == 2
    assert (bound.exact, bound.tried) == (True, 2)
    far = a_round({voter: {1: 80, 2: 20} if voter < 17 else {2: 80} for voter in range(3, 21)}, seats=20)
    bound = smallest_flip(far, Rules())
    assert bound is not None and bound.ballots is not None and not bound.exact
    assert len(bound.ballots) > bound.tried == 4
    assert without(far, bound.ballots, Rules()).winner == bound.winner


@pytest.mark.parametrize("rule", ["median", "copeland"])
def test_a_rule_that_is_no_mean_is_counted_up_to_a_limit(rule: str) -> None:
    assert smallest_flip(crowd(8), Rules(rule=rule)) == Flip(None, None, True, 6)
    assert smallest_flip(crowd(12), Rules(rule=rule)) == Flip(None, None, False, 2)


def test_ties_beyond_the_limit_make_it_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    even = a_round({voter: {1: 50, 2: 50} for voter in range(3, 9)}, seats=8)
    assert smallest_flip(even, Rules()) == Flip(None, None, True, 6)
    monkeypatch.setattr(flips, "MOST_TIES", 5)
    found = smallest_flip(even, Rules())
    assert found is not None and not found.exact and found.tried == 0


def test_many_votes_under_a_slow_rule_are_not_counted() -> None:
    everybody = {
        voter: {each: 9.0 * each for each in range(1, 11) if each != voter} for voter in range(1, 11)
    }
    assert pivotal_votes(a_round(everybody, seats=10), Rules(rule="copeland")) is None
    assert pivotal_votes(a_round(everybody, seats=10), Rules()) is not None
