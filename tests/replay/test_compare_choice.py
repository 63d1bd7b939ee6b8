"""Two sessions of one question can be told apart where they are chosen and where they are compared."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from deliberation.models import Session
from deliberation.selectors.access import OPEN
from deliberation.selectors.compare import Comparison, Group, compare
from deliberation.selectors.room import load
from tests import builders
from tests.builders import Table
from tests.deliberation.reading import read

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return builders.person()


def ended(owner: User, *, rounds: int) -> Table:
    table = builders.opened(owner, min_rounds=rounds, max_rounds=rounds, effort=1.0).staff()
    for _ in range(rounds):
        table.whole_round()
    assert table.state == "concluded"
    return table


def page(owner: User, query: str = "") -> str:
    browser = Client()
    browser.force_login(owner)
    return str(browser.get(reverse("compare") + query).content.decode())


def compared(a: Table, b: Table, *, only: bool) -> Comparison:
    return compare(load(a.id), load(b.id), audiences=(OPEN, OPEN), only_differences=only)


def group(found: Comparison, title: str) -> Group:
    return next(each for each in found.groups if each.title == title)


def test_the_fields_name_sessions_by_question_time_policy_and_answer(owner: User) -> None:
    table = ended(owner, rounds=1)
    html = page(owner, f"?a={table.id}")
    when = Session.objects.get(pk=table.id).created_at
    assert f'<option value="{table.id}" selected>What is 17*23? ({when:%Y-%m-%d %H:%M}, test' in html
    assert "answer 391)" in html


def test_a_session_older_than_the_list_is_kept_in_its_field(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deliberation.views.compare.CHOICES", 1)
    old, new = ended(owner, rounds=1), ended(owner, rounds=1)
    html = page(owner, f"?a={old.id}&b={new.id}")
    assert f'<option value="{old.id}" selected>' in html


def test_both_sides_say_when_under_which_policy_and_with_what_answer(owner: User) -> None:
    a, b = ended(owner, rounds=1), ended(owner, rounds=2)
    found = compared(a, b, only=True)
    assert all("answer 391" in each and "test" in each for each in found.about)
    assert found.about[0] in page(owner, f"?a={a.id}&b={b.id}").replace("\u202f", " ")


def test_a_round_of_one_side_alone_is_a_sentence_and_no_rows_of_nothing(owner: User) -> None:
    found = compared(ended(owner, rounds=1), ended(owner, rounds=2), only=True)
    second = group(found, "Round 2")
    assert second.note == "The first has 1 round, so nothing stands beside this one."
    assert [item for item in second.items if not item.first] == []
    assert found.differing == sum(each.differing for each in found.groups)
    assert group(found, "Round 1").note == ""


def test_its_rows_are_shown_on_demand(owner: User) -> None:
    found = compared(ended(owner, rounds=1), ended(owner, rounds=2), only=False)
    assert len(group(found, "Round 2").items) > 3


def test_rules_have_the_names_of_the_policy_editor(owner: User) -> None:
    a, b = ended(owner, rounds=1), ended(owner, rounds=2)
    browser = Client()
    browser.force_login(owner)
    words = read(browser.get(reverse("compare"), {"a": a.id, "b": b.id})).words
    assert "Rounds at most max_rounds differs 1 2" in words
