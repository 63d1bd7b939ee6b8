"""Signing in by password and by a one-time link, and out."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from deliberation.sign_in import SignInForm
from nsed_web.links import sign_in_link
from tests.deliberation import opening

pytestmark = pytest.mark.django_db
RIGHT = {"username": "owner", "password": "correct horse battery"}
WRONG = {**RIGHT, "password": "guess"}


@pytest.fixture(autouse=True)
def no_failures_yet() -> None:
    cache.clear()


@pytest.fixture
def owner() -> User:
    return opening.person("owner")


@pytest.fixture
def link(owner: User) -> str:
    return sign_in_link(owner, address="")


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def use(browser: Client, link: str) -> int:
    """Presses the button of the link's page."""
    return browser.post("/sign-in/link/", {"sesame": link.partition("sesame=")[2]}).status_code


def test_the_right_password_opens_the_page_that_was_asked_for(owner: User) -> None:
    browser = Client()
    answer = browser.post("/sign-in/", {**RIGHT, "next": "/policies/fast/"})
    assert answer.headers["Location"] == "/policies/fast/"
    assert is_signed_in(browser)


@pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org/", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(owner: User, elsewhere: str) -> None:
    assert Client().post("/sign-in/", {**RIGHT, "next": elsewhere}).headers["Location"] == "/"


def test_a_wrong_password_says_so_and_keeps_the_name(owner: User) -> None:
    browser = Client()
    html = browser.post("/sign-in/", WRONG).content.decode()
    assert "do not belong together" in html
    assert 'value="owner"' in html
    assert not is_signed_in(browser)


def test_guessing_is_braked_and_even_the_right_password_waits_then(owner: User) -> None:
    for _ in range(SignInForm.brake.failures):
        Client().post("/sign-in/", WRONG)
    browser = Client()
    assert "Wait 5 minutes" in browser.post("/sign-in/", RIGHT).content.decode()
    assert not is_signed_in(browser)


def test_the_brake_is_for_one_name_from_one_address(owner: User) -> None:
    opening.person("ada")
    for _ in range(SignInForm.brake.failures):
        Client().post("/sign-in/", {**WRONG, "username": "OWNER"})
    assert Client().post("/sign-in/", {**RIGHT, "username": "ada"}).status_code == 302
    assert Client(REMOTE_ADDR="192.0.2.7").post("/sign-in/", RIGHT).status_code == 302
    assert Client().post("/sign-in/", RIGHT).status_code == 200


def test_a_right_password_forgets_the_failures(owner: User) -> None:
    for _ in range(2):
        for _ in range(SignInForm.brake.failures - 1):
            Client().post("/sign-in/", WRONG)
        assert Client().post("/sign-in/", RIGHT).status_code == 302


def test_without_redis_the_right_password_still_works(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **options: object) -> None:
        raise RedisAway

    for command in ("get", "add", "incr", "delete"):
        monkeypatch.setattr(cache, command, away)
    assert Client().post("/sign-in/", WRONG).status_code == 200
    assert Client().post("/sign-in/", RIGHT).status_code == 302


def test_opening_a_link_signs_nobody_in_and_does_not_use_it_up(link: str) -> None:
    browser = Client()
    for _ in range(3):
        html = browser.get(link).content.decode()
    assert "Sign in as owner" in html
    assert not is_signed_in(browser)
    assert use(browser, link) == 302
    assert is_signed_in(browser)


def test_a_link_works_once(link: str) -> None:
    assert use(Client(), link) == 302
    again = Client()
    assert use(again, link) == 410
    assert not is_signed_in(again)
    html = again.get(link).content.decode()
    assert "This link signs nobody in" in html
    assert "manage.py sign_in_link" in html


def test_a_newer_sign_in_makes_older_links_void(owner: User, link: str) -> None:
    Client().post("/sign-in/", RIGHT)
    assert use(Client(), link) == 410


@pytest.mark.parametrize("broken", ["", "?sesame=AAAA", "?sesame=%00"])
def test_a_link_that_was_cut_says_so(owner: User, broken: str) -> None:
    answer = Client().get(f"/sign-in/link/{broken}")
    assert answer.status_code == 410
    assert "This link signs nobody in" in answer.content.decode()


def test_a_link_is_void_after_its_time(owner: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        long_ago = (timezone.now() - timedelta(seconds=settings.NSED.link_max_age_s + 60)).timestamp()
        patch.setattr("sesame.tokens_v2.time.time", lambda: long_ago)
        old = sign_in_link(owner, address="")
    assert use(Client(), old) == 410


def test_the_page_of_a_link_is_kept_nowhere(link: str) -> None:
    answer = Client().get(link)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_signing_out_takes_a_press(owner: User) -> None:
    browser = opening.client(owner)
    assert browser.get("/sign-out/").status_code == 405
    assert is_signed_in(browser)
    assert browser.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert not is_signed_in(browser)


def test_who_is_signed_in_needs_no_sign_in_page(owner: User) -> None:
    assert opening.client(owner).get("/sign-in/").headers["Location"] == "/"
