"""What each ballot did, read off a tally, agrees with the tally and with a count that is made without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.comparators import is_mean
from deliberation.protocol.influence import credits_of, moves, share_of, without
from deliberation.protocol.leaving_out import Count, leave_one_out
from deliberation.protocol.rules import RULES
from deliberation.protocol.tally import tally
from deliberation.protocol.types import RoundInput, Rules
from tests.protocol.rounds import LAWS, rounds


@LAWS
@given(rounds(least=3), st.sampled_from([Rules(rule=rule) for rule in RULES]))
def test_the_parts_of_a_net_support_add_up_to_it(inputs: RoundInput, rules: Rules) -> None:
    found = tally(inputs, rules)
    for proposal, support in found.net_support.items():
        parts = [moves(found, voter, proposal) for voter in found.influence]
        if is_mean(found.rule) and support is not None:
            assert sum(part for part in parts if part is not None) == pytest.approx(support)
        else:
            assert parts == [None] * len(parts)


@LAWS
@given(rounds(least=3), st.sampled_from([Rules(rule=rule) for rule in RULES]))
def test_without_a_ballot_it_is_what_a_count_without_it_says(inputs: RoundInput, rules: Rules) -> None:
    found, count = tally(inputs, rules), Count.of(inputs, rules)
    for proposal in found.net_support:
        for left in leave_one_out(count, proposal=proposal):
            if is_mean(found.rule) and left.voter != proposal:
                assert without(found, left.voter, proposal) == pytest.approx(left.net_support)


@LAWS
@given(rounds(least=3))
def test_the_shares_add_up_to_one(inputs: RoundInput) -> None:
    found = tally(inputs, Rules())
    shares = [share for voter in found.influence if (share := share_of(found, voter)) is not None]
    assert not shares or sum(shares) == pytest.approx(1)


def test_influence_costs_its_square_where_it_is_sold_for_that() -> None:
    assert credits_of((0.6, -0.8), rule="quadratic") == pytest.approx(100)
    assert credits_of((0.6,), rule="linear") is None
