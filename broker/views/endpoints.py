"""Model servers: how they are, their keys, and the models that they offer."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from broker import keys
from broker.forms import EndpointForm
from broker.inference.base import InferenceError
from broker.inference.probing import models_of
from broker.models import Endpoint, Model
from broker.selectors import registry as reads
from broker.services import registry
from broker.services.asking import PROBE, ask_worker, doubt, queue_beside
from broker.services.calls import endpoint_spec
from broker.services.changes import Act, Refused
from broker.views.access import needs, page, part
from broker.views.editing import Sheet, at, edit, press, typed
from broker.views.models import SHOWN

DISCOVER_S = 3.0  # how long a server may take to list its models while somebody waits for the page


@require_safe
def endpoints(request: HttpRequest) -> HttpResponse:
    return page(request, "endpoints", {"endpoints": reads.endpoints(), "tab": "endpoints"})


def found(name: str) -> Endpoint:
    return get_object_or_404(Endpoint.objects.select_related("host", "server"), name=name)


@part
@vary_on_headers("HX-Request")
@require_safe
def endpoint(request: HttpRequest, endpoint: str) -> HttpResponse:
    """The page, or for htmx its health alone."""
    row = found(endpoint)
    if request.htmx:  # type: ignore[attr-defined]
        return page(request, "_health", _health(row))
    return shown(request, row)


def _health(row: Endpoint) -> dict[str, Any]:
    now = timezone.now()
    return {"endpoint": row, "health": reads.health(row), "readings": reads.readings(row), "now": now}


def shown(request: HttpRequest, row: Endpoint, *, status: int = 200, **more: Any) -> HttpResponse:
    """One endpoint; `more`: what a button found, or was told."""
    context = {
        **_health(row),
        "key_words": reads.key_words(row),
        "models": row.models.order_by("alias"),
        "history": reads.history(kinds=("endpoint", "server"), subject=row.name),
        "tab": "endpoints",
        **more,
    }
    return page(request, "endpoint", context, status=status)


@needs("add_endpoint")
@SHOWN
def add_endpoint(request: HttpRequest) -> HttpResponse:
    form = EndpointForm(typed(request), instance=Endpoint(kind=Endpoint.Kind.OPENAI_COMPATIBLE))
    sheet = Sheet(
        "Add an endpoint",
        "Add endpoint",
        at("endpoints"),
        "A server that speaks OpenAI's protocol.",
        tab="endpoints",
    )

    def save(act: Act) -> str:
        registry.add(form.instance, act=act)
        keep_key(form, act)
        return f"Added: {form.instance.name}. Probe it, and ask it for its models."

    return edit(request, form, sheet, save=save)


@needs("change_endpoint")
@SHOWN
def change_endpoint(request: HttpRequest, endpoint: str) -> HttpResponse:
    row = found(endpoint)
    sheet = Sheet(
        f"Change {endpoint}",
        "Save",
        at("endpoint", endpoint),
        f"API key now: {reads.key_words(row)}",
        tab="endpoints",
    )
    form = EndpointForm(typed(request), instance=row)

    def save(act: Act) -> str:
        changed = registry.change(form.instance, act=act, base=form.cleaned_data["base"])
        changed = keep_key(form, act) or changed
        if changed is None:
            return f"Nothing differs: {endpoint} is as it was."
        return f"Saved: {endpoint}. Its health is unknown until it is looked at again."

    return edit(request, form, sheet, save=save)


def keep_key(form: EndpointForm, act: Act) -> Any:
    """Stores or removes the key, where the form says so."""
    key = form.new_key
    if key is None or (key == "" and form.instance.sealed_key is None):
        return None
    return registry.set_key(form.instance, key, act=act)


@needs("delete_endpoint")
@require_POST
def delete_endpoint(request: HttpRequest, endpoint: str) -> HttpResponse:
    row = found(endpoint)

    def verb(act: Act) -> str:
        registry.delete(row, act=act)
        return f"Deleted: {endpoint}."

    return press(
        request,
        verb,
        to=at("endpoints"),
        refused=lambda words: shown(request, found(endpoint), status=422, refusal=words),
    )


@needs("change_endpoint")
@require_POST
def probe(request: HttpRequest, endpoint: str) -> HttpResponse:
    """Asks a worker to look; what it finds shows on the page by itself."""
    row = found(endpoint)
    try:
        ask_worker(PROBE, row.pk, at=row)
    except Refused as refusal:
        return shown(request, row, status=503, refusal=str(refusal))
    if unheard := doubt(row):
        messages.warning(request, f"Asked, but nobody hears it. {unheard}")
    else:
        messages.info(request, f"Asked: {endpoint} is being looked at, and what is found shows here.")
    return redirect(at("endpoint", endpoint))


@needs("change_endpoint")
@require_POST
def discover(request: HttpRequest, endpoint: str) -> HttpResponse:
    """Lists the models that the server offers, the missing ones marked."""
    row = found(endpoint)
    try:
        offered = _offered(row)
    except Refused as refusal:
        return shown(request, row, status=422, refusal=str(refusal))
    known = dict(row.models.values_list("served_name", "alias"))
    return shown(
        request,
        row,
        offered=[(name, known.get(name)) for name in offered],
        missing=[name for name in offered if name not in known],
    )


def _offered(row: Endpoint) -> Sequence[str]:
    """What the server says that it serves, or Refused with the reason why nothing is known."""
    if queue_beside(row) != "steps":
        return _read_beside(row)
    if row.simulated:
        raise Refused("Simulated experts have no server to ask. `manage.py load_demo_panel` registers them.")
    try:
        return tuple(dict.fromkeys(models_of(endpoint_spec(row), timeout_s=DISCOVER_S)))
    except keys.KeyUnusable as error:
        raise Refused(f"Nothing was asked: {error}.") from error
    except InferenceError as error:
        raise Refused(f"{error} Nothing was changed.") from error


def _read_beside(row: Endpoint) -> Sequence[str]:
    """A server that its own host alone can reach has told that host's worker which models it serves."""
    names = reads.names_read(row)
    if not names:
        raise Refused(
            f"Only {row.host} can reach {row.name}, and its worker has not read it yet. Look again in a minute."
        )
    return names


@needs("add_model")
@require_POST
def adopt(request: HttpRequest, endpoint: str) -> HttpResponse:
    """Adds the models that are named and missing, as drafts."""
    row = found(endpoint)

    def verb(act: Act) -> str:
        added: list[Model] = registry.adopt(row, request.POST.getlist("model"), act=act)
        names = ", ".join(each.alias for each in added)
        return f"Added as drafts: {names}." if added else "All of them are registered already."

    return press(
        request,
        verb,
        to=at("endpoint", endpoint),
        refused=lambda words: shown(request, row, status=422, refusal=words),
    )
