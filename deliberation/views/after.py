"""What people do once a session has ended: rule on the verdict, overturn it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from deliberation import parts
from deliberation.forms import AgainstForm, RulingForm
from deliberation.models import Session
from deliberation.selectors import access, steering
from deliberation.services import people, rulings
from deliberation.services.acts import ActRefused
from deliberation.views import room
from deliberation.views.answering import happened, kept, refused, said, status_of

SAID = {
    "verdict.overturned": "Overturned: the verdict stays in the record, and this stands before it",
    "overturn.requested": "Asked: the verdict stands until a second person confirms that it is overturned",
    "overturn.dropped": "Dropped: nobody asks to overturn the verdict any more",
}


@require_POST
def rule(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The owner says whether the verdict is right; that teaches the broker."""
    session = room.visible(request, session_id)
    if not access.access(request.user, session).steer:
        words = "Only the owner of this deliberation rules on its verdict. Nothing was changed."
        return refused(request, session, words, status=403)
    try:
        seq = rulings.rule(session.pk, request.user, RulingForm(request.POST).ruling())
    except ActRefused as refusal:
        return room.page(request, session, status=422, ruling_refusal=str(refusal), ruling_typed=request.POST)
    return said(request, session, "Your ruling is kept, and the broker has learned from it", seq=seq)


@require_POST
def overturn(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """By the owner or a superuser. Anybody else who sees the session may be the second person."""
    session = room.visible(request, session_id)
    form = AgainstForm(request.POST)
    try:
        seq = _act(request, session, form)
    except ActRefused as refusal:
        return _refused(request, session, form, refusal)
    moments = parts.fresh(session.pk).room.moments
    kind = next(each.kind for each in moments if each.seq == seq)
    return said(request, session, SAID[kind], seq=seq)


def _act(request: HttpRequest, session: Session, form: AgainstForm) -> int:
    against, asked = form.against(), form.cleaned_data["overturn"]
    if asked is None:
        if not access.access(request.user, session).steer:
            raise ActRefused(
                "Only the owner of this deliberation overturns its verdict. Nothing was changed."
            )
        return people.overturn(session.pk, request.user, against)
    if form.cleaned_data["answer"] == "drop":
        return people.drop_overturn(session.pk, request.user, asked)
    return people.confirm_overturn(session.pk, request.user, asked, seen=against.seen)


def _refused(request: HttpRequest, session: Session, form: AgainstForm, refusal: ActRefused) -> HttpResponse:
    """The page again, with what was typed; where the form is not for this person, the sentence alone."""
    asked = steering.overturned(parts.fresh(session.pk).room)
    if asked is None and not (session.verdict and access.access(request.user, session).steer):
        return refused(request, session, str(refusal))
    came = happened(request, session, refusal)
    words = (
        f"{came.words} Nothing was changed. Press it again if you still want it." if came else str(refusal)
    )
    typed = {"overturn_refusal": words, "overturn_reason": form.data.get("reason", "")}
    return room.page(request, session, status=status_of(came), **typed, **kept("overturn", form.data, came))
