"""Every page and main state is usable by all: axe finds nothing serious in light or dark, nothing is wider than a small
phone, and the keyboard alone suffices.
"""

from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from deliberation.models import Session
from tests.browser.pages import Tour
from tests.browser.people import Person
from tests.browser.room import Room
from tests.builders import Table

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
SERIOUS = ("serious", "critical")
MOST_TABS = 80

# What is wider than the window, and not inside something that scrolls by itself.
TOO_WIDE = """() => {
  const scrolls = (each) => each && each !== document.body
    && (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(each).overflowX) || scrolls(each.parentElement));
  const wide = [...document.querySelectorAll("body *")].filter((each) =>
    each.getBoundingClientRect().right > innerWidth + 1 && each.checkVisibility() && !scrolls(each.parentElement));
  const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  return over > 0 ? [`${over} px`, ...wide.map((each) => each.outerHTML.slice(0, 120))] : [];
}"""
OPEN_FOLDS = """() => document.querySelectorAll("details").forEach((each) => (each.open = true))"""


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(
    sit_down: Callable[..., Person],
) -> None:
    person = sit_down(reduced_motion="reduce")
    owner, colleague = (User.objects.create_user(name) for name in ("guide", "asked"))
    tour, found = Tour(owner, colleague, person), {}
    for state in tour.states():
        state.show()
        person.page.evaluate(OPEN_FOLDS)
        findings = complaints(person.page, state.within)
        if findings:
            found[state.name] = findings
    assert found == {}


def complaints(page: Page, within: str) -> list[str]:
    found = [f"light: {each}" for each in serious(page, within)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {each}" for each in serious(page, within, only="color-contrast")]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    tabs = page.locator(".room-tabs a[data-show]") if within == "body" else page.locator("no-tabs")
    found += [f"320 px: {each}" for each in page.evaluate(TOO_WIDE)]
    for tab in tabs.all():
        tab.click()
        found += [f"320 px, {tab.inner_text()}: {each}" for each in page.evaluate(TOO_WIDE)]
    page.set_viewport_size(DESK)
    return found


def serious(page: Page, within: str, *, only: str | None = None) -> list[str]:
    """The findings of axe inside this element, by one rule or by all."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(Axe().axe_script)
    options: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": [only]} if only else {})}
    violations = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])[
        "violations"
    ]
    return [
        f"{each['id']} at {node['target']}: {node['failureSummary']}"
        for each in violations
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def test_the_keyboard_alone_asks_and_casts(sit_down: Callable[..., Person]) -> None:
    person = sit_down()
    user = User.objects.create_user("typist")
    person.sign_in(user)
    page = person.open()
    tab_to(page, page.get_by_role("textbox", name="Question"))
    page.keyboard.type("What is 17*23?")
    tab_to(page, page.get_by_label("I take part"))
    page.keyboard.press("Space")
    tab_to(page, page.locator("main form button[type=submit]").first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/**")
    room = Room(page)
    look_up_the_keys(page)
    table = Table(Session.objects.get(pk=room.session_id)).staff()
    room.expect_live()
    table.whole_round()
    room.expect_state("Waiting for people")
    cast(room)
    table.stop(user)


def look_up_the_keys(page: Page) -> None:
    keys = page.get_by_role("dialog", name="Keys")
    page.keyboard.press("?")
    expect(keys).to_contain_text("my ballot")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def cast(room: Room) -> None:
    page = room.page
    field = page.get_by_label("Votes for C", exact=True)
    expect(field).to_be_attached()
    page.keyboard.press("b")
    tab_to(page, field)
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(room.row("C")).to_contain_text("3 votes cost 9")
    tab_to(page, page.get_by_role("button", name="Cast ballot", exact=True))
    page.keyboard.press("Enter")
    number = room.said("Ballot cast: it counts in the tally")
    assert "C +9" in room.event(number)


def tab_to(page: Page, place: Locator) -> None:
    """Presses Tab until the place has the focus, and it is seen to have it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if place.evaluate("each => each === document.activeElement"):
            break
    expect(place).to_be_focused()
    style = "each => [getComputedStyle(each).outlineStyle, getComputedStyle(each).boxShadow]"
    assert place.evaluate(style) != ["none", "none"], "the focus cannot be seen"
