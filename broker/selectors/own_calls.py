"""How fast models answered our own calls: what a server without a metrics page can be measured by."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Aggregate, Count, FloatField, QuerySet
from django.utils import timezone

from broker.models import Call

TIMES = {"ttft": "first_token_ms", "e2e": "latency_ms", "queue": "queued_ms"}
PERCENTILES = {"p50": 0.5, "p95": 0.95}


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


def slow_ms(model_ids: Iterable[int], *, window_s: float) -> dict[int, float]:
    """The 95th percentile of the good calls' times by model; no entry where there was no call. One query."""
    calls = _good(window_s).filter(model__in=list(model_ids), latency_ms__isnull=False)
    rows = calls.values("model_id").annotate(slow=Percentile("latency_ms", share=0.95))
    return {row["model_id"]: row["slow"] for row in rows}


def _good(window_s: float) -> "QuerySet[Call]":
    return Call.objects.filter(
        error="", created_at__gt=timezone.now() - timedelta(seconds=window_s)
    ).order_by()
