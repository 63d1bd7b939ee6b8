"""What people do in the room. Each view: form, verb, answer; a refusal is shown with what was typed kept."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from deliberation import parts
from deliberation.forms import BallotForm, DoneForm, GuidanceForm, OwnForm, StopForm
from deliberation.models import Session
from deliberation.selectors import access, editing, steering, stopping
from deliberation.services import people, people_steering, sessions
from deliberation.services.acts import ActRefused
from deliberation.views import room
from deliberation.views.after import overturn, rule
from deliberation.views.answering import happened, kept, press, refused, said, status_of
from deliberation.views.striking import veto, withdraw_veto

__all__ = [
    "ballot",
    "done",
    "guidance",
    "no_more_round",
    "one_more_round",
    "overturn",
    "own_proposal",
    "pause",
    "resume",
    "rule",
    "stop",
    "take_seat",
    "veto",
    "withdraw_guidance",
    "withdraw_own_proposal",
    "withdraw_veto",
]

NOT_YOURS = "Only the owner of this deliberation pauses, resumes and stops it. Nothing was changed."


def _steer(request: HttpRequest, session_id: UUID, verb: Callable[..., int], *, words: str) -> HttpResponse:
    """A button of the owner's."""
    session = room.visible(request, session_id)
    if not access.access(request.user, session).steer and not session.ended:
        return refused(request, session, NOT_YOURS, status=403)
    return press(request, session, partial(verb, session.pk, request.user), words=words)


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
    found = stopping.finds(parts.fresh(room.visible(request, session_id).pk).room)
    ends = "with what is found by now" if found else "without a result: no round is closed"
    words = f"Stop requested: running calls are dropped, and it ends {ends}"
    try:
        asked = StopForm(request.POST).checked()
    except ActRefused as refusal:
        return refused(request, room.visible(request, session_id), str(refusal))
    verb = partial(people_steering.stop, seen=asked["seen"], reason=asked["reason"])
    return _steer(request, session_id, verb, words=words)


@require_POST
def one_more_round(request: HttpRequest, session_id: UUID) -> HttpResponse:
    words = "Asked: one more round follows this one, unless money, tokens, time or a stop end it"
    return _steer(request, session_id, people_steering.ask_for_more, words=words)


@require_POST
def no_more_round(request: HttpRequest, session_id: UUID) -> HttpResponse:
    words = "Withdrawn: whether a round follows this one is for the stop test again"
    return _steer(request, session_id, people_steering.ask_for_no_more, words=words)


@require_POST
def take_seat(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A seat for which each hold waits."""
    session = room.visible(request, session_id)
    try:
        seat = people.take_seat(session, request.user, asked=True)
    except ActRefused as refusal:
        return refused(request, session, str(refusal))
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
        return _ballot_refused(request, session, form, refusal)
    words = "Ballot cast: it counts in the tally"
    if request.htmx:  # type: ignore[attr-defined]
        return room.ballot_form(request, session, said=words, said_seq=seq)
    return said(request, session, words, seq=seq)


def _ballot_refused(
    request: HttpRequest, session: Session, form: BallotForm, refusal: ActRefused
) -> HttpResponse:
    came = happened(request, session, refusal)
    more = {
        "typed": form.typed(),
        "status": status_of(came),
        "ballot_refusal": "" if came else str(refusal),
        **kept("ballot", form.data, came),
    }
    shown = room.ballot_form if request.htmx else room.page  # type: ignore[attr-defined]
    return shown(request, session, **more)


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
    people.check_counts(session)
    if access.audience(request.user, session) != access.OPEN or here.provisional is None:
        return None
    if form.data.get("round", "") != str(here.session.round):
        raise ActRefused("This ballot is for a round that has closed; open the ballot of the running one.")
    return editing.ballot_effect(here, request.user, votes)


@require_POST
def done(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The person has nothing more to say in this round, needs more time for it, or takes no part any more."""
    session = room.visible(request, session_id)
    try:
        answer, number, seen = DoneForm(request.POST).said()
    except ActRefused as refusal:
        return refused(request, session, str(refusal))
    verb, words = WINDOW[answer]
    more: dict[str, Any] = {"seen": seen} if answer == "done" else {}
    act = partial(verb, session.pk, request.user, round_number=number, **more)
    response = press(request, session, act, words=words.format(number=number))
    if request.htmx and response.status_code == HTTPStatus.OK:  # type: ignore[attr-defined]
        response.write(room.window_form(request, session))
    return response


WINDOW: dict[str, tuple[Callable[..., int], str]] = {
    "done": (people.done, "You are done with round {number}: it does not wait for you any more"),
    "more_time": (
        people.need_more_time,
        "You have more time in round {number}: its end was moved for everybody",
    ),
    "withdraw": (people.withdraw_seat, "You withdrew: no round waits for you, and your ballots so far stay"),
}


@require_POST
def own_proposal(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A person's proposal, for the round that is proposing or for the next."""
    session = room.visible(request, session_id)
    form = OwnForm(request.POST)
    try:
        told = people.propose(session.pk, request.user, form.own())
    except ActRefused as refusal:
        typed = {name: form.data.get(name, "") for name in ("answer", "final_answer")}
        shown = room.own_form if request.htmx else room.page  # type: ignore[attr-defined]
        return shown(request, session, status=422, own_refusal=str(refusal), own_typed=typed)
    place = "; it takes the place of the one that waited" if told.replaced else ""
    words = f"Proposed: it is a candidate of round {told.round}, by the same rules as an agent's{place}"
    if request.htmx:  # type: ignore[attr-defined]
        return room.own_form(request, session, said=words, said_seq=told.seq)
    return said(request, session, words, seq=told.seq)


@require_POST
def withdraw_own_proposal(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """A person's proposal that waits for the next round."""
    session = room.visible(request, session_id)
    words = "Taken back: your proposal is a candidate of no round"
    response = press(request, session, partial(people.withdraw_own, session.pk, request.user), words=words)
    if request.htmx:  # type: ignore[attr-defined]
        response.write(room.own_waiting(request, session))
    return response


@require_POST
def guidance(request: HttpRequest, session_id: UUID) -> HttpResponse:
    session = room.visible(request, session_id)
    form = GuidanceForm(request.POST)
    try:
        values = form.checked()
        if "preview" in request.POST:
            return _in_prompt(request, session, values)
        seq = people.leave_guidance(
            session.pk, request.user, values["text"], key=values["key"], to_seat=values["to"]
        )
    except ActRefused as refusal:
        return _guidance_refused(request, session, form, words=str(refusal))
    words = "Guidance left: the next round's prompts carry it"
    if request.htmx:  # type: ignore[attr-defined]
        context = {**room.guidance_context(parts.fresh(session.pk)), "said": words, "said_seq": seq}
        return render(request, "deliberation/_guidance_form.html", context)
    return said(request, session, words, seq=seq)


def _in_prompt(request: HttpRequest, session: Session, values: dict[str, Any]) -> HttpResponse:
    """What the agents would read. Nothing is written; what was typed stays."""
    if not values["text"].strip():
        raise ActRefused("Write the guidance first: it is empty.")
    people.check_heard(session)
    sheet, audience = parts.fresh(session.pk), access.audience(request.user, session)
    shown = steering.guidance_in_prompt(sheet.room, values["text"], to_seat=values["to"], audience=audience)
    kept_typed = {"guidance_text": values["text"], "guidance_to": str(values["to"] or "")}
    more = {"in_prompt": shown, **kept_typed}
    if request.htmx:  # type: ignore[attr-defined]
        context = {**room.guidance_context(sheet), **more}
        return render(request, "deliberation/_guidance_form.html", context)
    return room.page(request, session, **more)


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
    return press(request, session, act, words=words)
