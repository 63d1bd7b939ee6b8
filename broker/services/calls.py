"""Calls of models: where they go, and what came of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from broker import keys
from broker.inference.base import EndpointSpec, InferenceError, Reply, Request
from broker.models import Call, Endpoint, Model
from broker.selectors.prices import cost_usd, current_price


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
        call.cost_usd = cost_usd(
            current_price(made.model), tokens_in=call.tokens_in, tokens_out=call.tokens_out
        )
    else:
        call.error = outcome.code
    return call
