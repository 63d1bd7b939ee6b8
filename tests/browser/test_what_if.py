"""What if in a browser: the ballot that mattered is struck, and another winner is read off the page."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.people import Person
from tests.browser.test_usable import OPEN_FOLDS, complaints, tab_to
from tests.builders import Table, opened

ANSWERS = ("391", "381", "371")


@pytest.fixture
def reader(clone: None, sit_down: Callable[..., Person]) -> Callable[..., Person]:
    def reader(name: str, **options: object) -> Person:
        person = sit_down(reduced_motion="reduce", **options)
        person.sign_in(User.objects.create_user(name))
        return person

    return reader


def close(name: str) -> Table:
    """A wins by a little, thanks to the ballot of C: without it B wins."""
    table = opened(User.objects.get(username=name), max_rounds=2, effort=1.0).staff()
    first, second, third = table.agents
    for _ in range(2):
        for seat, answer in zip(table.agents, ANSWERS, strict=True):
            table.propose(seat, answer)
        table.advance()
        table.review(first, {second: 50, third: -20})
        table.review(second, {first: 30, third: -10})
        table.review(third, {first: 90, second: 10})
        table.advance()
    assert table.state == "concluded"
    return table


def address(table: Table) -> str:
    return reverse("what_if", args=[table.id])


def side(page: Page, what: str) -> list[str]:
    """The record and the what-if of one line; the second says whether it changed."""
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=what, exact=True)).first
    return [each.strip() for each in row.get_by_role("cell").all_inner_texts()]


def test_the_ballot_that_mattered_is_struck_and_another_one_wins(reader: Callable[..., Person]) -> None:
    page = (person := reader("rita")).open()
    table = close("rita")
    person.open(address(table))
    expect(page.locator("#what-if-headline")).to_contain_text("This is the record.")
    flip = page.locator(".what-if-flip").first
    expect(flip).to_contain_text("1 ballot (C) for another proposal: without it B wins round 2.")
    expect(page.locator("#tornado-plot .bartext")).to_have_count(3)
    assert side(page, "Answer") == ["391", "391 = same"]
    page.get_by_role("checkbox", name="Strike the ballot of C in round 2").check()
    expect(page.locator("#what-if-headline")).to_contain_text("instead of A of round 2")
    expect(page).to_have_url(re.compile(r"/what-if/\?ballot=2-3$"))
    expect(page.get_by_role("checkbox", name="Strike the ballot of C in round 2")).to_be_focused()
    page.get_by_role("checkbox", name="Strike all ballots of C").check()
    expect(page.locator("#what-if-headline")).to_contain_text("2 changes against the record")
    page.get_by_role("checkbox", name="Strike the ballot of C in round 2").uncheck()
    expect(page).to_have_url(re.compile(r"/what-if/\?mute=3$"))
    assert side(page, "Answer") == ["391", "381 ≠ changed"]
    cited = person.another_page(page.url.removeprefix(person.address))
    assert side(cited, "Answer") == ["391", "381 ≠ changed"]
    expect(cited.get_by_role("checkbox", name="Strike all ballots of C")).to_be_checked()
    page.go_back()
    expect(page.locator("#what-if-headline")).to_contain_text("2 changes against the record")
    page.get_by_role("link", name="ballot of C in round 2 struck").click()
    expect(page).to_have_url(re.compile(r"/what-if/\?mute=3$"))


def test_what_cannot_be_is_told_and_mended(reader: Callable[..., Person]) -> None:
    page = (person := reader("sven")).open()
    person.open(f"{address(close('sven'))}?ballot=2-3")
    page.get_by_label("Effort").fill("7")
    page.get_by_label("Effort").blur()
    expect(page.get_by_role("alert")).to_contain_text("Effort must be a number from 0 to 1, not 7.")
    expect(page).to_have_url(re.compile("effort=7"))
    expect(page.locator("#what-if-headline")).to_contain_text("1 change against the record")
    page.get_by_label("Effort").fill("0.1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"\?ballot=2-3&effort=0\.1$"))


def test_the_keyboard_alone_strikes(reader: Callable[..., Person]) -> None:
    page = (person := reader("tove")).open()
    person.open(address(close("tove")))
    tab_to(page, page.get_by_role("checkbox", name="Strike the vote of C on A in round 2: +.95"))
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile(r"\?vote=2-3-1$"))
    expect(page.locator("#what-if-headline")).to_contain_text("instead of A of round 2")


def test_without_scripts_the_button_counts_and_the_address_is_short(reader: Callable[..., Person]) -> None:
    page = (person := reader("uwe", java_script_enabled=False)).open()
    person.open(address(close("uwe")))
    page.get_by_role("checkbox", name="Strike all ballots of C").check()
    page.get_by_role("button", name="Count again").click()
    expect(page).to_have_url(re.compile(r"/what-if/\?mute=3$"))
    assert side(page, "Answer") == ["391", "381 ≠ changed"]


def test_everybody_can_use_it(reader: Callable[..., Person]) -> None:
    page = (person := reader("vera")).open()
    table, found = close("vera"), {}
    for query in ("", "?ballot=2-3&rule=median&max_rounds=5", "?veto=1-1&effort=9&colour=red"):
        person.open(f"{address(table)}{query}")
        page.evaluate(OPEN_FOLDS)
        if wrong := complaints(page, "body"):
            found[query] = wrong
    assert found == {}
