"""The room: one session, whole as a page, or one of its forms for htmx."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from broker.receipt_page import receipt_page
from broker.selectors.decisions import decision, decisions
from deliberation import forms, parts, presence
from deliberation.models import Session, Veto
from deliberation.selectors import (
    access,
    cards,
    editing,
    exchanges,
    forking,
    influence,
    steering,
    stopping,
    waiting,
)
from deliberation.services.people import GUIDANCE_CHARS, REASON_CHARS
from deliberation.services.people_steering import STOP_CHARS

NO_RECEIPT = (
    "The broker's receipt names the models: it is shown once there is one, and after your first ballot."
)
NOT_YET = "The exact words and numbers are shown after your first ballot."
NOTHING_THERE = "There is nothing at this place of the room. Nothing was changed."
LOOKS = {"cell": influence.cell, "exchange": exchanges.exchange}
DEPTHS = {"summary": "Summary", "debate": "Debate", "raw": "Raw"}

TYPED = ("ballot_refusal", "guidance_refusal", "own_refusal")


def visible(request: HttpRequest, session_id: UUID) -> Session:
    """The session, for those who may see it; to others there is nothing at this address."""
    return get_object_or_404(access.visible_sessions(request.user), pk=session_id)  # type: ignore[no-any-return]


@vary_on_headers("HX-Request")
@require_safe
def room(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """?strike=KIND-ROUND-SEAT shows the veto's form, ?ballot=ROUND a fresh ballot with what is typed kept,
    ?cell=ROUND-REVIEWER-PROPOSAL one number of the matrix, ?exchange=ROUND-SEAT-KIND the exact words of a call,
    ?overturn=1 the box in which a verdict is overturned, as it is now, ?stop=1 what stopping would do.
    """
    session = visible(request, session_id)
    name = next((each for each in LOOKS if each in request.GET), None)
    if name:
        return look(request, session, name)
    if request.GET.get("strike") and not veto_context(request, session, key=request.GET["strike"])["target"]:
        return not_there(request, session, status=404, words=NOTHING_THERE)
    if request.htmx and "strike" in request.GET:  # type: ignore[attr-defined]
        return veto_form(request, session, key=request.GET["strike"])
    if request.htmx and "ballot" in request.GET:  # type: ignore[attr-defined]
        return ballot_form(request, session, typed=_carried(request, session))
    if request.htmx and "overturn" in request.GET:  # type: ignore[attr-defined]
        return overturn_form(request, session)
    if request.htmx and "stop" in request.GET:  # type: ignore[attr-defined]
        return stop_form(request, session)
    return page(request, session, strike=request.GET.get("strike"), typed=_carried(request, session))


def look(request: HttpRequest, session: Session, name: str) -> HttpResponse:
    """One thing looked at closely: alone for htmx, else at the top of the room."""
    sheet, audience = parts.fresh(session.pk), access.audience(request.user, session)
    view = LOOKS[name](sheet.room, request.GET[name], audience=audience)
    if view is not None:
        html = render_to_string(f"deliberation/_{name}.html", {"view": view})
        return HttpResponse(html) if request.htmx else page(request, session, look=html)  # type: ignore[attr-defined]
    status, words = (403, NOT_YET) if audience == access.BLIND else (404, NOTHING_THERE)
    return not_there(request, session, status=status, words=words)


def not_there(request: HttpRequest, session: Session, *, status: int, words: str) -> HttpResponse:
    """Alone for htmx, else at the top of the room."""
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(format_html("<p>{}</p>", words), status=status)
    return page(request, session, status=status, refusal=words)


def _carried(request: HttpRequest, session: Session) -> dict[int, str]:
    """Votes that are typed in an editor of the running round; those for another round say nothing about this one."""
    if request.GET.get("round", "") != str(session.round):
        return {}
    return forms.typed_votes(request.GET)


def page(  # noqa: PLR0913  each is one thing that was typed, said or asked for
    request: HttpRequest,
    session: Session,
    *,
    strike: str | None = None,
    typed: dict[int, str] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The whole room. `more`: what an act that was refused puts back into its form."""
    sheet = parts.fresh(session.pk)
    audience = access.audience(request.user, session)
    may = access.access(request.user, sheet.room.session)
    if not may.take_part:  # the forms are gone, and what one of them was told is said at the top
        more.setdefault("refusal", next((more[each] for each in TYPED if more.get(each)), None))
    context = {
        "session": sheet.room.session,
        "head": sheet.seq,
        "overturned": steering.overturned(sheet.room),
        "seq": parts.seq_element(sheet.seq),
        "parts": sheet.page(audience),
        "kin": forking.kin(request.user, session),
        "present": parts.present(presence.present(session.pk), audience),
        "audience": audience,
        "may": may,
        "seat": cards.person_seat(sheet.room, request.user),
        "asked_by": waiting.asked_by(request.user, session) if may.take_part else None,
        "heading": editing.heading(sheet.room),
        "rules": sheet.room.rules,
        "depth": request.GET["depth"] if request.GET.get("depth") in DEPTHS else "debate",
        "depths": DEPTHS.items(),
        **ballot_context(request, session, typed=typed),
        **veto_context(request, session, key=strike or ""),
        **guidance_context(sheet),
        **own_context(request, session),
        **stop_context(request, session),
        **more,
    }
    return render(request, "deliberation/room.html", context, status=status)


@require_safe
def receipt(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The broker's receipt of this session, once names may be seen; ?selection=ID another one that was made for it, as
    where a seat fell out. ?budget= solves it anew.
    """
    session = visible(request, session_id)
    if session.selection is None or access.audience(request.user, session) != access.OPEN:
        return page(request, session, status=403, refusal=NO_RECEIPT)
    wanted, shown = request.GET.get("selection", ""), session.selection
    if wanted not in ("", str(shown.pk)):
        found = decision(session.pk, wanted)
        if found is None:
            raise Http404("no such receipt of this session")
        shown = found
    more = {"session": session, "decisions": decisions(session.pk), "place": ""}
    return receipt_page(request, shown, address=reverse("receipt", args=[session.pk]), **more)


def ballot_context(
    request: HttpRequest, session: Session, *, typed: dict[int, str] | None = None
) -> dict[str, Any]:
    sheet = parts.fresh(session.pk)
    audience = access.audience(request.user, session)
    return {
        "editor": editing.editor(sheet.room, request.user, audience=audience, typed=typed),
        "ballot_key": forms.new_key(),
    }


def ballot_form(
    request: HttpRequest,
    session: Session,
    *,
    typed: dict[int, str] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The editor alone."""
    context = {**ballot_context(request, session, typed=typed), **more}
    return render(request, "deliberation/_ballot_form.html", context, status=status)


def window_form(request: HttpRequest, session: Session) -> str:
    """A person's window in the round as it stands now, for the place that it has on the page. What was seen stays as
    it was: the rest of the page is no newer.
    """
    context = {**ballot_context(request, session), "oob": True, "window_seen": request.POST.get("seen")}
    return render_to_string("deliberation/_window_form.html", context, request)


def veto_context(request: HttpRequest, session: Session, *, key: str) -> dict[str, Any]:
    sheet = parts.fresh(session.pk)
    audience = access.audience(request.user, session)
    found = editing.target(sheet.room, key, audience=audience) if key else None
    return {
        "target": found,
        "is_own": found is not None and found.seat == cards.person_seat(sheet.room, request.user),
        "codes": codes_for(found),
        "veto_key": forms.new_key(),
        "reason_chars": REASON_CHARS,
    }


def codes_for(target: editing.Target | None) -> list[tuple[str, str]]:
    """The kinds of reason that fit: good faith is asked of ballots alone."""
    of_ballots = (Veto.Code.BAD_FAITH,) if target is not None and target.kind == "proposal" else ()
    return [(value, label) for value, label in Veto.Code.choices if value not in of_ballots]


def veto_form(
    request: HttpRequest, session: Session, *, key: str, status: int = 200, **more: Any
) -> HttpResponse:
    """The veto's form alone. 404 where there is nothing to strike."""
    context = veto_context(request, session, key=key)
    if context["target"] is None:
        raise Http404
    return render(request, "deliberation/_veto_form.html", {**context, **more}, status=status)


def overturn_form(request: HttpRequest, session: Session) -> HttpResponse:
    """The box alone: each person's own, so it is asked for where others' parts are pushed."""
    sheet = parts.fresh(session.pk)
    context = {
        "session": sheet.room.session,
        "rules": sheet.room.rules,
        "may": access.access(request.user, sheet.room.session),
        "overturned": steering.overturned(sheet.room),
        "overturn_seen": sheet.seq,
        "veto_key": forms.new_key(),
        "reason_chars": REASON_CHARS,
    }
    return render(request, "deliberation/_overturn_form.html", context)


def own_context(request: HttpRequest, session: Session) -> dict[str, Any]:
    return {"own_key": forms.new_key(), "own_waiting": steering.own_waiting(session, request.user)}


def own_form(request: HttpRequest, session: Session, *, status: int = 200, **more: Any) -> HttpResponse:
    """The form for a person's own proposal alone."""
    context = {"session": session, **own_context(request, session), **more}
    return render(request, "deliberation/_own_form.html", context, status=status)


def own_waiting(request: HttpRequest, session: Session) -> str:
    """What of a person's own waits for the next round, for the place that it has on the page."""
    context = {"session": session, **own_context(request, session), "oob": True}
    return render_to_string("deliberation/_own_waiting.html", context, request)


def stop_context(request: HttpRequest, session: Session) -> dict[str, Any]:
    """What stopping would do, where that is asked for by somebody who may stop it."""
    sheet = parts.fresh(session.pk)
    may = access.access(request.user, sheet.room.session)
    if "stop" not in request.GET or not may.steer or session.ended:
        return {}
    audience = access.audience(request.user, session)
    return {
        "stop_effect": stopping.effect(sheet.room, audience=audience),
        "stop_seen": sheet.seq,
        "reason_chars": STOP_CHARS,
    }


def stop_form(request: HttpRequest, session: Session) -> HttpResponse:
    """The question alone. 404 to whom it is not asked."""
    context = stop_context(request, session)
    if not context:
        raise Http404
    return render(request, "deliberation/_stop_form.html", {"session": session, **context})


def guidance_context(sheet: parts.Sheet) -> dict[str, Any]:
    return {
        "session_id": sheet.room.session.pk,
        "addressees": sheet.room.agents,
        "guidance_key": forms.new_key(),
        "guidance_chars": GUIDANCE_CHARS,
    }
