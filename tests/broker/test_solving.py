"""What pages ask the solver's queue: no request solves anything, and each says truthfully how far it is."""

from dataclasses import replace
from uuid import uuid4

import pytest
import redis
from django.core.cache import cache, caches
from django.test import Client
from django.urls import reverse
from redis.exceptions import ConnectionError as RedisAway

from broker import solving
from broker.models import Endpoint, Selection
from broker.receipt_page import RESOLVE
from broker.solving import Look, Question
from deliberation.models import Policy
from deliberation.protocol.types import Rules
from deliberation.services.policies import publish_policy
from nsed_web.processes import Child
from tests import builders, slots
from tests.broker.keeping import keeper, signed_in
from tests.broker.selecting import selected_of_three

HTMX = {"HX-Request": "true"}


def queued() -> int:
    with redis.from_url(slots.OURS.redis_url) as client:
        return client.llen(solving.QUEUE)


@pytest.fixture
def question(redis_server: None) -> Question:
    return Question(f"test/{uuid4()}", RESOLVE, (1, 0.5))


def test_a_question_is_put_once_however_often_a_page_looks(question: Question) -> None:
    assert solving.look([question]) == solving.look([question]) == [Look(None, is_given_up=False)]
    assert queued() == 1
    solving.answer(question.ticket, lambda: {"chosen": ["a"]})
    assert solving.look([question]) == [Look({"chosen": ["a"]}, is_given_up=False)]
    assert queued() == 1


def test_what_is_there_is_given_where_not_all_is(question: Question) -> None:
    other = replace(question, ticket=f"{question.ticket}/other")
    cache.set(other.ticket, 1)
    assert [each.answer for each in solving.look([question, other])] == [None, 1]


def test_nothing_is_worked_out_that_nobody_waits_for(question: Question) -> None:
    solving.answer(question.ticket, lambda: pytest.fail("worked out"))


def test_an_answer_that_could_not_be_worked_out_is_asked_for_again(question: Question) -> None:
    solving.look([question])
    with pytest.raises(ZeroDivisionError):
        solving.answer(question.ticket, lambda: 1 / 0)
    assert solving.look([question])[0].is_awaited
    assert queued() == 2


def test_patience_ends(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    assert solving.look([question])[0].is_awaited
    monkeypatch.setattr(solving, "PATIENCE_S", 0.0)
    assert solving.look([question])[0].is_given_up
    monkeypatch.undo()
    assert solving.look([question])[0].is_awaited
    assert queued() == 2, "who asks again is heard"


@pytest.mark.parametrize("name", ["get", "get_many"])
def test_without_redis_a_page_still_opens(
    question: Question, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def away(*args: object, **more: object) -> None:
        raise RedisAway("away")

    monkeypatch.setattr(type(caches["default"]), name, away)
    (look,) = solving.look([question])
    assert look.answer is None
    assert look.is_given_up == (name == "get")


def policy() -> Policy:
    return publish_policy("two", summary="", rules=Rules.from_json({"panel_size": [2, 2]}))


@pytest.fixture
def chosen(db: None) -> Selection:
    return selected_of_three(Endpoint.objects.create(name="lab", kind="openai_compatible", base_url="x"))


def test_a_page_without_a_solver_waits_and_then_says_so(
    chosen: Selection, redis_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, address = signed_in(keeper()), reverse("broker_selection", args=[chosen.pk])
    for query, part in (("budget=0.06", "resolved"), ("points=1", "points")):
        again = f"{address}?{query}&again=1"
        said = browser.get(f"{address}?{query}", headers=HTMX).content.decode()
        assert said.startswith(f'<div id="{part}"') and "Solving" in said
        assert again.replace("&", "&amp;") in said
        assert f"{address}?{query}" in browser.get(f"{address}?{query}").content.decode()
        assert browser.get(again, headers=HTMX).status_code == 204
        with monkeypatch.context() as patch:
            patch.setattr(solving, "PATIENCE_S", 0.0)
            assert "The solver has not answered" in browser.get(again, headers=HTMX).content.decode()


def test_the_form_without_a_solver_opens_and_says_what_is_not_known(
    db: None, redis_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy()
    browser = signed_in(builders.person("owner"))
    page = browser.get("/new/?task=Why").content.decode()
    assert "being worked out" in page
    again = page.partition('hx-get="/new/estimate/')[2].partition('"')[0].replace("&amp;", "&")
    assert again.endswith("?again=1")
    assert browser.get(f"/new/estimate/{again}").status_code == 204
    monkeypatch.setattr(solving, "PATIENCE_S", 0.0)
    assert "the solver has not answered" in browser.get(f"/new/estimate/{again}").content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_worker_of_the_queue_answers(solver_process: Child) -> None:
    chosen = selected_of_three(Endpoint.objects.create(name="lab", kind="openai_compatible", base_url="x"))
    browser, address = signed_in(keeper()), reverse("broker_selection", args=[chosen.pk])
    assert "Goes: strong." in looked(browser, f"{address}?budget=0.06")
    assert "from $0.05" in looked(browser, f"{address}?points=1")
    assert "the panel needs 2 models" in looked(browser, f"/new/estimate/{policy().pk}/{uuid4()}/")


def looked(browser: Client, address: str) -> str:
    """The part, once it is there."""
    for _ in range(60):
        answer = browser.get(f"{address}{'&' if '?' in address else '?'}again=1", headers=HTMX)
        if answer.status_code == 200:
            return " ".join(answer.content.decode().split())
    raise AssertionError("no answer came")
