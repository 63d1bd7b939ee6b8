"""What was spent under a cap, and how far that is known."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from broker.models import Budget, Reservation


@dataclass(frozen=True)
class Standing:
    """US dollars. `spent` counts `assumed`: calls of which nobody knows what they cost, at the most that they may have.
    `overrun`: spent and reserved above the cap, because a server charged more than it was asked for.
    """

    cap_usd: Decimal
    spent_usd: Decimal
    reserved_usd: Decimal
    overrun_usd: Decimal
    assumed_usd: Decimal

    @property
    def left_usd(self) -> Decimal:
        return max(self.cap_usd - self.spent_usd - self.reserved_usd, Decimal(0))


def standing(reference: Any) -> Standing | None:
    """The budget of a session; None where it has no cap, or nothing was asked yet. Two queries."""
    budget = Budget.objects.filter(scope=f"session {reference}").exclude(cap_usd=None).first()
    if budget is None:
        return None
    assumed = Reservation.objects.filter(reference=reference, assumed=True).aggregate(usd=Sum("settled_usd"))
    return Standing(
        cap_usd=budget.cap_usd or Decimal(0),
        spent_usd=budget.spent_usd,
        reserved_usd=budget.reserved_usd,
        overrun_usd=budget.overrun_usd,
        assumed_usd=assumed["usd"] or Decimal(0),
    )
