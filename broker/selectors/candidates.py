"""The registered models as the broker sees them now."""

from django.db.models import QuerySet

from broker.models import Competence, Model
from broker.selection.types import Candidate
from broker.selectors.prices import cost_usd, current_price


def seatable_models() -> "QuerySet[Model]":
    """Active models at enabled endpoints, with what a candidate needs. Three queries in all."""
    return (
        Model.objects.filter(state=Model.State.ACTIVE, endpoint__enabled=True)
        .select_related("endpoint__host")
        .prefetch_related("prices", "competences")
        .order_by("alias")
    )


def candidates(*, category: str, tokens_in: int, tokens_out: int) -> tuple[Candidate, ...]:
    """The seatable models as the broker sees them now. tokens_*: expected for one model in one round."""
    return tuple(
        _candidate(model, category, tokens_in=tokens_in, tokens_out=tokens_out) for model in seatable_models()
    )


def _candidate(model: Model, category: str, *, tokens_in: int, tokens_out: int) -> Candidate:
    known = _competence(model, category)
    cost = cost_usd(current_price(model), tokens_in=tokens_in, tokens_out=tokens_out)
    return Candidate(
        id=model.alias,
        family=model.family,
        accuracy=known.right / known.asked if known else None,
        asked=known.asked if known else None,
        declared=known.declared if known else False,
        cost_usd=None if cost is None else float(cost),
        healthy=None,
        simulated=model.endpoint.simulated,
    )


def _competence(model: Model, category: str) -> Competence | None:
    by_category = {each.category: each for each in model.competences.all()}
    return by_category.get(category) or by_category.get("")
