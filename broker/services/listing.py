"""Models that vanish from their server are noticed before a call fails: every minute servers are asked for their lists.

A list raises a suspicion, a request of one token proves it: many servers answer under names that they do not list. One
that has no list, or none that can be read, proves nothing.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch, Q
from django.utils import timezone

from broker.inference import reading
from broker.inference.base import EndpointSpec
from broker.inference.reading import Probe
from broker.keys import KeyUnusable
from broker.models import Endpoint, Model
from broker.selectors.servers import asleep
from broker.services.calls import endpoint_spec
from broker.services.health import NOT_LISTED, model_unlisted, models_listed
from broker.services.reach import in_reach

REFUSED = frozenset({"model_gone", "bad_request"})  # how servers say that they do not have a model
NAMES_SHOWN = 5


@dataclass(frozen=True)
class _Missing:
    """A registered model that its server does not list."""

    model: Model
    spec: EndpointSpec
    listed: Sequence[str]


def check_lists(here: str | None = None) -> int:
    """Asks servers for their models, all at once, and returns how many told. No connection is held meanwhile.

    here: a GPU host, which asks its own servers and no others. Two queries, and statements only where there is news.
    """
    asked = _prepared(here)
    connection.close()  # a thread gives its connection back before it waits
    told = reading.lists([spec for _, spec in asked], timeout_s=settings.NSED.health_timeout_s)
    listed: list[Model] = []
    missing: list[_Missing] = []
    for (models, spec), names in zip(asked, told, strict=True):
        if names is not None:
            listed += [each for each in models if each.served_name in names]
            missing += [_Missing(each, spec, names) for each in models if each.served_name not in names]
    _prove([each for each in missing if _is_due(each.model)])
    _free(listed)
    return sum(names is not None for names in told)


def _prepared(here: str | None) -> list[tuple[list[Model], EndpointSpec]]:
    """The models of each server, with how to ask it. A key that cannot be used is told by the health check."""
    models = Model.objects.exclude(state=Model.State.RETIRED)
    near = Q(host__name=here) if here else in_reach(settings.NSED.worker_host)
    served = Endpoint.objects.filter(near, kind=Endpoint.Kind.OPENAI_COMPATIBLE, enabled=True)
    up = served.exclude(healthy=False).exclude(asleep()).filter(pk__in=models.values("endpoint"))
    prepared = []
    for endpoint in up.prefetch_related(Prefetch("models", models, to_attr="askable")):
        with suppress(KeyUnusable):
            prepared.append((endpoint.askable, endpoint_spec(endpoint)))
    return prepared


def _free(listed: Sequence[Model]) -> None:
    back = [each.pk for each in listed if each.bench_min and each.bench_reason.startswith(NOT_LISTED)]
    if back:
        models_listed(back)


def _is_due(model: Model) -> bool:
    """Whether it can be seated before the next look, or is benched for something else. A person's bench stays."""
    if not model.is_benched or model.benched_until is None:
        return True
    ends_soon = model.benched_until <= timezone.now() + timedelta(seconds=_ahead_s())
    return model.bench_min > 0 and (ends_soon or not model.bench_reason.startswith(NOT_LISTED))


def _ahead_s() -> float:
    return settings.NSED.health_check_s + 2 * settings.NSED.health_timeout_s


def _prove(missing: Sequence[_Missing]) -> None:
    """Benches those that refuse a request of one token. Any other failure is for the health check to judge."""
    if not missing:
        return
    probes = [Probe(each.spec, each.model.served_name) for each in missing]
    made = reading.checks(probes, timeout_s=settings.NSED.health_timeout_s)
    for each, checked in zip(missing, made, strict=True):
        if checked.error is not None and checked.error.code in REFUSED:
            model_unlisted(each.model.pk, detail=_said(each.listed), ahead_s=_ahead_s())


def _said(listed: Sequence[str]) -> str:
    if not listed:
        return f"{NOT_LISTED}: it lists none; start it"
    shown = ", ".join(listed[:NAMES_SHOWN])
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return f"{NOT_LISTED}: {shown}{more}; register one of them or start it"
