"""What if: a session's ballots counted again with something otherwise. Nothing is written, and no model is asked."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from deliberation import charts_what_if
from deliberation.charts_what_if import Bar
from deliberation.forms_what_if import FORMAT, WhatIfForm
from deliberation.models import Session
from deliberation.parts import figure_json
from deliberation.protocol.what_if import Recount, recount
from deliberation.selectors import access
from deliberation.selectors.what_if.case import Case, load
from deliberation.selectors.what_if.compare import compare
from deliberation.selectors.what_if.flips import Firmness, firmness
from deliberation.selectors.what_if.grid import grids
from deliberation.selectors.what_if.told import told
from deliberation.selectors.words import letter
from deliberation.views.room import visible

HIDDEN = "A recount tells totals: it is shown after your first ballot."
ALONE = "One model answered several times, and nobody cast a ballot: there is nothing to count again."
NOTHING = "No round has a ballot yet: there is nothing to count again."


@vary_on_headers("HX-Request", "Accept")
@require_safe
def what_if(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The page, for htmx its result, for scripts (?format=json) the same as JSON. The address says the whole change; a
    longer one is sent on to the shortest that says the same.
    """
    session = visible(request, session_id)
    case = load(session, audience=access.audience(request.user, session))
    reason = _nothing(case)
    if case is None or reason:
        return _without(request, session, reason)
    form = WhatIfForm(request.GET, case=case)
    if _wants_json(request):
        return _json(form)
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, "deliberation/_what_if.html", _result(form))
        return push_url(answer, _address(request, form))
    if not form.problems and not form.is_short(request.GET):
        return redirect(form.address)
    context = {"session": session, "case": case, "grids": grids(case, form.change), **_result(form)}
    return render(request, "deliberation/what_if.html", context)


def _nothing(case: Case | None) -> str:
    """Why there is nothing to count; empty where there is something."""
    if case is None:
        return HIDDEN
    if case.alone:
        return ALONE
    return "" if case.recorded.all_rounds else NOTHING


def _without(request: HttpRequest, session: Session, reason: str) -> HttpResponse:
    if _wants_json(request):
        return JsonResponse({"error": reason}, status=403 if reason == HIDDEN else 409)
    return render(request, "deliberation/what_if.html", {"session": session, "reason": reason})


def _wants_json(request: HttpRequest) -> bool:
    return (
        request.GET.get(FORMAT) == "json"
        or request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )


def _json(form: WhatIfForm) -> HttpResponse:
    """Where something could not be read, that and nothing else: a script would take the rest for its answer."""
    if form.problems:
        return JsonResponse({"problems": list(form.problems)}, status=400)
    now = recount(form.case.recorded, form.change, like=form.case.base)
    firm = firmness(form.case, form.change, now)
    return JsonResponse(told(form.case, form.change, now, shown=compare(form.case, now), firm=firm))


def _address(request: HttpRequest, form: WhatIfForm) -> str:
    """What cannot be read stays in the address, as it stays in the form."""
    return request.get_full_path() if form.problems else form.address


def _result(form: WhatIfForm) -> dict[str, Any]:
    now = recount(form.case.recorded, form.change, like=form.case.base)
    firm = firmness(form.case, form.change, now)
    return {
        "form": form,
        "case": form.case,
        "view": compare(form.case, now),
        "firm": firm,
        "now": now,
        **_tornado(form.case, firm, now),
    }


def _tornado(case: Case, firm: Firmness, now: Recount) -> dict[str, Any]:
    winner = letter(firm.winner) if firm.winner else ""
    bars = [Bar(each.who.letter, each.support, each.lead, each.flips) for each in firm.influence]
    empty = "this rule counts no ballots" if now.rules.rule == "majority_answer" else "nobody wins"
    figure = charts_what_if.tornado_figure(bars, winner=winner, rows=len(case.seats), empty=empty)
    return {
        "tornado": figure_json(figure),
        "table": charts_what_if.tornado_table(bars, winner=winner) if bars else None,
    }
