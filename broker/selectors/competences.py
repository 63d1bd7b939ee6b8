"""How good models are known to be, by outside checks: posterior means with intervals, and recorded questions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from broker.models import Competence, Model
from broker.selection.competence import Beta, Posterior, family_prior, posterior

CLAIM_WEIGHT = 4.0  # a claim counts as so many checks
CLAIM_LEAST = 0.01  # and is never taken for certain


@dataclass(frozen=True)
class Known:
    """What is known of a model in a category.

    mean: of its posterior; None where it was never checked, nobody claims anything, and its family is unknown too.
    asked, right: its own checks; asked is 0 where there were none. declared: it rests on a claim and on no check. made:
    a simulated expert's, which is what it is made to be: neither a measurement nor a guess.
    """

    mean: float | None
    asked: float
    right: float
    declared: bool
    belief: Posterior
    made: bool = False

    @property
    def interval(self) -> tuple[float, float]:
        """90 %."""
        return self.belief.interval

    @property
    def too_few(self) -> bool:
        return self.belief.too_few


@dataclass(frozen=True)
class Ranked:
    model: Model
    known: Known

    @property
    def drawn(self) -> tuple[float, float]:
        """The line beside its mark: its interval; nothing but the mark for what is made to be so."""
        mean = self.known.mean or 0.0
        return (mean, mean) if self.known.made else self.known.interval


def competences(models: Iterable[Model], *, category: str) -> dict[str, Known]:
    """By alias; category "" is all categories together. One query."""
    table = _Table(category)
    return {model.alias: table.known(model) for model in models}


def ranking(category: str) -> list[Ranked]:
    """All models but retired ones: by their mean those that were checked, then those that were not. Two queries."""
    models = list(Model.objects.exclude(state=Model.State.RETIRED).select_related("endpoint"))
    known = competences(models, category=category)
    ranked = [Ranked(model, known[model.alias]) for model in models]
    return sorted(
        ranked, key=lambda each: (each.known.asked == 0, -(each.known.mean or 0.0), each.model.alias)
    )


def categories() -> list[str]:
    """Those in which something is known of some model. One query."""
    return list(Competence.objects.order_by("category").values_list("category", flat=True).distinct())


class _Table:
    """The rows of one category and of all together."""

    def __init__(self, category: str) -> None:
        self.category = category
        self._rows: dict[tuple[int, str], Competence] = {}
        self._families: dict[tuple[str, str], list[Competence]] = defaultdict(list)
        for row in Competence.objects.filter(category__in={category, ""}).select_related("model"):
            self._rows[row.model_id, row.category] = row
            if row.model.family and not row.declared:
                self._families[row.model.family, row.category].append(row)

    def known(self, model: Model) -> Known:
        right, asked = self._checked(model, self.category) or (0.0, 0.0)
        prior = next(self._priors(model), None)
        belief = posterior(right, asked, prior or Beta())
        claims = [self._claim(model, self.category), self._claim(model, "")]
        declared = not asked and any(claim is not None for claim in claims)
        return Known(
            mean=belief.mean if asked or prior else None,
            asked=asked,
            right=right,
            declared=declared,
            belief=belief,
            made=declared and model.endpoint.simulated,
        )

    def _priors(self, model: Model) -> Iterator[Beta]:
        """What there is to believe before its checks, the nearest first: a claim for the category, its family there;
        then the same and its own checks over all categories.
        """
        yield from self._claim_and_family(model, self.category)
        if not self.category:
            return
        own = self._checked(model, "")
        if own:
            yield family_prior([own])
        yield from self._claim_and_family(model, "")

    def _claim_and_family(self, model: Model, category: str) -> Iterator[Beta]:
        claim = self._claim(model, category)
        if claim is not None:
            share = min(max(claim, CLAIM_LEAST), 1 - CLAIM_LEAST)
            yield Beta(CLAIM_WEIGHT * share, CLAIM_WEIGHT * (1 - share))
        others = [row for row in self._families[model.family, category] if row.model_id != model.pk]
        if others:
            yield family_prior([(row.right, row.asked) for row in others])

    def _checked(self, model: Model, category: str) -> tuple[float, float] | None:
        row = self._rows.get((model.pk, category))
        return None if row is None or row.declared else (row.right, row.asked)

    def _claim(self, model: Model, category: str) -> float | None:
        row = self._rows.get((model.pk, category))
        if row is None:
            return None
        return row.right / row.asked if row.declared else row.claimed
