"""Two sessions compared: what differs, where they first part, and what a blind person is told of it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliberation.selectors import room
from deliberation.selectors.access import BLIND, OPEN
from deliberation.selectors.compare import HIDDEN, Comparison, Group, Item, compare
from deliberation.services import people
from tests import builders
from tests.deliberation.reading import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return builders.person()


def staffed(owner: User, **rules: Any) -> builders.Table:
    """Equal seeds seat equal panels."""
    return builders.opened(owner, **{"min_rounds": 2, "max_rounds": 2, **rules}).staff()


def compared(a: builders.Table, b: builders.Table, *, only: bool = False, blind: bool = False) -> Comparison:
    audiences = (BLIND if blind else OPEN, OPEN)
    return compare(room.load(a.id), room.load(b.id), audiences=audiences, only_differences=only)


def group(found: Comparison, title: str) -> Group:
    return next(each for each in found.groups if each.title == title)


def differing(found: Comparison, title: str) -> list[str]:
    return [each.name for each in group(found, title).items if each.differs]


def first(found: Comparison) -> Item:
    (marked,) = [item for each in found.groups for item in each.items if item.first]
    return marked


def test_two_runs_that_went_the_same_way(owner: User) -> None:
    a, b = staffed(owner), staffed(owner)
    for table in (a, b):
        table.whole_round()
        assert table.whole_round() == "concluded"
    found = compared(a, b)
    assert (found.parted, found.differing) == (None, 0)
    assert found.same > 30


def test_the_first_proposal_that_differs_is_where_they_part(owner: User) -> None:
    a, b = staffed(owner), staffed(owner)
    a.all_propose(("391", "391", "381"))
    b.all_propose(("391", "392", "381"))
    found = compared(a, b)
    assert first(found).name.startswith("proposal of ") and "(B)" in first(found).name
    assert (first(found).a or "").startswith("391") and (first(found).b or "").startswith("392")
    assert found.parted == f"round 1, {first(found).name}"


def test_a_ballot_then_the_tally_and_what_followed(owner: User) -> None:
    a, b = staffed(owner), staffed(owner)
    for table in (a, b):
        table.all_propose()
    a.all_review()
    one, two, three = b.agents
    b.review(one, {two: 0, three: 90})
    b.review(two, {one: -10, three: 80})
    b.review(three, {one: 60, two: -30})
    for table in (a, b):
        table.advance()
    found = compared(a, b)
    assert first(found).name.startswith("ballot of ") and "(A)" in first(found).name
    names = differing(found, "Round 1")
    assert len(names) == 4 and names[2:] == ["tally", "conviction"]
    assert "net support A" in (group(found, "Round 1").items[-3].a or "")


def test_rules_and_panel_stand_before_the_first_round(owner: User) -> None:
    a, b = staffed(owner), staffed(owner, max_rounds=3, panel_size=[4, 4])
    assert "rule max_rounds" in differing(compared(a, b), "Before the first round")
    assert "rule panel_size" in differing(compared(a, b), "Before the first round")
    assert [
        each for each in differing(compared(a, b), "Before the first round") if each.startswith("panel: ")
    ]


def test_only_differences_leaves_out_what_is_the_same(owner: User) -> None:
    a, b = staffed(owner), staffed(owner, effort=0.4)
    every, only = compared(a, b), compared(a, b, only=True)
    assert [each.name for each in only.groups[0].items] == ["policy", "rule effort"]
    assert len(every.groups[0].items) > 30 and (every.same, every.differing) == (only.same, only.differing)


def test_the_same_model_is_one_row_whatever_its_seat(owner: User) -> None:
    a, b = staffed(owner), builders.opened(owner, take_part=True, min_rounds=2, max_rounds=2).staff()
    for table in (a, b):
        table.all_propose()
    found = compared(a, b)
    assert not [each for each in differing(found, "Round 1") if each.startswith("proposal of ")]
    assert any("(A | " in each.name or " | B)" in each.name for each in group(found, "Round 1").items)


def test_a_blind_side_hides_names_and_numbers(owner: User) -> None:
    a, b = staffed(owner, blind=True, human_window_s=900), staffed(owner)
    name = a.session.participants.get(seat=a.agents[0]).name
    a.all_propose((f"I am {name}: 391", "391", "381"))
    b.all_propose()
    for table in (a, b):
        table.all_review()
        table.advance()
    found = compared(a, b, blind=True)
    told = [f"{item.name} {item.a} {item.b}" for each in found.groups for item in each.items]
    names = [each.model.alias for each in a.session.participants.select_related("model") if each.model]
    assert not [line for line in told if any(name in line for name in names)]
    counted = [each for each in group(found, "Round 1").items if not each.name.startswith("proposal")]
    assert counted and {each.differs for each in counted} == {None}
    assert {each.a for each in counted} == {HIDDEN}


# The page


def get(user: User, **parameters: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(reverse("compare"), parameters)


def test_the_page_shows_differences_and_everything_on_demand(owner: User) -> None:
    a, b = staffed(owner), staffed(owner, effort=0.4)
    said = read(get(owner, a=a.id, b=b.id)).words
    assert "Rule effort differs .6 .4" in said or "Rule effort differs 0.6 0.4" in said
    assert "Rule max_rounds" not in said
    assert "Rule max_rounds" in read(get(owner, a=a.id, b=b.id, all=1)).words


def test_without_two_sessions_it_asks_for_them(owner: User) -> None:
    a = staffed(owner)
    answer = get(owner)
    assert answer.status_code == 200 and "Choose two sessions" in read(answer).words
    assert str(a.id) in answer.content.decode()
    other = staffed(owner)
    html = get(owner, a=a.id).content.decode()
    assert "Compare the first with" in html and f"?a={a.id}&amp;b={other.id}" in html


@pytest.mark.parametrize("other", ["x", "00000000-0000-0000-0000-000000000000", "\u0000", "a" * 500])
def test_what_is_no_session_is_told_in_words(owner: User, other: str) -> None:
    answer = get(owner, a=staffed(owner).id, b=other)
    assert answer.status_code == 404 and "There is no session" in read(answer).words


def test_one_session_is_not_compared_with_itself(owner: User) -> None:
    a = staffed(owner)
    assert "Both are the same session." in read(get(owner, a=a.id, b=a.id)).words


def test_both_must_be_visible(owner: User) -> None:
    mine, other = staffed(owner), staffed(builders.person("other"))
    answer = get(owner, a=mine.id, b=other.id)
    assert answer.status_code == 404 and "There is no session" in read(answer).words
    people.take_seat(other.session, owner, asked=False)
    assert get(owner, a=mine.id, b=other.id).status_code == 200


def test_it_costs_a_fixed_number_of_queries(owner: User, django_assert_max_num_queries: Any) -> None:
    a, b = staffed(owner), staffed(owner)
    client = Client()
    client.force_login(owner)
    path = f"{reverse('compare')}?a={a.id}&b={b.id}&all=1"
    client.get(path)
    with django_assert_max_num_queries(9):
        client.get(path)
    for table in (a, b):
        table.whole_round()
    client.get(path)
    with django_assert_max_num_queries(9):
        client.get(path)
