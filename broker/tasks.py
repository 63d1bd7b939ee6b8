"""The Celery door of the broker. The rows say what is due; running a task twice does nothing twice."""

from celery import shared_task

from broker.models import Endpoint
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
