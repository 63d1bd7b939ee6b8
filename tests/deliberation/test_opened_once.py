"""A form that is sent twice opens one session, and both answers lead there."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from deliberation.models import Event, Session
from deliberation.services.invitations import open_with_guests
from deliberation.services.sessions import Opening
from tests import builders
from tests.deliberation import opening
from tests.replay.forks import forked, post

pytestmark = pytest.mark.django_db
FORM = {"task": "What is 17*23?", "policy": "fast"}
FIELD = re.compile(r'<input type="hidden" name="key" value="([^"]+)"')


@pytest.fixture
def owner() -> User:
    opening.demo()
    return opening.person("owner")


def pressed(browser: Client, **fields: str) -> str:
    answer = browser.post("/new/", {**FORM, **fields})
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def test_a_second_press_leads_to_the_session_of_the_first(owner: User) -> None:
    opening.person("ada")
    browser, sent = opening.client(owner), {"key": str(uuid4()), "guests": "ada", "take_part": "on"}
    assert pressed(browser, **sent) == pressed(browser, **sent)
    session = Session.objects.get()
    assert session.invitations.count() == session.participants.count() == 1
    assert opening.kinds(session) == ["session.opened", "participant.joined", "participant.invited"]


def test_a_form_that_was_changed_meanwhile_opens_another(owner: User) -> None:
    browser, key = opening.client(owner), str(uuid4())
    first = pressed(browser, key=key)
    assert pressed(browser, key=key, task="What is 17*24?") != first
    assert pressed(browser, key=key, take_part="on") != first
    assert Session.objects.count() == 3


def test_forms_without_a_key_and_of_others_open_their_own(owner: User) -> None:
    browser, key = opening.client(owner), str(uuid4())
    assert pressed(browser) != pressed(browser)
    assert pressed(browser, key=key) != pressed(opening.client(opening.person("other")), key=key)


def test_a_key_that_is_none_is_refused_and_says_what_to_do(owner: User) -> None:
    answer = opening.client(owner).post("/new/", {**FORM, "key": "double"})
    assert answer.status_code == 422 and not Session.objects.exists()


@pytest.mark.parametrize("address", ["/", "/new/"])
def test_each_load_of_a_form_has_a_key_of_its_own(owner: User, address: str) -> None:
    browser = opening.client(owner)
    keys = [UUID(FIELD.findall(browser.get(address).content.decode())[0]) for _ in range(2)]
    assert keys[0] != keys[1]


def test_a_refused_form_keeps_its_key(owner: User) -> None:
    parent, key = builders.opened(owner).session, str(uuid4())
    answer = post(owner, parent, round=0, panel="named", key=key)
    assert answer.status_code == 422
    assert FIELD.findall(answer.content.decode()) == [key]


def test_a_fork_is_made_once(owner: User) -> None:
    parent, key = builders.opened(owner).session, str(uuid4())
    child = forked(owner, parent, round=0, key=key)
    assert forked(owner, parent, round=0, key=key) == child
    assert forked(owner, parent, round=0, key=key, take_part="on") != child
    assert Event.objects.filter(chain_id=str(child.pk), kind="session.forked").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_open_one_session(owner: User) -> None:
    asked, gate = Opening(FORM["task"], FORM["policy"], key=uuid4()), Barrier(2)

    def press() -> UUID:
        try:
            gate.wait()
            return open_with_guests(asked, owner=owner, guests=()).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        first, second = [each.result() for each in [threads.submit(press) for _ in range(2)]]
    assert first == second == Session.objects.get().pk
