"""Starting a smoke test, and the part of a model's page that shows how it goes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from broker.services import smoke
from broker.services.asking import ask_worker, doubt
from broker.services.changes import Refused
from broker.views import models
from broker.views.access import needs, page, part
from broker.views.editing import act, at


@needs("change_model")
@require_POST
def start(request: HttpRequest, alias: str) -> HttpResponse:
    """A worker runs it; the page refreshes itself."""
    model = models.found(alias)
    try:
        test = smoke.begin(model, act=act(request))
    except Refused as refusal:
        return models.shown(request, model, refusal=str(refusal))
    try:
        ask_worker(smoke.TASK, test.pk, at=model.endpoint)
    except Refused as refusal:
        smoke.end(test.pk)
        return models.shown(request, model, refusal=str(refusal))
    if unheard := doubt(model.endpoint):
        messages.warning(request, f"Asked, but nobody hears it. {unheard}")
    else:
        messages.info(request, f"Asked: the steps of {alias}'s test show here as they end.")
    return redirect(f"{at('model', alias)}#smoke")


@part
@require_safe
def steps(request: HttpRequest, alias: str) -> HttpResponse:
    """The part alone, for htmx; as a page of its own it is the model's."""
    model = models.found(alias)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{at('model', alias)}#smoke")
    return page(request, "_smoke", models.tests_of(model))
