"""Asks a worker that can reach a server to do something with it."""

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from broker.models import Endpoint
from broker.selectors.standing import trouble_of_host
from broker.services.changes import Refused
from broker.services.reach import is_in_reach

PROBE = "broker.tasks.probe"


def queue_beside(endpoint: Endpoint) -> str:
    """The queue of a worker that can reach the server: a loopback address is that of its own host."""
    if endpoint.host is None or is_in_reach(endpoint, settings.NSED.worker_host):
        return "steps"
    return f"calls.{endpoint.host.name}"


def ask_worker(task: str, number: int, *, at: Endpoint) -> None:
    """Sends the task with the number of its row. Refused where no queue can be reached."""
    try:
        current_app.send_task(task, args=[number], queue=queue_beside(at), retry=False, ignore_result=True)
    except OperationalError as error:
        raise Refused(
            "The queue of the workers cannot be reached, so nothing was asked. Start the workers and press again."
        ) from error


def doubt(endpoint: Endpoint) -> str:
    """Why it may be that no worker takes what is asked of it; "" where one does. Another program may serve the queue of
    a host that never reported, so this is said, and the question is sent all the same.
    """
    host = endpoint.host
    if host is None or queue_beside(endpoint) == "steps":
        return ""
    trouble = "never reported" if host.reported_at is None else trouble_of_host(host)
    if not trouble:
        return ""
    return (
        f"Host {host} has no worker that would do it: it {trouble}, and nobody else can reach {endpoint}. "
        f"Run manage.py gpu_host {host} there; until then nothing shows here."
    )
