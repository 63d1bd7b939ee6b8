"""Two sessions compared: what differs, where they first part, and what a blind person is told of it."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliberation.selectors import room
from deliberation.selectors.access import BLIND, OPEN
from deliberation.selectors.compare import HIDDEN, Comparison, Group, Item, compare
from deliberation.selectors.words import letter
from deliberation.services import people, people_overturns
from tests import builders
from tests.deliberation.reading import read
from tests.replay.forks import forked

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


def test_a_letter_that_means_two_models_is_not_told_alone(owner: User) -> None:
    a, b = staffed(owner), builders.opened(owner, take_part=True, min_rounds=2, max_rounds=2).staff()
    for table in (a, b):
        table.all_propose()
        table.all_review()
        table.advance()
    found = group(compared(a, b), "Round 1").items
    tally = next(each for each in found if each.name == "tally")
    for table, said in ((a, tally.a), (b, tally.b)):
        first_, winner = table.agents[0], table.session.rounds.get(number=1).outcome["tally"]["winner"]
        names = {each.seat: each.name for each in table.session.participants.all()}
        assert said is not None and said.startswith(f"{names[winner]} ({letter(winner)}) wins")
        assert f"{names[first_]} ({letter(first_)}) " in said
    ballots = [each for each in found if each.name.startswith("ballot of")]
    assert ballots and all(" (" in (each.a or each.b or "") for each in ballots)


def test_what_a_fork_went_on_from_is_a_difference(owner: User) -> None:
    parent = staffed(owner, max_rounds=1)
    assert parent.whole_round() == "concluded"
    edited = {f"edit-{parent.agents[1]}": "It is 392."}
    first_, second = (builders.Table(forked(owner, parent.session, round=1, **more)) for more in (edited, {}))
    again = builders.Table(forked(owner, parent.session, round=0))

    def said(a: builders.Table, b: builders.Table) -> tuple[Any, ...]:
        items = group(compared(a, b), "Before the first round").items
        return next((each.a, each.b, each.differs) for each in items if each.name == "goes on from")

    assert said(parent, parent) == (None, None, False)
    changed = ", with the proposal of B changed"
    assert said(parent, first_) == (None, f"round 1 of the other one{changed}", True)
    assert said(first_, second) == (
        f"round 1 of a third session{changed}",
        "round 1 of a third session",
        True,
    )
    assert said(second, second)[2] is False
    assert said(again, parent) == ("the question of the other one", None, True)


def test_a_fork_stands_beside_the_rounds_that_followed_in_its_parent(owner: User) -> None:
    parent = staffed(owner, min_rounds=3, max_rounds=3)
    for _ in range(3):
        parent.whole_round()
    fork = builders.Table(forked(owner, parent.session, round=1)).staff()
    fork.all_propose(("391", "391", "377"))
    found = compared(parent, fork)
    assert [each.title for each in found.groups[1:-1]] == [
        "Round 1 of the first",
        "Round 2 of the first, round 1 of the second",
        "Round 3 of the first",
    ]
    goes_on = "The second goes on from round 1 of the other one"
    assert found.aligned == f"{goes_on}, so its round 1 stands beside round 2 of the first."
    past, beside, _ = found.groups[1:-1]
    assert past.note == f"{goes_on}; it has no round beside this one."
    assert past.items and {each.differs for each in past.items} == {None}
    texts = [each for each in beside.items if each.name.startswith("proposal of ")]
    assert len(texts) == 3 and all(each.a and each.b for each in texts)
    assert first(found) in texts
    assert found.parted == f"{beside.title.lower()}, {first(found).name}"


def test_the_past_of_a_fork_is_no_difference_and_is_shown_on_demand(owner: User) -> None:
    parent = staffed(owner)
    parent.whole_round()
    fork = builders.Table(forked(owner, parent.session, round=1))
    only, every = compared(fork, parent, only=True), compared(fork, parent)
    assert [(each.title, each.items) for each in only.groups[1:-1]] == [
        ("Round 1 of the second", ()),
        ("Round 2 of the second", only.groups[2].items),
    ]
    assert every.groups[1].items and not every.groups[1].differing
    assert only.aligned.startswith("The first goes on from round 1 of the other one, so")
    page = read(get(owner, a=fork.id, b=parent.id)).words
    assert only.aligned in page and "it has no round beside this one" in page


def test_two_forks_of_one_session_go_on_where_each_began(owner: User) -> None:
    parent = staffed(owner)
    for _ in range(2):
        parent.whole_round()
    early, late = (builders.Table(forked(owner, parent.session, round=n)).staff() for n in (1, 2))
    for table in (early, late):
        table.all_propose()
    found = compared(early, late)
    assert [each.title for each in found.groups[1:-1]] == ["Round 1 of the first", "Round 1 of the second"]
    assert "The second goes on from round 2 of a third session" in found.aligned
    same = compared(early, builders.Table(forked(owner, parent.session, round=1)))
    assert (same.aligned, same.groups[1].title) == ("", "Round 1")


def test_a_fork_of_the_question_alone_is_aligned_by_number(owner: User) -> None:
    parent = staffed(owner)
    parent.whole_round()
    again = builders.Table(forked(owner, parent.session, round=0)).staff()
    again.all_propose()
    found = compared(parent, again)
    assert (found.aligned, found.groups[1].title) == ("", "Round 1")


def test_an_overturned_verdict_is_a_difference(owner: User) -> None:
    a, b = staffed(owner, max_rounds=1), staffed(owner, max_rounds=1)
    for table in (a, b):
        assert table.whole_round() == "concluded"
    people_overturns.overturn(b.id, owner, people_overturns.Against("It is wrong.", uuid4()))
    assert differing(compared(a, b), "The end") == ["overturned"]


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
    assert "Effort effort differs .6 .4" in said or "Effort effort differs 0.6 0.4" in said
    assert "Rounds at most" not in said
    assert "Rounds at most max_rounds" in read(get(owner, a=a.id, b=b.id, all=1)).words


def test_without_two_sessions_it_asks_for_them(owner: User) -> None:
    a = staffed(owner)
    answer = get(owner)
    assert answer.status_code == 200 and "Choose two sessions" in read(answer).words
    assert str(a.id) in answer.content.decode()
    other = staffed(owner)
    html = get(owner, a=a.id).content.decode()
    assert "Compare What is 17*23? with" in html and f"?a={a.id}&amp;b={other.id}" in html


@pytest.mark.parametrize("asked", ["?a={0}", "?b={0}", "?a=x&b={0}", "?a={0}&b=x", "?a={0}&b={0}"])
def test_the_one_that_is_there_is_kept_for_the_next_choice(owner: User, asked: str) -> None:
    a, other = staffed(owner), staffed(owner)
    client = Client()
    client.force_login(owner)
    html = client.get(reverse("compare") + asked.format(a.id)).content.decode()
    assert f'href="?a={a.id}&amp;b={other.id}"' in html and "?a=x&amp;b" not in html
    assert f'b={a.id}"' not in html


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
