"""Every page in each of its main states, reached through the services: no worker runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from deliberation.services import invitations, people, sessions
from tests.browser.people import Person
from tests.builders import Table, opened

BLIND = {"blind": True, "human_window_s": 900}


@dataclass(frozen=True)
class State:
    """`show` brings the page into it from where the state before left it; `within` is the element that is new there."""

    name: str
    show: Callable[[], object]
    within: str = "body"


@dataclass
class Tour:
    """The owner's way through all pages, signed out at first."""

    owner: User
    colleague: User
    person: Person

    @property
    def page(self) -> Page:
        return self.person.page

    def states(self) -> Iterator[State]:
        yield from self._outside()
        self.person.sign_in(self.owner)
        yield self._at("an empty list", "/")
        yield self._at("new deliberation", "/new/?task=What%20is%2017*23%3F")
        yield State("new deliberation, refused", self._ask_for_nothing)
        yield self._at("a policy", reverse("policy", args=["thorough"]))
        yield from self._room()
        yield from self._others()

    def _at(self, name: str, path: str, *, within: str = "body") -> State:
        return State(name, lambda: self.person.open(path), within)

    def _outside(self) -> Iterator[State]:
        yield self._at("sign in", reverse("sign_in"))
        yield self._at("a dead link", reverse("sign_in_link") + "?sesame=dead")
        self.person.faults.allow("^410 to GET")
        self.person.faults.allow("status of 410")

    def _ask_for_nothing(self) -> None:
        self.person.faults.allow("^422 to POST")
        self.person.faults.allow("status of 422")
        self.person.open("/new/").get_by_label("Question").fill(" ")
        self.page.get_by_role("button", name="Start deliberating").click()
        expect(self.page.locator("[aria-invalid=true]")).to_be_visible()

    def _room(self) -> Iterator[State]:
        """One deliberation from the choice of its panel to the verdict, watched by its owner."""
        table = opened(self.owner, take_part=True, human_window_s=900, max_rounds=2)
        path = reverse("room", args=[table.id])
        yield self._at("a room, staffing", path)
        table.staff()
        table.propose(table.agents[0])
        yield self._at("a room, proposing", path)
        for seat, answer in zip(table.agents[1:], ("391", "381"), strict=True):
            table.propose(seat, answer)
        table.advance()
        table.all_review()
        table.advance()
        table.guide(self.owner)
        table.strike(self.owner, table.agents[2])
        invitations.invite_by_name(table.id, self.owner, self.colleague.username)
        yield self._at("a room, holding", path)
        yield State("a ballot, over budget", self._overspend, within="#ballot")
        yield State("the veto dialog", self._strike, within="#veto-dialog")
        sessions.pause(table.id, self.owner)
        yield self._at("a room, paused", path, within=".strip")
        yield self._at("your turn in the list", "/")
        sessions.resume(table.id, self.owner)
        yield from self._end(table, path)

    def _end(self, table: Table, path: str) -> Iterator[State]:
        table.vote(self.owner, {table.agents[0]: 5, table.agents[1]: -3})
        people.done(table.id, self.owner, round_number=1)
        table.advance()
        table.whole_round()
        table.stop(self.owner)
        yield self._at("a verdict", path)
        yield State("the list of keys", self._keys, within="#keys")
        yield from self._more_of(table, path)

    def _more_of(self, table: Table, path: str) -> Iterator[State]:
        """What else there is to see of a session that has ended."""
        first, second, *_ = table.agents
        yield self._at("a number of the matrix", f"{path}?cell=1-{first}-{second}")
        yield self._at("the exact words of a call", f"{path}?exchange=2-{first}-propose&depth=raw")
        yield self._at("what if", f"{path}what-if/?ballot=1-{second}&max_rounds=5")
        yield self._at("replay", f"{path}replay/?at=12")
        yield self._at("compare", f"{reverse('compare')}?a={table.id}&b={table.id}&all=1")
        yield self._at("fork", f"{path}fork/?round=1")
        yield self._at("the verdict page", f"{path}verdict/")
        yield self._at("words", reverse("glossary"))

    def _others(self) -> Iterator[State]:
        blind = opened(self.owner, take_part=True, **BLIND).staff()
        blind.whole_round()
        yield self._at("a room, blind", reverse("room", args=[blind.id]))
        yield self._at("what if, nothing to see yet", reverse("what_if", args=[blind.id]))
        link = invitations.invite_by_link(blind.id, self.owner)
        yield self._at("an invitation", reverse("invitation", args=[link.token]))
        yield self._at("an unknown invitation", reverse("invitation", args=["unknown"]))
        self.person.faults.allow("^404 to GET")
        self.person.faults.allow("status of 404")
        blind.stop(self.owner)

    def _overspend(self) -> None:
        self.page.get_by_label("Votes for B", exact=True).fill("10")
        self.page.get_by_label("Votes for C", exact=True).fill("-3")
        expect(self.page.locator("#ballot-effect")).to_contain_text("Take 9")

    def _strike(self) -> None:
        self.page.locator("#proposals").get_by_role("link", name="Strike", exact=True).first.click()
        expect(self.page.locator("#veto form")).to_be_visible()

    def _keys(self) -> None:
        self.page.keyboard.press("?")
        expect(self.page.locator("#keys")).to_be_visible()
