"""Before it stops: what would be left, in words that come true; why it was stopped; and one more round, taken back."""

import pytest
from django.urls import reverse

from deliberation.models import Blob
from deliberation.replaying import recompute
from tests import builders
from tests.deliberation.acting import Scene, scene, signed_in

pytestmark = pytest.mark.django_db


def effect(room: Scene) -> str:
    return room.look(room.owner, "?stop=1", htmx=True).words


def close_a_round(room: Scene) -> None:
    room.table.all_review()
    room.table.advance()
    room.go_on()


def test_in_the_first_round_it_ends_without_a_result_and_says_so_before(room: Scene) -> None:
    said = effect(room)
    assert (
        "Round 1 is still being reviewed, and no round is closed: stopping now ends without a result." in said
    )
    told = room.press(room.owner, "stop")
    assert "and it ends without a result: no round is closed (event" in told.words
    assert room.table.advance() == "failed"


def test_later_it_names_what_it_ends_with(room: Scene) -> None:
    close_a_round(room)
    said = effect(room)
    assert "Round 2 is still proposing: what it found so far counts for nothing." in said
    assert "and it ends with what is found by now" in room.press(room.owner, "stop").words
    assert room.table.advance() == "concluded"
    verdict = room.table.session.verdict
    assert verdict["round"] == 1
    letter = "ABCDEFG"[verdict["proposal"] - 1]
    assert f"It ends with what round 1 found: {letter} wins" in said


def test_while_people_are_waited_for_the_ballots_that_are_in_count(room: Scene) -> None:
    room.table.all_review()
    assert room.table.advance() == "holding"
    said = effect(room)
    assert "It ends with what round 1 found: " in said
    assert "counts for nothing" not in said
    room.press(room.owner, "stop")
    assert room.table.advance() == "concluded"


def test_who_votes_blind_reads_nothing_of_who_leads() -> None:
    room = scene(prefix="blind-", blind=True)
    close_a_round(room)
    said = effect(room)
    assert "which you see after your first ballot" in said
    assert " wins" not in said


def test_a_reason_stands_in_the_trail_and_among_the_events(room: Scene) -> None:
    told = room.press(room.owner, "stop", {"reason": " It repeats itself. "}).told
    assert [kind for kind, _ in told] == ["session.stop_requested"]
    blob = Blob.objects.get(pk=told[0][1]["text"]["blob"])
    assert bytes(blob.content) == b"It repeats itself."
    assert "repeats" not in str(told)
    assert "owner asked it to stop: It repeats itself." in room.look(room.colleague).words
    assert room.table.advance() == "failed"
    assert signed_in(room.owner).get(reverse("replay", args=[room.table.id])).status_code == 200


def test_a_reason_may_be_left_out_and_has_an_end(room: Scene) -> None:
    long = room.press(room.owner, "stop", {"reason": "x" * 2_001}, htmx=True)
    assert (long.status, long.kinds) == (422, [])
    assert room.press(room.owner, "stop", {"reason": " "}).told == [("session.stop_requested", {"round": 1})]


def test_the_question_is_asked_of_the_owner_alone(room: Scene) -> None:
    address = f"/sessions/{room.table.id}/?stop=1"
    htmx = {"HX-Request": "true"}
    assert signed_in(room.colleague).get(address, headers=htmx).status_code == 404
    assert "Stop now?" not in room.look(room.colleague, "?stop=1").words
    assert "Stop now?" in room.look(room.owner, "?stop=1").words


def test_one_more_round_is_taken_back_and_asked_for_again() -> None:
    room = scene(prefix="more-", max_rounds=1)
    nothing = room.press(room.owner, "no_more_round")
    assert (nothing.kinds, "No further round is asked for." in nothing.words) == ([], True)
    assert room.press(room.owner, "one_more_round").kinds == ["round.asked"]
    assert "one more round follows" in room.look(room.owner).words
    back = room.press(room.owner, "no_more_round", htmx=True)
    assert back.told == [("round.unasked", {"round": 1})]
    shown = room.look(room.owner).words
    assert "one more round follows" not in shown
    assert "round 2 follows, whatever the stop test says" in shown
    assert "asks for no further round after round 1" in room.look(room.colleague).words
    room.table.all_review()
    room.table.advance()
    assert room.go_on() == "concluded"
    assert recompute(room.table.session).first is None


def test_asked_for_again_it_follows() -> None:
    room = scene(prefix="again-", max_rounds=1)
    for name in ("one_more_round", "no_more_round", "one_more_round"):
        assert len(room.press(room.owner, name).kinds) == 1
    close_a_round(room)
    assert room.table.session.round == 2
    late = room.press(room.colleague, "no_more_round")
    assert (late.status, late.kinds) == (403, [])


def test_what_stopping_leaves_is_told_while_the_panel_is_chosen() -> None:
    owner = builders.person("early")
    table = builders.opened(owner, take_part=True)
    waiting = Scene(table, owner, owner, owner)
    assert "The panel is still being chosen" in effect(waiting)
