"""The list as somebody looks for a session: words, filters, chips, the way back, by keyboard and on a phone."""

import re
from collections.abc import Callable

from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.test_usable import complaints, tab_to
from tests.builders import Table, opened


def two_sessions(owner: User) -> Table:
    """One that concluded, with a formula in its question; one that was only opened."""
    opened(owner, task="Which bridge is the safest?")
    table = opened(owner, task="Is $2^p-1$ prime for $p=11$?", max_rounds=1, human_window_s=0).staff()
    table.whole_round()
    return table


def quiet(page: Page) -> Page:
    """No request of the list is on its way: one that is cut off by leaving is told on the console."""
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    return page


def rows(page: Page) -> list[str]:
    return [each.inner_text() for each in page.locator(".session-task > a").all()]


def test_words_and_filters_narrow_the_list_and_chips_widen_it_again(sit_down: Callable[..., Person]) -> None:
    person = sit_down(reduced_motion="reduce")
    owner = User.objects.create_user("seeker")
    table = two_sessions(owner)
    person.sign_in(owner)
    page = person.open()
    expect(page.locator(".session-task math")).to_have_count(2)
    page.get_by_role("searchbox", name="Words").press_sequentially("multipl")
    expect(page.locator(".session-task > a")).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 found")
    expect(page.locator("mark").first).to_have_text("multiplied")
    expect(page).to_have_url(re.compile(r"/\?q=multipl$"))
    expect(page.get_by_role("searchbox", name="Words")).to_be_focused()

    page.get_by_label("State").select_option("failed")
    expect(page.locator("#none-found")).to_contain_text("Look without failed")
    expect(page).to_have_url(re.compile(r"\?q=multipl&state=failed$"))
    quiet(page).get_by_role("link", name="Take away the filter failed").click()
    expect(page).to_have_url(re.compile(r"\?q=multipl$"))
    expect(page.get_by_label("State")).to_have_value("")
    quiet(page).get_by_role("link", name="Take away the filter “multipl”").click()
    expect(page.locator(".session-task > a")).to_have_count(2)
    expect(page.get_by_role("searchbox", name="Words")).to_have_value("")
    quiet(page).go_back()
    expect(page.locator(".session-task > a")).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Words")).to_have_value("multipl")

    quiet(page).locator(".snippet").click()
    expect(page).to_have_url(re.compile(rf"/sessions/{table.id}/#proposal-1-\d$"))


def test_a_refresh_takes_no_focus_and_no_open_filters(sit_down: Callable[..., Person]) -> None:
    person = sit_down()
    owner = User.objects.create_user("waiter")
    two_sessions(owner)
    person.sign_in(owner)
    page = person.open()
    page.get_by_text("More filters").click()
    link = page.get_by_role("link", name="Which bridge")
    link.focus()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "sessions"):
        pass
    expect(link).to_be_focused()
    expect(page.get_by_label("Category")).to_be_visible()


def test_the_keyboard_finds_an_event_and_goes_there(sit_down: Callable[..., Person]) -> None:
    person = sit_down()
    owner = User.objects.create_user("typer")
    two_sessions(owner)
    person.sign_in(owner)
    page = person.open()
    tab_to(page, page.get_by_role("searchbox", name="Words"))
    page.keyboard.type("multiplied")
    tab_to(page, page.locator("#more-filters > summary"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Show the events that match"))
    page.keyboard.press("Space")
    event = page.locator(".trails li a").first
    expect(event).to_be_visible()
    number = event.inner_text().removeprefix("event ")
    tab_to(page, event)
    quiet(page).keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"#e-{number}$"))
    expect(page.locator(f"#e-{number}")).to_contain_text("proposed")


def test_every_state_of_the_list_is_usable_by_all(sit_down: Callable[..., Person]) -> None:
    person = sit_down(reduced_motion="reduce")
    owner = User.objects.create_user("reader")
    two_sessions(owner)
    person.sign_in(owner)
    found = {}
    for address in (
        "/?q=multiplied",
        "/?flag=simulated&state=concluded&order=oldest&since=2026-01-01",
        "/?trails=on&q=multiplied",
        "/?q=nowhere&state=failed",
        "/?state=nonsense",
    ):
        findings = complaints(person.open(address), "body")
        if findings:
            found[address] = findings
    assert found == {}


def test_without_scripts_the_bar_is_a_form(sit_down: Callable[..., Person]) -> None:
    person = sit_down(java_script_enabled=False)
    owner = User.objects.create_user("plain")
    two_sessions(owner)
    person.sign_in(owner)
    page = person.open()
    page.get_by_role("searchbox", name="Words").fill("multiplied")
    page.get_by_label("State").select_option("concluded")
    page.get_by_role("button", name="Find").click()
    assert len(rows(page)) == 1
    page.get_by_role("link", name="Take away the filter concluded").click()
    expect(page.get_by_role("searchbox", name="Words")).to_have_value("multiplied")
    expect(page.get_by_label("State")).to_have_value("")
