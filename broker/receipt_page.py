"""The page of one receipt, for the broker's pages and for a session's room alike."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from broker.models import Selection
from broker.selectors import receipts


def receipt_page(request: HttpRequest, selection: Selection, *, address: str, **more: Any) -> HttpResponse:
    """The page, or for htmx the part that was asked for: ?budget= or ?points."""
    context: dict[str, Any] = {
        "selection": selection,
        "receipt": selection.receipt,
        "address": address,
        "slider": receipts.slider(selection),
        "simulated": receipts.line(selection).simulated,
        "budget": request.GET.get("budget", ""),
        "place": "broker",
        **more,
    }
    if "points" in request.GET:
        context["points"] = receipts.breakpoints(selection)
        context["points_asked"] = True
    if context["budget"]:
        context |= _resolved(selection, context["budget"])
    if request.htmx:  # type: ignore[attr-defined]
        return render(
            request, f"broker/{'_points' if 'points' in request.GET else '_resolved'}.html", context
        )
    context["candidates"] = receipts.candidates(selection.receipt)
    return render(request, "broker/selection.html", context)


def _resolved(selection: Selection, typed: str) -> dict[str, Any]:
    try:
        budget = float(typed)
    except ValueError:
        return {"budget_refusal": f"A budget is a number of US dollars, and {typed[:20]!r} is none."}
    if not 0 <= budget <= 1e9:
        return {"budget_refusal": "A budget is a number of US dollars from 0 to a thousand million."}
    return {"resolved": receipts.resolved(selection, budget)}
