"""One more round: it follows whatever the stop test says, and replay says so too."""

import pytest

from deliberation import parts, state_words
from deliberation.replaying import recompute
from deliberation.selectors import evidence, glance
from tests.deliberation.acting import Scene, scene

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])


def holds(room: Scene) -> bool:
    session = room.table.session
    return recompute(session).first is None


def play(room: Scene) -> str:
    """The running round to its end."""
    if room.table.state == "proposing":
        room.table.all_propose()
    room.table.all_review()
    room.table.advance()
    return room.go_on()


@BOTH
def test_after_the_last_round_another_one_follows_and_it_ends_after_that(db: None, htmx: bool) -> None:
    room = scene(prefix="last-", max_rounds=1)
    answer = room.press(room.owner, "one_more_round", htmx=htmx)
    assert (answer.status, answer.kinds) == (200, ["round.asked"])
    assert "Asked: one more round follows this one" in answer.words
    assert "one more round follows" in room.look(room.owner).words
    assert play(room) == "proposing"
    assert room.table.session.round == 2
    assert play(room) == "concluded"
    assert room.table.session.stop_reason in ("evidence", "max_rounds")
    assert holds(room)


def test_the_screens_count_with_the_round_that_was_asked_for(db: None) -> None:
    room = scene(prefix="last-", max_rounds=1)
    room.press(room.owner, "one_more_round")
    assert glance.strip(parts.fresh(room.table.id).room, audience="open").max_rounds == 2
    play(room)
    shown = parts.fresh(room.table.id).room
    assert state_words.rounds(shown.session, shown.rules) == "2 of 2"
    play(room)
    shown = parts.fresh(room.table.id).room
    view = evidence.evidence(shown, audience="open")
    assert (view.max_rounds, [number for number, _ in view.rounds]) == (2, [1, 2])
    assert "of 2" in " ".join(parts.fresh(room.table.id).html("strip", "open").split())


def test_guidance_and_proposals_reach_the_round_that_was_asked_for(db: None) -> None:
    room = scene(prefix="last-", max_rounds=1)
    room.press(room.owner, "one_more_round")
    room.table.guide(room.owner)
    assert play(room) == "proposing"


def test_a_stop_and_a_cap_end_it_all_the_same(db: None) -> None:
    room = scene(prefix="last-", max_rounds=1)
    room.press(room.owner, "one_more_round")
    room.table.all_review()
    room.table.advance()
    room.press(room.owner, "stop")
    assert room.go_on() == "concluded"
    assert room.table.session.stop_reason == "person"
    assert holds(room)


def test_twice_and_without_the_right_it_is_refused(room: Scene) -> None:
    room.press(room.owner, "one_more_round")
    again = room.press(room.owner, "one_more_round", htmx=True)
    assert (again.status, again.kinds) == (422, [])
    assert "Round 2 is asked for already." in again.words
    assert room.press(room.colleague, "one_more_round").status == 403


def test_an_ended_or_stopping_session_has_no_further_round(room: Scene) -> None:
    room.press(room.owner, "stop")
    assert "It is stopping already." in room.press(room.owner, "one_more_round").words
    room.table.advance()
    assert "This deliberation has ended." in room.press(room.owner, "one_more_round").words
