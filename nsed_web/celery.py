"""The Celery application: `celery -A nsed_web worker`. Its settings are the CELERY_* ones of settings.py."""

import gc
import os
import warnings
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService, Scheduler
from celery.exceptions import SecurityWarning
from celery.signals import worker_process_init, worker_ready
from django.conf import settings

from broker.selection import solver
from nsed_web import signs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nsed_web.settings")

# A root user is warned of messages that run code when read; ours are JSON, and in a container all are root.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("nsed_web")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


class SeenScheduler(Scheduler):
    """The beat, leaving a sign of life at each tick. It remembers nothing from start to start: a sweep is due
    at once.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        signs.leave([signs.BEAT])
        return super().tick(*args, **kwargs)


@worker_process_init.connect
def get_ready_to_solve(**_: Any) -> None:
    """The solver's child, the one that is forked: it has OR-tools at hand before it is asked."""
    solver.load()


@worker_ready.connect
def say_what_we_take(sender: Any, **_: Any) -> None:
    """What was imported stays: kept out of the garbage collector's rounds, which took a third of the CPU.

    Where NSED_BEAT_IN_WORKER is set the beat is a thread of the worker, and ends with it however that
    ends.
    """
    queues = [signs.queue(name) for name in sender.app.amqp.queues.consume_from]
    gc.collect()
    gc.freeze()
    signs.leave_from_now_on([signs.process(os.getpid()), *queues])
    if settings.NSED.beat_in_worker:
        EmbeddedService(sender.app, thread=True, scheduler_cls=SeenScheduler).start()
