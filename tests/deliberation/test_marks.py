"""Small marks: which seat is mine in the room, what is a fork in the list, and what a wrong address says."""

import pytest
from django.urls import reverse

from deliberation.models import Session
from tests.deliberation.acting import Scene, scene, signed_in
from tests.deliberation.reading import read

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("blind", [False, True])
def test_the_room_says_which_seat_is_mine(blind: bool) -> None:
    room = scene(prefix="marked-", blind=blind)
    letter = "ABCDEFG"[room.seat_of(room.colleague) - 1]
    assert f"You sit here as person {letter}." in room.look(room.colleague).words
    assert "You sit here" not in room.look(room.guest).words


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("key", ["zzz", "proposal-1-99", "ballot-9-1"])
def test_what_cannot_be_struck_is_told(room: Scene, key: str, htmx: bool) -> None:
    headers = {"HX-Request": "true"} if htmx else {}
    answer = signed_in(room.owner).get(f"/sessions/{room.table.id}/?strike={key}", headers=headers)
    assert answer.status_code == 404
    assert "There is nothing at this place of the room. Nothing was changed." in answer.content.decode()
    assert ("<main" in answer.content.decode()) is not htmx


def test_what_can_be_struck_opens_the_form(room: Scene) -> None:
    page = room.look(room.owner, f"?strike=proposal-1-{room.agents[0]}")
    assert "Strike the proposal of" in page.words


@pytest.mark.parametrize(("number", "words"), [(2, "fork, after round 2"), (0, "asked again")])
def test_a_fork_is_marked_in_the_list(room: Scene, number: int, words: str) -> None:
    browser = signed_in(room.owner)
    assert words not in read(browser.get(reverse("sessions"))).words
    Session.objects.filter(pk=room.table.id).update(parent=room.table.id, parent_round=number)
    assert words in read(browser.get(reverse("sessions"))).words
