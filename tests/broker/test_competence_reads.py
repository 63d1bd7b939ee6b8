"""What the broker takes from the checks: a mean with its interval, where it starts from, and recorded questions."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries

from broker.models import Competence, Endpoint, Model
from broker.selectors.competences import Known, categories, competences, ranking
from broker.selectors.recorded import recorded_questions
from broker.services.competences import Answered, record_checks
from tests.broker.fleets import wait


@pytest.fixture
def models(lab: Endpoint) -> dict[str, Model]:
    families = {"a": "x", "b": "x", "c": "y"}
    return {
        alias: Model.objects.create(alias=alias, served_name=alias, endpoint=lab, family=family)
        for alias, family in families.items()
    }


def counted(model: Model, right: float, asked: float, category: str = "math", **more: object) -> None:
    Competence.objects.create(model=model, category=category, right=right, asked=asked, **more)


def known(model: Model, category: str = "math") -> Known:
    return competences([model], category=category)[model.alias]


def test_many_checks_speak_for_themselves(models: dict[str, Model]) -> None:
    counted(models["a"], 80, 100)
    of = known(models["a"])
    assert of.mean == pytest.approx(81 / 102)
    low, high = of.interval
    assert low < 0.8 < high
    assert high - low < 0.15
    assert (of.asked, of.right, of.declared, of.too_few) == (100, 80, False, False)


def test_below_ten_checks_it_is_said_that_they_are_too_few(models: dict[str, Model]) -> None:
    counted(models["a"], 9, 9)
    counted(models["c"], 9, 10)
    assert known(models["a"]).too_few
    assert not known(models["c"]).too_few


def test_of_a_model_without_checks_claims_or_family_nothing_is_known(models: dict[str, Model]) -> None:
    of = known(models["c"])
    assert (of.mean, of.asked, of.declared, of.too_few) == (None, 0, False, True)
    assert of.interval == pytest.approx((0.05, 0.95))


def test_a_family_is_believed_until_there_are_checks(models: dict[str, Model]) -> None:
    counted(models["b"], 90, 100)
    of = known(models["a"])
    assert of.mean == pytest.approx(91 / 102)
    assert of.asked == 0
    low, high = of.interval
    assert high - low > 0.3
    counted(models["a"], 10, 40)
    assert known(models["a"]).mean == pytest.approx((10 + 4 * 91 / 102) / 44)
    assert known(models["c"]).mean is None


def test_a_model_is_not_its_own_family(models: dict[str, Model]) -> None:
    counted(models["a"], 1, 1)
    assert known(models["a"]).mean == pytest.approx(2 / 3)


def test_models_without_a_family_are_not_one(lab: Endpoint, models: dict[str, Model]) -> None:
    loners = [Model.objects.create(alias=f"l{n}", served_name="l", endpoint=lab) for n in range(2)]
    counted(loners[0], 90, 100)
    assert known(loners[1]).mean is None


def test_a_claim_is_marked_and_weighs_as_little_as_four_checks(models: dict[str, Model]) -> None:
    counted(models["a"], 84, 100, declared=True)
    of = known(models["a"])
    assert (of.mean, of.declared, of.asked) == (pytest.approx(0.84), True, 0)
    record_checks([Answered(models["a"], False)], category="math", question="q", source="ruling")
    of = known(models["a"])
    assert of.mean == pytest.approx(0.84 * 4 / 5)
    assert (of.declared, of.asked) == (False, 1)


def test_a_claim_is_never_certain(models: dict[str, Model]) -> None:
    counted(models["a"], 100, 100, declared=True)
    assert known(models["a"]).mean == pytest.approx(0.99)


def test_what_a_model_did_elsewhere_is_where_a_new_category_starts(models: dict[str, Model]) -> None:
    counted(models["a"], 60, 100, category="")
    assert known(models["a"], "law").mean == pytest.approx(61 / 102)
    counted(models["b"], 90, 100, category="law")
    assert known(models["a"], "law").mean == pytest.approx(91 / 102)
    assert known(models["a"], "").mean == pytest.approx(61 / 102)


def test_a_claim_for_any_category_holds_where_nothing_nearer_is_known(models: dict[str, Model]) -> None:
    counted(models["a"], 70, 100, category="", declared=True)
    of = known(models["a"], "law")
    assert (of.mean, of.declared) == (pytest.approx(0.7), True)


def test_the_ranking_puts_those_never_checked_last(models: dict[str, Model]) -> None:
    counted(models["a"], 50, 100)
    counted(models["c"], 80, 100)
    counted(models["b"], 99, 100, declared=True)
    Model.objects.create(
        alias="gone", served_name="gone", endpoint=models["a"].endpoint, state=Model.State.RETIRED
    )
    assert [each.model.alias for each in ranking("math")] == ["c", "a", "b"]
    assert categories() == ["math"]


def test_reading_costs_the_same_however_many_models_there_are(
    models: dict[str, Model], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for each in models.values():
        counted(each, 50, 100)
    with django_assert_num_queries(1):
        competences(models.values(), category="math")
    with django_assert_num_queries(2):
        ranking("math")


# Recorded questions.


def asked(
    models: Mapping[str, Model], question: str, *, category: str = "math", session: int = 1, **answers: str
) -> None:
    """answers: by alias; "ok" is right, "" a wrong one that is not known, anything else a wrong one."""
    record_checks(
        [
            Answered(
                models[alias], answer == "ok", hashlib.sha256(answer.encode()).hexdigest() if answer else ""
            )
            for alias, answer in answers.items()
        ],
        category=category,
        question=hashlib.sha256(question.encode()).hexdigest(),
        source="known_answer",
        reference=UUID(int=session),
    )


def rows(models: Mapping[str, Model], category: str = "math") -> set[tuple[object, ...]]:
    found = recorded_questions(category, list(models.values()), with_ballots=False)
    assert found is not None
    assert set(found.truth) == {"right"}
    columns = [found.answers.get(alias, (None,) * len(found.truth)) for alias in models]
    return set(zip(*columns, strict=True))


def test_equal_wrong_answers_are_one_letter(models: dict[str, Model]) -> None:
    asked(models, "q1", a="ok", b="381", c="381")
    asked(models, "q2", a="1", b="2", c="ok")
    found = rows(models)
    assert ("right", "1", "1") in found
    assert found - {("right", "1", "1")} <= {("1", "2", "right"), ("2", "1", "right")}


def test_a_wrong_answer_that_is_not_known_is_only_wrong(models: dict[str, Model]) -> None:
    asked(models, "q1", a="ok", b="")
    assert rows(models) == {("right", False, None)}


def test_a_question_that_one_model_answered_says_nothing_of_teams(models: dict[str, Model]) -> None:
    asked(models, "q1", a="ok")
    assert recorded_questions("math", list(models.values()), with_ballots=False) is None
    asked(models, "q2", a="ok", b="ok")
    assert rows(models) == {("right", "right", None)}


def test_a_question_that_was_asked_again_counts_with_its_newest_answers(models: dict[str, Model]) -> None:
    asked(models, "q1", a="ok", b="ok")
    wait(hours=1)
    asked(models, "q1", session=2, a="0", b="ok")
    assert rows(models) == {("1", "right", None)}


def test_other_categories_and_other_models_stay_out(models: dict[str, Model]) -> None:
    asked(models, "q1", a="ok", b="ok")
    asked(models, "q2", category="law", a="ok", b="0")
    assert rows(models) == {("right", "right", None)}
    assert rows(models, "") == {("right", "right", None), ("right", "1", None)}
    assert recorded_questions("math", [models["a"], models["c"]], with_ballots=False) is None


def test_the_newest_questions_are_taken(models: dict[str, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.selectors.recorded.SCENARIOS_MOST", 2)
    for number, answer in enumerate(["0", "ok", "ok"]):
        wait(hours=1)
        asked(models, f"q{number}", a=answer, b="ok")
    assert rows(models) == {("right", "right", None)}


def test_recorded_questions_cost_two_queries(
    models: dict[str, Model], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        asked(models, f"q{number}", a="ok", b="ok", c="0")
    with django_assert_num_queries(2):
        found = recorded_questions("math", list(models.values()), with_ballots=False)
    assert found is not None
    assert len(found.truth) == 4
