"""Under a blind policy the trail says when names and totals were first shown to a person."""

import pytest

from deliberation.models import Event
from deliberation.replaying import recompute
from tests.deliberation.acting import Scene, key, scene

pytestmark = pytest.mark.django_db


def cast(room: Scene, votes: int) -> list[str]:
    fields = {"round": "1", "key": key(), **room.votes(votes, 0, 0)}
    return room.press(room.owner, "ballot", fields, htmx=True).kinds


def test_the_first_ballot_reveals_and_a_change_of_it_does_not() -> None:
    room = scene(prefix="blind-", blind=True)
    assert cast(room, 1) == ["ballot.cast", "names.revealed"]
    assert cast(room, 2) == ["ballot.cast"]
    told = Event.objects.get(chain_id=str(room.table.id), kind="names.revealed")
    assert told.data == {"round": 1, "seat": room.seat_of(room.owner)}
    assert told.actor == f"user:{room.owner.pk}"


def test_the_room_tells_it_and_names_the_ballot_as_what_took_effect() -> None:
    room = scene(prefix="blind-", blind=True)
    fields = {"round": "1", "key": key(), **room.votes(1, 0, 0)}
    answer = room.press(room.owner, "ballot", fields, htmx=True)
    ballot = Event.objects.get(chain_id=str(room.table.id), kind="ballot.cast")
    assert f"event {ballot.seq}" in answer.words
    assert "Names and totals are shown to person" in room.look(room.owner).words


def test_an_open_policy_has_nothing_to_reveal(room: Scene) -> None:
    assert cast(room, 1) == ["ballot.cast"]


def test_what_was_revealed_recomputes() -> None:
    room = scene(prefix="blind-", blind=True, max_rounds=1)
    cast(room, 1)
    room.table.all_review()
    room.table.advance()
    room.go_on()
    assert room.table.state == "concluded"
    assert recompute(room.table.session).mismatches == ()
