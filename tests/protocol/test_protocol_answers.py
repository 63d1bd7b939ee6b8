"""Whether another answer could win, and not only another proposal of the same one (protocol.md 4 and 7)."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.answers import could_change, deciding, verdict_could_change
from deliberation.protocol.degradation import could_flip
from deliberation.protocol.round import close_round
from deliberation.protocol.tally import tally
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, RoundOutcome, Rules
from tests.protocol.rounds import LAWS, a_round

GRID = (None, 0.0, 50.0, -50.0, 25.0, -25.0, 100.0, -100.0)


def said(answers: str, weights: dict[int, dict[int, float]], **more: object) -> RoundInput:
    """Seats 1, 2, ... with these answers, one letter each, and one more seat that neither proposed nor cast."""
    seated = tuple(Participant(seat) for seat in range(1, len(answers) + 2))
    made = tuple(Proposal(seat, seat, letter) for seat, letter in enumerate(answers, start=1))
    return a_round(weights, participants=seated, proposals=made, **more)


def found(inputs: RoundInput, rules: Rules | None = None) -> tuple[bool | None, bool | None]:
    """Could another proposal have won; could another answer."""
    rules = rules or Rules()
    counted = tally(inputs, rules)
    return could_flip(inputs, counted, rules=rules), could_change(inputs, counted, rules=rules)


CLOSE = {1: {2: 40, 3: 38}, 2: {1: 36, 3: 38}, 3: {1: 36, 2: 40}}


def test_where_all_say_the_same_only_another_proposal_could_have_won() -> None:
    assert found(said("xxx", CLOSE)) == (True, False)


def test_another_answer_that_is_close_could_have_won() -> None:
    assert found(said("xyz", CLOSE)) == (True, True)
    assert found(said("xxy", CLOSE)) == (True, True)  # one ballot passes both


def test_another_answer_far_behind_could_not() -> None:
    far = {1: {2: 80, 3: -100}, 2: {1: 80, 3: -100}, 3: {1: 80, 2: 80}}
    assert found(said("xxy", far)) == (True, False)


def test_one_ballot_that_passes_each_but_not_both_is_no_yes() -> None:
    even = {1: {2: 43, 3: 0}, 2: {1: 43, 3: 0}, 3: {1: 43, 2: 43}}
    assert found(said("xzy", even)) == (True, True)
    assert found(said("xxy", even)) == (True, None)


def test_without_a_lost_seat_nothing_could_have_changed() -> None:
    whole = a_round(CLOSE, answers={1: "x", 2: "x", 3: "y"})
    assert found(whole) == (False, False)


@pytest.mark.parametrize("rule", ["quadratic_sdk", "quadratic_unsigned", "linear"])
def test_every_rule_that_is_computed_finds_the_close_one(rule: str) -> None:
    assert found(said("xxy", CLOSE), Rules(rule=rule)) == (True, True)


def test_a_rule_that_is_not_computed_knows_it_where_there_is_no_other_answer() -> None:
    rules = Rules(rule="median")
    assert found(said("xxx", CLOSE), rules) == (None, False)
    assert found(said("xxy", CLOSE), rules) == (None, None)


@LAWS
@given(
    st.sampled_from(["xxy", "xyy", "xyx"]),
    st.lists(st.sampled_from([-60.0, -20.0, 0.0, 30.0, 36.0, 40.0, 60.0]), min_size=6, max_size=6),
)
def test_no_ballot_does_what_is_said_to_be_impossible(answers: str, given: list[float]) -> None:
    pairs = iter(given)
    inputs = said(answers, {a: {b: next(pairs) for b in (1, 2, 3) if b != a} for a in (1, 2, 3)})
    counted = tally(inputs, Rules())
    told = could_change(inputs, counted, rules=Rules())
    same = next(each.members for each in counted.classes if counted.winner in each.members)
    for weights in itertools.product(GRID, repeat=3):
        if sum(abs(each) for each in weights if each is not None) <= 100:
            more = Ballot(4, dict(zip((1, 2, 3), weights, strict=True)))
            winner = tally(replace(inputs, ballots=(*inputs.ballots, more)), Rules()).winner
            assert told is not False or winner in same


def closed(*inputs: RoundInput) -> list[tuple[RoundInput, RoundOutcome]]:
    rounds: list[tuple[RoundInput, RoundOutcome]] = []
    for number, each in enumerate(inputs, start=1):
        numbered = replace(each, number=number)
        rounds.append((numbered, close_round(numbered, Rules(), [outcome for _, outcome in rounds])))
    return rounds


def test_the_same_answer_in_another_round_holds_the_verdict() -> None:
    sure = {1: {2: 90, 3: -10}, 2: {1: 95, 3: -5}, 3: {1: 95, 2: 5}, 4: {1: 100}}
    first = said("xxy", sure)
    assert verdict_could_change(closed(first), rules=Rules(), vetoes=()) is False
    assert verdict_could_change(closed(said("xxy", CLOSE)), rules=Rules(), vetoes=()) is True
    assert verdict_could_change(closed(first, said("xxy", CLOSE)), rules=Rules(), vetoes=()) is False


def test_over_the_rounds_a_close_other_answer_could_have_won() -> None:
    rounds = closed(said("xxy", CLOSE), said("xxy", CLOSE))
    assert verdict_could_change(rounds, rules=Rules(), vetoes=()) is True
    same = closed(said("xxx", CLOSE), said("xxx", CLOSE))
    assert verdict_could_change(same, rules=Rules(), vetoes=()) is False


def test_a_ballot_decides_only_where_another_answer_wins_without_it() -> None:
    weights = {1: {2: 40, 3: 10}, 2: {1: 30, 3: 36}, 3: {1: 60, 2: 20}}
    told = {}
    for answers in ("xyz", "yxx", "xxy", "xxx"):
        inputs = a_round(weights, answers=dict(enumerate(answers, start=1)))
        counted = tally(inputs, Rules())
        assert (counted.winner, counted.pivotal) == (1, (3,))  # without it proposal 2 wins
        told[answers] = deciding(inputs, counted, rules=Rules())
    assert told == {"xyz": (3,), "yxx": (3,), "xxy": (), "xxx": ()}
