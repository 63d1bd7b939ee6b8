"""What the broker chose: all selections, and the receipt of one. For those who keep the registry; the people of a
session have its receipt in the room, where the policy may keep names from them, and then they are kept here too.
"""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_safe

from broker.models import Selection
from broker.receipt_page import receipt_page
from broker.selectors import receipts, secrecy
from broker.views.access import needs, page

PER_PAGE = 50


@needs("view_selection")
@require_safe
def selections(request: HttpRequest) -> HttpResponse:
    shown = Paginator(receipts.rows(), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "selections": receipts.lines(shown, kept=secrecy.kept_from(request.user)),
        "listing": shown,
        "place": "broker",
    }
    return page(request, "selections", context)


@needs("view_selection")
@require_safe
def selection(request: HttpRequest, selection_id: int) -> HttpResponse:
    """?budget=0.05 solves anew; ?points goes through all budgets."""
    found = get_object_or_404(Selection, pk=selection_id)
    if found.reference in secrecy.kept_from(request.user):
        return page(request, "kept", {"selection": found, "place": "broker"}, status=403)
    return receipt_page(request, found, address=reverse("broker_selection", args=[selection_id]))
