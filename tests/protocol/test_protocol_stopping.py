"""The efficiency-fatigue law and the stop test (protocol.md 5)."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol import stopping
from deliberation.protocol.round import close_round, provisional_round
from deliberation.protocol.types import PRESETS, Law, Proposal, RoundInput, RoundOutcome, Rules, Spent, Veto
from tests.protocol.rounds import LAWS, a_round

TABLE = {
    "consumer": (
        [0.540, 0.649, 0.727, 0.781, 0.816, 0.834, 0.840, 0.835],
        [0.0925, 0.0651, 0.0434, 0.0259, 0.0117],
    ),
    "high_performance": (
        [0.727, 0.789, 0.834, 0.866, 0.886, 0.897, 0.900, 0.897],
        [0.0530, 0.0376, 0.0253, 0.0152, 0.0069],
    ),
}


@pytest.mark.parametrize("preset", TABLE)
def test_the_rows_of_the_presets(preset: str) -> None:
    utility, marginal = TABLE[preset]
    rows = stopping.utility_table(PRESETS[preset], rounds=7)
    assert [t for t, _, _ in rows] == list(range(8))
    assert [u for _, u, _ in rows] == pytest.approx(utility, abs=5e-4)
    assert [slope for _, _, slope in rows[1:6]] == pytest.approx(marginal, abs=5e-4)
    assert math.ceil(stopping.t_opt(PRESETS[preset]) or 0) == 6


laws = st.builds(Law, p_g=st.floats(0, 0.99), k=st.floats(0.01, 5), beta=st.floats(1e-6, 1))


@LAWS
@given(laws)
def test_t_opt_is_where_utility_is_highest(law: Law) -> None:
    best = stopping.t_opt(law)
    assert best is not None
    assert stopping.marginal(best, law) == pytest.approx(0, abs=1e-9)
    peak = stopping.utility(best, law)
    assert all(
        stopping.utility(best + step, law) <= peak + 1e-12
        for step in (-0.5, -0.01, 0.01, 0.5)
        if best + step > 0
    )


def test_without_gain_or_fatigue_there_is_no_such_point() -> None:
    assert stopping.t_opt(Law(0.5, 0.0, 0.01)) == stopping.t_opt(Law(0.5, -1.0, 0.01)) == 0
    assert stopping.t_opt(Law(1.0, 0.5, 0.01)) == 0
    assert stopping.t_opt(Law(0.5, 0.5, 0.0)) is None


def test_u_weighs_rounds_and_is_one_where_nothing_is_expected() -> None:
    law = PRESETS["consumer"]
    assert stopping.discount(6, law) == pytest.approx(1, abs=1e-4)
    assert stopping.discount(1, law) == pytest.approx(0.649 / 0.840, abs=1e-3)
    assert stopping.discount(3, Law(0.5, -0.1, 0.01)) == 1
    assert stopping.discount(3, Law(0.5, 0.5, 0.0)) == pytest.approx(1 - 0.5 * math.exp(-1.5))
    assert stopping.discount(90, Law(0.1, 0.5, 0.5)) == 1e-9
    assert stopping.discount(1, Law(0.0, 1e-200, 1.0)) == stopping.discount(1, Law(0.0, 1e-9, 1.0)) == 1


def test_a_session_without_expected_gain_needs_force() -> None:
    hopeless = Rules(preset="custom", k=-0.1)
    assert "k = -0.1" in (stopping.may_start(hopeless) or "")
    assert stopping.may_start(replace(hopeless, force=True)) is None
    assert stopping.may_start(Rules()) is None


def singletons(w: float, number: int, **more: object) -> RoundInput:
    """Two proposals with conviction `w`: support w' for one, the rest against it for none."""
    top, low = w, 1 - w
    weights = {3: {1: 100 * top * top, 2: 0.0}, 4: {1: 0.0, 2: 100 * low * low}}
    made = (Proposal(1, 1, f"a{number}"), Proposal(2, 2, f"b{number}"))
    return a_round(weights, seats=4, proposals=made, number=number, **more)


def played(inputs: list[RoundInput], rules: Rules) -> list[RoundOutcome]:
    """Rounds closed one after another until one stops or fails."""
    history: list[RoundOutcome] = []
    for each in inputs:
        history.append(close_round(each, rules, history))
        if history[-1].stop or history[-1].failure:
            break
    return history


FULL = Rules(equivalence="exact", weight_model=1.0)


@pytest.mark.parametrize(("w", "rounds"), [(0.6, 5), (0.7, 4), (0.8, 3), (1.0, 2)])
def test_a_constant_conviction_stops_at_the_round_of_the_protocol(w: float, rounds: int) -> None:
    """Coverage is 1/2 in these rounds, so the effort is halved to have the target of full coverage."""
    outcomes = played([singletons(w, n) for n in range(1, 7)], replace(FULL, effort=0.3))
    assert [outcome.evidence.conviction for outcome in outcomes] == pytest.approx([w] * rounds)
    assert outcomes[-1].evidence.target == pytest.approx(0.6 * outcomes[-1].evidence.budget)
    assert (len(outcomes), outcomes[-1].stop) == (rounds, "evidence")


def test_the_terms_of_the_evidence() -> None:
    first, second = played([singletons(0.7, n) for n in (1, 2)], FULL)
    assert first.evidence.gain == pytest.approx(0.7 * 0.0925, abs=1e-4)
    assert second.evidence.total == pytest.approx(0.7 * (0.0925 + 0.0651), abs=1e-4)
    assert first.evidence.budget == pytest.approx(sum(TABLE["consumer"][1]), abs=1e-3)
    assert first.evidence.target == first.evidence.budget  # coverage 1/2: effort / coverage is over 1
    assert first.evidence.utility == pytest.approx(0.649, abs=5e-4)


def test_a_round_without_ballots_gains_nothing_and_goes_on() -> None:
    silent = replace(singletons(1.0, 1), ballots=())
    (outcome,) = played([silent], FULL)
    assert (outcome.stop, outcome.failure) == (None, None)
    assert (outcome.evidence.gain, outcome.evidence.target) == (0.0, outcome.evidence.budget)


def test_conviction_against_is_no_evidence() -> None:
    against = a_round({3: {1: -50.0}, 4: {1: -50.0}}, seats=4, proposals=(Proposal(1, 1), Proposal(2, 2)))
    (outcome,) = played([against], FULL)
    assert outcome.evidence.conviction == -1.0
    assert outcome.evidence.gain == 0.0


def reason(rules: Rules, *inputs: RoundInput) -> str | None:
    return played(list(inputs), rules)[-1].stop


def test_hard_stops() -> None:
    calm = [singletons(0.5, n) for n in range(1, 9)]
    careful = replace(FULL, effort=1.0)
    assert reason(careful, *calm) == "t_opt"  # six rounds and T_opt 6: the one that the protocol names first
    assert reason(replace(careful, max_rounds=3), *calm) == "max_rounds"
    assert reason(replace(careful, max_rounds=1), *calm) == "max_rounds"
    early = replace(careful, preset="custom", beta=0.03)
    assert math.ceil(stopping.t_opt(early.law) or 0) == 2
    assert reason(early, *calm[:2]) == "t_opt"
    one = replace(singletons(0.5, 1), spent=Spent(cost_usd=0.5, tokens=1000, seconds=120.0))
    assert reason(replace(careful, max_cost_usd=0.5), one) == "money"
    assert reason(replace(careful, max_tokens=1000), one) == "tokens"
    assert reason(replace(careful, max_minutes=2.0), one) == "time"
    assert reason(replace(careful, max_cost_usd=0.51, max_tokens=1001, max_minutes=2.1), one) is None
    assert reason(careful, replace(one, stop_requested=True)) == "person"


def test_one_more_round_puts_off_what_the_rules_say_and_no_cap_and_no_stop() -> None:
    rules = Rules(max_rounds=1, max_tokens=10)
    last = replace(singletons(1.0, 1), more_requested=True)
    assert reason(rules, last) is None
    assert reason(replace(rules, k=0.0, force=True), last) is None
    assert reason(rules, replace(last, spent=Spent(tokens=10))) == "tokens"
    assert reason(rules, replace(last, stop_requested=True)) == "person"
    assert reason(rules, replace(last, panel_of_one=True)) is not None
    assert reason(rules, replace(last, more_requested=False)) is not None


def test_an_unknown_cost_stops_nothing() -> None:
    assert reason(replace(FULL, effort=1.0, max_cost_usd=0.01, max_tokens=1), singletons(0.5, 1)) is None


def test_one_forced_round_where_no_gain_is_expected() -> None:
    hopeless = replace(FULL, preset="custom", k=-0.1, force=True)
    (outcome,) = played([singletons(1.0, 1)], hopeless)
    assert (outcome.stop, outcome.evidence.t_opt) == ("no_expected_gain", 0.0)


def agreed(number: int, answer: str = "7") -> RoundInput:
    return a_round({1: {2: 100}, 2: {1: 100}}, seats=2, number=number, answers={1: answer, 2: answer})


def test_two_rounds_without_a_new_class_and_full_conviction_settle_it() -> None:
    slow = replace(FULL, effort=1.0)
    outcomes = played([agreed(n) for n in range(1, 7)], slow)
    assert [outcome.diagnostics.new_classes for outcome in outcomes] == [1, 0, 0]
    assert outcomes[-1].stop == "settled"
    changed = played([agreed(1), agreed(2, "8"), agreed(3), agreed(4), agreed(5)], slow)
    assert (len(changed), changed[-1].stop) == (4, "settled")


def test_open_answers_never_settle() -> None:
    open_tasks = [replace(agreed(n), proposals=(Proposal(1, 1), Proposal(2, 2))) for n in range(1, 7)]
    assert played(open_tasks, replace(FULL, effort=1.0))[-1].stop == "t_opt"


def test_failures() -> None:
    last = replace(FULL, max_rounds=1)
    alone = replace(singletons(1.0, 1), proposals=(Proposal(1, 1),))
    assert played([alone], FULL)[-1].failure == "no_proposals"
    silent = replace(singletons(1.0, 1), ballots=())
    assert played([silent], last)[-1].failure == "no_ballots"
    assert played([silent], last)[-1].stop is None
    struck = replace(singletons(1.0, 1), vetoes=(Veto("proposal", 1, 1), Veto("proposal", 2, 1)))
    assert played([struck], last)[-1].failure == "no_eligible_proposal"
    assert played([struck], FULL)[-1].failure is None  # not the last round


def test_a_person_who_stops_after_a_tally_with_a_winner_gets_a_verdict() -> None:
    silent = replace(singletons(1.0, 2), ballots=(), stop_requested=True)
    assert played([singletons(0.5, 1), silent], replace(FULL, effort=1.0))[-1].stop == "person"
    assert played([replace(silent, number=1)], FULL)[-1].failure == "no_ballots"


def test_a_panel_of_one_has_one_round() -> None:
    inputs = replace(singletons(0.5, 1), ballots=(), panel_of_one=True)
    outcome = close_round(inputs, FULL, [])
    assert (outcome.stop, outcome.failure, outcome.tally.conviction) == ("max_rounds", None, 0.5)
    single = replace(inputs, participants=inputs.participants[:1], proposals=inputs.proposals[:1])
    assert close_round(single, FULL, []).failure is None
    assert close_round(replace(single, proposals=()), FULL, []).failure == "no_proposals"


def test_a_provisional_round_is_the_same_without_the_stop_test() -> None:
    inputs = singletons(1.0, 1, stop_requested=True)
    closed, provisional = close_round(inputs, FULL, []), provisional_round(inputs, FULL, [])
    assert (closed.stop, provisional.stop, provisional.provisional) == ("person", None, True)
    assert replace(provisional, provisional=False) == replace(closed, stop=None)
