"""A running round with people at the table, and a browser for each: what an act shows, and what it leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from deliberation import parts, record
from deliberation.models import Event
from deliberation.protocol.round import close_round
from deliberation.protocol.types import RoundOutcome, Spent
from deliberation.services import invitations, people
from tests import builders
from tests.deliberation.reading import Page, read


@dataclass(frozen=True)
class Answer:
    """What came back, and how the trail grew: (kind, payload) of each new event."""

    status: int
    page: Page
    told: list[tuple[str, dict[str, Any]]]
    http: HttpResponse

    @property
    def words(self) -> str:
        return self.page.words

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]


@dataclass(frozen=True)
class Scene:
    """The owner (asked), a colleague (asked), a guest who was invited by name and has no seat, three agents."""

    table: builders.Table
    owner: User
    colleague: User
    guest: User

    @property
    def agents(self) -> list[int]:
        return self.table.agents

    def seat_of(self, user: User) -> int:
        return int(self.table.session.participants.get(user=user).seat)

    def votes(self, *votes: int | str) -> dict[str, str]:
        """Fields of the ballot: votes for the agents' proposals in the order of their seats."""
        return {f"votes-{seat}": str(each) for seat, each in zip(self.agents, votes, strict=True)}

    def press(
        self, user: User, name: str, body: Mapping[str, Any] | None = None, *, htmx: bool = False, pk: int = 0
    ) -> Answer:
        """Posts an act as the page would: with htmx, or as a plain form whose redirect is followed."""
        kwargs = {
            "session_id": self.table.id,
            **{f"{name.removeprefix('withdraw_')}_id": pk for _ in (pk,) if pk},
        }
        browser = signed_in(user)
        before = self.head
        headers = {"HX-Request": "true"} if htmx else {}
        http = browser.post(reverse(name, kwargs=kwargs), dict(body or {}), headers=headers, follow=True)
        return Answer(http.status_code, read(http), self.since(before), http)

    def look(self, user: User, query: str = "", *, htmx: bool = False) -> Page:
        headers = {"HX-Request": "true"} if htmx else {}
        http = signed_in(user).get(f"/sessions/{self.table.id}/{query}", headers=headers)
        assert http.status_code == 200
        return read(http)

    @property
    def head(self) -> int:
        return int(Event.objects.filter(chain_id=str(self.table.id)).latest("seq").seq)

    def since(self, seq: int) -> list[tuple[str, dict[str, Any]]]:
        rows = Event.objects.filter(chain_id=str(self.table.id), seq__gt=seq)
        return list(rows.values_list("kind", "data"))

    @property
    def provisional(self) -> RoundOutcome:
        found = parts.fresh(self.table.id).room.provisional
        assert found is not None
        return found

    def counted(self, *, number: int = 1) -> RoundOutcome:
        """The round as closing it now would count it."""
        facts = record.load(self.table.session)
        return close_round(facts.round_input(number, spent=Spent()), facts.rules, history=[])

    def go_on(self) -> str:
        """The hold is over and the round is tallied: what a worker does. Returns the state that follows."""
        return self.table.end_hold() if self.table.state == "holding" else self.table.advance()


HANDLER = Client().handler  # it loads the middleware, which takes longer than a request


def signed_in(user: User) -> Client:
    browser = Client()
    browser.handler = HANDLER
    browser.force_login(user)
    return browser


def key() -> str:
    return str(uuid4())


def scene(*, prefix: str = "", **rules: Any) -> Scene:
    """In review: all have proposed 391, 391, 381, and nobody has cast. prefix: of user names, for a second scene."""
    owner, colleague = builders.person(f"{prefix}owner"), builders.person(f"{prefix}colleague")
    table = builders.opened(owner, take_part=True, **{"human_window_s": 60, **rules})
    people.take_seat(table.session, colleague, asked=True)
    guest = builders.person(f"{prefix}guest")
    invitations.invite_by_name(table.id, owner, guest.username)
    table.staff().all_propose()
    return Scene(table, owner, colleague, guest)
