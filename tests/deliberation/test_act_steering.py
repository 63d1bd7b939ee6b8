"""Pausing, resuming and stopping; seats, invitations and their answers: what is seen, told, and changed."""

import pytest
from django.contrib.auth.models import User

from deliberation import staffing
from deliberation.models import Invitation, Session, Turn
from tests import builders
from tests.deliberation.acting import Answer, Scene, key, scene, signed_in

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
ENDED = "This deliberation has ended."


def is_refused(answer: Answer, sentence: str, *, status: int = 422) -> bool:
    assert (answer.status, answer.kinds) == (status, [])
    assert sentence in answer.words
    return True


# The owner's buttons


@BOTH
def test_a_pause_is_told_and_nothing_goes_on_until_it_is_lifted(room: Scene, htmx: bool) -> None:
    answer = room.press(room.owner, "pause", htmx=htmx)
    assert (answer.status, answer.kinds) == (200, ["session.paused"])
    assert "Paused: no new turn begins and no round closes until you resume" in answer.words
    assert f"(event {room.head})" in answer.words
    room.table.all_review()
    assert room.table.advance() == "reviewing"
    resumed = room.press(room.owner, "resume", htmx=htmx)
    assert (resumed.status, resumed.kinds) == (200, ["session.resumed"])
    assert "Resumed: every clock was set back by the length of the pause" in resumed.words
    assert room.table.advance() == "holding"


def test_a_pause_takes_no_time_from_anybody(room: Scene) -> None:
    turn = Turn.objects.filter(session=room.table.id, kind="review", endpoint__isnull=False).first()
    room.press(room.owner, "pause")
    paused_at = Session.objects.get(pk=room.table.id).paused_at
    room.press(room.owner, "resume")
    again = Turn.objects.get(pk=turn.pk)
    assert again.deadline_at - again.opened_at == turn.deadline_at - turn.opened_at
    assert again.deadline_at > turn.deadline_at
    assert paused_at is not None
    assert Session.objects.get(pk=room.table.id).paused_at is None


@BOTH
def test_pausing_twice_and_resuming_twice_are_told(room: Scene, htmx: bool) -> None:
    is_refused(room.press(room.owner, "resume", htmx=htmx), "It is not paused.")
    room.press(room.owner, "pause")
    is_refused(room.press(room.owner, "pause", htmx=htmx), "It is paused already.")
    room.press(room.owner, "resume")
    is_refused(room.press(room.owner, "resume", htmx=htmx), "It is not paused.")


@BOTH
def test_a_stop_is_requested_once_and_keeps_what_closed_rounds_found(room: Scene, htmx: bool) -> None:
    room.table.all_review()
    room.table.advance()
    room.go_on()
    answer = room.press(room.owner, "stop", htmx=htmx)
    assert (answer.status, answer.kinds) == (200, ["session.stop_requested"])
    assert "Stop requested: running calls are dropped" in answer.words
    is_refused(room.press(room.owner, "stop", htmx=htmx), "It is stopping already.")
    assert room.table.advance() == "concluded"
    assert room.table.session.stop_reason == "person"
    assert "391" in room.look(room.owner).words


def test_a_stop_before_the_first_tally_ends_without_a_verdict_and_says_so(room: Scene) -> None:
    room.press(room.owner, "stop")
    assert room.table.advance() == "failed"
    assert (room.table.session.stop_reason, room.table.session.verdict) == ("person", None)
    assert room.table.session.failure_detail
    assert room.table.session.failure_detail in room.look(room.owner).words


@BOTH
def test_a_paused_session_is_stopped(room: Scene, htmx: bool) -> None:
    room.table.all_review()
    room.table.advance()
    room.go_on()
    room.press(room.owner, "pause")
    assert room.press(room.owner, "stop", htmx=htmx).kinds == ["session.stop_requested"]
    assert room.table.advance() == "concluded"


def test_a_stopping_session_is_not_paused_back_to_life(room: Scene) -> None:
    room.press(room.owner, "stop")
    is_refused(room.press(room.owner, "pause", htmx=True), "It is stopping already.")
    assert room.table.advance() == "failed"


@BOTH
@pytest.mark.parametrize("name", ["pause", "resume", "stop", "take_seat"])
def test_an_ended_session_is_steered_no_more(room: Scene, name: str, htmx: bool) -> None:
    room.table.stop(room.owner)
    user = room.guest if name == "take_seat" else room.owner
    is_refused(room.press(user, name, htmx=htmx), ENDED)


@BOTH
@pytest.mark.parametrize("name", ["pause", "resume", "stop"])
def test_only_the_owner_steers(room: Scene, name: str, htmx: bool) -> None:
    answer = room.press(room.colleague, name, htmx=htmx)
    is_refused(answer, "Only the owner of this deliberation pauses, resumes and stops it.", status=403)


# Seats


def test_a_seat_is_taken_once_and_waited_for(room: Scene) -> None:
    answer = room.press(room.guest, "take_seat")
    assert (answer.status, answer.kinds) == (200, ["invitation.answered", "participant.joined"])
    assert "You have a seat: each round waits for your ballot" in answer.words
    assert Turn.objects.filter(participant__user=room.guest, state="open").count() == 1
    again = room.press(room.guest, "take_seat")
    assert (again.status, again.kinds) == (200, [])
    assert room.table.session.participants.filter(user=room.guest).count() == 1


def test_who_takes_a_seat_has_answered_the_invitation(room: Scene) -> None:
    assert "owner asks you to take part." in room.look(room.guest).words
    told = room.press(room.guest, "take_seat").told
    assert [data["answer"] for kind, data in told if kind == "invitation.answered"] == ["accepted"]
    assert "asks you to take part" not in signed_in(room.guest).get("/").content.decode()
    assert "asks you to take part" not in room.look(room.guest).words
    late = room.press(room.guest, "answer_invitation", {"answer": "decline"})
    assert (late.kinds, "This invitation was accepted before" in late.words) == ([], True)


def test_who_is_asked_declines_in_the_room(room: Scene) -> None:
    html = signed_in(room.guest).get(f"/sessions/{room.table.id}/").content.decode()
    form = html[html.index('id="asked"') :].partition("</form>")[0]
    assert f'action="/sessions/{room.table.id}/answer/"' in form
    assert 'value="accept"' in form
    assert 'value="decline"' in form
    assert 'id="asked"' not in signed_in(room.owner).get(f"/sessions/{room.table.id}/").content.decode()


def test_who_voted_without_a_seat_can_still_ask_to_be_waited_for(room: Scene) -> None:
    room.press(room.guest, "ballot", {"round": "1", "key": key(), **room.votes(1, 0, 0)})
    answer = room.press(room.guest, "take_seat")
    assert "you vote as you like" in answer.words
    assert answer.kinds == []


# Invitations


@BOTH
def test_a_colleague_is_asked_by_name_and_sees_it_in_the_list(room: Scene, htmx: bool) -> None:
    friend = builders.person("friend")
    answer = room.press(room.owner, "invite", {"how": "name", "name": "friend"}, htmx=htmx)
    assert (answer.status, answer.kinds) == (200, ["participant.invited"])
    assert "friend" in answer.words
    assert answer.told[0][1]["user"] == friend.pk
    assert builders.TASK in signed_in(friend).get("/").content.decode()


REFUSED = {
    "nobody": ({"how": "name", "name": "nobody"}, "Nobody here has the user name 'nobody'."),
    "empty": ({"how": "name", "name": ""}, "Write the user name of the person first, or make a link."),
    "oneself": ({"how": "name", "name": "owner"}, "You cannot invite yourself; take a seat instead."),
    "a participant": ({"how": "name", "name": "colleague"}, "colleague takes part already."),
    "twice": ({"how": "name", "name": "guest"}, "guest is invited already and has not answered yet."),
    "neither": ({"how": "pigeon", "name": "guest"}, "Choose whether to invite by user name or by a link."),
    "too long": ({"how": "name", "name": "x" * 151}, "A name has at most 150 characters"),
    "a NUL": ({"how": "name", "name": "gu\x00est"}, "Null characters are not allowed."),
}


@BOTH
@pytest.mark.parametrize(("body", "sentence"), REFUSED.values(), ids=REFUSED)
def test_who_cannot_be_invited(room: Scene, body: dict[str, str], sentence: str, htmx: bool) -> None:
    answer = room.press(room.owner, "invite", body, htmx=htmx)
    is_refused(answer, sentence)
    assert answer.page.fields["name"].replace("\x00", "") == body["name"].replace("\x00", "")
    assert Invitation.objects.count() == 1


@BOTH
def test_an_ended_session_invites_nobody(room: Scene, htmx: bool) -> None:
    room.table.stop(room.owner)
    is_refused(room.press(room.owner, "invite", {"how": "link", "name": ""}, htmx=htmx), ENDED)


def test_an_invited_person_says_yes_once(room: Scene) -> None:
    answer = room.press(room.guest, "answer_invitation", {"answer": "accept"})
    assert (answer.status, answer.kinds) == (200, ["invitation.answered", "participant.joined"])
    again = room.press(room.guest, "answer_invitation", {"answer": "decline"})
    assert again.kinds == []
    assert "This invitation was accepted before" in again.words


def test_who_declines_is_not_waited_for_and_does_not_see_it_any_more(room: Scene) -> None:
    answer = room.press(room.guest, "answer_invitation", {"answer": "decline"})
    assert (answer.status, answer.kinds) == (200, ["invitation.answered"])
    assert "You declined. The session goes on without you." in answer.words
    assert signed_in(room.guest).get(f"/sessions/{room.table.id}/").status_code == 404


@pytest.mark.parametrize("said", ["", "perhaps", "\x00"])
def test_neither_yes_nor_no_is_told_and_changes_nothing(room: Scene, said: str) -> None:
    answer = room.press(room.guest, "answer_invitation", {"answer": said})
    assert answer.kinds == []
    assert "Say whether you accept or decline the invitation." in answer.words
    assert Invitation.objects.get().accepted_at is None


def test_who_was_not_invited_has_nothing_to_answer(room: Scene) -> None:
    answer = room.press(room.colleague, "answer_invitation", {"answer": "accept"})
    assert answer.kinds == []
    assert "You were not invited by name to this deliberation." in answer.words


def test_the_answer_to_an_ended_session_says_that_it_ended(room: Scene) -> None:
    room.table.stop(room.owner)
    answer = room.press(room.guest, "answer_invitation", {"answer": "accept"})
    assert answer.kinds == []
    assert ENDED in answer.words
    assert not room.table.session.participants.filter(user=room.guest).exists()


def test_a_stranger_finds_nothing_at_any_address_of_the_room(room: Scene) -> None:
    stranger: User = builders.person("stranger")
    for name in ("ballot", "done", "veto", "guidance", "pause", "resume", "stop", "take_seat", "invite"):
        answer = room.press(stranger, name, {"round": "1", "key": key()})
        assert (answer.status, answer.kinds) == (404, [])


def test_acts_on_a_session_that_waits_for_its_panel_do_no_harm() -> None:
    owner = builders.person("early")
    table = builders.opened(owner, take_part=True)
    waiting = Scene(table, owner, owner, owner)
    strike = {"kind": "proposal", "round": "1", "seat": "2", "code": "wrong", "reason": "x", "key": key()}
    is_refused(waiting.press(owner, "done", {"round": "1"}), "The first round has not begun")
    is_refused(waiting.press(owner, "veto", strike), "There is nothing there to strike.")
    assert waiting.press(owner, "pause").kinds == ["session.paused"]
    assert waiting.press(owner, "resume").kinds == ["session.resumed"]
    assert waiting.press(owner, "guidance", {"text": "Go slow.", "key": key()}).kinds == ["guidance.left"]
    assert waiting.press(owner, "stop").kinds == ["session.stop_requested"]
    staffing.staff(table.id)
    assert (table.state, table.session.failure) == ("failed", "no_ballots")


def test_the_scene_can_be_made_twice() -> None:
    """Two scenes beside each other do not touch."""
    one, two = scene(prefix="a-"), scene(prefix="b-")
    before = two.head
    one.press(one.owner, "pause")
    assert two.head == before
