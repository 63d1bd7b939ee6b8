"""Forking: a new session from a closed round of another one, or from its question alone."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from broker.selectors.candidates import seatable_models
from deliberation.forms_fork import ForkForm
from deliberation.forms_panel import BROKER, NAMED
from deliberation.models import Session
from deliberation.protocol.types import Rules
from deliberation.selectors import access, editing, forking, replay
from deliberation.selectors import policies as policy_reads
from deliberation.selectors.reading_back import Trail
from deliberation.selectors.rebuilding.rooms import DoesNotFit, room_at
from deliberation.selectors.room import Room
from deliberation.services import forks
from deliberation.services.acts import ActRefused
from deliberation.services.sessions import Opening
from deliberation.views import room as room_views

BLIND = "A fork shows who sits and what they answered: make it after your first ballot."


@require_http_methods(["GET", "HEAD", "POST"])
def fork(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """?round=R: the form for a session that goes on from closed round R, 0 for the question alone. POST opens it."""
    session = room_views.visible(request, session_id)
    if access.audience(request.user, session) != access.OPEN:
        return room_views.page(request, session, status=403, refusal=BLIND)
    trail = replay.trails.whole(session.pk)
    try:
        room = room_at(trail, trail.head)
    except DoesNotFit as error:
        return room_views.page(request, session, status=409, refusal=f"{error} Nothing can go on from it.")
    number = _round(request, room)
    if number is None:
        return _no_such_round(request, session, room)
    form = _form(request, room, number)
    if request.method == "POST" and form.is_valid():
        opened = _opened(request, trail, room, form=form, number=number)
        if opened is not None:
            return redirect("room", session_id=opened.pk)
    return _page(request, session, room, form=form, number=number)


def _round(request: HttpRequest, room: Room) -> int | None:
    """The closed round that is asked for, the newest one without a word; None where it is not there."""
    given = request.POST if request.method == "POST" else request.GET
    text = given.get("round", str(max(room.outcomes, default=0)))
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return None
    return int(text) if int(text) in (0, *room.outcomes) else None


def _no_such_round(request: HttpRequest, session: Session, room: Room) -> HttpResponse:
    closed = ", ".join(str(number) for number in room.outcomes) or "none yet"
    words = f"There is no such closed round to go on from. Closed: {closed}. Round 0 is the question alone."
    return room_views.page(request, session, status=404, refusal=words)


def _form(request: HttpRequest, room: Room, number: int) -> ForkForm:
    given: dict[str, Any] = {
        "cards": policy_reads.cards(),
        "seatable": seatable_models(),
        "proposals": forking.standing_proposals(room, number),
    }
    sat = [seat.model_id for seat in room.seats.values() if seat.model_id and seat.left_phase is None]
    panel = request.GET.get("panel", BROKER)
    initial = {"models": sat, "panel": panel if panel in (BROKER, NAMED) else BROKER}
    return ForkForm(request.POST if request.method == "POST" else None, initial=initial, **given)


def _opened(request: HttpRequest, trail: Trail, room: Room, *, form: ForkForm, number: int) -> Session | None:
    """The new session; None, with the reason in the form, where it was refused."""
    edits = form.edits()
    carried = forking.carry(room, number, edits=edits).to_json() if number else None
    parent = Session.objects.select_related("policy").get(pk=trail.session_id)
    branch = forks.Branch(
        parent=parent,
        round=number,
        event=trail.head,
        carried=carried,
        edited=sorted(edits),
        panel=form.chosen(),
    )
    try:
        return forks.fork(branch, _opening(request, parent, form), owner=request.user)
    except ActRefused as refusal:
        form.add_error(None, str(refusal))
        return None


def _opening(request: HttpRequest, parent: Session, form: ForkForm) -> Opening:
    """The parent's question and seed; its right answer too, for those who may know it."""
    name = form.cleaned_data["policy"]
    known = parent.ended or access.access(request.user, parent).steer
    return Opening(
        task=parent.task,
        policy=name or parent.policy.name,
        category=parent.category,
        seed=parent.seed,
        rules={} if name else Rules.from_json(parent.rules).to_json(),
        take_part=form.cleaned_data["take_part"],
        known_answer=parent.known_answer if known else "",
        key=form.once(),
    )


def _page(request: HttpRequest, session: Session, room: Room, *, form: ForkForm, number: int) -> HttpResponse:
    seats: Mapping[int, Any] = form.proposals
    context = {
        "session": session,
        "heading": editing.heading(room),
        "form": form,
        "number": number,
        "next_round": number + 1,
        "rounds": sorted(room.outcomes),
        "state": forking.carry(room, number, edits={}).state if number else (),
        "editable": [(seat, made.participant.name, form.text_of(seat)) for seat, made in seats.items()],
        "policy_name": session.policy.name,
    }
    return render(request, "deliberation/fork.html", context, status=422 if form.errors else 200)
