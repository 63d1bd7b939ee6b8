"""Every write of the broker, one function per verb."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from broker import keys, selectors
from broker.inference.base import EndpointSpec, InferenceError, Reply, Request
from broker.inference.probing import Found
from broker.inference.simulated import DemoExpert
from broker.models import Call, Competence, Endpoint, Host, Model, Price, Selection
from broker.selection.ranking import choose_panel
from broker.selection.types import PanelRequest

LOCAL_HOST = "local"
FOUND = "found-"  # endpoints that find_servers registered, and may switch off again


def select_panel(request: PanelRequest) -> Selection:
    """Solves the request and stores it with its receipt."""
    receipt = choose_panel(request)
    return Selection.objects.create(request=request.to_json(), receipt=receipt.to_json())


def endpoint_spec(endpoint: Endpoint) -> EndpointSpec:
    """The values that a call needs, with the key. Raises KeyUnusable."""
    return EndpointSpec(
        name=endpoint.name,
        kind=endpoint.kind,
        base_url=endpoint.base_url,
        api_key=keys.key_for(endpoint),
        max_concurrency=endpoint.max_concurrency,
        structured_output=endpoint.structured_output,
        max_response_bytes=settings.NSED.reply_max_bytes,
        allowed_networks=settings.NSED.endpoint_networks,
        allowed_hosts=settings.NSED.endpoint_hosts,
    )


@dataclass(frozen=True)
class Made:
    """A call that was made, and what came of it. reference: whose it was."""

    model: Model
    request: Request
    outcome: Reply | InferenceError
    reference: Any


def record_calls(made: Iterable[Made]) -> list[Call]:
    """One row for each call, with its cost at today's price; what the server did not report stays null."""
    return Call.objects.bulk_create(_call(each) for each in made)


def _call(made: Made) -> Call:
    request, outcome = made.request, made.outcome
    call = Call(
        reference=made.reference,
        model=made.model,
        seat=request.seat,
        round=request.round,
        exchange=request.exchange,
        attempt=request.attempt,
    )
    if isinstance(outcome, Reply):
        call.tokens_in, call.tokens_out = outcome.tokens_in, outcome.tokens_out
        call.queued_ms, call.first_token_ms = outcome.queued_ms, outcome.ttft_ms
        call.latency_ms = outcome.latency_ms
        call.cost_usd = selectors.cost_usd(
            selectors.current_price(made.model), tokens_in=call.tokens_in, tokens_out=call.tokens_out
        )
    else:
        call.error = outcome.code
    return call


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
            Model.objects.create(endpoint=endpoint, served_name=served, alias=_free_alias(served))


def _free_alias(served: str) -> str:
    """A short unique name for people: the last part of the served name, numbered where it is taken."""
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in served.rsplit("/", 1)[-1])[:70] or "model"
    taken = set(Model.objects.filter(alias__startswith=plain).values_list("alias", flat=True))
    names = (plain if n == 1 else f"{plain}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
