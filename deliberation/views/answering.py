"""How an act is answered: in effect, with its event; refused; or something came first, and one press goes on."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from deliberation import parts
from deliberation.models import Session
from deliberation.selectors import access, steering
from deliberation.services.acts import ActRefused, Overtaken
from deliberation.views import room

CONFLICT, REFUSED = 409, 422


def said(request: HttpRequest, session: Session, words: str, *, seq: int) -> HttpResponse:
    """What was asked for and that it is in effect, with the number of its event."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_said.html", {"said": words, "said_seq": seq})
    messages.success(request, f"{words} (event {seq})")
    return redirect("room", session_id=session.pk)


def refused(request: HttpRequest, session: Session, words: str, *, status: int = REFUSED) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_said.html", {"refusal": words}, status=status)
    return room.page(request, session, status=status, refusal=words)


def press(request: HttpRequest, session: Session, act: Callable[[], int], *, words: str) -> HttpResponse:
    """A button without anything typed."""
    try:
        seq = act()
    except Overtaken as overtaken:
        return _overtaken(request, session, overtaken)
    except ActRefused as refusal:
        return refused(request, session, str(refusal))
    return said(request, session, words, seq=seq)


def happened(request: HttpRequest, session: Session, refusal: ActRefused) -> steering.Happened | None:
    """What came between what the person saw and what they pressed; None where that is not why it was refused."""
    if not isinstance(refusal, Overtaken):
        return None
    audience = access.audience(request.user, session)
    return steering.happened(
        parts.fresh(session.pk).room, refusal.seqs, audience=audience, now=timezone.now()
    )


def _overtaken(request: HttpRequest, session: Session, overtaken: Overtaken) -> HttpResponse:
    """The same press again, with what happened as seen."""
    came = happened(request, session, overtaken)
    assert came is not None  # noqa: S101  it was overtaken
    if not request.htmx:  # type: ignore[attr-defined]
        words = f"{came.words} Nothing was changed. Press it again if you still want it."
        return room.page(request, session, status=CONFLICT, refusal=words)
    context = {"happened": came, "again": request.path, "fields": _sent(request)}
    return render(request, "deliberation/_overtaken.html", context, status=CONFLICT)


def _sent(request: HttpRequest) -> list[tuple[str, Any]]:
    """What was sent, but for what the form itself adds."""
    left_out = ("csrfmiddlewaretoken", "seen")
    return [(name, value) for name, value in request.POST.items() if name not in left_out]


def kept(form: str, data: Any, came: steering.Happened | None) -> dict[str, Any]:
    """What a form that was refused says of what was seen: what happened meanwhile once it was told, else as before."""
    return {f"{form}_happened": came, f"{form}_seen": came.seq if came else data.get("seen", "")}


def status_of(came: steering.Happened | None) -> int:
    return CONFLICT if came else REFUSED
