"""The form of a new deliberation: the panel beside each policy follows what is chosen, and ticks name the panel."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.deliberation import opening


@pytest.fixture
def form(sit_down: Callable[..., Person], start_workers: Callable[[], None]) -> Page:
    opening.demo()
    person = sit_down(reduced_motion="reduce")
    person.sign_in(User.objects.create_user("asker"))
    start_workers()
    return person.open("/new/?policy=thorough&task=What+is+17*23%3F")


def test_the_panel_is_named_and_follows_the_form(form: Page) -> None:
    card = form.locator(".choice-card", has_text="thorough")
    expect(card.locator(".estimate")).to_contain_text("Now:", timeout=30_000)
    who = card.locator(".who-sits")
    expect(who).to_be_attached(timeout=30_000)
    form.get_by_text("More choices").click()
    before = who.locator("li").count()
    assert before > 1
    form.get_by_label("abacus").check()
    expect(form.get_by_label("Exactly these models")).to_be_checked()
    expect(card.locator(".who-sits li")).to_have_count(1)
    expect(card.locator(".who-sits li")).to_contain_text("abacus")
    form.get_by_label("The broker chooses").check()
    expect(form.get_by_label("abacus")).not_to_be_checked()
    expect(card.locator(".who-sits li")).to_have_count(before)
    form.get_by_label("I take part").check()
    expect(card.locator(".estimate")).to_contain_text("named after your first ballot")
    expect(card.locator(".who-sits")).to_have_count(0)
