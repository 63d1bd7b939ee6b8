"""Ballots and quadratic voting: protocol.md 3."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.ballots import (
    BallotRefused,
    check_person,
    clean,
    influence,
    points,
    weight_of_votes,
)
from deliberation.protocol.types import Ballot
from tests.protocol.rounds import LAWS

AUTHORS = {1: 1, 2: 2, 3: 3}
QUADRATIC = ("quadratic", "quadratic_sdk", "quadratic_unsigned")


def q(weights: dict[int, float], rule: str) -> dict[int, float]:
    exact = {proposal: Fraction(repr(weight)) for proposal, weight in weights.items()}
    return {proposal: influence(f, rule=rule) for proposal, f in points(exact, rule=rule).items()}


def test_the_vectors_of_the_protocol() -> None:
    for rule in QUADRATIC:
        assert q({1: 80, 2: 20}, rule) == pytest.approx({1: 0.8944, 2: 0.4472}, abs=5e-5)
        assert q({1: 0, 2: 0}, rule) == {1: 0, 2: 0}
    assert q({1: 1, 2: -1}, "quadratic_sdk") == pytest.approx({1: 0.7071, 2: -0.7071}, abs=5e-5)
    assert q({1: 1, 2: -1}, "quadratic") == pytest.approx({1: 0.1, 2: -0.1})
    assert q({1: 1, 2: -1}, "quadratic_unsigned") == pytest.approx({1: 0.1, 2: 0})


def test_a_lukewarm_ballot_stays_small_and_a_spent_one_equals_the_sdk() -> None:
    assert q({1: 25}, "quadratic") == {1: 0.5}
    assert q({1: 25}, "quadratic_sdk") == {1: 1.0}
    assert q({1: 60, 2: -40}, "quadratic") == q({1: 60, 2: -40}, "quadratic_sdk")
    assert q({1: 100, 2: 100}, "quadratic") == q({1: 100, 2: 100}, "quadratic_sdk")


def test_weights_too_small_to_count_are_zero_in_the_sdk_rule() -> None:
    assert q({1: 5e-10, 2: -4e-10}, "quadratic_sdk") == {1: 0, 2: 0}
    assert q({1: 6e-10, 2: -6e-10}, "quadratic_sdk") == pytest.approx({1: math.sqrt(0.5), 2: -math.sqrt(0.5)})


def test_unsigned_clamps_what_is_against_and_scales_what_is_over() -> None:
    assert q({1: 100, 2: 100, 3: -50}, "quadratic_unsigned") == pytest.approx(
        {1: math.sqrt(0.5), 2: math.sqrt(0.5), 3: 0}
    )


def test_comparators_turn_weights_into_points() -> None:
    weights = {1: 50.0, 2: -50.0, 3: 50.0}
    assert q(weights, "mean_score") == {1: 0.5, 2: -0.5, 3: 0.5}
    assert q(weights, "linear") == pytest.approx({1: 1 / 3, 2: -1 / 3, 3: 1 / 3})
    assert q(weights, "plurality") == {1: 0.5, 2: 0, 3: 0.5}
    assert q(weights, "approval") == {1: 1, 2: 0, 3: 1}
    assert q(weights, "borda") == {1: 0.5, 2: -1, 3: 0.5}
    assert q({1: 7}, "borda") == {1: 0}


@LAWS
@given(st.dictionaries(st.integers(1, 6), st.floats(-100, 100), max_size=6), st.sampled_from(QUADRATIC))
def test_influence_never_costs_more_than_the_credits(weights: dict[int, float], rule: str) -> None:
    found = q(weights, rule)
    assert all(-1 <= each <= 1 for each in found.values())
    assert math.fsum(100 * each * each for each in found.values()) <= 100 * (1 + 1e-12)


@pytest.mark.parametrize(
    ("weight", "kind"),
    [
        (math.nan, "not_a_number"),
        (math.inf, "not_a_number"),
        (True, "not_a_number"),
        ("80", "not_a_number"),
        ([80], "not_a_number"),
        (10**400, "not_a_number"),
        (101, "clamped"),
        (-1e300, "clamped"),
    ],
)
def test_hostile_weights_are_dropped_or_clamped_and_noted(weight: object, kind: str) -> None:
    kept, notes = clean(Ballot(1, {2: weight, 3: 5}), authors=AUTHORS)  # type: ignore[dict-item]
    assert [(note.kind, note.voter, note.proposal) for note in notes] == [(kind, 1, 2)]
    clamped = {2: Fraction(100 if weight == 101 else -100)} if kind == "clamped" else {}
    assert kept == {**clamped, 3: Fraction(5)}


def test_own_and_unknown_proposals_are_dropped_and_a_null_is_no_opinion() -> None:
    kept, notes = clean(Ballot(1, {1: 100, 9: 50, 2: None, 3: 0}), authors=AUTHORS)
    assert kept == {3: 0}
    assert {note.kind for note in notes} == {"own_proposal", "unknown_proposal"}


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        ({2: 64, 3: -49}, "spends 113 credits"),
        ({2: 101}, "from -100 to 100"),
        ({1: 4}, "own proposal"),
        ({9: 4}, "not in this round"),
        ({2: math.nan}, "finite number"),
    ],
)
def test_a_person_is_refused_with_the_reason(weights: dict[int, float], reason: str) -> None:
    with pytest.raises(BallotRefused, match=reason):
        check_person(Ballot(1, weights), authors=AUTHORS)


def test_a_person_may_spend_all_credits_in_whole_votes() -> None:
    weights = {2: weight_of_votes(8), 3: weight_of_votes(-6)}
    check_person(Ballot(1, weights), authors=AUTHORS)
    assert weights == {2: 64.0, 3: -36.0}
    assert q(weights, "quadratic") == pytest.approx({2: 0.8, 3: -0.6})
    assert weight_of_votes(0) == 0.0
