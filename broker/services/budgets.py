"""Money that calls in flight may cost: reserved before a call is sent, settled with its record, never past a cap.

A cap is a row's condition, so it holds whoever asks at once: reserving is one conditional UPDATE per budget. What
nobody knows the cost of counts in full: unknown is not zero. Budgets are locked in the order of their names, after the
turns and before the trail, so no two workers wait for each other.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from broker.models import Budget, Price, Reservation

STEP_USD = Decimal("1e-8")  # the columns hold no less

# Failures of calls that a server never began to answer: they cost nothing. Any other may have been paid for.
FREE = frozenset(
    {
        "refused", "dns_failed", "tls_failed", "address_refused", "bad_request", "unauthorized",
        "payment_required", "model_gone", "rate_limited", "redirected", "no_record",
    }
)  # fmt: skip


class BudgetExceeded(Exception):
    """It does not fit: one of the budgets would pass its cap."""


@dataclass(frozen=True)
class Cap:
    """One budget that a call has to fit in, and the most that may be spent under its name."""

    scope: str
    cap_usd: Decimal


@dataclass(frozen=True)
class Ask:
    """A call that is about to be made, and the most that it can cost. key: the turn; reference: whose it is."""

    reference: Any
    key: str
    attempt: int
    price: Price
    amount_usd: Decimal


def open_budgets(caps: Collection[Cap]) -> None:
    """Makes the rows that are missing; a cap that was changed since holds from now on. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO broker_budget AS budget (scope, cap_usd, spent_usd, reserved_usd, overrun_usd)"
            " SELECT scope, cap_usd, 0, 0, 0 FROM unnest(%s::text[], %s::numeric[]) AS asked(scope, cap_usd)"
            " ORDER BY scope ON CONFLICT (scope) DO UPDATE SET cap_usd = excluded.cap_usd,"
            " overrun_usd = greatest(0, budget.spent_usd + budget.reserved_usd - excluded.cap_usd)"
            " WHERE budget.cap_usd IS DISTINCT FROM excluded.cap_usd",
            [[cap.scope for cap in caps], [cap.cap_usd for cap in caps]],
        )


def left_usd(caps: Collection[Cap]) -> Decimal:
    """What no call has spent or may still cost, in the tightest of the budgets; never below 0. One query."""
    rows = Budget.objects.filter(scope__in=[cap.scope for cap in caps]).exclude(cap_usd=None)
    left = dict(rows.values_list("scope", F("cap_usd") - F("spent_usd") - F("reserved_usd")))
    return max(min(left.get(cap.scope, cap.cap_usd) for cap in caps), Decimal(0))


@transaction.atomic
def reserve(ask: Ask, caps: Iterable[Cap]) -> Reservation:
    """Holds the amount in all of the budgets, or in none: then BudgetExceeded. Call it outside of a transaction, as
    nothing may be sent before it is in.
    """
    scopes = sorted(cap.scope for cap in caps)
    amount = ask.amount_usd.quantize(STEP_USD, rounding=ROUND_CEILING)
    for scope in scopes:
        fits = Q(cap_usd=None) | Q(cap_usd__gte=F("spent_usd") + F("reserved_usd") + amount)
        if not Budget.objects.filter(fits, scope=scope).update(reserved_usd=F("reserved_usd") + amount):
            raise BudgetExceeded(f"${amount:f} more would pass the cap of {scope}")
    return Reservation.objects.create(
        reference=ask.reference,
        key=ask.key,
        attempt=ask.attempt,
        scopes=scopes,
        price=ask.price,
        amount_usd=amount,
    )


def settle(costs: Sequence[tuple[Reservation, Decimal | None]]) -> None:
    """The calls have ended: what each cost counts as spent, all of its reservation where nobody knows (None).

    In the transaction that records the calls. One that is settled already stays as it is.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE broker_reservation AS held SET settled_at = clock_timestamp(), assumed = ended.cost_usd IS NULL,"
            " settled_usd = coalesce(ended.cost_usd, held.amount_usd)"
            " FROM unnest(%s::uuid[], %s::numeric[]) AS ended(id, cost_usd)"
            " WHERE held.id = ended.id AND held.settled_at IS NULL"
            " RETURNING held.scopes, held.amount_usd, held.settled_usd",
            [
                [held.pk for held, _ in costs],
                [None if cost is None else cost.quantize(STEP_USD) for _, cost in costs],
            ],
        )
        _book(cursor.fetchall())


def count_lost(reference: Any, keys: Collection[str]) -> None:
    """The workers that made calls for these turns are gone: whatever is still reserved counts as spent in full."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE broker_reservation SET settled_at = clock_timestamp(), assumed = true, settled_usd = amount_usd"
            " WHERE reference = %s AND key = ANY(%s) AND settled_at IS NULL"
            " RETURNING scopes, amount_usd, settled_usd",
            [reference, list(keys)],
        )
        _book(cursor.fetchall())


def _book(rows: Iterable[tuple[str, Decimal, Decimal]]) -> None:
    """Moves what was reserved to what is spent. One statement per budget, in the order of their names."""
    freed: dict[str, Decimal] = defaultdict(Decimal)
    spent: dict[str, Decimal] = defaultdict(Decimal)
    for scopes, amount, cost in rows:
        for scope in json.loads(scopes):
            freed[scope] += amount
            spent[scope] += cost
    for scope in sorted(freed):
        above = F("spent_usd") + F("reserved_usd") + spent[scope] - freed[scope] - F("cap_usd")
        Budget.objects.filter(scope=scope).update(
            spent_usd=F("spent_usd") + spent[scope],
            reserved_usd=F("reserved_usd") - freed[scope],
            overrun_usd=Greatest(Value(Decimal(0)), above),
        )
