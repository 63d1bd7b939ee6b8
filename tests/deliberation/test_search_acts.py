"""What people say while they steer is found too: the reasons of their vetoes, and their guidance."""

import re
from importlib import import_module
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from deliberation.models import SearchDocument, SessionWords, Veto
from deliberation.selectors.asking import Wanted
from deliberation.selectors.sessions import Row, listing
from deliberation.services import people
from tests import builders
from tests.builders import Table, opened, person
from tests.deliberation.opening import client

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return person("owner")


def steered(owner: User, **rules: object) -> Table:
    """In its hold: C's proposal is struck, then B's ballot, and words were left for all and for A."""
    table = opened(owner, take_part=True, human_window_s=900, max_rounds=3, **rules).staff()
    table.all_propose()
    table.advance()
    table.all_review()
    table.advance()
    first, second, third = table.agents
    strike(table, owner, kind="proposal", seat=third, reason="It forgets the **carry**, alas.")
    strike(table, owner, kind="ballot", seat=second, reason="It echoes a ballot of yesterday.")
    table.guide(owner, "Show each `zugzwang` alone.")
    people.leave_guidance(table.id, owner, "Count the kernels.", key=uuid4(), to_seat=first)
    return table


def strike(table: Table, user: User, *, kind: str, seat: int, reason: str) -> None:
    people.veto(table.id, user, people.Strike(1, kind, seat, "wrong", reason, uuid4()))


def rows(user: User, text: str, **wanted: object) -> dict[UUID, Row]:
    return {each.id: each for each in listing(user, Wanted(text=text, **wanted)).rows}  # type: ignore[arg-type]


def events(row: Row) -> list[str]:
    return [f"{each.kind}, {each.place}: {''.join(p.text for p in each.pieces)}" for each in row.told.lines]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "places", "place", "words"),
    [
        ("carry", "1 veto", "veto of proposal D, round 1", "It forgets the **carry**, alas."),
        ("yesterday", "1 veto", "veto of the ballot of C, round 1", "It echoes a ballot of yesterday."),
        ("zugzwang", "guidance", "guidance to all agents, round 1", "Show each `zugzwang` alone."),
        ("kernels", "guidance", "guidance to agent B, round 1", "Count the kernels."),
    ],
)
def test_a_reason_is_found_and_the_row_says_where_it_stands(
    owner: User, text: str, places: str, place: str, words: str
) -> None:
    table = steered(owner)
    found = rows(owner, text)[table.id]
    assert found.hit is not None
    assert (found.places, found.hit.place) == (places, place)
    assert "".join(each.text for each in found.hit.pieces) == words
    room = client(owner).get(f"/sessions/{table.id}/").content.decode()
    assert f'id="{found.hit.anchor}"' in room


def test_words_in_different_places_are_counted_together(owner: User) -> None:
    table = steered(owner)
    assert rows(owner, "carry yesterday zugzwang")[table.id].places == "2 vetoes and guidance"


def test_a_veto_that_two_people_ask_for_is_found_once_it_is_one(owner: User) -> None:
    table, second = steered(owner, veto_quorum=2), person("second")
    assert rows(owner, "carry") == {}
    request = table.session.veto_requests.get(kind="proposal")
    people.confirm_veto(table.id, second, request.pk, key=uuid4())
    assert table.id in rows(owner, "carry")
    assert table.id in rows(owner, "carry", trails=True, actor="person")
    assert table.id not in rows(owner, "carry", trails=True, actor="me")


def test_what_was_taken_back_stays_found(owner: User) -> None:
    table = steered(owner)
    people.withdraw_veto(table.id, owner, Veto.objects.get(kind="proposal").pk)
    people.withdraw_guidance(table.id, owner, table.session.guidance.get(to=None).pk)
    assert table.id in rows(owner, "carry") and table.id in rows(owner, "zugzwang")


@pytest.mark.parametrize("text", ["carry", "yesterday", "zugzwang", "kernels"])
def test_who_votes_blind_finds_none_of_it_until_their_ballot(owner: User, text: str) -> None:
    table, guest = steered(owner, blind=True), person("guest")
    builders.people.take_seat(table.session, guest, asked=True)
    assert rows(guest, text) == {}
    assert rows(guest, text, trails=True) == {}
    table.vote(guest, {table.agents[0]: 3})
    assert table.id in rows(guest, text)


def test_trails_show_the_event_of_the_very_text(owner: User) -> None:
    """Guidance and vetoes share their place with others: a proposal may be struck again for another reason."""
    table = steered(owner)
    table.guide(owner, "Show the lemma.")
    people.withdraw_veto(table.id, owner, Veto.objects.get(kind="proposal").pk)
    strike(table, owner, kind="proposal", seat=table.agents[2], reason="It is off by ten.")
    assert events(rows(owner, "zugzwang", trails=True)[table.id]) == [
        "guidance left, round 1: Show each `zugzwang` alone."
    ]
    assert events(rows(owner, "carry", trails=True, kind="proposal.vetoed", actor="me")[table.id]) == [
        "proposal vetoed, round 1, D: It forgets the **carry**, alas."
    ]
    assert events(rows(owner, "ten", trails=True)[table.id]) == [
        "proposal vetoed, round 1, D: It is off by ten."
    ]
    assert rows(owner, "carry", trails=True, kind="ballot.vetoed") == {}
    assert rows(owner, "kernels", trails=True, actor="agent") == {}


def test_texts_that_were_there_before_are_found_after_the_migration(owner: User) -> None:
    table = steered(owner)
    kept = SearchDocument.objects.filter(source__in=["proposal_veto", "ballot_veto", "guidance"])
    before = sorted(kept.values_list("source", "row", "round", "seat", "about", "words"))
    kept.delete()
    SessionWords.objects.filter(session=table.id).update(words="")
    assert rows(owner, "carry") == {}
    fill = import_module("deliberation.migrations.0010_search_acts").fill
    fill(apps, SimpleNamespace(connection=connection))
    assert sorted(kept.values_list("source", "row", "round", "seat", "about", "words")) == before
    assert table.id in rows(owner, "carry")


def test_the_bar_says_what_is_searched(owner: User) -> None:
    opened(owner)
    html = client(owner).get("/").content.decode()
    assert re.search(r'for="filter-q">Words in questions, proposals, reviews, vetoes and guidance<', html)
