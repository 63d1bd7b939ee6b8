"""What outside checks teach: which answers were right, and with them how good each model is in a category; and how
models that were checked weighed each other's answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from broker.models import Check, Competence, Model, PeerScore


@dataclass(frozen=True)
class Answered:
    """A model's answer that was checked. answer: SHA-256 of its key, so that equal answers are seen; "" is unknown."""

    model: Model
    right: bool
    answer: str = ""


@dataclass(frozen=True)
class Scored:
    """What one model's ballot gave to the answer of another, in [-100, 100]."""

    voter: Model
    author: Model
    weight: float


@transaction.atomic
def record_checks(
    answers: Iterable[Answered], *, category: str, question: str, source: str, reference: Any = None
) -> None:
    """Records checks of one question; each counts in its category and in all categories together ("").

    Recording one again changes nothing; another ruling on the same answer takes the place of the first, and the counts
    follow. Five statements, whatever the number of answers. Locks the models' rows until the transaction ends.
    """
    checks = [
        Check(
            model=each.model,
            category=category,
            question=question,
            answer=each.answer,
            right=each.right,
            source=source,
            reference=reference,
        )
        for each in {each.model.pk: each for each in answers}.values()
    ]
    if not checks:
        return
    models = _locked({check.model_id for check in checks})
    known = Check.objects.filter(model__in=models, question=question, reference=reference)
    earlier = {check.model_id: check for check in known}
    Check.objects.bulk_create(
        checks,
        update_conflicts=True,
        unique_fields=["model", "question", "reference"],
        update_fields=["answer", "right", "source"],
    )
    _count(checks, earlier)


def record_scores(scores: Iterable[Scored], *, question: str, reference: Any) -> None:
    """What models gave to each other's answers, in the place of what was recorded of the same. One statement."""
    rows = [
        PeerScore(
            voter=each.voter, author=each.author, weight=each.weight, question=question, reference=reference
        )
        for each in scores
    ]
    PeerScore.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["reference", "question", "voter", "author"],
        update_fields=["weight"],
    )


@transaction.atomic
def withdraw_checks(reference: Any, *, but: Iterable[Model]) -> None:
    """Takes back what this reference said of any other models; the counts follow, and a claim that a first check had
    replaced holds again. The scores of this reference go with them, all of them.
    """
    PeerScore.objects.filter(reference=reference).delete()
    gone = Check.objects.filter(reference=reference).exclude(model__in=[each.pk for each in but])
    _locked(set(gone.values_list("model", flat=True)))
    for check in gone:
        rows = Competence.objects.filter(
            model=check.model_id, category__in={check.category, ""}, declared=False
        )
        for row in rows:
            _uncount(row, check)
    gone.delete()


def _uncount(row: Competence, check: Check) -> None:
    row.asked, row.right = row.asked - 1, max(row.right - check.right, 0.0)
    if row.asked > 0:
        row.save(update_fields=["asked", "right"])
    elif row.claimed is None:
        row.delete()
    else:
        row.asked, row.right, row.declared, row.claimed = 1, row.claimed, True, None
        row.save(update_fields=["asked", "right", "declared", "claimed"])


def _locked(models: set[int]) -> list[int]:
    """In one order, so that two who record at once wait for each other and see what the other wrote."""
    rows = Model.objects.select_for_update(no_key=True).filter(pk__in=models).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _count(checks: Sequence[Check], earlier: Mapping[int, Check]) -> None:
    rows = {
        (row.model_id, row.category): row
        for row in Competence.objects.filter(model__in=[c.model_id for c in checks])
    }
    for check in checks:
        before = earlier.get(check.model_id)
        for category in {before.category if before else check.category, ""}:
            key = (check.model_id, category)
            rows[key] = _counted(rows.get(key), check, category=category, before=before)
    Competence.objects.bulk_create(
        [rows[key] for key in sorted(rows)],
        update_conflicts=True,
        unique_fields=["model", "category"],
        update_fields=["right", "asked", "declared", "claimed"],
    )


def _counted(row: Competence | None, check: Check, *, category: str, before: Check | None) -> Competence:
    """The row with this check in it. A claim makes way for the first check, and is kept beside the counts."""
    if row is None or row.declared:
        claimed = row.right / row.asked if row else None
        return Competence(
            model_id=check.model_id,
            category=category,
            right=check.right,
            asked=1,
            declared=False,
            claimed=claimed,
        )
    if before is None:
        row.asked += 1
        row.right += check.right
    else:
        row.right = min(max(row.right + check.right - before.right, 0.0), row.asked)
    return row
