"""A fork's form: what it keeps, what it refuses, and how a fork and its parent name each other."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from deliberation import events
from deliberation.models import Session
from deliberation.replaying import recompute
from deliberation.selectors import forking, reading_back, replay
from deliberation.selectors.rebuilding.rooms import room_at
from deliberation.services import forks, people
from deliberation.services.acts import ActRefused
from deliberation.services.policies import load_built_in
from deliberation.services.sessions import Opening
from tests import builders
from tests.deliberation.reading import read
from tests.replay.forks import forked, post, told

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def trails_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "trails", replay.Trails())


@pytest.fixture
def owner() -> User:
    return builders.person()


@pytest.fixture
def parent(owner: User) -> Session:
    """Concluded after two rounds."""
    table = builders.opened(owner, min_rounds=2, max_rounds=2).staff()
    table.whole_round()
    assert table.whole_round() == "concluded"
    return table.session


def test_texts_that_were_not_changed_are_no_edits(owner: User, parent: Session) -> None:
    made = parent.rounds.get(number=1).proposals.select_related("participant")
    same = {f"edit-{each.participant.seat}": each.answer.replace("\n", "\r\n") + "\r\n" for each in made}
    assert told(forked(owner, parent, round=1, **same))["edited"] == []


def test_another_policy_brings_its_own_rules(owner: User, parent: Session) -> None:
    load_built_in()
    child = forked(owner, parent, round=1, policy="thorough")
    assert child.policy.name == "thorough" and child.rules == child.policy.rules


def test_both_pages_name_each_other(owner: User, parent: Session) -> None:
    child = forked(owner, parent, round=1)
    client = Client()
    client.force_login(owner)
    there = read(client.get(reverse("replay", args=[parent.pk])))
    here = read(client.get(reverse("replay", args=[child.pk])))
    assert "Fork after round 1:" in there.words and "Compare the two" in there.words
    assert "Forked from What is 17*23?, after its round 1." in here.words


def test_a_parent_that_a_viewer_may_not_see_is_not_named(owner: User, parent: Session) -> None:
    child, guest = forked(owner, parent, round=1), builders.person("guest")
    Session.objects.filter(pk=child.pk).update(owner=guest)
    client = Client()
    client.force_login(guest)
    answer = client.get(reverse("replay", args=[child.pk]))
    assert "a session that you may not see" in read(answer).words
    assert str(parent.pk) not in answer.content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"panel": "named"}, "Name at least one model"),
        ({"panel": "named", "models": ["999999"]}, "cannot sit now"),
        ({"panel": "everybody"}, "Choose who sits"),
        ({"policy": "nothing"}, "There is no policy named"),
        ({"edit-1": "  "}, "A proposal cannot be empty"),
        ({"edit-1": "x" * 20_001}, "at most 20,000 are allowed"),
    ],
)
def test_what_is_refused_is_told_and_kept(
    owner: User, parent: Session, fields: dict[str, Any], said: str
) -> None:
    answer = post(owner, parent, round=1, **fields)
    assert answer.status_code == 422
    assert said in read(answer).words
    assert Session.objects.count() == 1


@pytest.mark.parametrize("number", ["7", "-1", "x", "", "1.0", "\u0661"])
def test_a_round_that_is_not_closed_is_told_in_words(owner: User, parent: Session, number: str) -> None:
    answer = post(owner, parent, round=number)
    assert answer.status_code == 404
    assert "There is no such closed round to go on from. Closed: 1, 2." in read(answer).words


def test_a_blind_person_forks_after_the_first_ballot() -> None:
    owner, guest = builders.person(), builders.person("guest")
    table = builders.opened(owner, take_part=True, blind=True, human_window_s=900).staff()
    Session.objects.filter(pk=table.id).update(owner=guest)
    answer = post(owner, table.session, round=0)
    assert answer.status_code == 403 and "make it after your first ballot" in read(answer).words


# A parent or a record that says something else afterwards


def first_fault(child: Session) -> str:
    child.refresh_from_db()
    found = recompute(child).first
    return found.what if found else ""


def test_a_fork_is_held_against_its_parent(owner: User, parent: Session) -> None:
    child, other = forked(owner, parent, round=1), builders.opened(owner, task="Another?").session
    assert first_fault(child) == ""
    Session.objects.filter(pk=child.pk).update(parent_round=2)
    assert first_fault(child) == "the parent that screens show is not the one it was forked from"
    Session.objects.filter(pk=child.pk).update(parent_round=1, parent=other)
    assert first_fault(child) == "the parent that screens show is not the one it was forked from"
    Session.objects.filter(pk=child.pk).update(parent_round=None, parent=None)
    assert first_fault(child) == "the parent that screens show is not the one it was forked from"


def test_what_went_along_is_recomputed_from_the_parents_trail(owner: User, parent: Session) -> None:
    trail = reading_back.read(parent.pk)
    carried = forking.carry(room_at(trail, trail.head), 1, edits={}).to_json()
    carried["state"][0]["text"] = "Something that nobody said."
    branch = forks.Branch(parent=parent, round=1, event=trail.head, carried=carried)
    child = forks.fork(branch, Opening(task=parent.task, policy=parent.policy.name), owner=owner)
    assert first_fault(child) == "what it took along from its parent recomputes to something else"


def test_a_parent_with_another_history_is_found_out(owner: User, parent: Session) -> None:
    child = builders.opened(owner, task="Another?").session
    Session.objects.filter(pk=child.pk).update(parent=parent, parent_round=0)
    payload = {"parent": str(parent.pk), "round": 0, "event": 3, "hash": "00" * 32, "carried": None}
    with transaction.atomic():
        events.record(child, forks.FORKED, actor="system", payload=payload)
    assert first_fault(child) == "the parent's trail is not the one that it was forked from"


def test_the_service_refuses_a_round_that_is_open(owner: User) -> None:
    table = builders.opened(owner).staff()
    branch = forks.Branch(parent=table.session, round=1, event=1)
    with pytest.raises(ActRefused, match="Round 1 of that session is not closed"):
        forks.fork(branch, Opening(task="What is 17*23?", policy="test"), owner=owner)


def test_the_right_answer_goes_along_for_those_alone_who_may_know_it(owner: User) -> None:
    guest = builders.person("guest")
    table = builders.opened(owner, take_part=True).staff()
    Session.objects.filter(pk=table.id).update(known_answer="391")
    people.take_seat(table.session, guest, asked=False)
    assert forked(owner, table.session, round=0).known_answer == "391"
    assert forked(guest, table.session, round=0).known_answer == ""


def test_the_form_costs_a_fixed_number_of_queries(
    owner: User, parent: Session, django_assert_max_num_queries: Any
) -> None:
    client = Client()
    client.force_login(owner)
    path = reverse("fork", args=[parent.pk])
    client.get(path)
    for number in (0, 1, 2):
        with django_assert_max_num_queries(9):
            assert client.get(path, {"round": number}).status_code == 200
