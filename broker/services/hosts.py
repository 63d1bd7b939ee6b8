"""What a GPU host reports of itself. Readings, not changes of the registry: they leave no record beside the row."""

from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now

from broker.gpu_host.memory import Memory
from broker.gpu_host.supervising import Report
from broker.models import Endpoint, Host, Server

DETAIL_CHARS = 300
LOCKS_OF_HOSTS = 0x6E736564  # keeps our advisory locks apart from those of others


@dataclass(frozen=True)
class HostReport:
    """memory: None where it is unknown."""

    state: Host.State
    memory: Memory | None
    detail: str = ""


def report_host(name: str, report: HostReport) -> bool:
    """False where the registry no longer knows the host. The total that a person typed stays where none is read."""
    read = {} if report.memory is None else {"total_mb": report.memory.total_mb}
    free_mb = None if report.memory is None else report.memory.free_mb
    told = Host.objects.filter(name=name).update(
        state=report.state, detail=report.detail[:DETAIL_CHARS], free_mb=free_mb, reported_at=Now(), **read
    )
    return told == 1


def report_server(server: Server, report: Report) -> None:
    """A server that is gone from the registry is told of no more."""
    Server.objects.filter(pk=server.pk).update(
        state=report.state,
        restarts=report.restarts,
        detail=report.detail[:DETAIL_CHARS],
        reported_at=Now(),
    )


def check_soon(server: Server) -> None:
    """Its endpoint is due for a health check: what was found while it was starting no longer says anything."""
    Endpoint.objects.filter(pk=server.endpoint_id).update(check_at=Now())


def take_name(name: str) -> bool:
    """Whether this process is the host of that name, until it ends or loses its database connection. To be asked now
    and then: a second asking by the same process is granted.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCKS_OF_HOSTS, name])
        return bool(cursor.fetchone()[0])
