"""What a call costs, at the price of a moment."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from broker.models import Model, Price

MILLION = Decimal(1_000_000)


def current_price(model: Model) -> Price | None:
    """The newest price that is valid now; None where none was ever entered."""
    return price_at(model, timezone.now())


def price_at(model: Model, moment: datetime) -> Price | None:
    """The price that was valid then; None where none was entered. No query where the prices were fetched."""
    valid = [each for each in model.prices.all() if each.valid_from <= moment]
    return max(valid, key=lambda each: each.valid_from, default=None)


def cost_usd(price: Price | None, *, tokens_in: int | None, tokens_out: int | None) -> Decimal | None:
    """US dollars for one call; None where a price or a token count is unknown."""
    if price is None or None in (price.input_usd, price.output_usd, tokens_in, tokens_out):
        return None
    return (price.input_usd * tokens_in + price.output_usd * tokens_out) / MILLION


def affordable_tokens_out(price: Price, *, tokens_in: int, usd: Decimal, most: int) -> int:
    """How many tokens of reply so much money pays for after the prompt: from 0 to `most`. The price is known."""
    left = usd * MILLION - price.input_usd * tokens_in
    if left < 0:
        return 0
    return most if not price.output_usd else min(most, int(left / price.output_usd))
