"""Pages that stand open while their person signs out, or while somebody else signs in: nothing is swapped into them."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from deliberation.models import Ballot
from tests.deliberation.acting import Scene, key

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def cast(room: Scene, browser: Client, **headers: str) -> HttpResponse:
    body = {"round": "1", "key": key(), **room.votes(3, 0, 0)}
    return browser.post(reverse("ballot", args=[room.table.id]), body, headers={**HTMX, **headers})


def is_told(answer: HttpResponse, words: str) -> bool:
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/plain; charset=utf-8")
    assert words in answer.content.decode()
    assert "nothing that you typed is lost" in answer.content.decode()
    assert not Ballot.objects.exists()
    return True


def test_a_press_of_somebody_signed_out_gets_a_sentence_and_no_page(room: Scene) -> None:
    assert is_told(cast(room, Client()), "You are signed out, so this was not sent.")


def test_a_press_without_the_token_of_the_sign_in_gets_the_same(room: Scene) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(room.owner)
    assert is_told(cast(room, browser), "You are signed out, so this was not sent.")
    plain = browser.post(reverse("pause", args=[room.table.id]))
    assert (plain.status_code, "This form is too old" in plain.content.decode()) == (403, True)


def test_a_page_of_one_person_sends_nothing_under_the_name_of_another(room: Scene) -> None:
    browser = Client()
    browser.force_login(room.colleague)
    made_for: User = room.owner
    assert is_told(cast(room, browser, **{"X-Made-For": str(made_for.pk)}), "Somebody else is signed in")
    again = cast(room, browser, **{"X-Made-For": str(room.colleague.pk)})
    assert (again.status_code, Ballot.objects.get().participant.user) == (200, room.colleague)


def test_a_page_says_for_whom_it_was_made(room: Scene) -> None:
    browser = Client()
    browser.force_login(room.owner)
    html = browser.get(f"/sessions/{room.table.id}/").content.decode()
    assert f'"X-Made-For": "{room.owner.pk}"' in html


def test_who_opens_an_address_is_still_sent_to_the_sign_in(room: Scene) -> None:
    answer = Client().get(f"/sessions/{room.table.id}/")
    assert answer.headers["Location"].startswith("/sign-in/?next=")
    refreshed = Client().get("/", headers=HTMX)  # the list that refreshes itself
    assert refreshed.headers["HX-Redirect"].startswith("/sign-in/")
