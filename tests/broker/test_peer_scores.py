"""How models weighed each other's answers: kept with the checks, put to the broker as ballots of recorded questions."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from broker.models import Endpoint, Model, PeerScore
from broker.selection.panel import choose_panel
from broker.selection.types import OwnRule, PanelRequest, Scenarios
from broker.selectors.candidates import Wanted, question
from broker.selectors.recorded import recorded_questions
from broker.services.competences import Answered, Scored, record_checks, record_scores, withdraw_checks
from broker.services.selections import select_panel
from tests.broker.fleets import wait

WANTED = Wanted(category="math", tokens_in=2000, tokens_out=1000, rounds=1, size=(3, 3), own_rule=OwnRule())


@pytest.fixture
def models(lab: Endpoint) -> dict[str, Model]:
    lab.healthy = True
    lab.save()
    return {
        alias: Model.objects.create(alias=alias, served_name=alias, endpoint=lab, family=alias)
        for alias in "abc"
    }


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def asked(
    models: dict[str, Model],
    answers: Mapping[str, str],
    weights: Mapping[str, Mapping[str, float]],
    *,
    task: str = "q",
    session: UUID | None = None,
) -> UUID:
    """One session on a question; "ok" is right."""
    reference = session or uuid4()
    checks = [Answered(models[each], answer == "ok", sha(answer)) for each, answer in answers.items()]
    record_checks(checks, category="math", question=sha(task), source="known_answer", reference=reference)
    scores = [
        Scored(models[voter], models[author], weight)
        for voter, given in weights.items()
        for author, weight in given.items()
    ]
    record_scores(scores, question=sha(task), reference=reference)
    return reference


def recorded(models: dict[str, Model]) -> Scenarios:
    found = recorded_questions("math", list(models.values()), with_ballots=True)
    assert found is not None
    return found


def test_scores_are_the_ballots_of_their_question(models: dict[str, Model]) -> None:
    asked(models, {"a": "ok", "b": "0", "c": "0"}, {"a": {"b": -20}, "b": {"a": 80.5, "c": 1}}, task="one")
    asked(models, {"a": "ok", "b": "ok"}, {}, task="two")
    found = recorded(models)
    by_question = dict(zip(sorted([sha("one"), sha("two")]), found.ballots, strict=True))
    assert by_question == {sha("one"): {"a": {"b": -20}, "b": {"a": 80.5, "c": 1}}, sha("two"): None}
    request = PanelRequest.from_json(
        {"candidates": [{"id": each} for each in models], "scenarios": vars(found)}
    )
    assert request.scenarios == found


def test_scores_that_were_recorded_again_take_the_place_of_the_first(models: dict[str, Model]) -> None:
    session = asked(models, {"a": "ok", "b": "0"}, {"a": {"b": 10}})
    asked(models, {"a": "ok", "b": "0"}, {"a": {"b": 20}}, session=session)
    assert [each.weight for each in PeerScore.objects.all()] == [20]


def test_they_are_withdrawn_with_the_checks(models: dict[str, Model]) -> None:
    first = asked(models, {"a": "ok", "b": "0"}, {"a": {"b": 10}})
    other = asked(models, {"a": "ok", "b": "0"}, {"a": {"b": 10}}, task="other")
    withdraw_checks(first, but=[models["a"]])
    assert [each.reference for each in PeerScore.objects.all()] == [other]


def test_of_two_sessions_on_one_question_the_ballots_of_the_newest_count(models: dict[str, Model]) -> None:
    first = asked(models, {"a": "ok", "b": "0", "c": "0"}, {"a": {"b": 10, "c": 5}, "c": {"a": 70}})
    asked(models, {"a": "ok", "b": "0"}, {"b": {"a": 1}}, task="asked beside it", session=first)
    wait(hours=1)
    asked(models, {"a": "0", "b": "ok"}, {"b": {"a": -99}})
    found = recorded(models)
    place = found.answers["c"].index("1")
    assert [row[place] for row in found.answers.values()] == ["1", "right", "1"]
    # c did not sit in the newest: what it gave, and what it was given, is about other answers.
    assert found.ballots[place] == {"b": {"a": -99}}
    assert found.ballots[1 - place] == {"b": {"a": 1}}


def test_where_the_newest_answers_were_imported_there_are_no_ballots(models: dict[str, Model]) -> None:
    asked(models, {"a": "ok", "b": "0"}, {"a": {"b": 10}, "b": {"a": 10}})
    wait(hours=1)
    answers = [Answered(each, False) for each in models.values()]
    record_checks(answers, category="math", question=sha("q"), source="import")
    assert recorded(models).ballots == ()


def test_without_scores_there_are_no_ballots(models: dict[str, Model]) -> None:
    asked(models, {"a": "ok", "b": "0"}, {})
    assert recorded(models).ballots == ()


@pytest.mark.parametrize(
    ("author", "weight", "broken"),
    [("a", 10, "nobody_scores_themselves"), ("b", 101, "score_in_credits"), ("b", -101, "score_in_credits")],
)
def test_what_no_ballot_can_hold_is_refused(
    models: dict[str, Model], author: str, weight: float, broken: str
) -> None:
    score = Scored(models["a"], models[author], weight)
    with pytest.raises(IntegrityError, match=broken), transaction.atomic():
        record_scores([score], question=sha("q"), reference=uuid4())


def test_recorded_questions_with_ballots_cost_three_queries(
    models: dict[str, Model], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        asked(models, {"a": "ok", "b": "0"}, {"a": {"b": 10}}, task=f"{number}")
    for with_ballots, queries in ((True, 3), (False, 2)):
        with django_assert_num_queries(queries):
            found = recorded_questions("math", list(models.values()), with_ballots=with_ballots)
        assert found is not None
        assert len(found.ballots) == (4 if with_ballots else 0)


# In the question to the broker.

TRUSTING = {"a": {"b": 0, "c": 0}, "b": {"a": 90, "c": 0}, "c": {"a": 90, "b": 0}}


def questions(models: dict[str, Model], count: int = 30) -> None:
    """a is right and the others agree on what is wrong, but they weigh a's answer highest."""
    for number in range(count):
        asked(models, {"a": "ok", "b": "0", "c": "0"}, TRUSTING, task=f"{number}")


def counted(wanted: Wanted) -> Any:
    return choose_panel(question(replace(wanted, floor_points=None)).request).to_json().get("own_count")


def test_a_session_s_panel_is_judged_by_its_own_rule(models: dict[str, Model]) -> None:
    questions(models)
    told = counted(replace(WANTED, own_rule=OwnRule("linear", winner_by="class", family_share=False)))
    assert told["own_rule"] == {"rule": "linear", "winner_by": "class", "family_share": False}
    assert (told["rows"], told["of"]) == (30, 30)
    assert told["teams"] == ({"chosen": ("a", "b", "c"), "rows": 30, "value": 1.0, "plurality": 0.0},)


def test_the_receipt_s_page_gives_v_by_both_ways(models: dict[str, Model], admin_client: Client) -> None:
    questions(models)
    selection = select_panel(replace(WANTED, floor_points=None, size=(2, 3)))
    html = admin_client.get(f"/broker/selections/{selection.pk}/").content.decode()
    page = " ".join(strip_tags(html.replace("<", " <")).split())
    assert "V by own ballots" in page
    told = "by the rule quadratic: they decide 30 of 30 rows; .00 by votes alone"
    assert f"V by own ballots 1.00 {told}" in page
    assert "V .00 , 1.00 by own ballots on 30 rows" in page  # the runner-up


def test_a_receipt_without_ballots_says_nothing_of_them(
    models: dict[str, Model], admin_client: Client
) -> None:
    questions(models)
    selection = select_panel(replace(WANTED, floor_points=None, own_rule=None))
    assert "own ballots" not in admin_client.get(f"/broker/selections/{selection.pk}/").content.decode()


def test_without_a_rule_of_its_own_votes_are_counted(models: dict[str, Model]) -> None:
    questions(models)
    assert counted(replace(WANTED, own_rule=None)) is None
