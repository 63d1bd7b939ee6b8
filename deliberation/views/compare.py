"""Two sessions compared; without two of them, the form that chooses them."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deliberation import parts
from deliberation.models import Session
from deliberation.selectors import access
from deliberation.selectors.compare import compare
from deliberation.selectors.sides import about, title

CHOICES = 50


@require_safe
def compare_sessions(request: HttpRequest) -> HttpResponse:
    """?a=ID&b=ID: side by side, what differs alone; &all=1: everything."""
    asked = {name: request.GET.get(name, "").strip() for name in ("a", "b")}
    found = {name: _session(request, text) for name, text in asked.items() if text}
    wrong = [_refusal(text) for name, text in asked.items() if text and found[name] is None]
    first, second = found.get("a"), found.get("b")
    if first is not None and first == second:
        wrong.append("Both are the same session. Choose another one to compare it with.")
    choices = list(
        access.visible_sessions(request.user)
        .select_related("policy")
        .order_by("-created_at")
        .distinct()[:CHOICES]
    )
    older = [each for each in (first, second) if each is not None and each not in choices]
    context = {
        "asked": asked,
        "chosen": first or second,
        "refusals": wrong,
        "choices": [(each, title(each), about(each)) for each in dict.fromkeys([*choices, *older])],
        "everything": request.GET.get("all") == "1",
    }
    if first is not None and second is not None and not wrong:
        context["comparison"] = _compared(request, first, second)
    return render(request, "deliberation/compare.html", context, status=404 if wrong else 200)


def _compared(request: HttpRequest, first: Session, second: Session) -> object:
    rooms = [parts.fresh(each.pk).room for each in (first, second)]
    return compare(
        *rooms,
        audiences=(access.audience(request.user, first), access.audience(request.user, second)),
        only_differences=request.GET.get("all") != "1",
    )


def _session(request: HttpRequest, text: str) -> Session | None:
    try:
        number = UUID(text)
    except ValueError:
        return None
    return access.visible_sessions(request.user).select_related("policy").filter(pk=number).first()


def _refusal(text: str) -> str:
    return f"There is no session {text[:40]!r} that you may see. Choose one from the list."
