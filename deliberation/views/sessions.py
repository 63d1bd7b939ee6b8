"""The list of sessions with its ask box, and the form that opens a session."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect

from broker.selectors.candidates import seatable_models
from deliberation.forms_new import NewForm
from deliberation.forms_sessions import FilterForm
from deliberation.models import Session
from deliberation.selectors import policies as policy_reads
from deliberation.selectors import sessions as session_reads
from deliberation.selectors.policies import Card
from deliberation.selectors.waiting import waiting
from deliberation.services.acts import ActRefused
from deliberation.services.invitations import open_with_guests
from deliberation.views import estimates, filtering

EXAMPLES = (
    ("What is 17*23?", "A sum with one right answer: watch wrong ones lose."),
    (
        "A bat and a ball cost $1.10 in total. The bat costs $1.00 more than the ball. "
        "How much does the ball cost in cents?",
        "A question whose first answer is often wrong.",
    ),
    (
        "Our web shop loses orders when a payment succeeds but the page times out. Name the smallest change "
        "that makes this impossible, and what it costs.",
        "An open question: the panel has to weigh reasons.",
    ),
)


@login_not_required  # asked for here, because a part that refreshes itself must not swap the sign-in page in
@vary_on_headers("HX-Request")
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx the list alone: one template, the same queries."""
    if not request.user.is_authenticated:
        return _to_sign_in(request)
    found = _found(request)
    if request.htmx:  # type: ignore[attr-defined]
        return _part(request, found)
    cards = policy_reads.cards()
    context = found | {
        "form": _new_form(cards, initial={"policy": _first_choice(cards)}),
        "examples": EXAMPLES,
        "place": "sessions",
        "is_empty": not session_reads.any_session(request.user),
    }
    return render(request, "deliberation/sessions.html", context)


def _found(request: HttpRequest) -> dict[str, Any]:
    """What the list and its filter bar show."""
    filters = FilterForm(
        request.GET,
        policies=session_reads.policy_names(),
        categories=session_reads.categories(request.user),
    )
    wanted = filters.wanted()
    listing = session_reads.listing(request.user, wanted, page=request.GET.get("page", "1"))
    chips = filtering.chips(wanted, filters)
    if chips and not listing.rows:
        without = filtering.alternatives(wanted)
        loosening = session_reads.loosened(request.user, wanted, without)
        chips = filtering.chips(wanted, filters, loosening=loosening)
    parameters = filtering.query(wanted)
    return {
        "filters": filters,
        "wanted": wanted,
        "chips": chips,
        "waiting": waiting(request.user),
        "listing": listing,
        "address": filtering.page_address(wanted, listing.page.number),
        "pages": f"{parameters}&" if parameters else "",
        "now": timezone.now(),
    }


def _part(request: HttpRequest, found: dict[str, Any]) -> HttpResponse:
    """The list that refreshes itself. What the filter bar asks for stands in the address afterwards."""
    is_asked = request.htmx.trigger == "filters"  # type: ignore[attr-defined]
    context = found | {"refreshed": True, "announce": is_asked}
    response = render(request, "deliberation/_sessions.html", context)
    if is_asked:
        response["HX-Push-Url"] = found["address"]
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    response = redirect_to_login(request.get_full_path())
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(response.url)
    return response


def _first_choice(cards: list[Card]) -> str:
    names = [card.policy.name for card in cards]
    return "standard" if "standard" in names else next(iter(names), "")


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """GET: the form, filled from the address (?task=, ?policy=). POST: opens the session, or says why not."""
    cards = policy_reads.cards()
    if request.method == "POST":
        form = _new_form(cards, data=request.POST, files=request.FILES)
        session = _opened(request, form)
        if session is not None:
            return redirect("room", session_id=session.pk)
        return _form(request, form, cards=cards, status=422)
    initial = {
        "task": request.GET.get("task", ""),
        "policy": request.GET.get("policy", _first_choice(cards)),
    }
    return _form(request, _new_form(cards, initial=initial), cards=cards)


def _new_form(cards: list[Card], **given: Any) -> NewForm:
    return NewForm(cards=cards, seatable=seatable_models(), **given)


def _opened(request: HttpRequest, form: NewForm) -> Session | None:
    """The new session; None, with the reason in the form, where it was refused."""
    if not form.is_valid() or not _can_sit_together(form):
        return None
    guests = form.cleaned_data["guests"]
    try:
        session = open_with_guests(form.opening(), owner=request.user, guests=guests)
    except ActRefused as refusal:
        form.add_error("guests" if guests else None, str(refusal))
        return None
    if guests:
        messages.success(request, f"Invited: {', '.join(guests)}.")
    return session


def _can_sit_together(form: NewForm) -> bool:
    """Named models that the limits forbid are told at once. What the solver does not say in time, the session says."""
    if not form.chosen():
        return True
    policy = form.cards[form.cleaned_data["policy"]].policy
    refusal = estimates.refusal(policy, estimates.Asked.of(form))
    if refusal is not None:
        form.add_error("models", f"These models cannot sit together now: {refusal}.")
    return refusal is None


def _form(request: HttpRequest, form: NewForm, *, cards: list[Card], status: int = 200) -> HttpResponse:
    asked = estimates.Asked.of(form)
    context = {
        "form": form,
        "chosen": form["policy"].value(),
        "choices": list(zip(cards, estimates.foreseen([card.policy for card in cards], asked), strict=True)),
        "asked": asked,
        "categories": policy_reads.known_categories(),
        "place": "new",
    }
    return render(request, "deliberation/new.html", context, status=status)
