"""Vetoes: struck at once or asked for, confirmed or dropped by a second person, taken back."""

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from deliberation import parts
from deliberation.forms import VetoForm
from deliberation.models import Session
from deliberation.selectors.words import letter
from deliberation.services import people
from deliberation.services.acts import ActRefused
from deliberation.services.people import Strike
from deliberation.views import room
from deliberation.views.answering import happened, kept, press, refused, said, status_of


@require_POST
def veto(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A new veto, or with `request` the answer to another person's."""
    session = room.visible(request, session_id)
    form = VetoForm(request.POST)
    try:
        strike = form.strike()
        seq = _act(request, session, form, strike)
    except ActRefused as refusal:
        return _refused(request, session, form, refusal)
    return said(request, session, _words(session, strike, seq), seq=seq)


def _act(request: HttpRequest, session: Session, form: VetoForm, strike: Strike) -> int:
    asked = form.cleaned_data["request"]
    if asked is None:
        return people.veto(session.pk, request.user, strike)
    if form.cleaned_data["answer"] == "drop":
        return people.drop_veto_request(session.pk, request.user, asked)
    return people.confirm_veto(session.pk, request.user, asked, key=strike.key, seen=strike.seen)


def _words(session: Session, strike: Strike, seq: int) -> str:
    """By the event that was made: the policy and the target decide whether one person is enough."""
    moments = parts.fresh(session.pk).room.moments
    kind = next(each.kind for each in moments if each.seq == seq)
    what = f"the {strike.kind} of {letter(strike.seat)}"
    if kind == "veto.requested":
        return f"Asked: {what} still counts, until a second person confirms that it is struck"
    if kind == "veto.dropped":
        return f"Dropped: nobody asks to strike {what} any more"
    return f"Struck: {what} counts no more, and stays visible"


def _refused(request: HttpRequest, session: Session, form: VetoForm, refusal: ActRefused) -> HttpResponse:
    """The form again, with what was typed; where its target is not there, the sentence alone."""
    data, came = form.data, happened(request, session, refusal)
    key = f"{data.get('kind', '')}-{data.get('round', '')}-{data.get('seat', '')}"
    typed = {
        "veto_refusal": "" if came else str(refusal),
        "code": data.get("code", ""),
        "reason": data.get("reason", ""),
        **kept("veto", data, came),
    }
    if room.veto_context(request, session, key=key)["target"] is None:
        return refused(request, session, str(refusal))
    if request.htmx:  # type: ignore[attr-defined]
        return room.veto_form(request, session, key=key, status=status_of(came), **typed)
    return room.page(request, session, strike=key, status=status_of(came), **typed)


@require_POST
def withdraw_veto(request: HttpRequest, session_id: UUID, veto_id: int) -> HttpResponse:
    session = room.visible(request, session_id)
    words = "Taken back: it counts again in every tally closed after this"
    act = partial(people.withdraw_veto, session.pk, request.user, veto_id)
    return press(request, session, act, words=words)
