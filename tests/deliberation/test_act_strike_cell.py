"""Striking the ballot that a number of the matrix came from: a person's has no review on which a button could stand."""

import pytest
from django.contrib.auth.models import User

from tests.deliberation.acting import Scene, key, signed_in

pytestmark = pytest.mark.django_db


def cell(room: Scene, user: User, place: str) -> str:
    address = f"/sessions/{room.table.id}/?cell={place}"
    return signed_in(user).get(address, headers={"HX-Request": "true"}).content.decode()


def test_a_persons_ballot_is_struck_from_its_number(room: Scene) -> None:
    room.press(room.owner, "ballot", {"round": "1", "key": key(), **room.votes(5, 0, 0)})
    seat = room.seat_of(room.owner)
    html = cell(room, room.colleague, f"1-{seat}-{room.agents[0]}")
    assert f"?strike=ballot-1-{seat}" in html
    assert "a second person has to confirm" in html
    form = room.look(room.colleague, f"?strike=ballot-1-{seat}", htmx=True)
    assert "Two people are needed" in form.words


def test_what_is_struck_or_over_offers_no_button(room: Scene) -> None:
    room.table.all_review()
    first, second, _ = room.agents
    assert "Strike this ballot" in cell(room, room.owner, f"1-{first}-{second}")
    strike = {
        "kind": "ballot",
        "round": "1",
        "seat": str(first),
        "code": "other",
        "reason": "x",
        "key": key(),
    }
    room.press(room.owner, "veto", strike)
    assert "Strike this ballot" not in cell(room, room.owner, f"1-{first}-{second}")
    room.table.advance()
    room.go_on()
    room.table.stop(room.owner)
    assert "Strike this ballot" not in cell(room, room.owner, f"1-{second}-{first}")
