"""What a person reads and presses in a room, by the names on the screen."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from playwright.sync_api import Locator, Page, expect

# Remembers what the page showed on its way, and that it was never loaded anew.
RECORDER = """() => {
  window.shown = {};
  const remember = (what, text) => {
    const shown = (window.shown[what] ??= []);
    if (text && shown.at(-1) !== text) shown.push(text);
  };
  const look = () => {
    remember("state", document.querySelector("#strip dd")?.textContent.trim());
    remember("tally", document.querySelector("#tally")?.innerText);
    remember("connection", document.querySelector("[data-connection]")?.textContent.trim());
    for (const stream of document.querySelectorAll(".stream")) remember(stream.id, stream.textContent.trim());
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
}"""

# The parts as they stand, without what a browser adds: open folds, clocks that run, classes of a swap.
PARTS = """() => {
  const names = ["strip", "verdict", "rail", "people", "panel", "proposals", "tally", "matrix", "evidence",
    "utility", "vetoes", "guidance", "timeline"];
  const plain = (part) => {
    const copy = part.cloneNode(true);
    for (const each of [copy, ...copy.querySelectorAll("*")]) {
      each.classList.remove("htmx-settling", "htmx-swapping", "htmx-added");
      if (each.classList.length === 0) each.removeAttribute("class");
      if (each.matches("details")) each.removeAttribute("open");
      if (each.matches("[data-due], [data-since]")) each.textContent = "";
    }
    return copy.outerHTML.replace(/\\s+/g, " ").replace(/> </g, "><");
  };
  return Object.fromEntries(names.map((name) => [name, plain(document.getElementById(name))]));
}"""


@dataclass(frozen=True)
class Room:
    page: Page

    @property
    def session_id(self) -> UUID:
        return UUID(self.page.url.split("/sessions/")[1].split("/")[0])

    def record(self) -> None:
        self.page.evaluate(RECORDER)

    @property
    def shown(self) -> dict[str, list[str]]:
        """What record() saw, by what it is; fails where the page was loaded anew since."""
        return dict(self.page.evaluate("() => window.shown"))

    @property
    def parts(self) -> dict[str, str]:
        return dict(self.page.evaluate(PARTS))

    @property
    def numbers(self) -> list[int]:
        """The events of the timeline, in the order of the page."""
        return [int(text) for text in self.page.locator("#timeline .seq").all_inner_texts()]

    def part(self, name: str) -> Locator:
        return self.page.locator(f"#{name}")

    def expect_state(self, words: str) -> None:
        expect(self.part("strip").locator("dd").first).to_have_text(words)

    @property
    def connection(self) -> Locator:
        return self.page.locator("[data-connection]")

    def expect_live(self) -> None:
        expect(self.connection).to_have_text("live")

    def card(self, round_number: int, seat: int) -> Locator:
        return self.page.locator(f"#proposal-{round_number}-{seat}")

    def row(self, letter: str) -> Locator:
        """A proposal on the ballot."""
        return self.page.get_by_label(f"Votes for {letter}", exact=True).locator(
            "xpath=ancestor::*[@role='group']"
        )

    def vote(self, letter: str, votes: int) -> None:
        """By typing, as somebody who knows the number."""
        self.page.get_by_label(f"Votes for {letter}", exact=True).fill(str(votes))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def stop(self, why: str = "") -> None:
        """Asked for, its effect read, and done."""
        self.page.get_by_role("link", name="Stop now", exact=True).click()
        form = self.page.locator("#stop-form")
        expect(form.locator(".effect")).not_to_be_empty()
        form.get_by_label("Reason").fill(why)
        form.get_by_role("button", name="Stop now").click()

    def said(self, words: str) -> int:
        """The number of the event that an answer names; it stands in the timeline."""
        note = (
            self.page.get_by_role("status")
            .filter(has_text=words)
            .filter(has=self.page.locator("a[href^='#e-']"))
        )
        text = note.last.inner_text()
        found = re.search(r"event (\d+)", text)
        assert found, text
        expect(self.page.locator(f"#e-{found[1]}")).to_be_attached()
        return int(found[1])

    def event(self, number: int) -> str:
        return self.page.locator(f"#e-{number}").inner_text()


def fresh_parts(room: Room, page: Page) -> dict[str, Any]:
    """The same room in a page that is loaded now."""
    page.goto(room.page.url)
    return Room(page).parts
