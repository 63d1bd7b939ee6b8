"""The fleet as the broker's page shows it: hosts, endpoints with health and readings, benched models, charts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from broker.models import Endpoint, Host, Model, Telemetry
from broker.selectors.servers import is_asleep
from broker.selectors.standing import (
    Reading,
    ago,
    health_of_endpoint,
    newest_readings,
    reading,
)

CHARTED = (
    "running",
    "waiting",
    "kv_cache_share",
    "ttft_p50_ms",
    "ttft_p95_ms",
    "e2e_p50_ms",
    "e2e_p95_ms",
    "queue_p95_ms",
)


@dataclass(frozen=True)
class HostCard:
    """used_mb: None where the host did not report its memory."""

    host: Host
    used_mb: int | None
    reported: str


@dataclass(frozen=True)
class ReadingCard:
    """One served name's newest reading. row: None where it is too old to count; `note` says how old it is."""

    served_name: str
    row: Telemetry | None
    age_s: float | None
    note: str


@dataclass(frozen=True)
class EndpointCard:
    """healthy and note as a model's standing has them. retry_in_s: None where its breaker is shut."""

    endpoint: Endpoint
    healthy: bool | None
    note: str
    retry_in_s: float | None
    readings: Sequence[ReadingCard]

    @property
    def is_asleep(self) -> bool:
        return is_asleep(self.endpoint)


@dataclass(frozen=True)
class Bench:
    """A model with its timer. by_hand: a person benched it, and no success ends it."""

    model: Model
    left_s: float
    by_hand: bool


@dataclass(frozen=True)
class Fleet:
    hosts: Sequence[HostCard]
    endpoints: Sequence[EndpointCard]
    benched: Sequence[Bench]


@dataclass
class Series:
    """The readings of one served name, oldest first: a list for each charted figure, as long as `times`."""

    served_name: str
    times: list[datetime] = field(default_factory=list)
    figures: dict[str, list[float | None]] = field(default_factory=lambda: {name: [] for name in CHARTED})


def fleet() -> Fleet:
    """Five queries, whatever the size of the fleet."""
    now = timezone.now()
    endpoints = list(
        Endpoint.objects.filter(enabled=True)
        .select_related("host", "server")
        .prefetch_related("models")
        .order_by("name")
    )
    newest = newest_readings([each.pk for each in endpoints])
    return Fleet(
        hosts=[_host(host, now) for host in Host.objects.order_by("name")],
        endpoints=[_endpoint(each, newest.get(each.pk, {}), now) for each in endpoints],
        benched=benched(now),
    )


def benched(now: datetime | None = None) -> list[Bench]:
    """Soonest back first. One query."""
    now = now or timezone.now()
    models = Model.objects.filter(benched_until__gt=now).select_related("endpoint").order_by("benched_until")
    return [
        Bench(model, left_s=(model.benched_until - now).total_seconds(), by_hand=model.bench_min == 0)
        for model in models
        if model.benched_until is not None
    ]


def series(endpoint: Endpoint, *, minutes: int) -> list[Series]:
    """One for each served name. One query."""
    since = timezone.now() - timedelta(minutes=minutes)
    rows = Telemetry.objects.filter(endpoint=endpoint, read_at__gte=since).order_by("read_at")
    found: dict[str, Series] = {}
    for row in rows.only("served_name", "read_at", *CHARTED):
        series = found.setdefault(row.served_name, Series(row.served_name))
        series.times.append(row.read_at)
        for name, values in series.figures.items():
            values.append(getattr(row, name))
    return [found[name] for name in sorted(found)]


def _host(host: Host, now: datetime) -> HostCard:
    used_mb = None if host.total_mb is None or host.free_mb is None else host.total_mb - host.free_mb
    reported = (
        f"reported {ago((now - host.reported_at).total_seconds())}" if host.reported_at else "never reported"
    )
    return HostCard(host, used_mb, reported)


def _endpoint(endpoint: Endpoint, rows: Mapping[str, Telemetry], now: datetime) -> EndpointCard:
    healthy, note = health_of_endpoint(endpoint)
    retry_at = endpoint.retry_at if healthy is False else None
    return EndpointCard(
        endpoint=endpoint,
        healthy=healthy,
        note=note,
        retry_in_s=max((retry_at - now).total_seconds(), 0.0) if retry_at else None,
        readings=[_reading(name, reading(rows[name], now)) for name in sorted(rows)],
    )


def _reading(name: str, newest: Reading) -> ReadingCard:
    return ReadingCard(name, newest.row if newest.counts else None, newest.age_s, newest.note)
