"""What if: with nothing changed a recount is the record; what is struck is as if it had not been there."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol import what_if
from deliberation.protocol.round import close_round
from deliberation.protocol.types import Ballot, Participant, RoundInput, RoundOutcome, Rules, Veto
from deliberation.protocol.verdict import conclude
from deliberation.protocol.what_if import Change, Recorded, Recount, recount
from tests.protocol.rounds import LAWS, a_round, rounds

LONG = Rules(effort=1.0, max_rounds=4)
ROUND = a_round({1: {2: 60, 3: -20}, 2: {1: 30, 3: 40}, 3: {1: 50, 2: 10}})


def session(*inputs: RoundInput, rules: Rules = LONG, **more: Any) -> Recorded:
    """What a session with these rounds leaves behind: it ends where the stop test says so."""
    numbered = [replace(each, number=n) for n, each in enumerate(inputs, start=1)]
    return Recorded(tuple(numbered[: len(closed(numbered, rules))]), rules, **more)


def closed(inputs: list[RoundInput], rules: Rules) -> list[RoundOutcome]:
    history: list[RoundOutcome] = []
    for each in inputs:
        history.append(close_round(each, rules, history))
        if history[-1].stop or history[-1].failure:
            break
    return history


def outcomes(found: Recount) -> list[RoundOutcome]:
    return [outcome for _, outcome in found.rounds]


@LAWS
@given(st.lists(rounds(), min_size=1, max_size=3))
def test_with_no_change_it_is_the_record_bit_for_bit(inputs: list[RoundInput]) -> None:
    record = session(*inputs)
    history = closed(list(record.rounds), record.rules)
    found = recount(record, Change())
    assert outcomes(found) == history
    assert [inputs for inputs, _ in found.rounds] == list(record.rounds)
    assert (found.stop, found.failure) == (history[-1].stop, history[-1].failure)
    assert found.not_reached == ()
    if found.stop:
        played = list(zip(record.rounds, history, strict=True))
        assert found.verdict == conclude(played, rules=record.rules, vetoes=(), stop_reason=found.stop)


@LAWS
@given(rounds(least=3), st.integers(1, 5))
def test_a_struck_ballot_counts_as_a_vetoed_one(inputs: RoundInput, voter: int) -> None:
    record = session(inputs)
    struck = Change(ballots=frozenset({(1, voter)}))
    muted = Change(muted=frozenset({voter}))
    cast = {each.voter for each in inputs.ballots}
    vetoed = replace(record.rounds[0], vetoes=(Veto("ballot", voter, 1),) if voter in cast else ())
    assert outcomes(recount(record, muted)) == [close_round(vetoed, LONG, [])]
    if voter in cast:
        assert outcomes(recount(record, struck)) == outcomes(recount(record, muted))


@LAWS
@given(rounds(least=3), st.integers(1, 5))
def test_a_seat_that_is_left_out_never_sat_here(inputs: RoundInput, seat: int) -> None:
    without = replace(
        inputs,
        participants=tuple(each for each in inputs.participants if each.seat != seat),
        proposals=tuple(each for each in inputs.proposals if each.author != seat),
        ballots=tuple(
            Ballot(each.voter, {p: w for p, w in each.weights.items() if p != seat})
            for each in inputs.ballots
            if each.voter != seat
        ),
    )
    found = recount(session(inputs), Change(out=frozenset({seat})))
    assert outcomes(found) == [close_round(without, LONG, [])]


def test_people_and_a_family_are_left_out_by_their_seats() -> None:
    seats = (
        Participant(1, family="red"),
        Participant(2, family="red"),
        Participant(3),
        Participant(4, "human"),
    )
    inputs = a_round({1: {3: 50}, 3: {1: 40, 4: 60}, 4: {3: 90}}, participants=seats)
    record = session(inputs)
    assert outcomes(recount(record, Change(families=frozenset({"red"})))) == outcomes(
        recount(record, Change(out=frozenset({1, 2})))
    )
    assert outcomes(recount(record, Change(without_people=True))) == outcomes(
        recount(record, Change(out=frozenset({4})))
    )


def test_a_struck_vote_is_no_opinion_and_the_rest_of_the_ballot_stands() -> None:
    tally = outcomes(recount(session(ROUND), Change(votes=frozenset({(1, 3, 1)}))))[0].tally
    assert tally.influence[3] == {2: pytest.approx(0.1**0.5)}
    assert tally.weighed_by[1] == 1


def test_a_veto_strikes_and_a_lifted_one_gives_back() -> None:
    record = session(replace(ROUND, vetoes=(Veto("proposal", 1, 1),)), vetoes=(Veto("proposal", 1, 1),))
    assert recount(record, Change()).verdict.proposal == 2  # type: ignore[union-attr]
    lifted = recount(record, Change(lifted=frozenset({(1, 1)}), vetoed=frozenset({(1, 2)})))
    assert outcomes(lifted) == [close_round(replace(ROUND, vetoes=(Veto("proposal", 2, 1),)), LONG, [])]
    assert lifted.verdict is not None
    assert (lifted.verdict.proposal, lifted.verdict.vetoed) == (1, ((1, 2),))


def test_a_veto_after_the_close_leaves_the_closed_tally_and_moves_the_verdict() -> None:
    late = session(ROUND, vetoes=(Veto("proposal", 1, 1),), ended="person")
    found = recount(late, Change())
    assert outcomes(found)[0].tally.winner == 1
    assert found.verdict is not None and found.verdict.proposal == 2 and found.verdict.recounted == (1,)


def test_rules_and_weights_are_those_of_the_change() -> None:
    record = session(ROUND, ROUND)
    found = recount(record, Change(rules={"rule": "borda", "k": 0.3}, weights={1: 5.0}))
    assert (found.rules.rule, found.rules.preset, found.rules.k) == ("borda", "custom", 0.3)
    assert found.rules.p_g == record.rules.p_g
    assert outcomes(found)[0].tally.rho == {1: 5.0, 2: 1.0, 3: 1.0}


def test_an_earlier_stop_leaves_later_rounds_unreached() -> None:
    record = session(ROUND, ROUND, ROUND)
    found = recount(record, Change(rules={"max_rounds": 2}))
    assert (found.end, found.stop, found.not_reached) == ("stopped", "max_rounds", (3,))
    assert len(found.rounds) == 2


def test_a_later_stop_finds_no_ballots() -> None:
    record = session(ROUND, ROUND, rules=Rules(max_rounds=2, effort=1.0))
    assert recount(record, Change()).end == "stopped"
    found = recount(record, Change(rules={"max_rounds": 5}))
    assert (found.end, found.stop, found.not_reached) == ("goes_on", None, ())
    assert found.verdict is not None


def test_a_struck_round_takes_what_answered_it_along() -> None:
    record = session(ROUND, ROUND, ROUND)
    found = recount(record, Change(rounds=frozenset({2})))
    assert (found.end, found.not_reached) == ("struck", (2, 3))
    nothing = recount(record, Change(rounds=frozenset({1})))
    assert (nothing.rounds, nothing.verdict, nothing.not_reached) == ((), None, (1, 2, 3))


def test_a_stop_between_two_rounds_stands() -> None:
    found = recount(session(ROUND, ended="person"), Change())
    assert (found.end, found.stop) == ("stopped", "person")
    assert found.verdict is not None and found.verdict.stop_reason == "person"


def test_the_running_round_is_counted_as_it_stands() -> None:
    record = session(ROUND, running=replace(ROUND, number=2))
    found = recount(record, Change())
    assert (found.end, found.outcomes[2].provisional, found.outcomes[1].provisional) == (
        "running",
        True,
        False,
    )
    assert recount(record, Change(rounds=frozenset({2}))).not_reached == (2,)


@LAWS
@given(st.lists(rounds(least=3), min_size=2, max_size=3), st.integers(1, 3), st.integers(1, 3))
def test_what_is_known_of_another_recount_changes_nothing(
    inputs: list[RoundInput], number: int, seat: int
) -> None:
    record = session(*inputs)
    place = frozenset({(number, seat)})
    base = recount(record, Change())
    for change in (
        Change(),
        Change(ballots=place),
        Change(vetoed=place, muted=frozenset({seat})),
        Change(votes=frozenset({(number, seat, seat % 3 + 1)})),
        Change(rules={"effort": 0.3}, out=frozenset({seat})),
        Change(rounds=frozenset({number})),
    ):
        assert recount(record, change, like=base) == recount(record, change)


def test_a_round_that_is_the_same_after_the_same_ones_is_not_closed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record = session(ROUND, ROUND, ROUND)
    base, asked = recount(record, Change()), []

    def counting(inputs: RoundInput, *others: Any) -> RoundOutcome:
        asked.append(inputs.number)
        return close_round(inputs, *others)

    monkeypatch.setattr(what_if, "close_round", counting)
    recount(record, Change(ballots=frozenset({(2, 1)})), like=base)
    assert asked == [2, 3]


def test_a_round_without_proposals_fails_the_session() -> None:
    found = recount(session(ROUND), Change(out=frozenset({1, 2})))
    assert (found.end, found.failure, found.verdict) == ("failed", "no_proposals", None)
