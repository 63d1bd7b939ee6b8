"""The room looked at closely: the matrix by keys, depths, words that explain themselves, jumping, who is here. And the
pages of the design system, in both themes and on a small phone.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.room import Room
from tests.browser.test_usable import DESK, PHONE, TOO_WIDE, complaints, serious
from tests.builders import Table, opened

FOCUSED = "() => document.activeElement.id || document.activeElement.tagName"


@pytest.fixture
def owner(clone: None) -> Iterator[User]:
    """The name is free again for the next test: the database stays."""
    user = User.objects.create_user("reader", is_staff=True)
    yield user
    user.username = f"reader {user.pk}"
    user.save()


@pytest.fixture
def reader(owner: User, sit_down: Callable[..., Person]) -> Person:
    person = sit_down(reduced_motion="reduce")
    person.sign_in(owner)
    return person


@pytest.fixture
def table(owner: User) -> Iterator[Table]:
    """In the second round, with one closed: A changed its answer."""
    table = opened(owner, max_rounds=2).staff()
    table.whole_round()
    table.all_propose(("381", "391", "391"))
    yield table
    table.stop(owner)


@pytest.fixture
def room(reader: Person, table: Table) -> Room:
    found = Room(reader.open(reverse("room", args=[table.id])))
    found.expect_live()
    return found


def test_the_matrix_is_walked_by_arrows_and_enter_opens_a_number(room: Room) -> None:
    page = room.page
    cells = page.locator(".matrix a")
    cells.first.focus()
    first = page.evaluate(FOCUSED)
    page.keyboard.press("ArrowRight")
    second = page.evaluate(FOCUSED)
    page.keyboard.press("ArrowDown")
    third = page.evaluate(FOCUSED)
    assert len({first, second, third}) == 3
    assert all(each.startswith("c-") for each in (first, second, third))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="A closer look")
    heading = dialog.get_by_role("heading", level=2)
    expect(heading).to_contain_text(re.compile(r"agent .* on agent .*, round 1"))
    expect(heading).to_be_focused()
    expect(dialog).to_contain_text("Influence")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator(f"#{third}")).to_be_focused()


def test_the_depth_is_chosen_and_stays_in_the_address(room: Room) -> None:
    page = room.page
    reasoning = page.locator("#proposals .debate > details").first
    depth = page.get_by_role("navigation", name="Depth")
    expect(reasoning).to_be_visible()
    depth.get_by_role("link", name="Summary").click()
    expect(reasoning).to_be_hidden()
    expect(depth.get_by_role("link", name="Summary")).to_have_attribute("aria-current", "true")
    assert page.url.endswith("?depth=summary")
    depth.get_by_role("link", name="Raw").click()
    expect(page.get_by_role("list", name="Exact prompts and replies").first).to_be_visible()
    page.reload()
    assert page.url.endswith("?depth=raw")
    expect(depth.get_by_role("link", name="Raw")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("list", name="Exact prompts and replies").first).to_be_visible()


def test_the_difference_to_the_last_round_opens_beside_the_exact_words(room: Room) -> None:
    page = room.page
    card = room.card(2, room_seat(room))
    expect(card).to_contain_text("Its answer was 391 in round 1.")
    card.get_by_role("link", name="The difference").click()
    dialog = page.get_by_role("dialog", name="A closer look")
    expect(dialog.get_by_role("heading", name="Changed since round 1")).to_be_visible()
    expect(dialog.locator("ins").first).to_contain_text("381")
    expect(dialog.locator("del").first).to_contain_text("391")
    expect(dialog.locator("pre").last).to_contain_text('"final_answer"')
    assert serious(page, "#look-dialog") == []
    page.emulate_media(color_scheme="dark")
    assert serious(page, "#look-dialog", only="color-contrast") == []
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def room_seat(room: Room) -> int:
    """The seat whose answer changed: the first of the round."""
    ids = room.page.locator("#round-2 .proposal").evaluate_all("all => all.map((each) => each.id)")
    return int(min(ids).rpartition("-")[2])


def test_a_word_explains_itself_by_the_keyboard_and_by_the_pointer(room: Room) -> None:
    page = room.page
    word = page.locator("#tally").get_by_role("button", name="Conviction")
    note = page.locator("#term-conviction")
    expect(note).to_be_hidden()
    word.focus()
    page.keyboard.press("Enter")
    expect(note).to_be_visible()
    expect(note).to_contain_text("How clearly the winner stands out")
    box = note.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= DESK["width"]
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    expect(word).to_be_focused()
    word.hover()
    expect(note).to_be_visible()
    page.mouse.move(5, 5)
    expect(note).to_be_hidden()


def test_ctrl_k_jumps_to_a_place_a_page_and_a_session(room: Room, table: Table) -> None:
    page = room.page
    dialog = page.get_by_role("dialog", name="Jump to")
    jump(page, "score")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    assert page.url.endswith("#matrix-title")
    jump(page, "17*23")
    expect(dialog.locator("#jump-sessions a").first).to_have_text(re.compile("17.23"))
    page.keyboard.press("ArrowDown")
    expect(dialog.locator("li a").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    assert serious(page, "#jump") == []
    page.keyboard.press("Escape")  # empties the field
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    jump(page, "polic")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/policies/")


def test_the_same_text_finds_the_same_sessions_when_it_is_asked_again(room: Room) -> None:
    page = room.page
    for _ in range(2):
        jump(page, "1")
        expect(page.locator("#jump-sessions a").first).to_have_text(re.compile("17.23"))
        page.mouse.click(5, 5)  # beside it: the text is not emptied, as by Escape
        expect(page.get_by_role("dialog", name="Jump to")).to_be_hidden()


def jump(page: Page, text: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Jump to").get_by_role("searchbox")).to_be_focused()
    page.keyboard.type(text)


def test_two_people_see_each_other_come_and_go(
    room: Room, table: Table, sit_down: Callable[..., Person]
) -> None:
    present = room.page.locator("#present")
    expect(present).to_have_text("This page is open to reader.")
    other = sit_down()
    other.sign_in(User.objects.create_user("visitor", is_staff=True, is_superuser=True))
    theirs = Room(other.open(reverse("room", args=[table.id])))
    theirs.expect_live()
    expect(present).to_have_text("This page is open to reader, visitor.")
    expect(theirs.page.locator("#present")).to_have_text("This page is open to reader, visitor.")
    other.page.close()
    expect(present).to_have_text("This page is open to reader.")


def test_a_room_with_a_number_open_is_usable_by_all(room: Room) -> None:
    room.page.locator(".matrix a").first.click()
    expect(room.page.get_by_role("dialog", name="A closer look")).to_be_visible()
    assert complaints(room.page, "#look-dialog") == []


@pytest.mark.parametrize("path", ["/design/", "/words/"])
def test_the_pages_of_the_design_system_are_usable_by_all(reader: Person, path: str) -> None:
    page = reader.open(path)
    if path == "/design/":
        expect(page.locator(".chart-plot .main-svg").first).to_be_visible()
    assert complaints(page, "body") == []


def test_the_design_page_leads_to_each_part_and_fits_a_small_phone(reader: Person) -> None:
    page = reader.open("/design/#matrix-twelve")
    expect(page.locator("#matrix-twelve")).to_be_in_viewport()
    page.get_by_role("navigation", name="On this page").get_by_role("link", name="Verdict").click()
    expect(page.locator("#part-verdict")).to_be_in_viewport()
    page.get_by_role("button", name="Open a dialog").click()
    expect(page.get_by_role("dialog", name="A dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    assert page.evaluate(TOO_WIDE) == []
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    for theme in ("light", "dark"):
        page.get_by_role("button", name=re.compile("^Theme")).click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
