"""What the system writes: calls, measurements, decisions and history."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from broker.models import (
    Budget,
    Call,
    Change,
    Check,
    Competence,
    PeerScore,
    Reservation,
    Selection,
    SmokeTest,
    Telemetry,
)
from broker.selectors import secrecy


class Shown(admin.ModelAdmin):
    """Rows that the system writes: to be searched and read."""

    actions = None
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the rows of sessions whose models this person may not know yet."""
        rows = super().get_queryset(request)
        if "reference" not in {each.name for each in self.model._meta.get_fields()}:
            return rows
        return rows.exclude(reference__in=secrecy.kept_from(request.user))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Change)
class ChangeAdmin(Shown):
    list_display = ("at", "by", "kind", "subject", "action", "note")
    list_filter = ("kind", "action")
    list_select_related = ("by",)
    search_fields = ("subject", "note", "by__username")
    ordering = ("-at", "-pk")


@admin.register(SmokeTest)
class SmokeTestAdmin(Shown):
    list_display = ("model", "by", "started_at", "ended_at")
    list_select_related = ("model", "by")
    search_fields = ("model__alias",)
    ordering = ("-pk",)


@admin.register(PeerScore)
class PeerScoreAdmin(Shown):
    list_display = ("voter", "author", "weight", "reference")
    list_select_related = ("voter", "author")
    search_fields = ("voter__alias", "author__alias")
    ordering = ("-pk",)


@admin.register(Competence)
class CompetenceAdmin(Shown):
    list_display = ("model", "category", "right", "asked", "declared")
    list_filter = ("category", "declared")
    list_select_related = ("model",)
    search_fields = ("model__alias", "category")


@admin.register(Check)
class CheckAdmin(Shown):
    list_display = ("model", "category", "right", "source", "created_at")
    list_filter = ("source", "category")
    list_select_related = ("model",)
    search_fields = ("model__alias",)
    ordering = ("-pk",)


@admin.register(Call)
class CallAdmin(Shown):
    """Without the seat: who keeps the models may vote blind elsewhere."""

    exclude = ("seat",)
    list_display = ("created_at", "model", "exchange", "round", "tokens_out", "cost_usd", "error")
    list_filter = ("exchange", "error")
    list_select_related = ("model",)
    search_fields = ("model__alias", "reference")
    ordering = ("-pk",)


@admin.register(Telemetry)
class TelemetryAdmin(Shown):
    list_display = ("read_at", "endpoint", "served_name", "source", "running", "waiting", "kv_cache_share")
    list_filter = ("endpoint", "source")
    list_select_related = ("endpoint",)
    search_fields = ("endpoint__name", "served_name")
    ordering = ("-read_at",)


@admin.register(Selection)
class SelectionAdmin(Shown):
    list_display = ("pk", "kind", "category", "reference", "created_at")
    list_filter = ("kind",)
    search_fields = ("reference", "category")
    ordering = ("-pk",)


@admin.register(Budget)
class BudgetAdmin(Shown):
    list_display = ("scope", "cap_usd", "spent_usd", "reserved_usd")
    search_fields = ("scope",)


@admin.register(Reservation)
class ReservationAdmin(Shown):
    list_display = ("created_at", "reference", "key", "amount_usd", "settled_usd")
    search_fields = ("reference", "key")
    ordering = ("-created_at",)
