"""The Celery door. A task is a wake-up: what there is to do, the rows say; running it twice does nothing twice."""

from celery import shared_task
from celery.worker import state as worker

from deliberation import dispatch, orchestrator, staffing, sweeping, turn_taking


@shared_task
def advance(session_id: str) -> None:
    """Queue `steps`: moves a session on."""
    orchestrator.advance(session_id)


@shared_task
def staff(session_id: str) -> None:
    """Queue `solver`: seats the panel."""
    staffing.staff(session_id)


@shared_task
def replace(session_id: str) -> None:
    """Queue `solver`: finds others for agents that went down, and moves the session on."""
    staffing.replace(session_id)
    orchestrator.advance(session_id)


@shared_task
def take_turns(session_id: str, host: str | None) -> None:
    """Queue `calls` or `calls.<host>`: takes the session's open turns on this host, moves it on, and so forth; a
    worker that is being stopped leaves what follows to others.
    """
    with dispatch.going_on(dispatch.TAKE_TURNS, session_id, host):
        while worker.should_stop is None and turn_taking.take_turns(session_id, host):
            orchestrator.advance(session_id)


@shared_task
def sweep() -> None:
    """Beat, every second: wakes what is due or was dropped by a worker that is gone."""
    sweeping.sweep()
