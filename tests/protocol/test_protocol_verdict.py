"""The verdict (protocol.md 7)."""

from dataclasses import replace

import pytest

from deliberation.protocol import stopping
from deliberation.protocol.round import close_round
from deliberation.protocol.state import claim_id
from deliberation.protocol.types import (
    Claim,
    Participant,
    Proposal,
    RoundInput,
    RoundOutcome,
    Rules,
    Verdict,
    Veto,
)
from deliberation.protocol.verdict import conclude
from tests.protocol.rounds import a_round, judged, with_claims

LAST = Rules(final_rule="last")
Played = list[tuple[RoundInput, RoundOutcome]]


def played(inputs: list[RoundInput], rules: Rules | None = None) -> Played:
    rounds: Played = []
    for each in inputs:
        rounds.append((each, close_round(each, rules or Rules(), [outcome for _, outcome in rounds])))
    return rounds


def verdict(rounds: Played, *vetoes: Veto, rules: Rules | None = None) -> Verdict:
    return conclude(rounds, rules=rules or Rules(), vetoes=vetoes, stop_reason="max_rounds")


def two(first: float, second: float, number: int = 1, **more: object) -> RoundInput:
    """Seats 1 and 2 with these weights from seats 3 and 4, who propose nothing."""
    made = (Proposal(1, 1, "x", f"x in round {number}"), Proposal(2, 2, "y", f"y in round {number}"))
    weights = {3: {1: first, 2: second}, 4: {1: first, 2: second}}
    return a_round(weights, seats=4, proposals=made, number=number, **more)


def test_the_best_over_all_rounds_is_weighed_by_what_its_round_is_worth() -> None:
    law = Rules().law
    u1, u2 = stopping.discount(1, law), stopping.discount(2, law)
    rounds = played([two(49, 0), two(0, 36, number=2)])
    found = verdict(rounds)
    assert 0.7 * u1 > 0.6 * u2
    assert (found.round, found.proposal, found.answer) == (1, 1, "x in round 1")
    assert (found.net_support, found.u, found.score) == (pytest.approx(0.7), u1, pytest.approx(0.7 * u1))
    closer = verdict(played([two(36, 0), two(0, 36, number=2)]))
    assert (closer.round, closer.proposal) == (2, 2)


def test_the_last_rule_takes_the_winner_of_the_last_round() -> None:
    found = verdict(played([two(49, 0), two(0, 16, number=2)], LAST), rules=LAST)
    assert (found.round, found.proposal, found.net_support) == (2, 2, pytest.approx(0.4))


def test_support_against_is_divided_and_says_no_support() -> None:
    law = Rules().law
    found = verdict(played([two(-16, -25), two(-16, -25, number=2)]))
    assert found.no_support
    assert found.score == pytest.approx(-0.4 / stopping.discount(2, law))
    assert found.round == 2  # -.4 / u is closer to 0 where u is larger
    assert not verdict(played([two(16, 0)])).no_support


def test_of_equal_scores_the_later_round_stands() -> None:
    flat = Rules(preset="custom", k=-0.1, force=True)
    assert verdict(played([two(25, 0), two(25, 0, number=2)], flat), rules=flat).round == 2


def test_a_veto_after_the_close_excludes_its_proposal_and_is_counted_again() -> None:
    rounds = played([two(49, 36)])
    found = verdict(rounds, Veto("proposal", 1, 1))
    assert (found.proposal, found.recounted, found.vetoed) == (2, (1,), ((1, 1),))
    assert rounds[0][1].tally.winner == 1  # the closed tally stands


def test_a_veto_of_a_ballot_after_the_close_acts_on_the_choice() -> None:
    inputs = a_round({1: {2: 100}, 2: {1: 25, 3: 9}, 3: {1: 25, 2: -81}})
    rounds = played([inputs])
    assert verdict(rounds).proposal == 1
    found = verdict(rounds, Veto("ballot", 3, 1))
    assert (found.proposal, found.recounted, found.vetoed_ballots) == (2, (1,), ((1, 3),))


def test_a_withdrawn_veto_lets_the_proposal_back_in() -> None:
    rounds = played([two(49, 36, vetoes=(Veto("proposal", 1, 1),))])
    assert rounds[0][1].tally.winner == 2
    found = verdict(rounds)
    assert (found.proposal, found.recounted) == (1, (1,))


def test_vetoes_may_leave_nothing_to_choose() -> None:
    found = verdict(played([two(49, 36)]), Veto("proposal", 1, 1), Veto("proposal", 2, 1))
    assert (found.failure, found.proposal, found.answer) == ("no_eligible_proposal", None, None)
    assert verdict(played([replace(two(1, 1), ballots=())])).failure == "no_ballots"


def test_the_minority_report_is_the_best_answer_of_another_class() -> None:
    weights = {1: {2: 49, 3: 25}, 2: {1: 64, 3: 25}, 3: {1: 64, 2: 36}}
    found = verdict(played([a_round(weights, answers={1: "x", 2: "x", 3: "z"})]))
    assert found.minority is not None
    assert (found.proposal, found.minority.proposal, found.minority.answer) == (1, 3, "answer 3")
    assert (found.minority.members, found.minority.net_support) == ((3,), pytest.approx(0.5))
    unanimous = verdict(played([a_round(weights, answers={1: "x", 2: "x", 3: "x"})]))
    assert unanimous.minority is None


def test_it_carries_what_the_round_of_the_answer_says_of_itself() -> None:
    weights = {2: {1: 49, 5: 36}, 3: {1: 49, 5: 36}, 4: {1: -100, 5: 36}}
    rounds = played([a_round(weights, seats=5)])
    found, counted = verdict(rounds), rounds[0][1].tally
    assert (found.conviction, found.coverage) == (counted.conviction, 3 / 5)
    assert (found.median_differs, found.pivotal, found.proposal) == (True, (4,), 5)
    assert found.controversy == counted.controversy[5]


def test_a_class_vote_is_not_undone_by_the_choice_over_rounds() -> None:
    by_class = Rules(winner_by="class")
    weights = {1: {2: 36, 3: 16, 4: 36}, 2: {1: 0, 3: 16, 4: 36}, 3: {1: 0, 2: 36, 4: 49}}
    inputs = a_round(weights, seats=4, answers={1: "w", 2: "x", 3: "x", 4: "y"})
    assert verdict(played([inputs])).proposal == 4
    assert verdict(played([inputs], by_class), rules=by_class).proposal == 2


def test_a_panel_of_one_gives_the_answer_of_its_largest_class() -> None:
    inputs = a_round({}, seats=5, answers={1: "y", 2: "x", 3: "y", 4: "z", 5: "y"}, panel_of_one=True)
    found = verdict(played([inputs]))
    assert (found.final_answer, found.conviction, found.self_consistency) == ("y", pytest.approx(0.6), True)


class TestOpenClaims:
    claim = Claim(claim_id("Water is wet."), "Water is wet.")

    def judged(self, number: int, *verdicts: str) -> RoundInput:
        inputs = a_round({1: {2: 25, 3: 4}, 2: {1: 36, 3: 4}, 3: {1: 36, 2: 9}}, number=number)
        said = judged(self.claim, 1, **{f"s{seat}": each for seat, each in enumerate(verdicts, start=2)})
        return replace(inputs, proposals=with_claims(inputs, {1: (self.claim,)}), claim_verdicts=said)

    def of(self, *inputs: RoundInput, tokens: int = 1500) -> list[tuple[str, int]]:
        rules = Rules(state_tokens=tokens)
        found = verdict(played(list(inputs), rules), rules=rules)
        return [(each.text, each.round) for each in found.open_claims]

    def test_a_contested_claim_stays_open(self) -> None:
        assert self.of(self.judged(1, "verified", "refuted")) == [("Water is wet.", 1)]
        assert self.of(self.judged(1, "verified", "refuted"), self.judged(2)) == [("Water is wet.", 1)]

    def test_until_it_is_settled(self) -> None:
        assert self.of(self.judged(1, "verified", "refuted"), self.judged(2, "verified", "verified")) == []
        assert self.of(self.judged(1, "verified", "verified"), self.judged(2, "contested")) == [
            ("Water is wet.", 2)
        ]

    def test_lack_of_room_does_not_settle_it(self) -> None:
        inputs = [self.judged(1, "verified", "refuted"), self.judged(2)]
        assert self.of(*inputs, tokens=2) == [("Water is wet.", 1)]

    def test_a_veto_of_its_proposal_closes_it(self) -> None:
        inputs = [self.judged(1, "verified", "refuted"), self.judged(2)]
        struck = (Veto("proposal", 1, 1), Veto("proposal", 1, 2))
        assert self.of(inputs[0], replace(inputs[1], vetoes=struck)) == []


def test_the_same_record_gives_the_same_bits() -> None:
    people = (*(Participant(seat) for seat in (1, 2, 3)), Participant(4, "human"))
    inputs = [
        a_round({1: {2: 33.3, 3: 12.1}, 2: {1: 48.7}, 4: {1: 49, 2: 36}}, participants=people, number=number)
        for number in (1, 2, 3)
    ]
    rounds = played(inputs)
    again: Played = []
    for each, closed in rounds:
        restored = RoundInput.from_json(each.to_json())
        outcome = close_round(restored, Rules(), [RoundOutcome.from_json(o.to_json()) for _, o in again])
        assert outcome.to_json() == closed.to_json()
        again.append((restored, outcome))
    assert verdict(again).to_json() == verdict(rounds).to_json()
