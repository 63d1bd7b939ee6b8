"""What waits for somebody on the first page: a veto that needs a second person, and until when an invitation counts."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from deliberation.models import Session
from deliberation.selectors.waiting import waiting
from deliberation.services import people
from tests.deliberation.acting import Scene, signed_in
from tests.deliberation.reading import read

pytestmark = pytest.mark.django_db


def home(user: User) -> str:
    return read(signed_in(user).get("/")).words


def ask(room: Scene) -> int:
    """The owner asks to strike the first proposal; two people are needed."""
    rules = {**room.table.session.rules, "veto_quorum": 2}
    Session.objects.filter(pk=room.table.id).update(rules=rules)
    room.table.strike(room.owner, room.agents[0])
    return int(room.table.session.veto_requests.get().pk)


def test_a_veto_waits_for_a_second_person_until_it_is_settled(room: Scene) -> None:
    request = ask(room)
    (asked,) = waiting(room.colleague).vetoes
    assert asked.key == f"proposal-1-{room.agents[0]}"
    assert waiting(room.colleague).count == 2  # beside the ballot
    assert "Somebody asks to strike the proposal of" in home(room.colleague)
    people.drop_veto_request(room.table.id, room.owner, request)
    assert waiting(room.colleague).vetoes == ()


def test_it_waits_neither_for_who_asked_nor_for_strangers(room: Scene) -> None:
    ask(room)
    assert waiting(room.owner).vetoes == ()
    assert waiting(room.guest).vetoes == ()


def test_it_does_not_wait_for_the_person_whose_ballot_it_is(room: Scene) -> None:
    room.table.vote(room.colleague, dict.fromkeys(room.agents, 1))
    room.table.strike(room.owner, room.seat_of(room.colleague), kind="ballot")
    assert waiting(room.colleague).vetoes == ()


def test_an_ended_session_waits_for_nobody(room: Scene) -> None:
    ask(room)
    Session.objects.filter(pk=room.table.id).update(state="failed", failure="internal")
    assert waiting(room.colleague).vetoes == ()


def test_an_invitation_says_when_the_held_round_closes(room: Scene) -> None:
    until = timezone.now() + timedelta(seconds=192)
    assert "is held now" not in home(room.guest)
    Session.objects.filter(pk=room.table.id).update(state="holding", hold_until=until)
    assert "The round that is held now has 3:1" in home(room.guest)
