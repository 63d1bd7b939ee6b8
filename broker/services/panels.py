"""What registers itself: the simulated experts, and the servers that answer on this machine."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from broker.inference.probing import Found
from broker.inference.simulated import DemoExpert
from broker.models import Competence, Endpoint, Host, Model, Price
from broker.services.registry import free_alias

LOCAL_HOST = "local"
FOUND = "found-"  # endpoints that find_servers registered, and may switch off again


@transaction.atomic
def load_simulated_panel(experts: Iterable[DemoExpert]) -> int:
    """Registers the simulated experts; known ones are left as they are. Returns how many are new."""
    endpoint, _ = Endpoint.objects.get_or_create(name="simulated", defaults={"kind": Endpoint.Kind.SIMULATED})
    return sum(_register_simulated(expert, endpoint) for expert in experts)


def _register_simulated(expert: DemoExpert, endpoint: Endpoint) -> bool:
    model, created = Model.objects.get_or_create(
        alias=expert.alias,
        defaults={
            "served_name": expert.alias,
            "endpoint": endpoint,
            "family": expert.family,
            "traits": dict(expert.traits),
        },
    )
    if created:
        Price.objects.create(model=model, input_usd=0, output_usd=0, valid_from=timezone.now())
        Competence.objects.create(
            model=model, right=expert.traits["competence"] * 100, asked=100, declared=True
        )
    return created


@transaction.atomic
def sync_found_servers(found: Iterable[Found], *, ports: Iterable[int]) -> None:
    """Registers the servers that answer on this machine, with their models; those that are gone from the ports
    that were looked at are disabled.
    """
    servers = {server.base_url: server for server in found}
    looked_at = Endpoint.objects.filter(name__in=[f"{FOUND}{port}" for port in ports])
    looked_at.exclude(base_url__in=servers).update(enabled=False)
    for server in servers.values():
        _adopt(server)


def _adopt(server: Found) -> None:
    host, _ = Host.objects.get_or_create(name=LOCAL_HOST)
    endpoint, _ = Endpoint.objects.update_or_create(
        base_url=server.base_url,
        defaults={"enabled": True},
        create_defaults={
            "name": f"{FOUND}{urlsplit(server.base_url).port}",
            "base_url": server.base_url,
            "kind": Endpoint.Kind.OPENAI_COMPATIBLE,
            "host": host,
        },
    )
    for served in server.models:
        if not endpoint.models.filter(served_name=served).exists():
            Model.objects.create(endpoint=endpoint, served_name=served, alias=free_alias(served))
