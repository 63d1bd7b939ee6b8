"""Two people at once, on connections of their own: one act wins, the other is told, and the chain stays whole."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction

from deliberation import orchestrator
from deliberation.claims import claimed
from deliberation.models import Session
from deliberation.replaying import recompute
from deliberation.services.acts import lock_session
from deliberation.services.rounds import begin_tally
from tests.deliberation.acting import Answer, Scene, key, scene

pytestmark = pytest.mark.django_db(transaction=True)
GIVE_UP_S = 30.0
WAITING = (
    "SELECT count(*), pg_stat_clear_snapshot() IS NULL FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def room() -> Scene:
    return scene()


def alone(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connections.close_all()


def wait_for_locks(count: int) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    with connection.cursor() as cursor:
        while True:
            cursor.execute(WAITING)
            if cursor.fetchone()[0] >= count:
                return
            assert time.monotonic() < deadline, "nobody waits for the lock"
            time.sleep(0.01)


def both(room: Scene, first: Callable[[], Answer], second: Callable[[], Answer]) -> list[Answer]:
    """What two see who press at the same moment: both wait for the session's row, and get it one by one."""
    with ThreadPoolExecutor(2) as threads:
        with transaction.atomic():
            lock_session(room.table.id)
            begun = []
            for number, act in enumerate((first, second), start=1):
                begun.append(threads.submit(alone, act))
                wait_for_locks(number)
        return [each.result(timeout=GIVE_UP_S) for each in begun]


def holds(room: Scene) -> bool:
    session = room.table.session
    return recompute(session).first is None


def one_won(answers: list[Answer], sentence: str) -> bool:
    statuses = sorted(each.status for each in answers)
    assert statuses == [200, 422]
    return sentence in next(each.words for each in answers if each.status == 422)


def test_of_two_stops_one_is_told_that_it_is_stopping_already(room: Scene) -> None:
    before = room.head
    answers = both(room, *[lambda: room.press(room.owner, "stop", htmx=True)] * 2)
    assert one_won(answers, "It is stopping already.")
    assert [kind for kind, _ in room.since(before)] == ["session.stop_requested"]
    assert holds(room)


def test_of_two_vetoes_of_one_proposal_one_is_told_that_it_is_struck(room: Scene) -> None:
    before = room.head
    body = {"kind": "proposal", "round": "1", "seat": str(room.agents[0]), "code": "wrong", "reason": "Off."}
    answers = both(
        room,
        lambda: room.press(room.owner, "veto", {**body, "key": key()}, htmx=True),
        lambda: room.press(room.colleague, "veto", {**body, "key": key()}, htmx=True),
    )
    assert one_won(answers, "It is struck already.")
    assert [kind for kind, _ in room.since(before)] == ["proposal.vetoed"]
    assert holds(room)


def test_of_two_who_confirm_one_request_at_once_one_is_told_that_it_is_settled() -> None:
    room = scene(veto_quorum=2)
    room.table.strike(room.owner, room.agents[0])
    asked = str(room.table.session.veto_requests.get().pk)
    body = {
        "kind": "proposal",
        "round": "1",
        "seat": str(room.agents[0]),
        "request": asked,
        "answer": "confirm",
    }
    before = room.head
    answers = both(
        room,
        lambda: room.press(room.colleague, "veto", {**body, "key": key()}, htmx=True),
        lambda: room.press(room.guest, "veto", {**body, "key": key()}, htmx=True),
    )
    assert one_won(answers, "This request is settled already.")
    assert [kind for kind, _ in room.since(before)] == ["proposal.vetoed"]
    assert holds(room)


def test_of_two_vetoes_decided_at_the_same_event_the_second_is_told_of_the_first(room: Scene) -> None:
    before = room.head
    first, second, _ = room.agents
    body = {"kind": "proposal", "round": "1", "code": "wrong", "reason": "Off.", "seen": str(before)}
    answers = both(
        room,
        lambda: room.press(room.owner, "veto", {**body, "seat": str(first), "key": key()}, htmx=True),
        lambda: room.press(room.colleague, "veto", {**body, "seat": str(second), "key": key()}, htmx=True),
    )
    assert sorted(each.status for each in answers) == [200, 409]
    assert [kind for kind, _ in room.since(before)] == ["proposal.vetoed"]
    assert "struck the proposal of" in next(each.words for each in answers if each.status == 409)


def test_one_press_that_arrives_twice_at_once_is_one_ballot(room: Scene) -> None:
    before = room.head
    body = {"round": "1", "key": key(), **room.votes(3, 0, 0)}
    answers = both(room, *[lambda: room.press(room.owner, "ballot", body, htmx=True)] * 2)
    assert [each.status for each in answers] == [200, 200]
    assert all(f"(event {before + 1})" in each.words for each in answers)
    assert [kind for kind, _ in room.since(before)] == ["ballot.cast"]


def test_two_people_who_vote_at_once_both_count(room: Scene) -> None:
    one, _, three = room.agents
    answers = both(
        room,
        lambda: room.press(room.owner, "ballot", {"round": "1", "key": key(), **room.votes(10, 0, 0)}),
        lambda: room.press(room.colleague, "ballot", {"round": "1", "key": key(), **room.votes(0, 0, 10)}),
    )
    assert [each.status for each in answers] == [200, 200]
    influence = room.counted().tally.influence
    assert influence[room.seat_of(room.owner)][one] == 1.0
    assert influence[room.seat_of(room.colleague)][three] == 1.0
    assert holds(room)


def ballot_of_the_owner(room: Scene) -> Answer:
    return room.press(room.owner, "ballot", {"round": "1", "key": key(), **room.votes(10, 0, 0)}, htmx=True)


def in_the_hold(room: Scene) -> None:
    room.table.all_review()
    assert room.table.advance() == "holding"


def voters(room: Scene) -> set[str]:
    """Whose ballots the closed round counts."""
    return set(room.table.session.rounds.get(number=1).outcome["tally"]["influence"])


def test_a_ballot_that_meets_the_closing_of_its_round_is_refused_and_counts_nowhere(room: Scene) -> None:
    in_the_hold(room)
    with claimed(Session.objects.filter(pk=room.table.id)) as claims, ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            begin_tally(claims[0])
            late = threads.submit(alone, lambda: ballot_of_the_owner(room))
            wait_for_locks(1)
        answer = late.result(timeout=GIVE_UP_S)
    orchestrator.advance(room.table.id)
    assert answer.status == 422
    assert "Round 1 is being tallied, so this came too late. Nothing was changed." in answer.words
    assert voters(room) == {str(seat) for seat in room.agents}
    assert holds(room)


def test_a_ballot_that_comes_just_before_the_closing_counts(room: Scene) -> None:
    in_the_hold(room)
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            ballot_of_the_owner(room)
            closing = threads.submit(alone, room.table.end_hold)
            wait_for_locks(1)
        assert closing.result(timeout=GIVE_UP_S) == "proposing"
    assert voters(room) == {str(seat) for seat in (*room.agents, room.seat_of(room.owner))}
    assert holds(room)


def test_a_ballot_and_the_closing_at_the_same_moment_agree_on_what_happened(room: Scene) -> None:
    in_the_hold(room)
    with ThreadPoolExecutor(2) as threads:
        with transaction.atomic():
            lock_session(room.table.id)
            closing = threads.submit(alone, room.table.end_hold)
            wait_for_locks(1)
            casting = threads.submit(alone, lambda: ballot_of_the_owner(room))
            wait_for_locks(2)
        closing.result(timeout=GIVE_UP_S)
        answer = casting.result(timeout=GIVE_UP_S)
    assert (answer.status == 200) == (str(room.seat_of(room.owner)) in voters(room))
    assert answer.status in (200, 422)
    assert holds(room)
