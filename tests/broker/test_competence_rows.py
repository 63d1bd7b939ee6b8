"""Checks become counts: each once, a later ruling in the place of the first, a claim only until the first check."""

import hashlib
from typing import Any
from uuid import UUID, uuid4

from pytest_django import DjangoAssertNumQueries

from broker.models import Check, Competence, Endpoint, Model
from broker.services.competences import Answered, record_checks

SESSION = UUID(int=1)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check(model: Model, right: bool, **changes: Any) -> None:
    facts = {
        "category": "math",
        "question": sha("17*23"),
        "source": "known_answer",
        "reference": SESSION,
        **changes,
    }
    record_checks([Answered(model, right, sha("391" if right else "381"))], **facts)


def counts(model: Model) -> dict[str, tuple[float, float]]:
    return {row.category: (row.right, row.asked) for row in model.competences.all()}


def test_a_check_counts_in_its_category_and_in_all_together(model: Model) -> None:
    check(model, True)
    check(model, False, question=sha("18*23"))
    check(model, True, question=sha("a law"), category="law")
    assert counts(model) == {"math": (1, 2), "law": (1, 1), "": (2, 3)}


def test_without_a_category_it_counts_once(model: Model) -> None:
    check(model, True, category="")
    assert counts(model) == {"": (1, 1)}


def test_the_same_check_counts_once(model: Model) -> None:
    for _ in range(3):
        check(model, True)
    assert counts(model) == {"math": (1, 1), "": (1, 1)}
    assert Check.objects.count() == 1


def test_the_same_question_in_another_session_counts_again(model: Model) -> None:
    check(model, True)
    check(model, True, reference=uuid4())
    assert counts(model)["math"] == (2, 2)


def test_imported_checks_count_once_too(model: Model) -> None:
    for _ in range(2):
        check(model, True, reference=None, source="import")
    assert counts(model)["math"] == (1, 1)


def test_a_later_ruling_takes_the_place_of_the_first(model: Model) -> None:
    check(model, True)
    check(model, False, source="ruling")
    assert counts(model) == {"math": (0, 1), "": (0, 1)}
    row = Check.objects.get()
    assert (row.right, row.source, row.answer) == (False, "ruling", sha("381"))
    check(model, True, source="ruling")
    assert counts(model)["math"] == (1, 1)


def test_a_claim_makes_way_for_the_first_check_and_is_kept_beside_it(model: Model) -> None:
    Competence.objects.create(model=model, category="math", right=84, asked=100, declared=True)
    check(model, False)
    row = model.competences.get(category="math")
    assert (row.right, row.asked, row.declared, row.claimed) == (0, 1, False, 0.84)
    check(model, True, question=sha("18*23"))
    row.refresh_from_db()
    assert (row.right, row.asked, row.claimed) == (1, 2, 0.84)


def test_a_claim_that_was_entered_after_checks_does_not_break_a_ruling(model: Model) -> None:
    check(model, True)
    model.competences.update(right=84, asked=100, declared=True)
    check(model, False, source="ruling")
    assert counts(model) == {"math": (0, 1), "": (0, 1)}


def test_counts_that_a_person_set_stay_possible(model: Model) -> None:
    check(model, True)
    model.competences.update(right=0, asked=3)
    check(model, False, source="ruling")
    assert counts(model)["math"] == (0, 3)


def test_many_answers_cost_as_much_as_one(
    lab: Endpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    models = [Model.objects.create(alias=f"m{n}", served_name="stub", endpoint=lab) for n in range(4)]
    answers = [Answered(each, n % 2 == 0, sha(str(n))) for n, each in enumerate(models)]
    with django_assert_num_queries(7):  # five, in a savepoint
        record_checks(answers, category="math", question=sha("q"), source="known_answer", reference=SESSION)
    assert [counts(each)["math"] for each in models] == [(1, 1), (0, 1), (1, 1), (0, 1)]
    with django_assert_num_queries(2):
        record_checks([], category="math", question=sha("q"), source="known_answer")


def test_one_model_that_answered_twice_is_checked_on_its_last_answer(model: Model) -> None:
    answers = [Answered(model, True), Answered(model, False)]
    record_checks(answers, category="math", question=sha("q"), source="known_answer")
    assert counts(model)["math"] == (0, 1)
