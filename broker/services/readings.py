"""Readings of the fleet: what each server says of itself at /metrics, or what our own calls say where it has no such
page. A reading is a row that says when it was made; nothing is filled in where nothing came.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from broker import telemetry
from broker.inference import reading
from broker.inference.base import EndpointSpec
from broker.inference.reading import Page
from broker.keys import KeyUnusable
from broker.models import Endpoint, Telemetry
from broker.selectors.own_calls import most_at_once, timings
from broker.services.calls import endpoint_spec
from broker.services.health import hear_of_calls
from broker.services.reach import in_reach
from broker.services.taking import take
from broker.telemetry import Between, Totals

SPARE = 0.8  # of the interval: a reading that comes a little early is no second one
SILENT = ("refused", "unreachable", "dns_failed")
NOT_ASKED = Page(None, 404)
History = Mapping[tuple[int, str], Sequence[Totals]]


@dataclass(frozen=True)
class _Read:
    """An endpoint as it was found. totals: None where it has no metrics page of vLLM's, or none came."""

    endpoint: Endpoint
    page: Page
    totals: dict[str, Totals] | None


def read_fleet(here: str | None = None) -> int:
    """Reads the servers that are due, all at once, and returns how many. No connection is held meanwhile.

    here: a GPU host, which reads its own servers and no others; None for the workers of the site. An endpoint is taken
    by marking it, so one worker reads it. A server that hangs costs telemetry_timeout_s.
    """
    hear_of_calls()
    recent = Now() - timedelta(seconds=settings.NSED.telemetry_s * SPARE)
    near = Q(host__name=here) if here else in_reach(settings.NSED.worker_host)
    served = Endpoint.objects.filter(near, kind=Endpoint.Kind.OPENAI_COMPATIBLE, enabled=True)
    taken = take(served.filter(Q(read_at=None) | Q(read_at__lte=recent)), read_at=Now())
    if taken:
        specs = _specs(taken)
        connection.close()  # a thread gives its connection back before it waits
        _store([_Read(each, page, _totals(page)) for each, page in _pages(specs)])
    return len(taken)


def _specs(pks: Sequence[int]) -> list[tuple[Endpoint, EndpointSpec]]:
    """Those whose key can be used; that one cannot, its health check says."""
    specs = []
    for endpoint in Endpoint.objects.filter(pk__in=pks):
        try:
            specs.append((endpoint, endpoint_spec(endpoint)))
        except KeyUnusable:
            continue
    return specs


def _pages(specs: Sequence[tuple[Endpoint, EndpointSpec]]) -> list[tuple[Endpoint, Page]]:
    """A server that is known to have no metrics page is not asked for it."""
    asked = [(endpoint, spec) for endpoint, spec in specs if endpoint.has_metrics is not False]
    pages = reading.pages([spec for _, spec in asked], timeout_s=settings.NSED.telemetry_timeout_s)
    unasked = [(endpoint, NOT_ASKED) for endpoint, _ in specs if endpoint.has_metrics is False]
    return [(endpoint, page) for (endpoint, _), page in zip(asked, pages, strict=True)] + unasked


def _totals(page: Page) -> dict[str, Totals] | None:
    if page.text is None:
        return None
    try:
        return telemetry.read_page(page.text) or None
    except telemetry.UnreadablePage:
        return None


def _store(read: Sequence[_Read]) -> None:
    now = timezone.now()
    told = [each for each in read if each.totals is not None]
    silent = [each.endpoint.pk for each in read if each.totals is None and each.page.status is not None]
    _note_what_has_metrics(read)
    _check_what_surprised(read)
    rows = [*_from_metrics(told, now), *_from_calls(silent, now)]
    Telemetry.objects.bulk_create(rows)
    kept = now - timedelta(seconds=settings.NSED.telemetry_kept_s)
    Telemetry.objects.filter(read_at__lt=kept).delete()


def _note_what_has_metrics(read: Sequence[_Read]) -> None:
    """Written where it changes."""
    told = [
        each.endpoint.pk for each in read if each.totals is not None and each.endpoint.has_metrics is not True
    ]
    without = [
        each.endpoint.pk for each in read if _has_none(each) and each.endpoint.has_metrics is not False
    ]
    if told:
        Endpoint.objects.filter(pk__in=told).update(has_metrics=True)
    if without:
        Endpoint.objects.filter(pk__in=without).update(has_metrics=False)


def _check_what_surprised(read: Sequence[_Read]) -> None:
    """A server that was thought healthy and gave no answer is checked at once; so is one that was silent and did."""
    gone = [each.endpoint.pk for each in read if each.page.status is None and each.endpoint.healthy]
    back = [each.endpoint.pk for each in read if _answered(each.page) and _was_silent(each.endpoint)]
    if gone or back:
        Endpoint.objects.filter(pk__in=gone + back).update(check_at=Now())


def _answered(page: Page) -> bool:
    return page.status is not None and page is not NOT_ASKED


def _was_silent(endpoint: Endpoint) -> bool:
    return endpoint.healthy is False and endpoint.failure in SILENT


def _has_none(read: _Read) -> bool:
    """It answered, and not in trouble, but with no metrics of vLLM's."""
    return read.totals is None and read.page.status is not None and read.page.status < 500


def _from_metrics(told: Sequence[_Read], now: datetime) -> Iterator[Telemetry]:
    history = _history([each.endpoint.pk for each in told], now)
    for each in told:
        for name, totals in (each.totals or {}).items():
            before = telemetry.baseline(history.get((each.endpoint.pk, name), ()), totals)
            yield Telemetry(
                endpoint=each.endpoint,
                served_name=name,
                source="metrics",
                read_at=now,
                running=totals.running,
                waiting=totals.waiting,
                kv_cache_share=totals.kv_cache_share,
                totals=totals.to_json(),
                **_figures(telemetry.difference(before, totals)),
            )


def _figures(between: Between) -> dict[str, Any]:
    spreads = {name: getattr(between, name) for name in telemetry.HISTOGRAMS}
    times = {f"{name}_p50_ms": spread.p50_ms for name, spread in spreads.items()}
    times |= {f"{name}_p95_ms": spread.p95_ms for name, spread in spreads.items()}
    return {"preemptions": between.preemptions, "finished": between.finished, **times}


def _history(pks: Sequence[int], now: datetime) -> History:
    """What the servers said in the last minute or so, oldest first. One query."""
    nsed = settings.NSED
    since = now - timedelta(seconds=nsed.telemetry_window_s + nsed.telemetry_s * SPARE)
    rows = Telemetry.objects.filter(endpoint__in=pks, source="metrics", read_at__gte=since).order_by(
        "read_at"
    )
    history: dict[tuple[int, str], list[Totals]] = defaultdict(list)
    for pk, name, totals in rows.values_list("endpoint_id", "served_name", "totals"):
        history[pk, name].append(Totals.from_json(totals))
    return history


def _from_calls(pks: Sequence[int], now: datetime) -> Iterator[Telemetry]:
    """Two queries; no row for a model of which no call ended well in that time."""
    if not pks:
        return
    window_s = settings.NSED.telemetry_window_s
    figures, at_once = timings(pks, window_s=window_s), most_at_once(pks, window_s=window_s)
    for key, measured in figures.items():
        pk, name = key
        figures_now = {**measured, **at_once.get(key, {})}
        yield Telemetry(endpoint_id=pk, served_name=name, source="calls", read_at=now, **figures_now)
