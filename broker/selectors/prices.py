"""What a call costs, at the price of a moment."""

from decimal import Decimal

from django.utils import timezone

from broker.models import Model, Price

MILLION = Decimal(1_000_000)


def current_price(model: Model) -> Price | None:
    """The newest price that is valid now; None where none was ever entered."""
    now = timezone.now()
    valid = [each for each in model.prices.all() if each.valid_from <= now]
    return max(valid, key=lambda each: each.valid_from, default=None)


def cost_usd(price: Price | None, *, tokens_in: int | None, tokens_out: int | None) -> Decimal | None:
    """US dollars for one call; None where a price or a token count is unknown."""
    if price is None or None in (price.input_usd, price.output_usd, tokens_in, tokens_out):
        return None
    return (price.input_usd * tokens_in + price.output_usd * tokens_out) / MILLION
