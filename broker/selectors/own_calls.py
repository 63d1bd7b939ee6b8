"""How fast models answered our own calls: what a server without a metrics page can be measured by."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.db.models import Aggregate, Count, FloatField, QuerySet
from django.utils import timezone

from broker.models import Call

TIMES = {"ttft": "first_token_ms", "e2e": "latency_ms", "queue": "queued_ms"}
PERCENTILES = {"p50": 0.5, "p95": 0.95}
Span = tuple[datetime, datetime]


class Percentile(Aggregate):
    """PERCENTILE_CONT: interpolated, over what is known; null where nothing is."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


def timings(endpoint_ids: Iterable[int], *, window_s: float) -> dict[tuple[int, str], dict[str, Any]]:
    """By (endpoint, served name): `finished` and {ttft, e2e, queue}_{p50, p95}_ms of the good calls. One query."""
    figures = {
        f"{name}_{percentile}_ms": Percentile(column, share=share)
        for name, column in TIMES.items()
        for percentile, share in PERCENTILES.items()
    }
    calls = _good(window_s).filter(model__endpoint__in=list(endpoint_ids))
    rows = calls.values_list("model__endpoint_id", "model__served_name").annotate(
        finished=Count("pk"), **figures
    )
    names = ("finished", *figures)
    return {(pk, name): dict(zip(names, measured, strict=True)) for pk, name, *measured in rows}


def most_at_once(endpoint_ids: Iterable[int], *, window_s: float) -> dict[tuple[int, str], dict[str, int]]:
    """By (endpoint, served name): how many calls `running` and `waiting` there were at once, at the most, of those that
    ended in that time, however they ended. A server without a metrics page tells nothing of those that are open. One
    query.
    """
    since = timezone.now() - timedelta(seconds=window_s)
    calls = Call.objects.filter(created_at__gt=since, model__endpoint__in=list(endpoint_ids))
    ran: dict[tuple[int, str], list[Span]] = defaultdict(list)
    waited: dict[tuple[int, str], list[Span]] = defaultdict(list)
    names = ("model__endpoint_id", "model__served_name", "created_at", "latency_ms", "queued_ms")
    for pk, name, ended, latency_ms, queued_ms in calls.values_list(*names):
        sent = ended - timedelta(milliseconds=latency_ms or 0.0)
        ran[pk, name].append((sent, ended))
        waited[pk, name].append((sent - timedelta(milliseconds=queued_ms or 0.0), sent))
    return {key: {"running": _most(ran[key]), "waiting": _most(waited[key])} for key in ran}


def _most(spans: Sequence[Span]) -> int:
    """How many of them lie over one moment; one that ends where another begins is not beside it."""
    steps = sorted(
        (at, change) for begin, end in spans if begin < end for at, change in ((begin, 1), (end, -1))
    )
    return max(accumulate(change for _, change in steps), default=0)


def slow_ms(model_ids: Iterable[int], *, window_s: float) -> dict[int, float]:
    """The 95th percentile of the good calls' times by model; no entry where there was no call. One query."""
    calls = _good(window_s).filter(model__in=list(model_ids), latency_ms__isnull=False)
    rows = calls.values("model_id").annotate(slow=Percentile("latency_ms", share=0.95))
    return {row["model_id"]: row["slow"] for row in rows}


def _good(window_s: float) -> "QuerySet[Call]":
    return Call.objects.filter(
        error="", created_at__gt=timezone.now() - timedelta(seconds=window_s)
    ).order_by()
