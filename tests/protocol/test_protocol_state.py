"""The consensus state and the forget gate (protocol.md 6)."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.holdings import claim_status
from deliberation.protocol.round import close_round
from deliberation.protocol.state import active_guidance, claim_id, unvetoed
from deliberation.protocol.types import (
    Claim,
    Guidance,
    Proposal,
    RoundInput,
    RoundOutcome,
    Rules,
    StateItem,
    Veto,
)
from tests.protocol.rounds import LAWS, a_round, judged, with_claims

WEIGHTS = {1: {2: 36, 3: -16}, 2: {1: 64, 3: 4}, 3: {1: 64, 2: 16}}
ANSWERS = {1: "x", 2: "y", 3: "z"}
WATER = Claim(claim_id("Water is wet."), "Water is wet.")


def base(number: int = 1, **more: object) -> RoundInput:
    return a_round(WEIGHTS, answers=ANSWERS, number=number, **more)


def contested(number: int = 1, **more: object) -> RoundInput:
    inputs = base(number, claim_verdicts=judged(WATER, 1, s2="verified", s3="refuted"), **more)
    return replace(inputs, proposals=with_claims(inputs, {1: (WATER,)}))


def silent(number: int, **more: object) -> RoundInput:
    """A round that supports nothing of the rounds before."""
    made = tuple(Proposal(seat, seat, f"other {number}{seat}") for seat in (1, 2, 3))
    return a_round({}, proposals=made, number=number, **more)


def played(inputs: list[RoundInput], rules: Rules) -> list[RoundOutcome]:
    history: list[RoundOutcome] = []
    for each in inputs:
        history.append(close_round(each, rules, history))
    return history


def kept(outcome: RoundOutcome) -> dict[str, StateItem]:
    return {item.status: item for item in outcome.state.kept}


def dropped(outcome: RoundOutcome) -> dict[str, str]:
    return {item.id: item.fate for item in outcome.state.dropped}


def test_positions_are_the_winner_the_runner_up_and_the_minorities() -> None:
    (outcome,) = played([base()], Rules())
    assert [(item.status, item.proposals) for item in outcome.state.kept] == [
        ("winner", (1,)),
        ("runner_up", (2,)),
        ("minority", (3,)),
    ]
    winner = outcome.state.kept[0]
    assert (winner.text, winner.support, winner.g, winner.age) == ("answer 1", 0.8, 0.8, 0)
    assert winner.tokens == 2  # 8 characters
    assert kept(outcome)["minority"].support == pytest.approx(abs(outcome.tally.net_support[3] or 0))


def test_a_long_answer_is_cut() -> None:
    inputs = base()
    long = tuple(replace(each, answer="x" * 1201) for each in inputs.proposals)
    (outcome,) = played([replace(inputs, proposals=long)], Rules())
    assert {len(item.text) for item in outcome.state.kept} == {1200}
    assert outcome.state.tokens == 900


@pytest.mark.parametrize(
    ("gamma", "expected"), [(0.7, [0.8, 0.8 * 0.7, 0.8 * 0.49]), (1.0, [0.8] * 3), (0.0, [0.8, None, None])]
)
def test_what_is_not_supported_fades_by_age(gamma: float, expected: list[float | None]) -> None:
    outcomes = played([base(), silent(2), silent(3)], Rules(gamma=gamma))
    found = [
        next((item.g for item in outcome.state.kept if item.status == "winner"), None) for outcome in outcomes
    ]
    assert found == [None if each is None else pytest.approx(each) for each in expected]
    if gamma == 0:
        assert set(dropped(outcomes[1]).values()) == {"faded"}


def test_zero_to_the_zero_is_one() -> None:
    (outcome,) = played([base()], Rules(gamma=0.0))
    assert [item.g for item in outcome.state.kept] == [item.support for item in outcome.state.kept]


def test_the_same_answer_takes_the_place_of_the_older_one() -> None:
    first, second = played([base(), base(2)], Rules())
    assert [item.id for item in first.state.kept] == [item.id for item in second.state.kept]
    assert {(item.age, item.round) for item in second.state.kept} == {(0, 2)}


def test_relevance_multiplies_and_what_is_no_share_is_one_or_clamped() -> None:
    (plain,) = played([base()], Rules())
    first, second, third = (item.id for item in plain.state.kept)
    relevance = {first: 0.5, second: float("nan"), third: 7}
    (outcome,) = played([base(relevance=relevance)], Rules())
    assert {item.id: item.relevance for item in outcome.state.kept} == {first: 0.5, second: 1.0, third: 1.0}
    assert {item.id: item.g for item in outcome.state.kept}[first] == 0.4


def test_the_budget_keeps_the_largest_and_a_shorter_one_may_still_fit() -> None:
    inputs = base()
    lengths = {1: 40, 2: 80, 3: 8}
    made = tuple(replace(each, answer="x" * lengths[each.id]) for each in inputs.proposals)
    (outcome,) = played([replace(inputs, proposals=made)], Rules(state_tokens=12))
    assert [item.proposals for item in outcome.state.kept] == [(1,), (3,)]
    assert [(item.proposals, item.fate) for item in outcome.state.dropped] == [((2,), "room")]
    assert outcome.state.tokens == 12


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"verified": 2, "contested": 1}, "verified"),
        ({"refuted": 2, "verified": 1}, "refuted"),
        ({"verified": 1, "refuted": 1}, "contested"),
        ({"contested": 3}, "contested"),
        ({"verified": 1, "contested": 1}, "contested"),
        ({"unverified": 2, "refuted": 1}, "contested"),
        ({"unverified": 2, "verified": 1}, None),
        ({"unverified": 1, "verified": 1}, None),
        ({"unverified": 2}, None),
    ],
)
def test_the_status_of_a_claim(counts: dict[str, int], status: str | None) -> None:
    assert claim_status(Counter(counts)) == status


class TestContestedClaims:
    def test_they_are_not_forgotten(self) -> None:
        outcomes = played([contested(), *(silent(n) for n in range(2, 7))], Rules(gamma=0.0))
        items = [kept(outcome)["contested"] for outcome in outcomes]
        assert [(item.g, item.age, item.round) for item in items] == [(1.0, age, 1) for age in range(6)]

    def test_until_resolved(self) -> None:
        again = base(2, claim_verdicts=judged(WATER, 1, s2="verified", s3="verified"))
        again = replace(again, proposals=with_claims(again, {1: (WATER,)}))
        _, second = played([contested(), again], Rules())
        assert "contested" not in kept(second)
        assert (kept(second)["verified"].g, kept(second)["verified"].text) == (1.0, "Water is wet.")

    def test_they_may_be_judged_again_after_nobody_makes_them_but_not_by_their_author(self) -> None:
        verdicts = (*judged(WATER, 2, s3="refuted"), *judged(WATER, 3, s2="refuted", s1="verified"))
        _, second = played([contested(), base(2, claim_verdicts=verdicts)], Rules())
        item = kept(second)["refuted"]
        assert (item.support, item.text, item.authors, item.made_in, item.round) == (
            1.0,
            WATER.text,
            (1,),
            1,
            2,
        )

    def test_until_their_author_gives_them_up(self) -> None:
        made = tuple(replace(each, withdrawn=(WATER.id,)) for each in base(2).proposals if each.id != 2)
        _, second = played([contested(), base(2, proposals=made)], Rules())
        assert dropped(second)[WATER.id] == "withdrawn"

    def test_nobody_else_can_give_them_up(self) -> None:
        made = tuple(
            replace(each, withdrawn=(WATER.id,)) if each.id == 2 else each for each in base(2).proposals
        )
        _, second = played([contested(), base(2, proposals=made)], Rules())
        assert kept(second)["contested"].id == WATER.id

    def test_an_ungrounded_or_own_verdict_does_not_count(self) -> None:
        verdicts = judged(WATER, 1, s1="verified", s2="verified", s3="refuted", s9="refuted")
        verdicts = tuple(replace(each, grounded=each.reviewer != 3) for each in verdicts)
        (outcome,) = played([replace(contested(), claim_verdicts=verdicts)], Rules())
        assert kept(outcome)["verified"].support == 1.0


class TestVetoes:
    def test_a_vetoed_text_leaves_at_the_next_close(self) -> None:
        _, second = played([contested(), silent(2, vetoes=(Veto("proposal", 1, 1),))], Rules())
        fates = dropped(second)
        assert fates[WATER.id] == "vetoed"
        assert [item.proposals for item in second.state.kept] == [(2,), (3,)]

    def test_and_at_once_where_the_stored_state_is_shown(self) -> None:
        (first,) = played([contested()], Rules())
        left = unvetoed(
            first.state.kept, (Veto("proposal", 1, 1), Veto("ballot", 2, 1), Veto("proposal", 2, 9))
        )
        assert [item.proposals for item in left] == [(2,), (3,)]

    def test_a_proposal_vetoed_in_its_round_never_gets_in(self) -> None:
        (outcome,) = played([contested(vetoes=(Veto("proposal", 1, 1),))], Rules())
        assert {item.proposals for item in outcome.state.kept} == {(2,), (3,)}
        assert WATER.id not in {item.id for item in outcome.state.kept}


class TestGuidance:
    def test_it_lives_one_round_unless_it_says_otherwise(self) -> None:
        short, long = Guidance(1, "Be brief.", 1), Guidance(2, "Cite sources.", 1, rounds=2, to_seat=3)
        outcomes = played([base(n, guidance=(short, long)) for n in (1, 2, 3)], Rules())
        found = [[item.id for item in each.state.kept if item.kind == "guidance"] for each in outcomes]
        assert found == [["g1", "g2"], ["g2"], []]
        assert dropped(outcomes[1]) == {"g1": "expired"}
        assert kept(outcomes[1])["active"].to_seat == 3

    def test_a_withdrawn_one_is_gone(self) -> None:
        _, second = played([base(guidance=(Guidance(1, "Be brief.", 1),)), base(2)], Rules())
        assert dropped(second) == {"g1": "withdrawn"}

    def test_what_is_in_force_comes_newest_first(self) -> None:
        given = [Guidance(n, "do", round) for n, round in ((1, 0), (2, 1), (3, 1), (4, 2))]
        assert [each.id for each in active_guidance(given, number=2, rules=Rules())] == [3, 2]
        assert [each.id for each in active_guidance(given, number=2, rules=Rules(guidance_rounds=2))] == [
            3,
            2,
            1,
        ]


def test_disputes_and_guidance_share_half_of_the_budget_newest_first() -> None:
    guidance = tuple(Guidance(n, "x" * 40, 1) for n in (1, 2, 3))  # 10 tokens each
    inputs = contested(guidance=guidance)
    (outcome,) = played([inputs], Rules(state_tokens=54))
    assert sorted(item.id for item in outcome.state.kept if item.kind == "guidance") == ["g2", "g3"]
    assert kept(outcome)["contested"].id == WATER.id
    assert dropped(outcome) == {"g1": "room"}
    assert len([item for item in outcome.state.kept if item.kind == "position"]) == 3


def test_the_id_of_a_claim_is_of_its_normalised_text() -> None:
    assert claim_id("Water  is\nWET.") == claim_id("water is wet") == WATER.id
    assert claim_id("Water is dry") != WATER.id
    assert len(claim_id("\ud800")) == 6  # a lone surrogate from a model


texts = st.text(max_size=400)


@LAWS
@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6), st.integers(0, 200), st.floats(0, 1))
def test_the_prompt_stays_bounded_however_many_rounds_run(answers, tokens, gamma) -> None:
    rules = Rules(state_tokens=tokens, gamma=gamma, max_rounds=100)
    inputs = []
    for number, three in enumerate(answers, start=1):
        made = tuple(Proposal(seat, seat, None, text) for seat, text in enumerate(three, start=1))
        guidance = tuple(Guidance(n, text, number) for n, text in enumerate(three))
        inputs.append(a_round(WEIGHTS, number=number, proposals=made, guidance=guidance))
    for outcome in played(inputs, rules):
        used = sum(-(-len(item.text) // 4) for item in outcome.state.kept)
        assert used == outcome.state.tokens <= tokens
        assert all(item.fate == "kept" for item in outcome.state.kept)
        assert all(item.fate != "kept" for item in outcome.state.dropped)
