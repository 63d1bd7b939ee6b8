"""sweep(): finds what is due, or held by a worker that is gone, and wakes it; and what the trail has not taken up. The
rows decide; this only looks.
"""

from django.db.models import Q
from django.db.models.functions import Now

from broker.services import changes
from deliberation import dispatch
from deliberation.models import Session, Turn
from deliberation.services.registry_changes import tell_changes

DUE = Q(leased_until=None, due_at__lte=Now()) | Q(leased_until__lt=Now())


def sweep() -> None:
    """Three indexed queries where nothing is due."""
    wake()
    if changes.any_untold():
        tell_changes()


def wake() -> None:
    """Sessions and turns, in two queries."""
    sessions = Session.objects.filter(DUE, paused_at=None).exclude(
        state__in=(Session.State.DRAFT, *Session.ENDED)
    )
    for pk, state in sessions.values_list("pk", "state"):
        if state == Session.State.STAFFING:
            dispatch.send(dispatch.STAFF, str(pk), queue="solver")
        else:
            dispatch.send(dispatch.ADVANCE, str(pk), queue="steps")
    turns = Turn.objects.filter(
        DUE, state=Turn.State.OPEN, endpoint__isnull=False, session__paused_at=None
    ).exclude(session__state__in=Session.ENDED)
    for session_id, host in turns.values_list("session_id", "endpoint__host__name").distinct():
        dispatch.send(dispatch.TAKE_TURNS, str(session_id), host, queue=dispatch.calls_queue(host))
