"""Exact JSON round trips, and the diagnostics that they carry."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.diagnostics import category_means, cesaro, convergence, distance, new_classes
from deliberation.protocol.round import close_round
from deliberation.protocol.types import (
    AnswerClass,
    Ballot,
    CategoryScore,
    Claim,
    ClaimVerdict,
    CodecError,
    Guidance,
    RoundInput,
    RoundOutcome,
    Rules,
    Spent,
    Tally,
    Veto,
)
from deliberation.protocol.verdict import conclude
from tests.protocol.rounds import LAWS, a_round, judged, rounds, with_claims


def full() -> RoundInput:
    claim = Claim("abcdef", "Water is wet.")
    inputs = a_round(
        {1: {2: 33.3, 3: None}, 2: {1: 1 / 3}},
        answers={1: "x", 2: "é\ud800"},
        vetoes=(Veto("ballot", 2, 1),),
        required=(3,),
        claim_verdicts=judged(claim, 1, s2="verified", s3="contested"),
        category_scores=(CategoryScore(2, 1, "clarity", -12.5),),
        guidance=(Guidance(1, "Be brief.", 1, to_seat=2),),
        relevance={"abcdef": 0.1},
        spent=Spent(0.1 + 0.2, 1234, 5.5),
        stop_requested=True,
    )
    return replace(inputs, proposals=with_claims(inputs, {1: (claim,)}))


def through_text(value: object) -> object:
    return json.loads(json.dumps(value))


def test_every_type_survives_text_bit_for_bit() -> None:
    inputs = full()
    outcome = close_round(inputs, Rules(), [])
    verdict = conclude([(inputs, outcome)], rules=Rules(), vetoes=inputs.vetoes, stop_reason="person")
    for value in (inputs, outcome, verdict):
        text = through_text(value.to_json())
        assert type(value).from_json(text) == value
        assert type(value).from_json(text).to_json() == value.to_json()


@LAWS
@given(rounds(weights=st.floats(allow_nan=False, allow_infinity=False)))
def test_any_round_and_its_outcome_survive(inputs) -> None:
    outcome = close_round(inputs, Rules(), [])
    assert RoundInput.from_json(through_text(inputs.to_json())) == inputs
    assert RoundOutcome.from_json(through_text(outcome.to_json())) == outcome


def test_a_float_may_come_as_the_decimal_string_of_the_trail() -> None:
    assert Ballot.from_json({"voter": 1, "weights": {"2": "33.3", "3": None}}) == Ballot(
        1, {2: 33.3, 3: None}
    )
    assert Spent.from_json({"cost_usd": repr(0.1 + 0.2)}).cost_usd == 0.1 + 0.2


def test_a_whole_number_in_a_float_field_is_written_as_a_float() -> None:
    assert json.dumps(Ballot(1, {2: 60}).to_json()) == '{"voter": 1, "weights": {"2": 60.0}}'


@pytest.mark.parametrize(
    ("cls", "value", "sentence"),
    [
        (Ballot, {"voter": 1}, "Ballot needs the field 'weights'"),
        (Ballot, {"voter": 1, "weights": {}, "name": "x"}, "Ballot has no field 'name'"),
        (Ballot, {"voter": True, "weights": {}}, "Ballot.voter must be of type int, not True"),
        (Ballot, {"voter": 1, "weights": {"two": 1}}, "the key 'two', which is not an integer"),
        (Ballot, {"voter": 1, "weights": {"2": True}}, "Ballot.weights.2 must be of type float"),
        (Ballot, {"voter": 1, "weights": {"2": "much"}}, "weights.2 must be of type float, not 'much'"),
        (Ballot, {"voter": 1, "weights": []}, "Ballot.weights must be an object, not []"),
        (Veto, {"target": "person", "id": 1, "round": 1}, "target must be one of proposal, ballot, not"),
        (RoundInput, {"number": 1, "participants": {}, "proposals": []}, "participants must be an array"),
        (Tally, [], "Tally must be an object"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(cls: type, value: object, sentence: str) -> None:
    with pytest.raises(CodecError) as refusal:
        cls.from_json(value)
    assert sentence in str(refusal.value)


class TestDiagnostics:
    def test_the_cesaro_mean_is_over_the_rounds_that_have_a_value(self) -> None:
        assert cesaro([{1: 0.5, 2: None}, {1: 0.7, 2: 0.2}]) == {1: pytest.approx(0.6), 2: 0.2}

    def test_the_distance_is_over_what_both_rounds_weighed(self) -> None:
        assert distance({1: 0.0, 2: 0.1, 3: None}, {1: 0.3, 2: 0.5, 3: 1.0, 4: 1.0}) == pytest.approx(0.5)
        assert distance({}, {1: 0.3}) is None

    def test_convergence_is_the_share_of_claims_of_one_mind(self) -> None:
        one, two, three = (Claim(text, text) for text in "abc")
        verdicts = (
            *judged(one, 1, s2="verified", s3="verified"),
            *judged(two, 1, s2="verified", s3="refuted"),
            *judged(three, 1, s2="verified"),
        )
        assert convergence(verdicts) == 0.5
        assert convergence(judged(three, 1, s2="verified")) is None

    def test_means_leave_out_ones_own_and_what_is_no_number(self) -> None:
        scores = (
            CategoryScore(2, 1, "clarity", 40),
            CategoryScore(3, 1, "clarity", 999),
            CategoryScore(1, 1, "clarity", 100),
            CategoryScore(2, 1, "evidence", float("nan")),
            CategoryScore(2, 9, "clarity", 5),
        )
        assert category_means(a_round({}, category_scores=scores)) == {1: {"clarity": 70.0}}

    def test_an_answer_without_a_key_is_always_new(self) -> None:
        before = [[AnswerClass("x", (1,)), AnswerClass(None, (2,))]]
        assert (
            new_classes([AnswerClass("x", (1,)), AnswerClass("y", (2,)), AnswerClass(None, (3,))], before)
            == 2
        )

    def test_a_round_reports_them(self) -> None:
        found = close_round(full(), Rules(), []).diagnostics
        assert (found.claim_convergence, found.winner_claim_convergence) == (0.0, None)
        assert found.category_means == {1: {"clarity": -12.5}}
        assert found.new_classes == 3

    def test_only_grounded_verdicts_of_others_count(self) -> None:
        inputs = full()
        odd = ClaimVerdict(3, 1, "abcdef", "contested", grounded=False)
        found = close_round(replace(inputs, claim_verdicts=(inputs.claim_verdicts[0], odd)), Rules(), [])
        assert found.diagnostics.claim_convergence is None
