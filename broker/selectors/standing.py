"""How each model stands now: can it be asked, how busy is its server, how long will a round take, and in what words.

A reading carries its age. One that is older than settings.NSED.telemetry_stale_s counts as unknown, and says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.utils import timezone

from broker.models import Endpoint, Host, Model, Telemetry
from broker.selectors.own_calls import slow_ms
from broker.selectors.servers import is_asleep, swaps

CALLS_A_ROUND = 2  # propose, then review
OWN_CALLS_S = 3600.0
HEALTH_HOLDS = 3  # times health_check_s: what was learnt before that is no longer known
WORDS: Mapping[str, str] = {
    "refused": "nothing listens there",
    "dns_failed": "its name has no address",
    "tls_failed": "its certificate is not accepted",
    "address_refused": "its address is not allowed",
    "unreachable": "it cannot be reached",
    "engine_dead": "its engine is dead",
    "unauthorized": "its key is refused",
    "key_unusable": "its key cannot be used",
    "payment_required": "its account has no credit",
    "timed_out": "it does not answer in time",
    "server_error": "it answers with errors",
    "stream_cut": "its answers break off",
    "redirected": "it points elsewhere",
    "http_status": "it answers with an unknown status",
}


@dataclass(frozen=True)
class Reading:
    """The newest reading. What is unknown, or too old to count, is None; `note` says how old, or that there is none."""

    row: Telemetry | None
    age_s: float | None
    note: str

    @property
    def counts(self) -> bool:
        return (
            self.row is not None and self.age_s is not None and self.age_s <= settings.NSED.telemetry_stale_s
        )

    @property
    def source_note(self) -> str:
        """Where its figures come from, where the server does not report them itself."""
        if self.row is None or self.row.source != "calls":
            return ""
        return "from our own calls: running and waiting are the most at once in the last minute"


@dataclass(frozen=True)
class Standing:
    """healthy: None where it was never looked at, or not for too long. note: why not, "" where all is well.

    latency_ms: what a round of it takes at the slow end (95th percentile).
    """

    healthy: bool | None
    note: str
    latency_ms: float | None
    running: int | None
    waiting: int | None
    kv_cache_share: float | None
    reading_age_s: float | None
    reading_note: str


def standings(models: Iterable[Model]) -> dict[str, Standing]:
    """By alias. The models come with select_related("endpoint__host"). Two queries, three with a host that swaps."""
    models = list(models)
    swapping = [each for each in models if swaps(each.endpoint.host)]
    prefetch_related_objects(swapping, "endpoint__server")
    newest = newest_readings({model.endpoint_id for model in models})
    own = slow_ms([model.pk for model in models], window_s=OWN_CALLS_S)
    now = timezone.now()
    return {
        model.alias: _standing(model, reading_of(model, newest, now), own.get(model.pk)) for model in models
    }


def _standing(model: Model, reading: Reading, own_ms: float | None) -> Standing:
    healthy, note = health_of(model)
    row = reading.row if reading.counts else None
    call_ms = row.e2e_p95_ms if row is not None and row.e2e_p95_ms is not None else own_ms
    return Standing(
        healthy=healthy,
        note=note,
        latency_ms=None if call_ms is None else CALLS_A_ROUND * call_ms,
        running=row.running if row else None,
        waiting=row.waiting if row else None,
        kv_cache_share=row.kv_cache_share if row else None,
        reading_age_s=reading.age_s,
        reading_note="" if model.endpoint.simulated else _reading_note(reading),
    )


def _reading_note(reading: Reading) -> str:
    return "; ".join(filter(None, (reading.note, reading.source_note if reading.counts else "")))


# Health.


def breaker_open(endpoint: Endpoint) -> bool:
    """Whether nothing is to be asked of it now. On a loaded row; no query."""
    return health_of_endpoint(endpoint)[0] is False


def left_alone(model: Model) -> bool:
    """Whether a call would only cost time: it lost a turn, and nothing was heard of its server since. No query."""
    return model.is_benched and breaker_open(model.endpoint)


def health_of(model: Model) -> tuple[bool | None, str]:
    """The model's own health, its host's and its endpoint's, with the reason where it is not well. No query."""
    if model.is_benched and model.benched_until is not None:
        return False, f"benched until {at(model.benched_until)}{_colon(model.bench_reason)}"
    trouble = trouble_of_host(model.endpoint.host)
    if trouble:
        return False, f"unhealthy: its host {model.endpoint.host} {trouble}"
    return health_of_endpoint(model.endpoint)


def trouble_of_host(host: Host | None) -> str:
    """Why nobody takes the calls of its models, "" where somebody does. A host that never reports is trusted."""
    if host is None or host.state == Host.State.UNKNOWN:
        return ""
    if host.state == Host.State.DRAINING:
        return "is being stopped"
    if host.state == Host.State.DOWN:
        return "is down"
    silent_since = timezone.now() - timedelta(seconds=settings.NSED.host_silent_s)
    if host.reported_at is not None and host.reported_at >= silent_since:
        return ""
    return f"has not reported since {at(host.reported_at)}"


def health_of_endpoint(endpoint: Endpoint) -> tuple[bool | None, str]:
    """What was learnt long ago is no longer known; of a breaker: where nobody has looked although its time is over."""
    if endpoint.simulated:
        return True, ""
    if is_asleep(endpoint):
        return False, f"not loaded on {endpoint.host}"
    if endpoint.healthy is None or endpoint.checked_at is None:
        return None, "not checked yet"
    known_for = timedelta(seconds=HEALTH_HOLDS * settings.NSED.health_check_s)
    if max(endpoint.checked_at, endpoint.retry_at or endpoint.checked_at) < timezone.now() - known_for:
        return None, f"not checked since {at(endpoint.checked_at)}"
    if endpoint.healthy:
        return True, ""
    return False, f"unhealthy since {at(endpoint.healthy_since)}{_colon(words(endpoint))}"


def words(endpoint: Endpoint) -> str:
    """The newest failure in words, "" where there is none."""
    return WORDS.get(endpoint.failure, endpoint.failure_detail)


def at(moment: datetime | None) -> str:
    """The time of day, with the date where it is another day's."""
    if moment is None:
        return "an unknown time"
    today = moment.date() == timezone.now().date()
    return f"{moment:%H:%M} UTC" if today else f"{moment:%Y-%m-%d %H:%M} UTC"


def _colon(words: str) -> str:
    return f": {words.removesuffix('.')}" if words else ""


# Readings.


def newest_readings(endpoint_ids: Iterable[int]) -> dict[int, dict[str, Telemetry]]:
    """The newest row of each served name by endpoint, without its totals. One query."""
    rows = Telemetry.objects.filter(endpoint__in=list(endpoint_ids)).defer("totals")
    newest: dict[int, dict[str, Telemetry]] = {}
    for row in rows.order_by("endpoint", "served_name", "-read_at").distinct("endpoint", "served_name"):
        newest.setdefault(row.endpoint_id, {})[row.served_name] = row
    return newest


def reading_of(model: Model, newest: Mapping[int, Mapping[str, Telemetry]], now: datetime) -> Reading:
    """Of the model's served name; a server that reports one name only may serve it under several."""
    rows = newest.get(model.endpoint_id, {})
    only = next(iter(rows.values())) if len(rows) == 1 else None
    return reading(rows.get(model.served_name, only), now)


def reading(row: Telemetry | None, now: datetime) -> Reading:
    if row is None:
        return Reading(None, None, "never read")
    age_s = max((now - row.read_at).total_seconds(), 0.0)
    stale = age_s > settings.NSED.telemetry_stale_s
    return Reading(row, age_s, f"read {ago(age_s)}{', too old to count' if stale else ''}")


def ago(seconds: float) -> str:
    """In the largest unit that fits: 40 s ago, 5 min ago, 2 h ago."""
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"
