"""The list of models, one model's page, and what is done to it."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from broker.forms import ModelForm, PriceForm
from broker.forms_reading import FilterForm
from broker.models import Endpoint, Model, Price
from broker.selectors import registry as reads
from broker.selectors import secrecy
from broker.selectors.standing import standings
from broker.services import health, registry, smoke
from broker.services.changes import Act, Refused
from broker.views.access import needs, page
from broker.views.editing import Sheet, at, edit, press, typed

SHOWN = require_http_methods(["GET", "HEAD", "POST"])
STATE_WORDS = {
    "shadow": ("Make shadow", "It is probed and weighed in receipts, and takes no seat."),
    "active": ("Make active", "The broker may seat it."),
    "retired": ("Retire", "It takes no seat any more; its record stays."),
}
BENCH_MINUTES = (5, 30, 240)


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """The registry's first page; the filter stands in the address."""
    filters = FilterForm(request.GET, tags=reads.tags(), endpoints=reads.endpoint_names())
    wanted = filters.wanted()
    context = {"filters": filters, "wanted": wanted, "lines": reads.models(wanted), "now": timezone.now()}
    return page(request, "models", {**context, "tab": "models"})


def found(alias: str) -> Model:
    return get_object_or_404(Model.objects.select_related("endpoint__host"), alias=alias)


@require_safe
def model(request: HttpRequest, alias: str) -> HttpResponse:
    return shown(request, found(alias))


def shown(request: HttpRequest, model: Model, *, refusal: str = "") -> HttpResponse:
    """One model with everything that is known of it; `refusal`: what a button was told."""
    context = {
        "line": reads.line(model),
        "standing": standings([model])[model.alias],
        "model": model,
        "prices": model.prices.order_by("-valid_from"),
        "competences": reads.by_category(model),
        "moves": [(state, *STATE_WORDS[state]) for state in registry.MOVES[model.state]],
        "minutes": BENCH_MINUTES,
        "sessions": reads.sessions(model, kept=secrecy.kept_from(request.user)),
        **tests_of(model),
        "history": reads.history(kinds=("model", "price", "competence"), subject=model.alias),
        "refusal": refusal,
        "now": timezone.now(),
        "tab": "models",
    }
    return page(request, "model", context, status=422 if refusal else 200)


def tests_of(model: Model) -> dict[str, Any]:
    """What the part of the smoke tests shows."""
    tests = [(test, smoke.told(test), smoke.passed(test)) for test in reads.smoke_tests(model)]
    running = bool(tests) and tests[0][2] is None and not smoke.lost(tests[0][0])
    return {"model": model, "tests": tests, "running": running}


@needs("add_model")
@SHOWN
def add_model(request: HttpRequest) -> HttpResponse:
    """?endpoint= fills it in."""
    endpoint = Endpoint.objects.filter(name=request.GET.get("endpoint", "")).first()
    row = Model(state=Model.State.DRAFT, endpoint=endpoint)
    form = ModelForm(typed(request), instance=row)
    sheet = Sheet("Add a model", "Add as a draft", at("models"), "It begins as a draft, which takes no seat.")

    def save(act: Act) -> str:
        registry.add(form.instance, act=act)
        return f"Added: {form.instance.alias}, as a draft."

    return edit(request, form, sheet, save=save)


@needs("change_model")
@SHOWN
def change_model(request: HttpRequest, alias: str) -> HttpResponse:
    form = ModelForm(typed(request), instance=found(alias))
    sheet = Sheet(f"Change {alias}", "Save", at("model", alias))
    return edit(request, form, sheet, save=saver(form))


def saver(form: forms.ModelForm) -> Any:
    """What saves a row that was there before, and says whether anything differs."""

    def save(act: Act) -> str:
        changed = registry.change(form.instance, act=act, base=form.cleaned_data["base"])
        return f"Saved: {form.instance}." if changed else f"Nothing differs: {form.instance} is as it was."

    return save


@needs("change_model")
@require_POST
def move(request: HttpRequest, alias: str) -> HttpResponse:
    """Another state, with a note."""
    model, state = found(alias), request.POST.get("state", "")

    def verb(act: Act) -> str:
        registry.move(model, state, act=act)
        return f"{alias} is {state} now."

    return press(
        request,
        verb,
        to=at("model", alias),
        refused=lambda words: shown(request, found(alias), refusal=words),
    )


@needs("change_model")
@require_POST
def bench(request: HttpRequest, alias: str) -> HttpResponse:
    """Off the table for some minutes, by hand."""
    model, minutes = found(alias), request.POST.get("minutes", "")

    def verb(act: Act) -> str:
        if minutes not in map(str, BENCH_MINUTES):
            raise Refused("Choose for how long.")
        if not act.note:
            raise Refused("Say why in a few words: people read it where the model is missed.")
        health.bench(model, by=act.by, minutes=int(minutes), reason=act.note)
        return f"{alias} is benched for {minutes} minutes."

    return press(
        request, verb, to=at("model", alias), refused=lambda words: shown(request, model, refusal=words)
    )


@needs("change_model")
@require_POST
def unbench(request: HttpRequest, alias: str) -> HttpResponse:
    """from=broker: on the page of the fleet, which is shown again."""
    model = found(alias)

    def verb(act: Act) -> str:
        health.unbench(model, by=act.by)
        return f"{alias} is back from the bench."

    to = reverse("broker") if request.POST.get("from") == "broker" else at("model", alias)
    return press(request, verb, to=to, refused=lambda words: shown(request, model, refusal=words))


@needs("add_price")
@SHOWN
def add_price(request: HttpRequest, alias: str) -> HttpResponse:
    """A new row of the price history."""
    form = PriceForm(typed(request), instance=Price(model=found(alias)))
    lede = "The prices before it stay as they are: a call keeps the cost of its time."
    sheet = Sheet(f"New price of {alias}", "Set this price", at("model", alias), lede)

    def save(act: Act) -> str:
        registry.add_price(form.instance, act=act)
        return f"{alias} has a new price from {form.instance.valid_from:%Y-%m-%d %H:%M} UTC on."

    return edit(request, form, sheet, save=save)


@needs("delete_model")
@require_POST
def delete_model(request: HttpRequest, alias: str) -> HttpResponse:
    model = Model.objects.select_related("endpoint").filter(alias=alias).first()
    if model is None:
        raise Http404

    def verb(act: Act) -> str:
        registry.delete(model, act=act)
        return f"Deleted: the draft {alias}."

    return press(
        request, verb, to=at("models"), refused=lambda words: shown(request, found(alias), refusal=words)
    )
