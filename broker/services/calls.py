"""Calls of models: where they go, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from broker import keys
from broker.inference.base import EndpointSpec, InferenceError, Reply, Request
from broker.models import Call, Endpoint, Model, Reservation
from broker.selectors.prices import cost_usd, current_price
from broker.services import budgets


def endpoint_spec(endpoint: Endpoint) -> EndpointSpec:
    """The values that a call needs, with the key. Raises KeyUnusable.

    Rates are counted by all processes together. Calls at once are shared out among them, but for those of a host: its
    turns are counted over all processes before they are taken.
    """
    callers = 1 if endpoint.host_id else max(settings.NSED.call_workers, 1)
    return EndpointSpec(
        name=endpoint.name,
        kind=endpoint.kind,
        base_url=endpoint.base_url,
        api_key=keys.key_for(endpoint),
        max_concurrency=max(endpoint.max_concurrency // callers, 1),
        structured_output=endpoint.structured_output,
        max_response_bytes=settings.NSED.reply_max_bytes,
        allowed_networks=settings.NSED.endpoint_networks,
        allowed_hosts=settings.NSED.endpoint_hosts,
        requests_per_minute=endpoint.requests_per_minute,
        tokens_per_minute=endpoint.tokens_per_minute,
        rates_at=settings.REDIS_URL,
        callers=callers,
    )


@dataclass(frozen=True)
class Made:
    """A call that was made, and what came of it. reference: whose it was; reservation: what was held for it."""

    model: Model
    request: Request
    outcome: Reply | InferenceError
    reference: Any
    reservation: Reservation | None = None


def record_calls(made: Sequence[Made]) -> list[Call]:
    """One row for each call, with its cost at the price of its time; what the server did not report stays null.

    What was held for them is settled with it. One statement where nothing was.
    """
    calls = Call.objects.bulk_create(_call(each) for each in made)
    held = [
        (each.reservation, _paid(each, call))
        for each, call in zip(made, calls, strict=True)
        if each.reservation is not None
    ]
    if held:
        budgets.settle(held)
    return calls


def _paid(made: Made, call: Call) -> Decimal | None:
    """What the call cost; None where nobody knows."""
    outcome = made.outcome
    if isinstance(outcome, Reply):
        return call.cost_usd
    return Decimal(0) if outcome.code in budgets.FREE or not outcome.sent else None


def _call(made: Made) -> Call:
    request, outcome = made.request, made.outcome
    price = made.reservation.price if made.reservation else current_price(made.model)
    call = Call(
        reference=made.reference,
        model=made.model,
        seat=request.seat,
        round=request.round,
        exchange=request.exchange,
        attempt=request.attempt,
        queued_ms=outcome.queued_ms,
        price=price,
    )
    if isinstance(outcome, Reply):
        call.tokens_in, call.tokens_out = outcome.tokens_in, outcome.tokens_out
        call.first_token_ms, call.latency_ms = outcome.ttft_ms, outcome.latency_ms
        call.cost_usd = cost_usd(price, tokens_in=call.tokens_in, tokens_out=call.tokens_out)
    else:
        call.error = outcome.code
    return call
