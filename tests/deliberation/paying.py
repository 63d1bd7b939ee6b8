"""Models that cost something and a server that counts, for the tests of caps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.conf import settings as django
from django.db.models import Sum
from django.utils import timezone

from broker.inference import registry
from broker.inference.base import Reply, Request
from broker.inference.simulated import Simulated
from broker.models import Budget, Call, Endpoint, Model, Price, Reservation
from deliberation.models import Session

TRAITS = {
    "competence": 0.8,
    "discernment": 0.8,
    "herding": 0.2,
    "verbosity": 0.5,
    "min_s": 0.0,
    "max_s": 0.001,
}
CHEAP = (Decimal("0.01"), Decimal("0.02"))
Answering = Callable[[Request, Reply], Reply]


@pytest.fixture
def deployment() -> Iterator[Callable[..., None]]:
    """Sets typed settings for the test; retries come at once."""
    changed = {"backoff_s": 0.0}
    with mock.patch.object(django, "NSED", replace(django.NSED, **changed)):

        def change(**more: Any) -> None:
            django.NSED = replace(django.NSED, **more)

        yield change


@dataclass
class Server:
    """Simulated experts that count, or fail, as the test says. `asked`: the requests, in order."""

    answer: Answering
    asked: list[Request]

    async def complete(self, request: Request, *, on_text: Callable[[str], None]) -> Reply:
        self.asked.append(request)
        return self.answer(request, await Simulated().complete(request, on_text=on_text))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, deployment: Callable[..., None]) -> Server:
    """Every call takes 1,000 tokens and answers with 100."""
    made = Server(lambda request, reply: replace(reply, tokens_in=1000, tokens_out=100), [])
    monkeypatch.setitem(registry.BACKENDS, "simulated", made)  # type: ignore[arg-type]
    return made


def models(*names: str, price: tuple[Decimal, Decimal] | None = CHEAP) -> list[Model]:
    """Models that sit from now on, in place of all others."""
    Model.objects.update(state=Model.State.RETIRED)
    lab, _ = Endpoint.objects.get_or_create(name="lab", kind="simulated")
    made = [
        Model.objects.create(alias=name, served_name=name, endpoint=lab, family=name, traits=TRAITS)
        for name in names
    ]
    for model in made if price else ():
        costs(model, *(price or CHEAP))
    return made


def costs(model: Model, input_usd: Decimal, output_usd: Decimal) -> Price:
    return Price.objects.create(
        model=model, input_usd=input_usd, output_usd=output_usd, valid_from=timezone.now()
    )


def budget(session: Session) -> Budget:
    return Budget.objects.get(pk=f"session {session.pk}")


def charged(session: Session) -> Decimal:
    """The sum of what its calls are known to have cost."""
    return Call.objects.filter(reference=session.pk).aggregate(sum=Sum("cost_usd"))["sum"] or Decimal(0)


def assumed(session: Session) -> Decimal:
    """What counts as spent because nobody knows."""
    rows = Reservation.objects.filter(reference=session.pk, assumed=True)
    return rows.aggregate(sum=Sum("settled_usd"))["sum"] or Decimal(0)
