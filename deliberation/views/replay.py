"""A session replayed: its room at any event, and the recomputing of all that the record holds."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from deliberation import parts
from deliberation.models import Session
from deliberation.replaying import recompute
from deliberation.selectors import access, editing, forking, replay
from deliberation.selectors.reading_back import Trail
from deliberation.selectors.rebuilding.rooms import DoesNotFit, room_at
from deliberation.stills import Still
from deliberation.views import room

SHOWN = [name for name in parts.WHOLE if name not in (parts.STEERING, "offer")]
NOT_WHOLE = "Its trail cannot be replayed; the room shows what the tables hold."
STILL_RUNS = "It still runs. Replay it once it has ended: then there is a whole record to hold it to."


@vary_on_headers("HX-Request")
@require_safe
def replay_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """?at=N: the room as it stood at event N, the newest one without it; for htmx its parts alone. ?cell= and
    ?exchange= as in the room: a closer look at that moment.
    """
    session = room.visible(request, session_id)
    trail = replay.trails.whole(session.pk)
    at = replay.number(request.GET.get("at", ""), head=trail.head)
    if at is None:
        words = f"There is no event {request.GET['at'][:20]!r}: the trail has 1 to {trail.head}. Shown is the newest."
        return _page(request, session, trail, at=trail.head, status=404, refusal=words)
    return _page(request, session, trail, at=at)


def _page(request: HttpRequest, session: Session, trail: Trail, *, at: int, **more: Any) -> HttpResponse:
    """`more`: what else the page says, and the status that goes with it."""
    audience = access.audience(request.user, session)
    alone = bool(request.htmx)  # type: ignore[attr-defined]
    try:
        whole = {} if alone else _whole(request, session, trail, audience=audience)
        look = _look(request, trail, at, audience=audience)
        context = {**whole, **_moment(trail, at, audience=audience), **look, **more}
    except DoesNotFit as error:
        return room.page(request, session, status=409, refusal=f"{error} {NOT_WHOLE}")
    template = "_replay.html" if alone else "replay.html"
    return render(request, f"deliberation/{template}", context, status=context.get("status", 200))


def _look(request: HttpRequest, trail: Trail, at: int, *, audience: str) -> dict[str, Any]:
    """One thing looked at closely, as it stood; why not, where there is none; nothing where none is asked for."""
    name = next((each for each in room.LOOKS if each in request.GET), None)
    if name is None:
        return {}
    still = Still(room_at(trail, at))
    view = room.LOOKS[name](still.room, request.GET[name], audience=audience)
    if view is not None:
        return {"look": still.placed(render_to_string(f"deliberation/_{name}.html", {"view": view}))}
    hidden = audience == access.BLIND
    return {"status": 403 if hidden else 404, "refusal": room.NOT_YET if hidden else room.NOTHING_THERE}


def _whole(request: HttpRequest, session: Session, trail: Trail, *, audience: str) -> dict[str, Any]:
    """What the page has around the parts."""
    return {
        "session": session,
        "heading": editing.heading(room_at(trail, trail.head)),
        "lines": replay.lines(trail, audience=audience),
        "ended": session.ended,
        "kin": forking.kin(request.user, session),
        "swapped": ",".join(f"#{name}" for name in SHOWN),
    }


def _moment(trail: Trail, at: int, *, audience: str) -> dict[str, Any]:
    """The parts of the room as it stood, and the sentence on what happened then."""
    still = Still(room_at(trail, at))
    return {
        "scrub": replay.scrub(trail, at, audience=audience),
        "parts": {name: still.html(name, audience) for name in SHOWN},
    }


@require_POST
def recompute_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """Recomputes what an ended session holds and says whether it matches. Writes nothing."""
    session = room.visible(request, session_id)
    result = {"recomputed": recompute(session)} if session.ended else {"not_yet": STILL_RUNS}
    status = 200 if session.ended else 409
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_recomputed.html", {"session": session, **result}, status=status)
    trail = replay.trails.whole(session.pk)
    return _page(request, session, trail, at=trail.head, status=status, **result)
