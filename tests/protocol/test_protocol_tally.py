"""The tally: protocol.md 4. Cases; the laws that hold for every round are in test_protocol_tally_laws.py."""

import math

import pytest

from deliberation.protocol.tally import tally
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, Rules, Tally, Veto
from tests.protocol.rounds import a_round

SDK = Rules(rule="quadratic_sdk")
VECTOR = {1: {2: 60, 3: -40}, 2: {1: 80, 3: -20}, 3: {1: 90, 2: 10}}


def agents(*families: str | None) -> tuple[Participant, ...]:
    return tuple(Participant(seat, family=family) for seat, family in enumerate(families, start=1))


def test_the_vector_of_the_protocol() -> None:
    found = tally(a_round(VECTOR), SDK)
    sums = {p: math.fsum(q[p] for q in found.influence.values() if p in q) for p in (1, 2, 3)}
    assert sums == pytest.approx({1: 1.843, 2: 1.091, 3: -1.080}, abs=5e-4)
    assert found.net_support == pytest.approx({1: 0.922, 2: 0.545, 3: -0.540}, abs=5e-4)
    assert found.conviction == pytest.approx(0.459, abs=5e-4)
    assert (found.winner, found.eligible, found.coverage) == (1, (1, 2, 3), 1.0)


def test_a_round_without_ballots_has_no_winner() -> None:
    found = tally(a_round({}), Rules())
    assert (found.winner, found.conviction, found.coverage, found.eligible) == (None, 0.0, 0.0, ())
    assert found.net_support == {1: None, 2: None, 3: None}
    assert (found.pivotal, found.median_differs, found.margin) == (None, None, None)


def test_two_ballots_are_needed_where_four_sit_people_included() -> None:
    weights = {1: {2: 10}, 2: {1: 10}, 3: {1: 10}}
    assert tally(a_round(weights), Rules()).eligible == (1, 2)
    four = (*agents(None, None, None), Participant(4, "human"))
    assert tally(a_round(weights, participants=four), Rules()).eligible == (1,)


def test_support_against_makes_the_conviction_negative() -> None:
    found = tally(a_round({1: {2: -4}, 2: {1: -1}}, seats=2), Rules())
    assert found.winner == 1
    assert found.conviction == pytest.approx(-0.1 / 0.3)


def test_full_agreement_is_full_conviction() -> None:
    agreed = {1: "391", 2: " 391 ", 3: "391"}
    found = tally(a_round(VECTOR | {2: {1: 80}, 1: {2: 60}, 3: {1: 90}}, answers=agreed), Rules())
    assert found.conviction == 1.0
    assert [group.members for group in found.classes] == [(1, 2, 3)]
    assert (found.runner_up, found.margin) == (None, None)


def test_the_class_of_the_winner_counts_only_its_support_for() -> None:
    answers = {1: "x", 2: "y", 3: "x"}
    found = tally(a_round(VECTOR, answers=answers), SDK)
    ns = found.net_support
    whole = sum(abs(each) for each in ns.values() if each is not None)
    assert found.conviction == pytest.approx((ns[1] or 0) / whole)  # member 3 is against, so it adds nothing
    assert found.runner_up == 2


def test_the_class_may_win_over_the_best_proposal() -> None:
    weights = {1: {2: 36, 3: 16, 4: 36}, 2: {1: 0, 3: 16, 4: 36}, 3: {1: 0, 2: 36, 4: 0}}
    answers = {1: "w", 2: "x", 3: "x", 4: "y"}
    inputs = a_round(weights, seats=4, answers=answers)
    by_proposal, by_class = tally(inputs, Rules()), tally(inputs, Rules(winner_by="class"))
    assert (by_proposal.winner, by_class.winner) == (2, 2)
    more = a_round({**weights, 3: {1: 0, 2: 36, 4: 49}}, seats=4, answers=answers)
    by_proposal, by_class = tally(more, Rules()), tally(more, Rules(winner_by="class"))
    assert (by_proposal.winner, by_class.winner) == (4, 2)
    assert by_class.margin == pytest.approx(0.6 + 0.4 - 1.9 / 3)


def test_an_unreadable_answer_is_alone() -> None:
    found = tally(a_round(VECTOR, answers={1: "a dozen", 2: "a dozen"}), Rules(equivalence="number"))
    assert [group.members for group in found.classes] == [(1,), (2,), (3,)]
    assert {group.key for group in found.classes} == {None}


def test_a_family_has_one_voice_and_an_absent_twin_still_counts() -> None:
    participants = agents("red", "red", "blue", None)
    found = tally(a_round({1: {4: 100}, 3: {4: -100}, 2: {}}, participants=participants), Rules())
    assert found.rho == {1: 0.5, 2: 0.5, 3: 1.0, 4: 1.0}
    assert found.net_support[4] == pytest.approx(-1 / 3)
    unshared = tally(
        a_round({1: {4: 100}, 3: {4: -100}}, participants=participants), Rules(family_share=False)
    )
    assert unshared.net_support[4] == 0.0


def test_people_weigh_what_the_policy_says_and_have_no_family() -> None:
    participants = (
        Participant(1, "human", "red"),
        Participant(2, "model", "red"),
        Participant(3, weight=3.0),
    )
    assert tally(a_round({}, participants=participants), Rules(weight_human=2.0)).rho == {
        1: 2.0,
        2: 1.0,
        3: 3.0,
    }


def test_reliability_weighs_only_where_the_policy_says_so_and_is_clamped() -> None:
    participants = (
        Participant(1, reliability=0.1),
        Participant(2, reliability=0.5),
        Participant(3, reliability=7),
    )
    inputs = a_round({}, participants=participants)
    assert tally(inputs, Rules()).rho == {1: 1.0, 2: 1.0, 3: 1.0}
    assert tally(inputs, Rules(reliability_weighting=True)).rho == {1: 0.25, 2: 0.5, 3: 1.0}


def test_coverage_counts_agents_voters_and_required_people() -> None:
    people = (*agents(None, None), Participant(3, "human"), Participant(4, "human"), Participant(5, "human"))
    weights = {1: {2: 10}, 3: {1: 9}}
    assert tally(a_round(weights, participants=people), Rules()).coverage == pytest.approx(2 / 3)
    assert tally(a_round(weights, participants=people, required=(4,)), Rules()).coverage == pytest.approx(
        2 / 4
    )
    struck = a_round(weights, participants=people, vetoes=(Veto("ballot", 3, 1),))
    assert tally(struck, Rules()).coverage == pytest.approx(1 / 3)


def test_a_null_weight_is_not_in_the_mean_and_a_zero_is() -> None:
    found = tally(a_round({1: {2: 100, 3: None}, 2: {3: 0}, 3: {2: 0}}), Rules())
    assert found.net_support == {1: None, 2: 0.5, 3: 0.0}
    assert found.weighed_by == {1: 0, 2: 2, 3: 1}


class TestTies:
    def of(self, weights: dict[int, dict[int, float]], **more: object) -> Tally:
        participants = (*agents(None, None), *(Participant(seat, "human") for seat in range(3, 7)))
        made = (Proposal(1, 1, "x"), Proposal(2, 2, "y"))
        return tally(a_round(weights, participants=participants, proposals=made, **more), Rules())

    def test_the_higher_minimum_wins(self) -> None:
        found = self.of({3: {1: 36, 2: 25}, 4: {1: 4, 2: 9}})
        assert (found.winner, found.ties, found.tie_break) == (2, (1, 2), "min_q")

    def test_then_the_lower_controversy(self) -> None:
        found = self.of({3: {1: 0, 2: 0}, 4: {1: 64, 2: 16}, 5: {1: 1, 2: 25}})
        assert found.net_support[1] == pytest.approx(found.net_support[2])
        assert (found.winner, found.tie_break) == (2, "controversy")

    def test_then_the_lot_that_nobody_can_steer(self) -> None:
        weights = {3: {1: 25, 2: 9}, 4: {1: 9, 2: 25}}
        winners = {self.of(weights, secret=bytes([n])).winner for n in range(20)}
        assert winners == {1, 2}
        assert self.of(weights).tie_break == "hmac"
        assert self.of(weights) == self.of(weights)

    def test_a_tie_of_roots_is_found_although_floats_differ(self) -> None:
        found = self.of({3: {1: 7, 2: 63}, 4: {1: 28, 2: 0}})  # sqrt .07 + sqrt .28 = sqrt .63
        assert found.net_support[1] != found.net_support[2]
        assert (found.ties, found.winner, found.tie_break) == ((1, 2), 1, "min_q")

    def test_roots_that_cancel_are_zero_and_give_no_conviction(self) -> None:
        found = self.of({3: {1: 7}, 4: {1: 28}, 5: {1: -63}})
        assert found.net_support[1] == 0.0
        assert found.conviction == 0.0


def test_two_proposals_of_one_author_stand_against_each_other() -> None:
    made = (Proposal(10, 1), Proposal(11, 1), Proposal(20, 2))
    found = tally(a_round({1: {10: 100, 20: 9}, 2: {10: 16, 11: 25}}, seats=2, proposals=made), Rules())
    assert found.winner == 11
    assert found.influence == {1: {20: 0.3}, 2: {10: 0.4, 11: 0.5}}


def test_a_vetoed_ballot_is_kept_apart() -> None:
    found = tally(a_round(VECTOR, vetoes=(Veto("ballot", 3, 1),)), SDK)
    assert set(found.influence) == {1, 2}
    assert set(found.struck) == {3}
    assert found.net_support[1] == pytest.approx(math.sqrt(0.8))


def test_a_vetoed_proposal_cannot_win_but_keeps_its_number() -> None:
    found = tally(a_round(VECTOR, vetoes=(Veto("proposal", 1, 1),)), SDK)
    assert (found.winner, found.eligible, found.vetoed) == (2, (2, 3), (1,))
    assert found.net_support == tally(a_round(VECTOR), SDK).net_support


def test_a_veto_of_another_round_does_not_touch_this_one() -> None:
    plain = tally(a_round(VECTOR, number=2), SDK)
    assert (
        tally(a_round(VECTOR, number=2, vetoes=(Veto("proposal", 1, 1), Veto("ballot", 3, 1))), SDK) == plain
    )


def test_what_is_unknown_or_doubled_is_dropped_and_noted() -> None:
    inputs = RoundInput(
        number=1,
        participants=(
            Participant(1),
            Participant(2),
            Participant(3),
            Participant(1, "human"),
            Participant(4, weight=-1),
        ),
        proposals=(Proposal(1, 1), Proposal(2, 2), Proposal(1, 2), Proposal(7, 7)),
        ballots=(
            Ballot(1, {2: 25}),
            Ballot(9, {2: 100}),
            Ballot(3, {2: -100}),
            Ballot(3, {2: 100}),
            Ballot(4, {}),
        ),
        vetoes=(Veto("proposal", 5, 1), Veto("ballot", 3, 1)),
    )
    found = tally(inputs, Rules(reliability_weighting=True))
    assert found.net_support == {1: None, 2: 0.5}
    assert {note.kind for note in found.notes} == {
        "doubled_seat", "weight", "doubled_proposal", "unknown_author", "unknown_voter", "two_ballots",
        "empty_ballot", "unknown_veto",
    }  # fmt: skip


class TestRobustTwin:
    def test_the_median_resists_one_hostile_reviewer(self) -> None:
        weights = {2: {1: 49, 5: 36}, 3: {1: 49, 5: 36}, 4: {1: -100, 5: 36}}
        participants = agents(*[None] * 5)
        found = tally(a_round(weights, participants=participants), Rules())
        assert (found.winner, found.median_winner, found.median_differs) == (5, 1, True)
        assert found.pivotal == (4,)

    def test_it_is_the_mean_of_lower_and_upper_and_weighs_by_rho(self) -> None:
        weights = {2: {1: 4}, 3: {1: 16}, 4: {1: 36}, 5: {1: 64}}
        plain = tally(a_round(weights, seats=5), Rules())
        assert plain.median_net_support[1] == pytest.approx((0.4 + 0.6) / 2)
        shared = tally(a_round(weights, participants=agents("a", "red", "red", "red", "b")), Rules())
        assert shared.median_net_support[1] == pytest.approx((0.6 + 0.8) / 2)

    def test_under_three_ballots_it_is_too_few_to_tell_who_decided(self) -> None:
        assert tally(a_round({1: {2: 5}, 2: {1: 4}}), Rules()).pivotal is None

    def test_a_proposal_left_without_a_weight_is_skipped(self) -> None:
        found = tally(a_round({1: {2: 100}, 2: {1: 4}, 3: {1: 4}}), Rules())
        assert (found.winner, found.pivotal) == (2, (1,))


class TestMajorityAnswer:
    def test_the_share_of_the_largest_class_is_the_conviction(self) -> None:
        answers = {1: "x", 2: "y", 3: "x", 4: "x", 5: None}
        inputs = a_round({}, participants=agents(*["red"] * 5), answers=answers, panel_of_one=True)
        found = tally(inputs, Rules())
        assert found.rule == "majority_answer"
        assert found.winner in (1, 3, 4)
        assert found.conviction == pytest.approx(3 / 5)
        assert (found.coverage, found.ties, found.margin) == (1.0, (), pytest.approx(2 / 5))

    def test_a_tie_between_classes_is_a_tie(self) -> None:
        found = tally(a_round({}, seats=2, answers={1: "x", 2: "y"}, panel_of_one=True), Rules())
        assert (found.ties, found.tie_break, found.conviction) == ((1, 2), "hmac", 0.5)

    def test_a_vetoed_answer_does_not_count(self) -> None:
        answers = {1: "x", 2: "x", 3: "y"}
        vetoes = (Veto("proposal", 1, 1), Veto("proposal", 2, 1))
        found = tally(a_round({}, answers=answers, panel_of_one=True, vetoes=vetoes), Rules())
        assert (found.winner, found.conviction) == (3, 1.0)

    @pytest.mark.parametrize(("answers", "coverage"), [(5, 1.0), (4, 4 / 5)])
    def test_people_owe_nothing_where_there_are_no_ballots(self, answers: int, coverage: float) -> None:
        seated = (*agents(*["red"] * 5), Participant(6, "human"))
        made = tuple(Proposal(seat, seat, "x") for seat in range(1, answers + 1))
        inputs = a_round({}, participants=seated, proposals=made, required=(6,), panel_of_one=True)
        assert tally(inputs, Rules()).coverage == pytest.approx(coverage)

    def test_a_lost_sample_lowers_the_coverage(self) -> None:
        made = (Proposal(1, 1, "x"), Proposal(2, 2, "x"))
        assert tally(a_round({}, proposals=made, panel_of_one=True), Rules()).coverage == pytest.approx(2 / 3)
