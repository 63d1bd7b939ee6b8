"""Saying that one is done with a round: what the person sees, what the trail holds, and what then goes on."""

import pytest

from deliberation import orchestrator
from deliberation.models import Session
from tests.deliberation.acting import Scene, key

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])


def ballot(room: Scene, *votes: int | str, **more: str) -> dict[str, str]:
    return {"round": "1", "key": key(), **room.votes(*votes), **more}


def done(
    room: Scene, user: object = None, **more: str
) -> tuple[int, str, list[tuple[str, dict[str, object]]]]:
    answer = room.press(user or room.owner, "done", {"round": "1", **more})  # type: ignore[arg-type]
    return answer.status, answer.words, answer.told


@BOTH
@pytest.mark.parametrize("cast", [False, True])
def test_done_says_whether_a_ballot_was_cast(room: Scene, cast: bool, htmx: bool) -> None:
    if cast:
        room.press(room.owner, "ballot", ballot(room, 1, 0, 0))
    answer = room.press(room.owner, "done", {"round": "1"}, htmx=htmx)
    assert answer.status == 200
    assert "You are done with round 1: it does not wait for you any more" in answer.words
    assert [(kind, data["outcome"]) for kind, data in answer.told] == [
        ("human.done", "cast" if cast else "declined")
    ]


def test_a_round_is_tallied_once_everybody_who_is_asked_is_done(room: Scene) -> None:
    room.table.all_review()
    assert room.table.advance() == "holding"
    done(room, room.owner)
    assert room.table.advance() == "holding"
    done(room, room.colleague)
    assert room.table.advance() == "proposing"
    assert room.table.session.round == 2


def test_done_twice_is_told_and_changes_nothing(room: Scene) -> None:
    done(room)
    status, words, told = done(room)
    assert (status, told) == (422, [])
    assert "Nothing waits for you in this round." in words


def test_who_is_not_asked_has_nothing_to_be_done_with(room: Scene) -> None:
    status, words, told = done(room, room.guest)
    assert (status, told) == (422, [])
    assert "Nothing waits for you in this round." in words


@pytest.mark.parametrize("number", ["", "one", "-1", "1.5", "9" * 5000])
def test_done_with_what_is_no_round_is_refused(room: Scene, number: str) -> None:
    status, words, told = done(room, round=number)
    assert (status, told) == (422, [])
    assert "This form is not complete. Load the page again" in words


def test_done_with_a_round_that_has_closed_says_so(room: Scene) -> None:
    room.table.all_review()
    room.table.advance()
    room.go_on()
    status, words, told = done(room)
    assert (status, told) == (422, [])
    assert "Round 1 was closed before this arrived" in words


def test_the_window_ends_without_an_answer_as_expired_and_never_as_consent(room: Scene) -> None:
    room.press(room.colleague, "ballot", ballot(room, 1, 0, 0))
    room.table.all_review()
    room.table.advance()
    before = room.head
    Session.objects.filter(pk=room.table.id).update(hold_until=room.table.session.created_at)
    orchestrator.advance(room.table.id)
    outcomes = {data["seat"]: data["outcome"] for kind, data in room.since(before) if kind == "human.done"}
    assert outcomes == {room.seat_of(room.owner): "expired", room.seat_of(room.colleague): "cast"}


def test_the_page_asks_no_more_for_what_was_answered(room: Scene) -> None:
    room.table.all_review()
    room.table.advance()
    seen = str(room.head - 1)
    more = room.press(room.owner, "done", {"round": "1", "answer": "more_time", "seen": seen}, htmx=True)
    assert more.page.fields["seen"] == seen
    assert "You had more time in this round." in more.words
    assert "I need more time" not in more.words and "I am done with round 1" in more.words
    ended = room.press(room.owner, "done", {"round": "1"}, htmx=True)
    assert "Round 1 waits for you no more." in ended.words
    assert "I am done with round 1" not in ended.words
