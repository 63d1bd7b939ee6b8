"""The states of a session (protocol.md 1 and 2)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation.protocol.phases import LEGAL, STATES, TERMINAL, Facts, Move, State, next_state
from tests.protocol.rounds import LAWS

DONE = Facts(started=True, agents=3, proposals=3)


@pytest.mark.parametrize(
    ("state", "facts", "move"),
    [
        ("draft", Facts(), Move("draft")),
        ("draft", Facts(started=True), Move("staffing")),
        ("draft", Facts(stop_requested=True), Move("failed", "person")),
        ("staffing", Facts(started=True), Move("staffing")),
        ("staffing", DONE, Move("proposing")),
        ("staffing", replace(DONE, agents=0), Move("failed", "no_panel")),
        ("proposing", replace(DONE, turns_open=1), Move("proposing")),
        ("proposing", DONE, Move("reviewing")),
        ("proposing", replace(DONE, proposals=2), Move("reviewing")),
        ("proposing", replace(DONE, proposals=1), Move("failed", "no_proposals")),
        ("proposing", replace(DONE, proposals=1, panel_of_one=True), Move("tallying")),
        ("proposing", replace(DONE, panel_of_one=True, hold=True), Move("holding")),
        ("proposing", replace(DONE, proposals=0, panel_of_one=True), Move("failed", "no_proposals")),
        ("reviewing", replace(DONE, turns_open=2), Move("reviewing")),
        ("reviewing", DONE, Move("tallying")),
        ("reviewing", replace(DONE, hold=True), Move("holding")),
        ("reviewing", replace(DONE, hold=True, hold_over=True), Move("tallying")),
        ("holding", replace(DONE, hold=True), Move("holding")),
        ("holding", replace(DONE, hold=True, hold_over=True), Move("tallying")),
        ("holding", replace(DONE, hold=True, stop_requested=True), Move("tallying")),
        ("tallying", DONE, Move("tallying")),
        ("tallying", replace(DONE, stop_requested=True), Move("tallying")),
        ("tallying", replace(DONE, tallied=True), Move("proposing")),
        ("tallying", replace(DONE, tallied=True, stop="evidence"), Move("concluded", "evidence")),
        ("tallying", replace(DONE, tallied=True, failure="no_ballots"), Move("failed", "no_ballots")),
        ("concluded", replace(DONE, stop_requested=True, broken=True), Move("concluded")),
        ("failed", DONE, Move("failed")),
    ],
)
def test_each_move(state: State, facts: Facts, move: Move) -> None:
    assert next_state(state, facts) == move


@pytest.mark.parametrize("state", ["staffing", "proposing", "reviewing"])
def test_a_persons_stop_concludes_with_a_closed_tally_and_fails_before(state: State) -> None:
    stopped = replace(DONE, turns_open=1, stop_requested=True)
    assert next_state(state, stopped) == Move("failed", "person")
    assert next_state(state, replace(stopped, closed_tallies=1)) == Move("concluded", "person")


@pytest.mark.parametrize("state", sorted(set(STATES) - TERMINAL))
def test_a_pause_holds_every_state_and_a_stop_ends_it(state: State) -> None:
    ready = replace(DONE, tallied=True, hold_over=True, paused=True)
    assert next_state(state, ready) == Move(state)
    assert next_state(state, replace(ready, stop_requested=True)).state != state
    assert next_state(state, replace(ready, broken=True)) == Move("failed", "internal")


facts = st.builds(
    Facts,
    started=st.booleans(),
    agents=st.none() | st.integers(0, 5),
    panel_of_one=st.booleans(),
    turns_open=st.integers(0, 3),
    proposals=st.integers(0, 5),
    hold=st.booleans(),
    hold_over=st.booleans(),
    tallied=st.booleans(),
    stop=st.none() | st.just("evidence"),
    failure=st.none() | st.just("no_ballots"),
    closed_tallies=st.integers(0, 6),
    paused=st.booleans(),
    stop_requested=st.booleans(),
    broken=st.booleans(),
)


@LAWS
@given(st.sampled_from(STATES), facts)
def test_every_move_is_a_legal_one_and_an_end_has_its_reason(state: State, given_facts: Facts) -> None:
    if state in ("draft", "staffing"):
        given_facts = replace(given_facts, closed_tallies=0)  # no round has been opened
    move = next_state(state, given_facts)
    assert move.state == state or move.state in LEGAL[state]
    assert (move.reason is not None) == (move.state in TERMINAL and move.state != state)


@LAWS
@given(st.sampled_from(sorted(set(STATES) - TERMINAL)), facts, st.integers(1, 6), st.data())
def test_every_state_reaches_a_terminal_one(state, start, max_rounds, data) -> None:
    """However the world stands: once turns settle, holds end and tallies are stored, the session ends."""
    now, rounds = replace(start, paused=False), 0
    for _ in range(8 * (max_rounds + 1)):
        move = next_state(state, now)
        if move.state in TERMINAL:
            return
        if move.state == "proposing" and state != "proposing":
            rounds += 1
            now = replace(
                now, tallied=False, stop=None, hold_over=False, turns_open=data.draw(st.integers(0, 3))
            )
        elif move.state == state:
            now = _progressed(state, now, last=rounds >= max_rounds)
        state = move.state
    raise AssertionError(f"still {state}")


def _progressed(state: State, now: Facts, *, last: bool) -> Facts:
    """What the world does about a state that waits."""
    if state == "tallying":
        return replace(
            now, tallied=True, closed_tallies=now.closed_tallies + 1, stop="max_rounds" if last else None
        )
    changes = {
        "draft": {"started": True},
        "staffing": {"agents": 3},
        "proposing": {"turns_open": 0},
        "reviewing": {"turns_open": 0},
        "holding": {"hold_over": True},
    }
    return replace(now, **changes[state])
