"""The Celery door. A task is a wake-up: what there is to do, the rows say; running it twice does nothing twice."""

from typing import Any

from celery import shared_task
from celery.worker import state as worker

from broker import solving
from deliberation import dispatch, orchestrator, smoke_testing, staffing, sweeping, turn_taking

SMOKE_LOOK_S = 2  # between two looks at a smoke test's session


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
def foresee(ticket: str, draft: dict[str, Any]) -> None:
    """Queue `solver`: who would sit if a session were opened now, while a page waits."""
    solving.answer(ticket, lambda: staffing.foreseen(staffing.Draft(**draft)))


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
    """Beat, every second: wakes what is due or was dropped by a worker that is gone; tells the registry's changes."""
    sweeping.sweep()


@shared_task
def smoke_test(test_id: int) -> None:
    """Queue `steps`: runs the steps that take one call each, and opens the session of the last."""
    if smoke_testing.run(test_id):
        watch_smoke_test.apply_async([test_id], queue="steps", countdown=SMOKE_LOOK_S)


@shared_task
def watch_smoke_test(test_id: int) -> None:
    """Queue `steps`: looks until the session has ended. No thread waits meanwhile."""
    if smoke_testing.watch(test_id):
        watch_smoke_test.apply_async([test_id], queue="steps", countdown=SMOKE_LOOK_S)
