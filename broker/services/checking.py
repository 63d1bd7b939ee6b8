"""Health checks: a real request of one token, to servers that nobody has called for a while or whose breaker is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch, Q
from django.db.models.functions import Now

from broker.inference import probing, reading
from broker.inference.base import EndpointSpec, InferenceError
from broker.inference.reading import Checked, Probe
from broker.keys import KeyUnusable
from broker.models import Endpoint, Model
from broker.selectors.servers import asleep
from broker.services.calls import endpoint_spec
from broker.services.health import MODELS_OWN, endpoint_answered, endpoint_failed, model_failed
from broker.services.reach import in_reach, is_in_reach
from broker.services.taking import take

DUE = Q(check_at=None) | Q(check_at__lte=Now())
ANSWERED_ALL_THE_SAME = MODELS_OWN | {"rate_limited", "bad_request"}
SPARE_S = 10  # how much later than its own deadline another worker takes a check to be lost


@dataclass(frozen=True)
class Outcome:
    """What became of a check that a person asked for. code: "" where it went well; models: None where not told."""

    code: str
    sentence: str
    latency_ms: float | None
    models: tuple[str, ...] | None


@dataclass(frozen=True)
class _Asked:
    """A check that is made. model: None where the endpoint has none, and only its list is asked for."""

    endpoint: Endpoint
    spec: EndpointSpec
    model: Model | None


def check_fleet(here: str | None = None) -> int:
    """Checks what is due, all at once, and returns how many there were. No connection is held meanwhile.

    here: a GPU host, which checks its own servers and no others. One statement where nothing is due. A check is
    taken by moving its time on, so one worker makes it; where that one is killed, another does a little later.
    """
    lease_s = settings.NSED.health_timeout_s + SPARE_S
    near = Q(host__name=here) if here else in_reach(settings.NSED.worker_host)
    served = Endpoint.objects.filter(DUE, near, kind=Endpoint.Kind.OPENAI_COMPATIBLE, enabled=True)
    taken = take(served.exclude(asleep()), check_at=Now() + timedelta(seconds=lease_s))
    asked = _prepared(taken) if taken else []
    if asked:
        connection.close()  # a thread gives its connection back before it waits
        _settle(asked, _made(asked, timeout_s=settings.NSED.health_timeout_s))
    return len(taken)


def probe_now(endpoint: Endpoint, *, timeout_s: float = 5.0) -> Outcome:
    """Checks the endpoint at once, due or not, and asks it for its models. Waits for twice timeout_s at the most.

    One that cannot be asked from here is only marked as due: its host checks it.
    """
    if not is_in_reach(endpoint, settings.NSED.worker_host):
        Endpoint.objects.filter(pk=endpoint.pk).update(check_at=None)
        said = f"{endpoint.name} listens on its host {endpoint.host} alone, which checks it in a moment."
        return Outcome("asked_there", said, None, None)
    asked = _prepared([endpoint.pk])
    if not asked:
        endpoint.refresh_from_db()
        return Outcome(endpoint.failure, endpoint.failure_detail, None, None)
    (checked,) = made = _made(asked, timeout_s=timeout_s)
    _settle(asked, made)
    if checked.error is not None:
        return Outcome(checked.error.code, str(checked.error), checked.latency_ms, None)
    return Outcome("", _said(asked[0]), checked.latency_ms, _models(asked[0].spec, timeout_s=timeout_s))


def _said(asked: _Asked) -> str:
    if asked.model is None:
        return f"{asked.endpoint.name} answers; no model of it is registered that could be asked."
    return f"{asked.model.alias} at {asked.endpoint.name} answers."


def _models(spec: EndpointSpec, *, timeout_s: float) -> tuple[str, ...] | None:
    try:
        return probing.models_of(spec, timeout_s=timeout_s)
    except InferenceError:
        return None


def _prepared(pks: Sequence[int]) -> list[_Asked]:
    """What can be asked; an endpoint whose key cannot be used has failed already. Two queries."""
    models = Model.objects.exclude(state=Model.State.RETIRED).order_by("alias")
    endpoints = Endpoint.objects.filter(pk__in=pks).prefetch_related(
        Prefetch("models", models, to_attr="askable")
    )
    prepared = []
    for endpoint in endpoints:
        try:
            prepared.append(_Asked(endpoint, endpoint_spec(endpoint), _whom_to_ask(endpoint.askable)))
        except KeyUnusable as error:
            endpoint_failed(endpoint.pk, code="key_unusable", detail=str(error))
    return prepared


def _whom_to_ask(models: Iterable[Model]) -> Model | None:
    """Rather one that sits on panels, and rather one that is not benched: it might be the only sick one."""
    return min(
        models, key=lambda each: (each.state != Model.State.ACTIVE, each.is_benched, each.alias), default=None
    )


def _made(asked: Sequence[_Asked], *, timeout_s: float) -> list[Checked]:
    probes = [Probe(each.spec, each.model.served_name if each.model else None) for each in asked]
    return reading.checks(probes, timeout_s=timeout_s)


def _settle(asked: Sequence[_Asked], made: Sequence[Checked]) -> None:
    for each, checked in zip(asked, made, strict=True):
        _settle_one(each, checked.error)


def _settle_one(asked: _Asked, error: InferenceError | None) -> None:
    """A server that refuses the model or the request has answered: it is its model that failed, or nobody."""
    if error is None:
        endpoint_answered(asked.endpoint.pk)
    elif error.code in ANSWERED_ALL_THE_SAME:
        endpoint_answered(asked.endpoint.pk)
        if asked.model is not None:
            model_failed(asked.model.pk, code=error.code, detail=str(error))
    else:
        endpoint_failed(asked.endpoint.pk, code=error.code, detail=str(error), decides=True)
