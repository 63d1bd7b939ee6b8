"""The Celery door of what needs both halves of the site."""

from celery import shared_task

from nsed_web import smoke

LOOK_S = 2  # between two looks at a session that is watched


@shared_task
def smoke_test(test_id: int) -> None:
    """Queue `steps`: runs the steps that take one call each, and opens the session of the last."""
    if smoke.run(test_id):
        watch_smoke_test.apply_async([test_id], queue="steps", countdown=LOOK_S)


@shared_task
def watch_smoke_test(test_id: int) -> None:
    """Queue `steps`: looks until the session has ended. No thread waits meanwhile."""
    if smoke.watch(test_id):
        watch_smoke_test.apply_async([test_id], queue="steps", countdown=LOOK_S)
