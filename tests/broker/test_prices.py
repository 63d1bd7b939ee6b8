"""Prices have a history: what is reckoned, is reckoned at the price of its time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from broker.inference.base import Reply
from broker.models import Call, Endpoint, Model, Price
from broker.selectors.prices import affordable_tokens_out, cost_usd, current_price, price_at
from broker.services.calls import Made, record_calls
from tests.inference.calls import endpoint, request

pytestmark = pytest.mark.django_db

MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def model() -> Model:
    lab = Endpoint.objects.create(name="lab", kind="simulated")
    return Model.objects.create(alias="m", served_name="m", endpoint=lab)


def priced(model: Model, output_usd: str | None, *, since: datetime, input_usd: str = "1") -> Price:
    output = None if output_usd is None else Decimal(output_usd)
    return Price.objects.create(
        model=model, input_usd=Decimal(input_usd), output_usd=output, valid_from=since
    )


def call(model: Model) -> Call:
    reply = Reply(
        body=b"{}",
        reasoning=None,
        tokens_in=1000,
        tokens_out=100,
        finish_reason="stop",
        ttft_ms=1.0,
        latency_ms=2.0,
        served_model="m",
    )
    (made,) = record_calls([Made(model, request(endpoint()), reply, reference=uuid4())])
    return made


def test_the_price_of_a_moment_is_the_newest_that_was_valid_then(model: Model) -> None:
    old, new = priced(model, "2", since=MAY), priced(model, "4", since=MAY + timedelta(days=2))
    assert price_at(model, MAY - timedelta(seconds=1)) is None
    assert price_at(model, MAY + timedelta(days=1)) == old
    assert price_at(model, MAY + timedelta(days=2)) == new


def test_a_price_that_begins_tomorrow_does_not_count_today(model: Model) -> None:
    now = priced(model, "2", since=timezone.now() - timedelta(days=1))
    priced(model, "9", since=timezone.now() + timedelta(days=1))
    assert current_price(model) == now


def test_a_call_keeps_its_cost_when_the_price_changes(model: Model) -> None:
    old = priced(model, "2", since=MAY)
    first = call(model)
    priced(model, "20", since=timezone.now())
    second = call(model)
    first.refresh_from_db()
    assert (first.cost_usd, second.cost_usd) == (Decimal("0.0012"), Decimal("0.003"))
    assert first.price == old == price_at(model, first.created_at)


def test_what_an_old_call_cost_can_be_reckoned_again(model: Model) -> None:
    priced(model, "2", since=MAY)
    made = call(model)
    priced(model, "20", since=timezone.now())
    made.refresh_from_db()
    assert cost_usd(made.price, tokens_in=made.tokens_in, tokens_out=made.tokens_out) == made.cost_usd


def test_a_price_that_calls_were_costed_at_stays(model: Model) -> None:
    price = priced(model, "2", since=MAY)
    call(model)
    with pytest.raises(ProtectedError):
        price.delete()


def test_half_a_price_is_unknown_and_not_half_the_cost(model: Model) -> None:
    priced(model, None, since=MAY)
    assert call(model).cost_usd is None


@pytest.mark.parametrize(
    ("usd", "tokens"),
    [
        ("0.0009", 0),  # the prompt alone is 0.001
        ("0.001", 0),
        ("0.0012", 100),
        ("0.0012019", 100),  # a part of a token is none
        ("1", 500),
    ],
)
def test_what_is_left_after_the_prompt_buys_tokens_of_reply(model: Model, usd: str, tokens: int) -> None:
    price = priced(model, "2", since=MAY)
    assert affordable_tokens_out(price, tokens_in=1000, usd=Decimal(usd), most=500) == tokens


def test_free_replies_are_limited_by_the_prompt_alone(model: Model) -> None:
    price = priced(model, "0", since=MAY)
    assert affordable_tokens_out(price, tokens_in=1000, usd=Decimal("0.001"), most=500) == 500
    assert affordable_tokens_out(price, tokens_in=1001, usd=Decimal("0.001"), most=500) == 0
