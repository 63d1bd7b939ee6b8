"""The page of one receipt, for the broker's pages and for a session's room alike."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from broker import solving
from broker.models import Selection
from broker.selectors import receipts
from broker.solving import Look, Question

RESOLVE = "broker.tasks.resolve"


def receipt_page(request: HttpRequest, selection: Selection, *, address: str, **more: Any) -> HttpResponse:
    """The page, or for htmx the part that was asked for: ?budget= or ?points. &again: 204 as long as a part waits."""
    is_part = bool(request.htmx)  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "selection": selection,
        "receipt": selection.receipt,
        "address": address,
        "slider": receipts.slider(selection),
        "simulated": receipts.line(selection).simulated,
        "budget": request.GET.get("budget", ""),
        "tried": receipts.tried(selection.receipt),
        "is_small": len(selection.request["candidates"]) <= receipts.FEW,
        "place": "broker",
        **more,
    }
    if "points" in request.GET:
        context["points"] = _solved(selection, None)
    if context["budget"]:
        context |= _resolved(selection, context["budget"])
    if not is_part:
        context["candidates"] = receipts.candidates(selection.receipt)
        return render(request, "broker/selection.html", context)
    name = "points" if "points" in request.GET else "resolved"
    if "again" in request.GET and name in context and context[name].is_awaited:
        return HttpResponse(status=204)
    return render(request, f"broker/_{name}.html", context)


def _resolved(selection: Selection, typed: str) -> dict[str, Any]:
    try:
        budget = float(typed)
    except ValueError:
        return {"budget_refusal": f"A budget is a number of US dollars, and {typed[:20]!r} is none."}
    if not 0 <= budget <= 1e9:
        return {"budget_refusal": "A budget is a number of US dollars from 0 to a thousand million."}
    found = _solved(selection, budget)
    move = receipts.move(selection, found.answer["chosen"]) if found.answer else None
    return {"resolved": found, "tried": budget, "move": move}


def _solved(selection: Selection, budget: float | None) -> Look:
    """For another budget; for all of them where it is None."""
    question = Question(f"receipt/{selection.pk}/{budget}", RESOLVE, (selection.pk, budget))
    (found,) = solving.look([question])
    return found
