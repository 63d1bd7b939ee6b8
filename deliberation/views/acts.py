"""What people do in the room. Each view: form, verb, answer; a refusal is shown with what was typed kept."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from deliberation import parts
from deliberation.forms import BallotForm, DoneForm, GuidanceForm, RulingForm, VetoForm
from deliberation.models import Session
from deliberation.selectors import access, editing
from deliberation.selectors.words import letter
from deliberation.services import people, rulings, sessions
from deliberation.services.acts import ActRefused
from deliberation.views import room

NOT_YOURS = "Only the owner of this deliberation pauses, resumes and stops it. Nothing was changed."


def _said(request: HttpRequest, session: Session, words: str, *, seq: int) -> HttpResponse:
    """What was asked for and that it is in effect, with the number of its event."""
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_said.html", {"said": words, "said_seq": seq})
    messages.success(request, f"{words} (event {seq})")
    return redirect("room", session_id=session.pk)


def _refused(request: HttpRequest, session: Session, words: str, *, status: int = 422) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_said.html", {"refusal": words}, status=status)
    return room.page(request, session, status=status, refusal=words)


def _steer(request: HttpRequest, session_id: UUID, verb: Callable[..., int], *, words: str) -> HttpResponse:
    """A button of the owner's."""
    session = room.visible(request, session_id)
    if not access.access(request.user, session).steer and not session.ended:
        return _refused(request, session, NOT_YOURS, status=403)
    return _press(request, session, partial(verb, session.pk, request.user), words=words)


def _press(request: HttpRequest, session: Session, act: Callable[[], int], *, words: str) -> HttpResponse:
    """A button without anything typed."""
    try:
        seq = act()
    except ActRefused as refusal:
        return _refused(request, session, str(refusal))
    return _said(request, session, words, seq=seq)


@require_POST
def pause(request: HttpRequest, session_id: UUID) -> HttpResponse:
    words = "Paused: no new turn begins and no round closes until you resume"
    return _steer(request, session_id, sessions.pause, words=words)


@require_POST
def resume(request: HttpRequest, session_id: UUID) -> HttpResponse:
    words = "Resumed: every clock was set back by the length of the pause"
    return _steer(request, session_id, sessions.resume, words=words)


@require_POST
def stop(request: HttpRequest, session_id: UUID) -> HttpResponse:
    words = "Stop requested: running calls are dropped, and it ends with what closed rounds found"
    return _steer(request, session_id, sessions.stop, words=words)


@require_POST
def take_seat(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A seat for which each hold waits."""
    session = room.visible(request, session_id)
    try:
        seat = people.take_seat(session, request.user, asked=True)
    except ActRefused as refusal:
        return _refused(request, session, str(refusal))
    waits = "each round waits for your ballot" if seat.asked else "you vote as you like"
    messages.success(request, f"You have a seat: {waits}")
    return redirect("room", session_id=session.pk)


@require_POST
def ballot(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Casts or changes the ballot; with `preview`, only says what it would change."""
    session = room.visible(request, session_id)
    form = BallotForm(request.POST)
    if "preview" in request.POST:
        return _effect(request, session, form)
    try:
        seq = people.cast_ballot(session.pk, request.user, form.vote())
    except ActRefused as refusal:
        return _ballot_refused(request, session, form, words=str(refusal))
    words = "Ballot cast: it counts in the tally"
    if request.htmx:  # type: ignore[attr-defined]
        return room.ballot_form(request, session, said=words, said_seq=seq)
    return _said(request, session, words, seq=seq)


def _ballot_refused(request: HttpRequest, session: Session, form: BallotForm, *, words: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return room.ballot_form(request, session, typed=form.typed(), status=422, ballot_refusal=words)
    return room.page(request, session, typed=form.typed(), status=422, ballot_refusal=words)


def _effect(request: HttpRequest, session: Session, form: BallotForm) -> HttpResponse:
    """What the ballot would change, or why it cannot be cast; nothing of the totals for a blind person."""
    try:
        context = {"effect": _counted(request, session, form)}
    except ActRefused as refusal:
        context = {"effect_refusal": str(refusal)}
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_effect.html", context)
    return room.page(request, session, typed=form.typed(), **context)


def _counted(request: HttpRequest, session: Session, form: BallotForm) -> editing.Effect | None:
    votes, here = form.votes(), parts.fresh(session.pk).room
    people.check_credits(votes)
    if access.audience(request.user, session) != access.OPEN or here.provisional is None:
        return None
    if form.data.get("round", "") != str(here.session.round):
        raise ActRefused("This ballot is for a round that has closed; open the ballot of the running one.")
    return editing.ballot_effect(here, request.user, votes)


@require_POST
def done(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The person has nothing more to say in this round."""
    session = room.visible(request, session_id)
    try:
        number = DoneForm(request.POST).number()
    except ActRefused as refusal:
        return _refused(request, session, str(refusal))
    words = f"You are done with round {number}: it does not wait for you any more"
    act = partial(people.done, session.pk, request.user, round_number=number)
    return _press(request, session, act, words=words)


@require_POST
def rule(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The owner says whether the verdict is right; that teaches the broker."""
    session = room.visible(request, session_id)
    if not access.access(request.user, session).steer:
        words = "Only the owner of this deliberation rules on its verdict. Nothing was changed."
        return _refused(request, session, words, status=403)
    try:
        seq = rulings.rule(session.pk, request.user, RulingForm(request.POST).ruling())
    except ActRefused as refusal:
        return room.page(request, session, status=422, ruling_refusal=str(refusal), ruling_typed=request.POST)
    return _said(request, session, "Your ruling is kept, and the broker has learned from it", seq=seq)


@require_POST
def veto(request: HttpRequest, session_id: UUID) -> HttpResponse:
    session = room.visible(request, session_id)
    form = VetoForm(request.POST)
    try:
        strike = form.strike()
        seq = people.veto(session.pk, request.user, strike)
    except ActRefused as refusal:
        return _veto_refused(request, session, form, words=str(refusal))
    words = f"Struck: the {strike.kind} of {letter(strike.seat)} counts no more, and stays visible"
    return _said(request, session, words, seq=seq)


def _veto_refused(request: HttpRequest, session: Session, form: VetoForm, *, words: str) -> HttpResponse:
    """The form again, with what was typed; where its target is not there, the sentence alone."""
    data = form.data
    key = f"{data.get('kind', '')}-{data.get('round', '')}-{data.get('seat', '')}"
    kept = {
        "veto_refusal": words,
        "code": data.get("code", ""),
        "reason": data.get("reason", ""),
    }
    if room.veto_context(request, session, key=key)["target"] is None:
        return _refused(request, session, words)
    if request.htmx:  # type: ignore[attr-defined]
        return room.veto_form(request, session, key=key, status=422, **kept)
    return room.page(request, session, strike=key, status=422, **kept)


@require_POST
def withdraw_veto(request: HttpRequest, session_id: UUID, veto_id: int) -> HttpResponse:
    session = room.visible(request, session_id)
    words = "Taken back: it counts again in every tally closed after this"
    act = partial(people.withdraw_veto, session.pk, request.user, veto_id)
    return _press(request, session, act, words=words)


@require_POST
def guidance(request: HttpRequest, session_id: UUID) -> HttpResponse:
    session = room.visible(request, session_id)
    form = GuidanceForm(request.POST)
    try:
        values = form.checked()
        seq = people.leave_guidance(
            session.pk, request.user, values["text"], key=values["key"], to_seat=values["to"]
        )
    except ActRefused as refusal:
        return _guidance_refused(request, session, form, words=str(refusal))
    words = "Guidance left: the next round's prompts carry it"
    if request.htmx:  # type: ignore[attr-defined]
        context = {**room.guidance_context(parts.fresh(session.pk)), "said": words, "said_seq": seq}
        return render(request, "deliberation/_guidance_form.html", context)
    return _said(request, session, words, seq=seq)


def _guidance_refused(
    request: HttpRequest, session: Session, form: GuidanceForm, *, words: str
) -> HttpResponse:
    kept = {
        "guidance_refusal": words,
        "guidance_text": form.data.get("text", ""),
        "guidance_to": form.data.get("to", ""),
    }
    if request.htmx:  # type: ignore[attr-defined]
        context = {**room.guidance_context(parts.fresh(session.pk)), **kept}
        return render(request, "deliberation/_guidance_form.html", context, status=422)
    return room.page(request, session, status=422, **kept)


@require_POST
def withdraw_guidance(request: HttpRequest, session_id: UUID, guidance_id: int) -> HttpResponse:
    session = room.visible(request, session_id)
    words = "Withdrawn: no prompt built after this carries it"
    act = partial(people.withdraw_guidance, session.pk, request.user, guidance_id)
    return _press(request, session, act, words=words)
