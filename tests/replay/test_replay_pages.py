"""Replay's page: the room at an event, for each who may see it, and the recomputing of the record."""

import copy
import dataclasses
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliberation.models import Event, Proposal
from deliberation.selectors import replay
from deliberation.services import people, people_overturns
from tests import builders
from tests.deliberation.acting import key
from tests.deliberation.reading import Page, read

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def trails_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "trails", replay.Trails())


@pytest.fixture(scope="module")
def concluded(made_once: None) -> builders.Table:
    owner = builders.person()
    table = builders.opened(owner, take_part=True, min_rounds=2, max_rounds=2).staff()
    table.all_propose()
    table.vote(owner, {table.agents[0]: 5, table.agents[2]: -3})
    table.strike(owner, table.agents[1])
    table.all_review()
    table.advance()
    assert table.whole_round() == "concluded"
    return table


@pytest.fixture
def table(concluded: builders.Table, db: None) -> builders.Table:
    """Concluded after two rounds; a person voted in the first and struck a proposal."""
    return copy.deepcopy(concluded)


@pytest.fixture
def owner(table: builders.Table) -> User:
    return table.session.owner


def get(user: User, table: builders.Table, **parameters: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("replay", args=[table.id]), parameters)


def seq(table: builders.Table, kind: str, place: int = 0) -> int:
    return list(Event.objects.filter(chain_id=str(table.id), kind=kind).values_list("seq", flat=True))[place]


def words(user: User, table: builders.Table, **parameters: Any) -> str:
    answer = get(user, table, **parameters)
    assert answer.status_code == 200
    page: Page = read(answer)
    assert page.dangers == []
    return page.words


def test_the_room_as_it_stood(owner: User, table: builders.Table) -> None:
    opened = words(owner, table, at=seq(table, "round.opened"))
    assert "State Proposing" in opened and "Nothing is struck." in opened
    struck = seq(table, "proposal.vetoed")
    before, after = words(owner, table, at=struck - 1), words(owner, table, at=struck)
    assert "Nothing is struck." in before and "Nothing is struck." not in after
    assert "The product is off by ten." in after
    closed = words(owner, table, at=seq(table, "round.closed"))
    assert "round 1, closed" in closed and "New session from round 1" in closed
    assert "State Tallying" in closed and "How sure, and why" not in closed
    assert "State Concluded" in words(owner, table)


def test_nothing_on_it_can_be_pressed_that_acts_on_the_room(owner: User) -> None:
    table = builders.opened(owner, take_part=True).staff()
    table.all_propose()
    table.all_review()
    table.strike(owner, table.agents[1])
    table.guide(owner)
    html = get(owner, table).content.decode()
    assert "?strike=" not in html and "formaction" not in html


def test_it_reads_the_trail_and_not_the_rows(owner: User, table: builders.Table) -> None:
    shown = words(owner, table)
    Proposal.objects.filter(round__session=table.session).update(answer="It is 999.", reasoning="rewritten")
    assert words(owner, table) == shown


@pytest.mark.parametrize("at", ["0", "9999", "-1", "x", "1.5", "\u0663", "9" * 30])
def test_an_event_that_is_not_there_is_told_in_words(owner: User, table: builders.Table, at: str) -> None:
    answer = get(owner, table, at=at)
    assert answer.status_code == 404
    assert "There is no event" in read(answer).words


def test_who_may_not_see_the_session_sees_no_replay(table: builders.Table) -> None:
    stranger = builders.person("stranger")
    assert get(stranger, table).status_code == 404
    client = Client()
    client.force_login(stranger)
    assert client.post(reverse("recompute", args=[table.id])).status_code == 404
    assert client.get(reverse("fork", args=[table.id])).status_code == 404


def test_htmx_gets_the_parts_alone(owner: User, table: builders.Table) -> None:
    client = Client(headers={"HX-Request": "true"})
    client.force_login(owner)
    html = client.get(reverse("replay", args=[table.id]), {"at": 5}).content.decode()
    assert 'id="moment"' in html and 'id="tally"' in html and "<html" not in html


def test_steps_cost_a_fixed_number_of_queries(
    owner: User, table: builders.Table, django_assert_num_queries: Any
) -> None:
    client = Client(headers={"HX-Request": "true"})
    client.force_login(owner)
    path = reverse("replay", args=[table.id])
    client.get(path, {"at": 5})
    for at in (1, 9, seq(table, "round.closed"), seq(table, "session.concluded")):
        with django_assert_num_queries(4):
            client.get(path, {"at": at})


def test_a_trail_that_does_not_fit_together_is_told_in_words(owner: User, table: builders.Table) -> None:
    trail = replay.trails.whole(table.id)
    missing = [each for each in trail.moments if each.kind != "panel.chosen"]
    replay.trails._known[str(table.id)] = dataclasses.replace(trail, moments=tuple(missing))
    answer = get(owner, table)
    assert answer.status_code == 409
    assert "does not fit the events before it. Its trail cannot be replayed" in read(answer).words


# A closer look


def looks(user: User, table: builders.Table, at: int) -> list[str]:
    """Where the page of an event leads to for a closer look."""
    html = get(user, table, at=at).content.decode()
    return [unescape(each) for each in re.findall(r'<a data-look[^>]*href="([^"]*)"', html)]


def test_a_closer_look_is_taken_at_the_moment_that_is_shown(owner: User, table: builders.Table) -> None:
    one, two, three = table.agents
    half = seq(table, "ballot.cast", 1)  # a person and one agent have cast
    client = Client()
    client.force_login(owner)
    found = looks(owner, table, half)
    (cell,) = [each for each in found if each.endswith(f"cell=1-{one}-{three}")]
    assert cell == f"{reverse('replay', args=[table.id])}?at={half}&cell=1-{one}-{three}"
    then, now = (read(client.get(cell.replace(f"at={half}", f"at={at}"))) for at in (half, ""))
    assert f"Event {half} of" in then.words and "provisional; without this ballot" in then.words
    assert "without this ballot" in now.words and "provisional; without" not in now.words
    for link in found:
        assert client.get(link).status_code == 200, link
    html = client.get(cell).content.decode()
    assert f'href="{reverse("what_if", args=[table.id])}?vote=1-{one}-{three}"' in html


def test_a_look_at_nothing_is_told_in_words(owner: User, table: builders.Table) -> None:
    for query in ({"cell": "1-9-9"}, {"cell": "x"}, {"exchange": "9-9-propose"}):
        answer = get(owner, table, **query)
        assert answer.status_code == 404 and "There is nothing at this place" in read(answer).words


def test_the_steps_lead_on_from_the_page_that_recomputed(owner: User, table: builders.Table) -> None:
    html = recomputed(owner, table).content.decode()
    assert 'href="?' not in html
    assert f'href="{reverse("replay", args=[table.id])}?at=1"' in html


def test_an_overturn_counts_from_its_own_event(owner: User, table: builders.Table) -> None:
    """Asked for by one person, confirmed by another one."""
    second = builders.person("second", full_name="Sigrid Second")
    type(table.session).objects.filter(pk=table.id).update(rules={**table.session.rules, "veto_quorum": 2})
    against = people_overturns.Against("A later measurement says otherwise.", key())  # type: ignore[arg-type]
    asked = people_overturns.overturn(table.id, owner, against)
    row = table.session.overturns.get()
    confirmed = people_overturns.confirm_overturn(table.id, second, row.pk)
    before, after = words(owner, table, at=asked), words(owner, table, at=confirmed)
    assert "asks to overturn it" in before and "Verdict, overturned" not in before
    assert "Sigrid Second overturned the verdict" not in before
    assert "Verdict, overturned" in after and "and Sigrid Second overturned the verdict" in after


# Blind


def test_a_blind_person_finds_no_name_and_no_total(owner: User) -> None:
    guest = builders.person("guest")
    table = builders.opened(owner, take_part=True, blind=True, human_window_s=900, max_rounds=2).staff()
    table.whole_round()
    people.take_seat(table.session, guest, asked=True)
    seats = table.session.participants.filter(kind="model").select_related("model")
    names = [each.model.alias for each in seats if each.model]
    head = Event.objects.filter(chain_id=str(table.id)).latest("seq").seq
    for at in range(1, head + 1):
        html = get(guest, table, at=at).content.decode()
        assert not [name for name in names if name in html], at
        assert "Ballot of agent" not in html or "+60" not in html
        for query in (
            {"cell": f"1-{table.agents[0]}-{table.agents[1]}"},
            {"exchange": f"1-{table.agents[0]}-propose"},
        ):
            look = get(guest, table, at=at, **query)
            assert look.status_code == 403 and not [name for name in names if name in look.content.decode()]
    table.vote(guest, {table.agents[0]: 5, table.agents[1]: 0, table.agents[2]: 0})
    assert names[0] in get(guest, table).content.decode()


# Recompute


def recomputed(user: User, table: builders.Table) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(reverse("recompute", args=[table.id]))


def test_a_record_that_holds_matches(owner: User, table: builders.Table) -> None:
    answer = recomputed(owner, table)
    assert answer.status_code == 200
    assert "It matches. 2 rounds and the verdict recompute bit for bit" in read(answer).words


def test_a_row_that_was_rewritten_does_not_match(owner: User, table: builders.Table) -> None:
    Proposal.objects.filter(round__session=table.session, round__number=1, participant__seat=3).update(
        answer="x"
    )
    said = read(recomputed(owner, table)).words
    assert "It does not match. First at event" in said
    assert "the proposal of C in round 1 is not as it was told." in said


def test_a_session_that_runs_is_not_recomputed(owner: User) -> None:
    table = builders.opened(owner).staff()
    answer = recomputed(owner, table)
    assert answer.status_code == 409
    assert "It still runs." in read(answer).words


def test_recomputing_is_asked_for_by_a_press(owner: User, table: builders.Table) -> None:
    client = Client()
    client.force_login(owner)
    assert client.get(reverse("recompute", args=[table.id])).status_code == 405
