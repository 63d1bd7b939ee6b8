"""Inviting by name and by link: who gets a seat, what is refused, and what the trail tells of it."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from deliberation.models import Event, Invitation, Participant, Session, Turn
from deliberation.selectors.access import visible_sessions
from deliberation.services import invitations
from deliberation.services.acts import ActRefused
from tests.deliberation import opening

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return opening.person("owner", first_name="Olga")


@pytest.fixture
def ada() -> User:
    return opening.person("ada", first_name="Ada", last_name="Byron")


@pytest.fixture
def session(owner: User) -> Session:
    return opening.opened(owner)


@pytest.fixture
def link(session: Session, owner: User) -> str:
    return f"/invitations/{invitations.invite_by_link(session.pk, owner).token}/"


def last(session: Session) -> Event:
    return Event.objects.filter(chain_id=str(session.pk)).latest("seq")


def test_an_invited_person_sees_the_session_and_accepting_gives_a_seat(
    session: Session, owner: User, ada: User
) -> None:
    opening.open_round(session)
    assert not visible_sessions(ada).exists()
    invitations.invite_by_name(session.pk, owner, " ada ")
    assert visible_sessions(ada).get() == session
    answer = opening.client(ada).post(f"/sessions/{session.pk}/answer/", {"answer": "accept"})
    assert answer.headers["Location"] == f"/sessions/{session.pk}/"
    seat = Participant.objects.get(user=ada)
    assert seat.asked
    assert Turn.objects.filter(participant=seat, state="open").exists()
    assert opening.kinds(session)[1:] == ["participant.invited", "invitation.answered", "participant.joined"]


def test_events_hold_ids_and_no_names(session: Session, owner: User, ada: User) -> None:
    invited = invitations.invite_by_name(session.pk, owner, "ada").invitation
    assert last(session).data == {"invitation": invited.pk, "user": ada.pk, "how": "name"}
    assert last(session).actor == f"user:{owner.pk}"
    invitations.answer_by_name(session.pk, ada, accepts=False)
    assert last(session).data == {"invitation": invited.pk, "user": ada.pk, "answer": "declined"}
    assert last(session).actor == f"user:{ada.pk}"


def test_declining_seats_nobody_and_hides_the_session_again(session: Session, owner: User, ada: User) -> None:
    invitations.invite_by_name(session.pk, owner, "ada")
    opening.client(ada).post(f"/sessions/{session.pk}/answer/", {"answer": "decline"})
    assert not Participant.objects.filter(user=ada).exists()
    assert not visible_sessions(ada).exists()


def test_an_answer_is_given_once(session: Session, owner: User, ada: User) -> None:
    invitations.invite_by_name(session.pk, owner, "ada")
    invitations.answer_by_name(session.pk, ada, accepts=True)
    before = opening.kinds(session)
    with pytest.raises(ActRefused, match="accepted before"):
        invitations.answer_by_name(session.pk, ada, accepts=False)
    assert opening.kinds(session) == before


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "Nobody here has the user name 'nobody'. Invite them by a link instead."),
        ("", "Write the user name of the person first, or make a link."),
        ("owner", "You cannot invite yourself; take a seat instead."),
        ("ada", "ada is invited already and has not answered yet."),
        ("seated", "seated takes part already."),
        ("refuser", "refuser was asked and declined. Send a link if they changed their mind."),
    ],
)
def test_who_cannot_be_invited_and_why(
    session: Session, owner: User, ada: User, name: str, sentence: str
) -> None:
    for other in ("seated", "refuser"):
        user = opening.person(other)
        invitations.invite_by_name(session.pk, owner, other)
        invitations.answer_by_name(session.pk, user, accepts=other == "seated")
    invitations.invite_by_name(session.pk, owner, "ada")
    before = opening.kinds(session)
    with pytest.raises(ActRefused) as refusal:
        invitations.invite_by_name(session.pk, owner, name)
    assert str(refusal.value) == sentence
    assert opening.kinds(session) == before


def test_nobody_is_invited_to_a_session_that_has_ended(session: Session, owner: User, ada: User) -> None:
    opening.conclude(session)
    answer = opening.client(owner).post(f"/sessions/{session.pk}/invite/", {"how": "name", "name": "ada"})
    assert "This deliberation has ended" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_the_room_gets_the_link_once_and_the_database_only_its_hash(session: Session, owner: User) -> None:
    browser = opening.client(owner)
    answer = browser.post(
        f"/sessions/{session.pk}/invite/",
        {"how": "link", "name": "the new reviewer"},
        headers={"HX-Request": "true"},
    )
    html = answer.content.decode()
    token = re.search(r"http://testserver/invitations/([\w-]+)/", html)
    assert token is not None
    assert html.lstrip().startswith('<div id="invite"')
    assert "(the new reviewer)" in html
    stored = Invitation.objects.get()
    assert token[1] not in str(vars(stored))
    assert token[1] not in str(last(session).data)
    assert answer.headers["Cache-Control"].startswith("max-age=0")
    assert invitations.find(token[1]) == stored


def test_inviting_works_without_scripts(session: Session, owner: User, ada: User) -> None:
    answer = opening.client(owner).post(f"/sessions/{session.pk}/invite/", {"how": "name", "name": "ada"})
    assert "<html" in answer.content.decode()
    assert "ada is invited" in answer.content.decode()


def test_a_refused_invitation_keeps_the_name(session: Session, owner: User) -> None:
    answer = opening.client(owner).post(
        f"/sessions/{session.pk}/invite/", {"how": "name", "name": "adda"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 422
    assert 'value="adda"' in answer.content.decode()


def test_a_visitor_reads_who_asks_for_what(link: str) -> None:
    html = Client().get(link).content.decode()
    assert "Olga asks you to take part" in html
    assert opening.TASK in html


def test_a_visitor_gets_an_account_a_seat_and_the_room(session: Session, link: str) -> None:
    browser = Client()
    answer = browser.post(link, {"answer": "accept", "display_name": "  Mary  Shelley "})
    assert answer.headers["Location"] == f"/sessions/{session.pk}/"
    user = User.objects.get(username="mary-shelley")
    assert user.first_name == "Mary Shelley"
    assert not user.has_usable_password()
    assert not (user.is_staff or user.is_superuser)
    assert Participant.objects.get(user=user).asked
    assert browser.session["_auth_user_id"] == str(user.pk)
    assert opening.TASK in browser.get("/").content.decode()


def test_a_name_that_is_taken_is_numbered(session: Session, owner: User) -> None:
    opening.person("mary")
    for _ in range(2):
        token = invitations.invite_by_link(session.pk, owner).token
        invitations.accept_link_as_visitor(token, "Mary")
    names = User.objects.filter(first_name="Mary").values_list("username", flat=True)
    assert set(names) == {"mary-2", "mary-3"}


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "\x00"])
def test_a_visitor_without_a_usable_name_stays_outside(link: str, name: str) -> None:
    people = User.objects.count()
    answer = Client().post(link, {"answer": "accept", "display_name": name})
    assert answer.status_code == 422
    assert User.objects.count() == people
    assert not Participant.objects.exists()


def test_a_name_of_other_letters_gets_an_account_too(link: str) -> None:
    Client().post(link, {"answer": "accept", "display_name": "\u5357\u8c37"})
    assert User.objects.get(first_name="\u5357\u8c37").username == "guest"


def test_a_link_works_once(session: Session, link: str, ada: User) -> None:
    Client().post(link, {"answer": "accept", "display_name": "Mary"})
    before = opening.kinds(session)
    answer = opening.client(ada).post(link, {"answer": "accept"})
    assert answer.status_code == 410
    assert "works once" in answer.content.decode()
    assert not Participant.objects.filter(user=ada).exists()
    assert opening.kinds(session) == before


def test_somebody_signed_in_joins_as_themselves(session: Session, link: str, ada: User) -> None:
    browser = opening.client(ada)
    assert "You join as Ada Byron." in browser.get(link).content.decode()
    browser.post(link, {"answer": "accept"})
    assert Participant.objects.get(user=ada).session == session
    assert Invitation.objects.get().user == ada


def test_who_sits_already_does_not_use_up_the_link(
    session: Session, link: str, ada: User, owner: User
) -> None:
    invitations.invite_by_name(session.pk, owner, "ada")
    browser = opening.client(ada)
    browser.post(link, {"answer": "accept"})
    browser.post(link, {"answer": "accept"})
    assert Participant.objects.filter(user=ada).count() == 1
    assert Invitation.objects.get(user=ada).accepted_at is not None
    assert Client().get(link).status_code == 200


def test_who_declined_by_name_may_come_by_a_link(session: Session, link: str, ada: User, owner: User) -> None:
    invitations.invite_by_name(session.pk, owner, "ada")
    invitations.answer_by_name(session.pk, ada, accepts=False)
    opening.client(ada).post(link, {"answer": "accept"})
    assert Participant.objects.filter(user=ada).exists()


def test_a_declined_link_is_used_up(session: Session, link: str) -> None:
    Client().post(link, {"answer": "decline"})
    assert last(session).actor == "visitor"
    assert last(session).data["user"] is None
    assert Client().get(link).status_code == 410
    assert "declined" in Client().post(link, {"answer": "accept", "display_name": "M"}).content.decode()
    assert not Participant.objects.exists()


def test_a_link_to_an_ended_session_seats_nobody(session: Session, link: str) -> None:
    opening.conclude(session)
    people = User.objects.count()
    assert Client().post(link, {"answer": "accept", "display_name": "Mary"}).status_code == 410
    assert "has ended" in Client().get(link).content.decode()
    assert User.objects.count() == people


def test_an_unknown_link_says_so(session: Session) -> None:
    answer = Client().get(f"/invitations/{uuid4()}/")
    assert answer.status_code == 404
    assert "This link is not an invitation" in answer.content.decode()


def test_an_answer_that_is_neither_yes_nor_no_changes_nothing(link: str, session: Session) -> None:
    before = opening.kinds(session)
    assert Client().post(link, {"answer": "perhaps", "display_name": "Mary"}).status_code == 422
    assert opening.kinds(session) == before
