"""The model servers that a host is to run, as the registry has them, and how many calls they have room for."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from broker import keys
from broker.gpu_host.room import Load, room
from broker.gpu_host.serving import Serving
from broker.models import Endpoint, Host, Model, Server, Telemetry


def host(name: str) -> Host | None:
    return Host.objects.filter(name=name).first()


def host_names() -> list[str]:
    return list(Host.objects.order_by("name").values_list("name", flat=True))


def servers_of(host_name: str) -> list[Server]:
    """Those at enabled endpoints, with what a start needs. Two queries."""
    rows = Server.objects.filter(host__name=host_name, endpoint__enabled=True)
    return list(rows.select_related("endpoint").prefetch_related("endpoint__models").order_by("port"))


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
