"""What calls cost: prices with their history, calls, and budgets that hold while calls are in flight."""

import uuid

from django.db import models
from django.db.models import F, Q

from broker.models.registry import Model


class Price(models.Model):
    """US dollars per million tokens from a moment on. No row, or an empty column, means unknown, never free."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="prices")
    input_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    output_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    valid_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_at_a_time"),
            models.CheckConstraint(
                condition=(Q(input_usd__isnull=True) | Q(input_usd__gte=0))
                & (Q(output_usd__isnull=True) | Q(output_usd__gte=0)),
                name="price_not_negative",
                violation_error_message="A price is not below 0. 0 is free; leave it empty where it is unknown.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} from {self.valid_from:%Y-%m-%d}"


class Call(models.Model):
    """One call of a model, whatever came of it. Unknown tokens and cost stay null.

    price: the one that was valid when the call was made, so that its cost can be reckoned again.
    """

    reference = models.UUIDField(db_index=True, help_text="the session that asked")
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="calls")
    seat = models.PositiveIntegerField()
    round = models.PositiveIntegerField()
    exchange = models.CharField(max_length=10)
    attempt = models.PositiveIntegerField()
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    price = models.ForeignKey(Price, on_delete=models.PROTECT, null=True, related_name="+")
    queued_ms = models.FloatField(null=True)
    first_token_ms = models.FloatField(null=True)
    latency_ms = models.FloatField(null=True)
    error = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["model", "-created_at"], name="call_newest")]

    def __str__(self) -> str:
        return f"{self.exchange} r{self.round} seat {self.seat} attempt {self.attempt}"


class Budget(models.Model):
    """What may be spent under one name, what is, and what calls in flight may still cost.

    No call is sent that could pass the cap: the database refuses its reservation. A server that charges more than
    was reserved can: overrun_usd says by how much spent and reserved lie above the cap, and no call follows.

    scope: `session <uuid>`, `day 2026-11-26` (UTC), or `turn <key>`. cap_usd: null where only counted.
    """

    scope = models.CharField(max_length=80, primary_key=True)
    cap_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    spent_usd = models.DecimalField(max_digits=14, decimal_places=8, default=0)
    reserved_usd = models.DecimalField(max_digits=14, decimal_places=8, default=0)
    overrun_usd = models.DecimalField(max_digits=14, decimal_places=8, default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(cap_usd=None)
                | Q(cap_usd__gte=F("spent_usd") + F("reserved_usd") - F("overrun_usd")),
                name="budget_holds",
            ),
            models.CheckConstraint(
                condition=Q(spent_usd__gte=0, reserved_usd__gte=0, overrun_usd__gte=0),
                name="budget_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.scope


class Reservation(models.Model):
    """The most that one call may cost, held in its budgets from before it is sent until it is settled.

    assumed: nobody knows what the call cost (no token counts came, or its worker was gone), so all of it counts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.UUIDField(db_index=True, help_text="the session that asked")
    key = models.CharField(max_length=80, help_text="the turn")
    attempt = models.PositiveIntegerField()
    scopes = models.JSONField(help_text="the budgets that hold it")
    price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    amount_usd = models.DecimalField(max_digits=14, decimal_places=8)
    settled_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    assumed = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference", "key", "attempt"], name="one_reservation_a_call")
        ]
        indexes = [models.Index(fields=["created_at"], name="reservation_open", condition=Q(settled_at=None))]

    def __str__(self) -> str:
        return f"{self.key} of {self.reference}"
