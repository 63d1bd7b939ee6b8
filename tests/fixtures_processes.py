"""Real processes of the site beside a test: Celery workers and Daphne on the test's own database and Redis.

The test sees what they commit, through the ORM as usual, and they see what it commits. Everything ends with
the test; then the database is cloned anew.
"""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import settings

from nsed_web import programs, signs
from nsed_web.processes import Child, Program, start, stop
from tests import slots

COME_UP_S = 60.0
GRACE_S = 5.0


@dataclass
class Processes:
    """Starts programs of the site and remembers them. `log` takes what they write."""

    log: Path
    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)

    def start(self, program: Program, **settings_: str) -> Child:
        """Keywords are variables of its environment, e.g. NSED_LEASE_S="2"."""
        environment = {**program.environment, **self.environment, **settings_}
        child = start(replace(program, environment=environment, log=self.log))
        self.children.append(child)
        return child

    def start_worker(self, program: Program, **settings_: str) -> Child:
        """Returns once it takes tasks."""
        child = self.start(program, **settings_)
        self.wait_until(lambda: signs.is_seen(signs.process(child.process.pid)), child)
        return child

    def wait_until(self, is_so: Callable[[], bool], child: Child) -> None:
        deadline = time.monotonic() + COME_UP_S
        while not is_so():
            if child.has_ended or time.monotonic() > deadline:
                raise AssertionError(f"{child.program.name} did not come up:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self, child: Child, number: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL unless told otherwise; returns when it is gone."""
        child.process.send_signal(number)
        child.process.wait(timeout=COME_UP_S)


@pytest.fixture
def cloned_database(transactional_db: None) -> Mapping[str, str]:
    """The variables that make another process work on this test's database, as the app's role, and Redis."""
    slots.OURS.empty_redis()
    return our_environment()


def our_environment() -> Mapping[str, str]:
    return {
        **slots.OURS.environment(),
        "DJANGO_SETTINGS_MODULE": "nsed_web.settings",
        "NSED_STATE_DIR": os.environ["NSED_STATE_DIR"],
    }


@pytest.fixture
def processes(cloned_database: Mapping[str, str], tmp_path: Path) -> Iterator[Processes]:
    started = Processes(log=tmp_path / "processes.log", environment=cloned_database)
    yield started
    stop(started.children, grace_s=GRACE_S)


@pytest.fixture
def worker_process(processes: Processes) -> Child:
    """A worker for steps and calls; it beats. Another one:
    processes.start_worker(programs.turns(settings.NSED)).
    """
    return processes.start_worker(programs.turns(settings.NSED))


@pytest.fixture
def solver_process(processes: Processes) -> Child:
    return processes.start_worker(programs.solver())


@pytest.fixture
def web_server(processes: Processes) -> str:
    """The address of a Daphne, e.g. "http://127.0.0.1:41234"."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    child = processes.start(programs.web(port=port, public_url=address))
    processes.wait_until(lambda: answers(port), child)
    return address


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    web = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        web.request("GET", "/healthz")
        return web.getresponse().status == 200
    except OSError:
        return False
    finally:
        web.close()
