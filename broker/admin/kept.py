"""What staff keep: hosts, endpoints, servers, models, prices and roles."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from broker.forms import AnyServerForm, EndpointForm, HostForm, ModelForm, PriceForm, RoleForm
from broker.models import (
    Competence,
    Endpoint,
    Host,
    Model,
    Price,
    Role,
    Server,
)
from broker.selectors import registry as reads
from broker.services import health, registry
from broker.services.asking import PROBE, ask_worker
from broker.services.changes import Act, Refused

BENCH_MIN = 30


def act(request: HttpRequest, note: str = "") -> Act:
    return Act(by=request.user, note=note)


class Kept(admin.ModelAdmin):
    """Rows that are added and changed through the registry's services, each with a line of history."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        hand = act(request, form.cleaned_data.get("note", ""))
        if change:
            registry.change(obj, act=hand)
        else:
            registry.add(obj, act=hand)


@admin.register(Host)
class HostAdmin(Kept):
    form = HostForm
    list_display = ("name", "state", "mode", "free_mb", "total_mb", "reported_at")
    list_filter = ("state", "mode")
    search_fields = ("name",)
    readonly_fields = ("state", "detail", "free_mb", "reported_at")


@admin.register(Endpoint)
class EndpointAdmin(Kept):
    form = EndpointForm
    list_display = ("name", "kind", "base_url", "host", "enabled", "healthy", "checked_at", "failure")
    list_filter = ("kind", "enabled", "healthy", "host")
    list_select_related = ("host",)
    search_fields = ("name", "base_url")
    readonly_fields = (
        "key_now", "healthy", "healthy_since", "checked_at", "failure", "failure_detail", "failures", "retry_at",
    )  # fmt: skip
    actions = ("probe",)

    @admin.display(description="API key now")
    def key_now(self, endpoint: Endpoint) -> str:
        return reads.key_words(endpoint)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.new_key is not None:
            registry.set_key(obj, form.new_key, act=act(request, form.cleaned_data["note"]))

    @admin.action(description="Probe now", permissions=["change"])
    def probe(self, request: HttpRequest, endpoints: "QuerySet[Endpoint]") -> None:
        try:
            for each in endpoints.select_related("host"):
                ask_worker(PROBE, each.pk, at=each)
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"Asked for {endpoints.count()}: what is found shows within seconds.")


@admin.register(Server)
class ServerAdmin(Kept):
    form = AnyServerForm
    list_display = ("endpoint", "host", "model_path", "port", "state", "restarts", "reported_at")
    list_filter = ("state", "host")
    list_select_related = ("endpoint", "host")
    search_fields = ("model_path", "endpoint__name", "host__name")
    readonly_fields = ("state", "restarts", "detail", "reported_at")


class PriceLines(admin.TabularInline):
    """The history, to be read; a new one is added under Prices."""

    model = Price
    extra = 0
    can_delete = False
    ordering = ("-valid_from",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CompetenceLines(PriceLines):
    model = Competence
    ordering = ("category",)


@admin.register(Model)
class ModelAdmin(Kept):
    form = ModelForm
    list_display = ("alias", "state", "endpoint", "family", "size_b", "benched_until")
    list_filter = ("state", "endpoint", "family")
    list_select_related = ("endpoint",)
    search_fields = ("alias", "served_name", "family")
    readonly_fields = ("state", "benched_until", "bench_min", "bench_reason")
    inlines = (PriceLines, CompetenceLines)
    actions = ("retire", "bench", "unbench")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.state = Model.State.DRAFT
        super().save_model(request, obj, form, change)

    @admin.action(description="Retire", permissions=["change"])
    def retire(self, request: HttpRequest, models: "QuerySet[Model]") -> None:
        for model in models:
            try:
                registry.move(model, Model.State.RETIRED, act=act(request, "in the admin pages"))
            except Refused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.message_user(request, f"{model.alias} is retired.")

    @admin.action(description=f"Bench for {BENCH_MIN} minutes", permissions=["change"])
    def bench(self, request: HttpRequest, models: "QuerySet[Model]") -> None:
        for model in models:
            health.bench(model, by=request.user, minutes=BENCH_MIN, reason="benched in the admin pages")  # type: ignore[arg-type]
        self.message_user(request, f"Benched for {BENCH_MIN} minutes: {models.count()}.")

    @admin.action(description="Back from the bench", permissions=["change"])
    def unbench(self, request: HttpRequest, models: "QuerySet[Model]") -> None:
        for model in models:
            health.unbench(model, by=request.user)  # type: ignore[arg-type]
        self.message_user(request, f"Back from the bench: {models.count()}.")


class AnyPriceForm(PriceForm):
    """A new price of any model."""

    class Meta(PriceForm.Meta):
        fields = ["model", *PriceForm.Meta.fields]


@admin.register(Price)
class PriceAdmin(Kept):
    """History is added to, never edited."""

    form = AnyPriceForm
    list_display = ("model", "input_usd", "output_usd", "valid_from")
    list_filter = ("model__endpoint",)
    list_select_related = ("model",)
    search_fields = ("model__alias",)
    ordering = ("-valid_from",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        registry.add_price(obj, act=act(request, form.cleaned_data["note"]))


@admin.register(Role)
class RoleAdmin(Kept):
    """Saving makes the next version."""

    form = RoleForm
    list_display = ("name", "version", "summary", "minimum", "maximum", "retired")
    list_filter = ("retired",)
    search_fields = ("name", "summary", "persona")
    readonly_fields = ("version", "retired")
    ordering = ("name", "-version")
    actions = ("retire",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        registry.add_role_version(obj, act=act(request, form.cleaned_data["note"]))

    @admin.action(description="Retire", permissions=["change"])
    def retire(self, request: HttpRequest, roles: "QuerySet[Role]") -> None:
        for name in sorted(set(roles.values_list("name", flat=True))):
            newest = reads.role_versions(name)[0]
            newest.retired = True
            registry.add_role_version(newest, act=act(request, "in the admin pages"))
            self.message_user(request, f"{name} is retired.")
