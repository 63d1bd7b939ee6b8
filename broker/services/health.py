"""What failed calls and checks lead to: the breaker of an endpoint opens, a model is benched; and how both end.

    the code speaks against ...          breaker                          bench, once a turn is lost
    a server that is gone                opens at once                    yes
    what only a person can mend          opens at once, for minutes       yes, until then at the latest
    a server that is in trouble          opens after 3 in a row           yes
    the model alone                      -                                yes
    nobody (429, a bad request, ...)     -                                -

An open breaker lets one check through after 10 s, and twice as late after each check that fails, up to 5 minutes. A
benched model is seated again after 5 minutes, then 10, 20, 30. One good call ends both series. It costs no statement:
it is a Call row already, and what writes here, which is rare, looks for one. Numbers are settings.NSED.breaker_* and
bench_*; all times are the database's.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models import ExpressionWrapper as Wrapped
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Least, Now
from django.utils import timezone

from broker.models import Call, Endpoint, Model
from broker.services.changes import Act, record

GONE = frozenset({"refused", "dns_failed", "engine_dead"})
FOR_A_PERSON = frozenset(
    {"unauthorized", "payment_required", "key_unusable", "tls_failed", "address_refused"}
)
IN_TROUBLE = frozenset(
    {"unreachable", "timed_out", "server_error", "stream_cut", "redirected", "http_status"}
)
MODELS_OWN = frozenset({"model_gone", "unreadable_answer", "unreadable", "too_large"})
NOT_LISTED = "not among the models that the server lists"  # how the reason of such a bench begins
SECONDS_PER_MINUTE = 60
DETAIL_CHARS = 300


def call_failed(model: Model, *, code: str, detail: str = "", lost: bool = False) -> None:
    """A call of the model ended with this code; `lost`: and no further attempt follows, its turn is lost.

    For the transaction that records the call. No statement for a code that speaks against nobody, else 1 to 3. Locks
    the endpoint's row, then the model's, until that transaction ends.
    """
    endpoint_failed(model.endpoint_id, code=code, detail=detail)
    if lost:
        model_failed(model.pk, code=code, detail=detail)


def endpoint_failed(endpoint_id: int, *, code: str, detail: str, decides: bool = False) -> None:
    """Counts the failure and opens the breaker where it is one too many, or where it `decides` alone (a check does).

    Two statements.
    """
    if code not in GONE | FOR_A_PERSON | IN_TROUBLE:
        return
    endpoint = Endpoint.objects.filter(pk=endpoint_id, kind=Endpoint.Kind.OPENAI_COMPATIBLE)
    answered_since = _good_calls(model__endpoint=OuterRef("pk"), created_at__gt=OuterRef("failed_at"))
    endpoint.update(
        failures=Case(When(Exists(answered_since), then=Value(1)), default=F("failures") + 1),
        failure=code,
        failure_detail=detail[:DETAIL_CHARS],
        failed_at=Now(),
        checked_at=Now(),
    )
    enough = settings.NSED.breaker_failures if code in IN_TROUBLE and not decides else 1
    _open(endpoint, enough=enough, times_s=_open_times_s(code))


def _open(endpoint: QuerySet[Endpoint], *, enough: int, times_s: tuple[int, int]) -> None:
    """Opens the breaker after so many failures, or anew where its time was over; one that is open stays so."""
    shut, on_trial = Q(failures__gte=enough) & ~Q(healthy=False), Q(healthy=False, retry_at__lte=Now())
    open_s = Least(Greatest(F("open_s") * 2, times_s[0]), times_s[1])
    until = _from_now(open_s, timedelta(seconds=1))
    endpoint.filter(shut | on_trial).update(
        healthy=False,
        healthy_since=Case(When(healthy=False, then=F("healthy_since")), default=Now()),
        open_s=open_s,
        retry_at=until,
        check_at=until,
        has_metrics=None,  # what comes back may be another server
    )


def _open_times_s(code: str) -> tuple[int, int]:
    """For how long a breaker opens at first, and at most."""
    nsed = settings.NSED
    if code in FOR_A_PERSON:
        return nsed.bench_first_min * SECONDS_PER_MINUTE, nsed.bench_most_min * SECONDS_PER_MINUTE
    return int(nsed.breaker_first_s), int(nsed.breaker_most_s)


def model_failed(model_id: int, *, code: str, detail: str, ahead_s: float = 0.0) -> None:
    """Benches the model unless it is benched, for longer than last time if it has not answered since. One statement.

    ahead_s: a bench after failures that ends within so many seconds is taken to have ended.
    """
    if code not in GONE | FOR_A_PERSON | IN_TROUBLE | MODELS_OWN:
        return
    nsed = settings.NSED
    answered_since = _good_calls(model=OuterRef("pk"), created_at__gt=OuterRef("benched_until"))
    minutes = Case(
        When(Q(bench_min=0) | Exists(answered_since), then=Value(nsed.bench_first_min)),
        default=Least(F("bench_min") * 2, nsed.bench_most_min),
    )
    soon = Q(bench_min__gt=0, benched_until__lte=Now() + timedelta(seconds=ahead_s))
    Model.objects.filter(Q(benched_until=None) | Q(benched_until__lte=Now()) | soon, pk=model_id).update(
        bench_min=minutes,
        benched_until=_from_now(minutes, timedelta(minutes=1)),
        bench_reason=(detail or code)[:DETAIL_CHARS],
    )


def _good_calls(**which: Any) -> QuerySet[Call]:
    return Call.objects.filter(error="", **which)


def _from_now(number: Combinable, unit: timedelta) -> Wrapped:
    lasting = Wrapped(number * Value(unit, output_field=DurationField()), output_field=DurationField())
    return Wrapped(Now() + lasting, output_field=DateTimeField())


# Signs of health.


def endpoint_answered(endpoint_id: int) -> None:
    """A check went well: the breaker is shut. One statement."""
    Endpoint.objects.filter(pk=endpoint_id).update(
        healthy_since=Case(When(healthy=True, then=F("healthy_since")), default=Now()), **_shut(Now())
    )


def hear_of_calls() -> None:
    """Endpoints at which a call went well after their newest failure are healthy. One statement.

    Written for an endpoint when it changes something, and otherwise every quarter of the time that a check is good for.
    """
    nsed = settings.NSED
    since = Now() - timedelta(seconds=nsed.health_check_s)
    newest = _good_calls(model__endpoint=OuterRef("pk"), created_at__gt=since).order_by("-created_at")
    at = Subquery(newest.values("created_at")[:1])
    later = Q(failed_at=None) | Q(failed_at__lt=F("at"))
    due = (
        ~Q(healthy=True)
        | Q(failures__gt=0)
        | Q(checked_at__lt=F("at") - timedelta(seconds=nsed.health_check_s / 4))
    )
    served = Endpoint.objects.filter(kind=Endpoint.Kind.OPENAI_COMPATIBLE, enabled=True).annotate(at=at)
    served.filter(later & due, at__isnull=False).update(
        healthy_since=Case(When(healthy=True, then=F("healthy_since")), default=F("at")), **_shut(at)
    )


def _shut(at: Any) -> dict[str, Any]:
    """What an endpoint with a shut breaker holds. at: when it is known to have answered."""
    return {
        "healthy": True,
        "checked_at": at,
        "check_at": Wrapped(
            at + timedelta(seconds=settings.NSED.health_check_s), output_field=DateTimeField()
        ),
        "failures": 0,
        "failure": "",
        "failure_detail": "",
        "retry_at": None,
        "open_s": 0,
    }


def model_unlisted(model_id: int, *, detail: str, ahead_s: float) -> None:
    """Its server does not list it and refuses it. A bench that failed calls began gets these words. Two statements."""
    model_failed(model_id, code="model_gone", detail=detail, ahead_s=ahead_s)
    benched = Model.objects.filter(pk=model_id, bench_min__gt=0, benched_until__gt=Now())
    benched.update(bench_reason=detail[:DETAIL_CHARS])


def models_listed(model_ids: Iterable[int]) -> None:
    """Their server lists them: those that were benched because it did not are free. One statement."""
    _lift(Model.objects.filter(pk__in=model_ids, bench_min__gt=0, bench_reason__startswith=NOT_LISTED))


# What a person does.


@transaction.atomic
def bench(model: Model, *, by: User | None, minutes: int, reason: str) -> None:
    """Takes the model off the panels for so long. No success ends it, and no failure makes it longer."""
    until = timezone.now() + timedelta(minutes=minutes)
    Model.objects.filter(pk=model.pk).update(
        bench_min=0, benched_until=until, bench_reason=reason[:DETAIL_CHARS]
    )
    _record(model, "benched", act=Act(by, reason), until=until)


@transaction.atomic
def unbench(model: Model, *, by: User | None) -> None:
    """Ends a bench of either kind; the next one begins at its shortest."""
    _lift(Model.objects.filter(pk=model.pk))
    _record(model, "unbenched", act=Act(by), until=None)


def endpoint_changed(endpoint: Endpoint) -> None:
    """A person changed its address, its key or whether it is enabled: what was known of it no longer holds.

    Its models that failures had benched are free. To be called in the transaction of the change. Two statements.
    """
    unknown = {
        "healthy": None,
        "healthy_since": None,
        "checked_at": None,
        "check_at": None,
        "has_metrics": None,
    }
    trouble = {
        "failures": 0,
        "failure": "",
        "failure_detail": "",
        "failed_at": None,
        "retry_at": None,
        "open_s": 0,
    }
    Endpoint.objects.filter(pk=endpoint.pk).update(**unknown, **trouble)
    _lift(endpoint.models.filter(bench_min__gt=0))


def _lift(benched: QuerySet[Model]) -> None:
    benched.update(bench_min=0, benched_until=None, bench_reason="")


def _record(model: Model, action: str, *, act: Act, until: datetime | None) -> None:
    before = {"benched_until": model.benched_until and model.benched_until.isoformat()}
    record(model, action, act=act, before=before, after={"benched_until": until and until.isoformat()})
