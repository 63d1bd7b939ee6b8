"""Sessions on their way, one act at a time, through every state that a room can show."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from deliberation.models import Event, Veto
from deliberation.services import people, sessions
from tests import builders
from tests.builders import Table

Act = Callable[[], object]


@dataclass(frozen=True)
class Scene:
    """The owner and a colleague sit at the table and are asked; a guest is a stranger."""

    table: Table
    owner: User
    colleague: User
    stranger: User

    @property
    def head(self) -> int:
        return int(Event.objects.filter(chain_id=str(self.table.id)).latest("seq").seq)


def scene(**rules: Any) -> Scene:
    """In staffing."""
    owner, colleague, stranger = (builders.person(name) for name in ("owner", "colleague", "stranger"))
    table = builders.opened(owner, take_part=True, **{"human_window_s": 60, "max_rounds": 2, **rules})
    people.take_seat(table.session, colleague, asked=True)
    return Scene(table, owner, colleague, stranger)


def round_of(at: Scene) -> Iterator[Act]:
    """From proposals to the tally of the round, with the owner's ballot, guidance and a pause."""
    table, owner = at.table, at.owner
    first, second, third = table.agents
    yield lambda: table.begin("propose")
    yield lambda: table.propose(first)
    yield lambda: table.propose(second, "381")
    yield lambda: table.abstain(third, "propose")
    yield table.advance
    yield lambda: table.begin("review")
    yield lambda: table.review(first, {second: -40}, verdict="contested")
    yield lambda: table.guide(owner)
    yield lambda: sessions.pause(table.id, owner)
    yield lambda: table.vote(owner, {first: 3, second: -2})
    yield lambda: sessions.resume(table.id, owner)
    yield lambda: table.review(second, {first: 90})
    yield lambda: table.abstain(third, "review", "unauthorized")
    yield table.advance
    yield lambda: people.done(table.id, owner, round_number=table.session.round)
    yield table.end_hold


def to_the_verdict(at: Scene) -> Iterator[Act]:
    """Two rounds with a veto between, until the last one is reached."""
    table = at.table
    yield table.staff
    yield from round_of(at)
    yield lambda: table.strike(at.colleague, table.agents[1], round_number=1)
    yield lambda: take_back(at)
    yield table.all_propose
    yield table.all_review
    yield table.advance
    yield table.end_hold


def to_a_failure(at: Scene) -> Iterator[Act]:
    """Stopped before anybody has proposed."""
    yield at.table.staff
    yield lambda: at.table.begin("propose")
    yield lambda: sessions.stop(at.table.id, at.owner)
    yield at.table.advance


def take_back(at: Scene) -> int:
    return people.withdraw_veto(at.table.id, at.colleague, Veto.objects.get().pk)
