"""Recorded questions: what models answered that were checked, and how they weighed each other's answers."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Count, Max, QuerySet

from broker.models import Check, Model, PeerScore
from broker.selection.recorded import Ballots
from broker.selection.types import Answer, Scenarios

SCENARIOS_MOST = 5000
RIGHT = "right"
Answers = Mapping[int, Check]  # by model, the newest check on one question


def recorded_questions(category: str, models: Sequence[Model], *, with_ballots: bool) -> Scenarios | None:
    """The newest 5,000 questions that at least two of the models were checked on; None where there are none.

    The right answer is called "right"; a wrong one has a number, the same for the same answer, or is False where only
    that it is wrong is known. Ballots are those of the newest session on a question, over answers of that session.
    Three queries.
    """
    checks = Check.objects.filter(model__in=models)
    by_question = _newest(checks.filter(category=category) if category else checks)
    if not by_question:
        return None
    columns = [
        _letters({model: (each.right, each.answer) for model, each in answers.items()})
        for answers in by_question.values()
    ]
    rows = {model.alias: tuple(column.get(model.pk) for column in columns) for model in models}
    answered = {alias: row for alias, row in rows.items() if any(each is not None for each in row)}
    ballots = _ballots(by_question, models) if with_ballots else ()
    return Scenarios(truth=(RIGHT,) * len(columns), answers=answered, ballots=ballots)


def _newest(checks: "QuerySet[Check]") -> dict[str, dict[int, Check]]:
    """By question and model."""
    found: dict[str, dict[int, Check]] = {each: {} for each in sorted(_shared(checks))}
    newest = checks.filter(question__in=found).order_by("model", "question", "-created_at", "-pk")
    for each in newest.distinct("model", "question"):
        found[each.question][each.model_id] = each
    return found


def _ballots(by_question: Mapping[str, Answers], models: Iterable[Model]) -> tuple[Ballots | None, ...]:
    """One for each question, () where nobody weighed anything. One query."""
    alias = {model.pk: model.alias for model in models}
    sessions = {question: _session(answers) for question, answers in by_question.items()}
    given: dict[str, dict[str, dict[str, float]]] = {}
    for each in PeerScore.objects.filter(reference__in=set(sessions.values()) - {None}).order_by("pk"):
        is_of_it = sessions.get(each.question) == each.reference
        if is_of_it and _are_of_one(by_question[each.question], [each.voter_id, each.author_id]):
            by_voter = given.setdefault(each.question, {})
            by_voter.setdefault(alias[each.voter_id], {})[alias[each.author_id]] = each.weight
    return tuple(given.get(question) for question in by_question) if given else ()


def _session(answers: Answers) -> UUID | None:
    """The one in which the question was checked last; None where that was an import."""
    return max(answers.values(), key=lambda each: (each.created_at, each.pk)).reference


def _are_of_one(answers: Answers, models: Iterable[int]) -> bool:
    """Whether what these models are recorded with is from the question's newest session."""
    session = _session(answers)
    return all(model in answers and answers[model].reference == session for model in models)


def _shared(checks: "QuerySet[Check]") -> list[str]:
    grouped = (
        checks.order_by().values("question").annotate(by=Count("model", distinct=True), at=Max("created_at"))
    )
    newest = grouped.filter(by__gte=2).order_by("-at", "question")[:SCENARIOS_MOST]
    return list(newest.values_list("question", flat=True))


def _letters(answers: dict[int, tuple[bool, str]]) -> dict[int, Answer]:
    """By model: RIGHT, the number of its wrong answer, or False."""
    wrong = sorted({answer for right, answer in answers.values() if not right and answer})
    return {
        model_id: RIGHT if right else str(wrong.index(answer) + 1) if answer else False
        for model_id, (right, answer) in answers.items()
    }
