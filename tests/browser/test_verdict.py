"""The verdict as people keep it: read on the page, printed, and opened from a disk where nothing else is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from deliberation.services import people
from tests.browser.people import Person
from tests.browser.test_usable import DESK, OPEN_FOLDS, PHONE, TOO_WIDE, serious
from tests.builders import Table, opened


@pytest.fixture(scope="module")
def table(site: str) -> Table:
    """At its end: two rounds with a person, guidance, a veto and a lost ballot."""
    owner = User.objects.create_user("reader")
    table = opened(owner, take_part=True, human_window_s=900, max_rounds=2, min_rounds=2, effort=1.0).staff()
    table.all_propose().all_review()
    table.advance()
    table.guide(owner)
    table.strike(owner, table.agents[2])
    table.vote(owner, {table.agents[0]: 5, table.agents[1]: -3})
    people.done(table.id, owner, round_number=1)
    table.advance()
    table.all_propose(("391", "381", "391"))
    first, second, third = table.agents
    table.review(first, {second: -40, third: 60}, verdict="contested")
    table.review(second, {first: 30, third: 50}).abstain(third, "review")
    table.advance()
    table.end_hold()
    return table


def test_the_page_is_reached_from_the_room_and_usable_by_all(
    sit_down: Callable[..., Person], table: Table
) -> None:
    person = sit_down(reduced_motion="reduce")
    person.sign_in(table.session.owner)
    page = person.open(reverse("room", args=[table.id]))
    page.get_by_role("link", name="Whole verdict page").click()
    expect(page.get_by_role("heading", name="How sure, and why")).to_be_visible()
    expect(page.locator("#mattered")).to_contain_text("mattered most")
    assert findings(page) == []


def findings(page: Page) -> list[str]:
    page.evaluate(OPEN_FOLDS)
    found = serious(page, "body")
    page.emulate_media(color_scheme="dark")
    found += serious(page, "body", only="color-contrast")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    found += page.evaluate(TOO_WIDE)
    page.set_viewport_size(DESK)
    return found


def test_on_paper_there_is_the_report_and_nothing_to_press(
    sit_down: Callable[..., Person], table: Table
) -> None:
    person = sit_down()
    person.sign_in(table.session.owner)
    page = person.open(reverse("verdict", args=[table.id]))
    page.emulate_media(media="print")
    for name in ("One file", "To the room", "Sessions"):
        expect(page.get_by_role("link", name=name)).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.get_by_text("Nobody votes on their own proposal.")).to_be_visible()  # folded on the screen
    expect(page.locator("#answer .final-answer")).to_have_text("391")
    assert page.pdf(format="A4").startswith(b"%PDF-")


def test_print_opens_the_browser_s_dialog(sit_down: Callable[..., Person], table: Table) -> None:
    person = sit_down()
    person.sign_in(table.session.owner)
    person.context.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; };")
    page = person.open(reverse("verdict", args=[table.id]))
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.printed") == 1
    page.goto("about:blank")
    page = person.open(reverse("verdict", args=[table.id]) + "#print")
    page.wait_for_function("window.printed === 1")


def test_the_file_opens_from_a_disk_without_a_network(
    sit_down: Callable[..., Person], table: Table, tmp_path: Path
) -> None:
    person = sit_down(reduced_motion="reduce")
    person.sign_in(table.session.owner)
    page = person.open(reverse("verdict", args=[table.id]))
    with page.expect_download() as taken:
        page.get_by_role("link", name="One file").click()
    path = tmp_path / taken.value.suggested_filename
    taken.value.save_as(path)
    asked = cut_off(person)
    page = person.context.new_page()
    page.goto(path.as_uri())
    expect(page.locator("#answer .final-answer")).to_have_text("391")
    page.locator("#proposals summary").first.click()
    expect(page.locator("#proposals details[open]").get_by_text("I multiplied in parts.")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.figures')).display") == "flex"
    check_it_is_readable(page)
    assert asked == [path.as_uri()]


def cut_off(person: Person) -> list[str]:
    """From here on nothing is answered but what lies on the disk. Returns what is asked for."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            route.abort()

    person.context.route("**/*", answer)
    return asked


def check_it_is_readable(page: Page) -> None:
    """By all, on a small phone, and in the light that the system asks for."""
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
