"""The model servers that a host is to run, as the registry has them, and how many calls they have room for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from broker import keys
from broker.gpu_host.room import Load, room
from broker.gpu_host.serving import Serving
from broker.models import Endpoint, Host, Model, Server, Telemetry


def host(name: str) -> Host | None:
    return Host.objects.filter(name=name).first()


def host_names() -> list[str]:
    return list(Host.objects.order_by("name").values_list("name", flat=True))


def swaps(host: Host | None) -> bool:
    """Whether one of its models is in memory at a time."""
    return host is not None and host.mode == Host.Mode.SWAPPED


def asleep() -> Q:
    """Endpoints whose server is not loaded: its host has another model in memory, and said so."""
    return Q(
        server__host__mode=Host.Mode.SWAPPED,
        server__state=Server.State.STOPPED,
        server__reported_at__isnull=False,
    )


def is_asleep(endpoint: Endpoint) -> bool:
    """Like asleep(), of a loaded row with its host. A query where it is at such a host and came without its server."""
    if not swaps(endpoint.host):
        return False
    server: Server | None = getattr(endpoint, "server", None)
    return server is not None and server.state == Server.State.STOPPED and server.reported_at is not None


def servers_of(host_name: str) -> list[Server]:
    """Those at enabled endpoints, with what a start needs. Two queries."""
    rows = Server.objects.filter(host__name=host_name, endpoint__enabled=True)
    return list(rows.select_related("endpoint", "host").prefetch_related("endpoint__models").order_by("port"))


def loaded(rows: Sequence[Server], *, chosen: str) -> list[Server]:
    """Which of a host's servers are to run: all, or where it swaps the chosen endpoint's; unchosen, its first."""
    if not any(swaps(row.host) for row in rows):
        return list(rows)
    return [row for row in rows if row.endpoint.name == chosen] if chosen else list(rows[:1])


def serving(server: Server) -> Serving:
    """How to start it. Raises KeyUnusable."""
    endpoint = server.endpoint
    models = [each for each in endpoint.models.all() if each.state != Model.State.RETIRED]
    return Serving(
        name=endpoint.name,
        model_path=server.model_path,
        address=urlsplit(endpoint.base_url).hostname or "127.0.0.1",
        port=server.port,
        served_names=tuple(dict.fromkeys(each.served_name for each in sorted(models, key=lambda m: m.pk))),
        revision=server.revision,
        dtype=server.dtype,
        max_model_len=server.max_model_len,
        gpu_memory_share=server.gpu_memory_share,
        extra_args=tuple(server.extra_args),
        environment=server.environment,
        api_key=keys.key_for(endpoint),
    )


def room_at(endpoints: Iterable[Endpoint]) -> dict[int, int]:
    """By endpoint: how many calls may be at its server at once, by what it reported lately. One query."""
    limits = {each.pk: each.max_concurrency for each in endpoints}
    since = timezone.now() - timedelta(seconds=settings.NSED.telemetry_window_s)
    rows = Telemetry.objects.filter(endpoint__in=limits, source="metrics", read_at__gte=since)
    at_once: dict[tuple[int, datetime], list[Telemetry]] = defaultdict(list)
    for row in rows.defer("totals"):
        at_once[row.endpoint_id, row.read_at].append(row)
    loads: dict[int, list[Load]] = defaultdict(list)
    for (pk, _), models in at_once.items():
        loads[pk].append(Load(_sum(row.running for row in models), _sum(row.waiting for row in models)))
    return {pk: room(loads[pk], limit=limit) for pk, limit in limits.items()}


def _sum(counts: Iterable[int | None]) -> int | None:
    """Of all models of one server; None where it did not tell of one."""
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)
