"""The Valkey between worker and site is killed outright and comes back empty: queues, wake-ups and watchers are gone,
and the session goes on from its rows.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.conf import settings

from broker.inference.simulated import DEMO_PANEL
from broker.services.panels import load_simulated_panel
from deliberation import staffing
from deliberation.models import Session
from nsed_web import embedded, programs
from tests.deliberation.driving import drive, opened
from tests.faults.disturbing import QUICK, count, ended, holds, told, wait_for
from tests.fixtures_processes import Processes

RULES = {"policy": "standard", "max_rounds": 2, "min_rounds": 2, "panel_size": [3, 3]}


def test_a_valkey_that_is_killed_and_started_empty_loses_nothing(
    processes: Processes, tmp_path: Path
) -> None:
    load_simulated_panel(DEMO_PANEL)
    asked = told(drive(opened(**RULES)))
    address = f"unix://{tmp_path}/valkey.sock?db=0"
    with valkey(tmp_path):
        processes.start(programs.turns(settings.NSED), **QUICK, REDIS_URL=address)
        session = opened(**RULES)
        staffing.staff(session.pk)
        wait_for(lambda: count(session, "proposal.made") >= 1)
    with valkey(tmp_path), redis.from_url(address) as server:
        wait_for(lambda: count(session, "round.closed") >= 1)
        assert server.dbsize() > 0  # the worker found it again
        server.flushall()
        wait_for(lambda: ended(session))

    session.refresh_from_db()
    assert session.state == Session.State.CONCLUDED
    assert told(session) == asked
    assert holds(session)


@contextmanager
def valkey(directory: Path) -> Iterator[None]:
    """A server of the test's own, as others use the common one; killed at the end, with all that it held."""
    socket = directory / "valkey.sock"
    options = {**embedded.VALKEY_SETTINGS, "unixsocket": str(socket)}
    words = "".join(f"{name} {value}\n" for name, value in options.items())
    process = subprocess.Popen(
        [embedded.valkey_binary(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        assert process.stdin is not None
        process.stdin.write(words.encode())
        process.stdin.close()
        wait_for(lambda: is_up(socket))
        yield
    finally:
        process.kill()
        process.wait()


def is_up(socket: Path) -> bool:
    with redis.from_url(f"unix://{socket}") as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
