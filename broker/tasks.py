"""The Celery door of the broker. The rows say what is due; running a task twice does nothing twice."""

from celery import shared_task

from broker import solving
from broker.models import Endpoint, Selection
from broker.selectors import receipts
from broker.services import checking, listing, readings


@shared_task
def read_fleet() -> None:
    """Beat, every few seconds, queue `steps`: reads what servers say of themselves."""
    readings.read_fleet()


@shared_task
def check_fleet() -> None:
    """Beat, every few seconds, queue `steps`: asks servers whose check is due for one token."""
    checking.check_fleet()


@shared_task
def check_lists() -> None:
    """Beat, every minute or so, queue `steps`: asks servers whether they still have their models."""
    listing.check_lists()


@shared_task
def probe(endpoint_id: int) -> None:
    """Queue `steps`: checks an endpoint because a person asked for it."""
    checking.probe_now(Endpoint.objects.get(pk=endpoint_id))


@shared_task
def resolve(ticket: str, selection_id: int, budget: float | None) -> None:
    """Queue `solver`: a recorded question for another budget, or for None at all budgets, while a page waits."""
    selection = Selection.objects.get(pk=selection_id)
    if budget is None:
        solving.answer(ticket, lambda: receipts.breakpoints(selection))
    else:
        solving.answer(ticket, lambda: receipts.resolved(selection, budget))
