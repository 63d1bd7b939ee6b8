"""Several fallible experts come to the right answer where each alone sometimes does not."""

import pytest

from tests.inference.deliberating import Round, Table

TASK = "What is 17*23?"
SEEDS = range(1, 21)


def best(rounds: list[Round]) -> Round:
    """The round whose winner has the most support."""
    return max(rounds, key=lambda each: each.net_support[each.winner])


@pytest.mark.parametrize("first_seat", [0, 1])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_panel_finds_391_whatever_the_number_of_rounds(seed: int, first_seat: int) -> None:
    rounds = Table(TASK, seed, first_seat).rounds(4)
    assert {each.answer() for each in rounds} == {"391"}
    assert best(rounds).answer() == "391"


def right_in(rounds: list[Round], number: int) -> list[bool]:
    return [said["final_answer"] == "391" for said in rounds[number].proposals.values()]


def test_an_expert_alone_is_often_wrong_and_deliberating_mends_it() -> None:
    sessions = [Table(TASK, seed).rounds(3) for seed in range(1, 101)]
    first = [right for rounds in sessions for right in right_in(rounds, 0)]
    last = [right for rounds in sessions for right in right_in(rounds, 2)]
    assert 0.65 < sum(first) / len(first) < 0.82
    assert sum(last) > sum(first)
    assert not all(all(right_in(rounds, 0)) for rounds in sessions[:20])


def test_every_expert_is_wrong_at_times() -> None:
    sessions = [Table(TASK, seed).rounds(1)[0] for seed in range(1, 101)]
    for seat in sessions[0].proposals:
        wrong = sum(session.proposals[seat]["final_answer"] != "391" for session in sessions)
        assert 3 <= wrong <= 60


def test_a_session_can_be_repeated() -> None:
    assert Table(TASK, 7).rounds(3) == Table(TASK, 7).rounds(3)
