"""`manage.py gpu_host` as a process, over a model server that takes vLLM's command line."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.utils import timezone

from broker.models import Endpoint, Host, Model, Server
from broker.selectors.standing import standings
from broker.services.asking import PROBE, ask_worker
from broker.services.hosts import LOCKS_OF_HOSTS
from deliberation import staffing
from deliberation.models import Event, Session
from deliberation.services.policies import load_built_in
from deliberation.services.sessions import Opening, open_session
from nsed_web import signs, state
from nsed_web.processes import Child
from tests import builders, slots
from tests.broker.gpu_hosts import GIVE_UP_S, begin, end, is_up, is_well, served, wait_for
from tests.fixtures_processes import Processes

PRETENDED = Path(__file__).with_name("pretended_vllm.py")
LAUNCHER = f"{sys.executable} {PRETENDED} serve"
NAMES = ["m0", "m1"]
CALL_S = 2.0
CUT = """SELECT clock_timestamp(), pg_terminate_backend(pid) FROM pg_locks
    JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND classid = %s AND datname = %s"""

pytestmark = pytest.mark.timeout(240)


def runs(server: Server) -> bool:
    return any(pids_of(server))


def pid_of(server: Server) -> int:
    (pid,) = pids_of(server)
    return pid


def pids_of(server: Server) -> Iterator[int]:
    """Of the model server's process, by its command line."""
    for entry in Path("/proc").iterdir():
        words = _words(entry) if entry.name.isdecimal() else ""
        if f"\0{server.port}\0" in words and PRETENDED.name in words:
            yield int(entry.name)


def _words(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_text(errors="replace")
    except OSError:
        return ""


def test_servers_come_up_are_reported_and_end_with_the_host(processes: Processes) -> None:
    first = served(names=NAMES, extra_args=["--max-num-seqs", "4"], environment={"VLLM_STUB_DELAY_S": "0"})
    second = served(names=[], host="elsewhere")
    host = begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_up(first) and signs.is_seen(signs.queue("calls.gpu-1")), processes)

    told = Host.objects.get(name="gpu-1")
    assert (told.state, told.detail) == (Host.State.UP, "1 of 1 servers up")
    assert (told.total_mb, told.free_mb) == (None, None)  # no nvidia-smi here: unknown
    assert not signs.is_seen(signs.queue("steps"))
    second.refresh_from_db()
    assert second.state == Server.State.STOPPED

    log = state.log_file(f"server-{first.endpoint.name}").read_text()
    assert "--max-num-seqs 4" in log
    for secret in ("DATABASE_URL", "REDIS_URL", "NSED_STATE_DIR"):
        assert secret not in log

    assert end(host) == 0
    told.refresh_from_db()
    first.refresh_from_db()
    assert (told.state, first.state) == (Host.State.DOWN, Server.State.STOPPED)
    assert not runs(first)


def test_a_killed_server_is_started_again_and_counted(processes: Processes) -> None:
    server = served(names=NAMES)
    begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_up(server), processes)
    os.kill(pid_of(server), signal.SIGKILL)
    wait_for(lambda: not is_up(server), processes)
    assert server.state == Server.State.FAILED
    assert server.detail == "ended with status -9; once, next start after 1 s"
    wait_for(lambda: is_up(server), processes)
    assert server.restarts == 1


def test_a_second_one_for_the_same_host_is_refused_and_the_first_goes_on(processes: Processes) -> None:
    server = served(names=NAMES)
    first = begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_up(server), processes)
    second = begin(processes, launcher=LAUNCHER)
    assert second.process.wait(timeout=GIVE_UP_S) == 1
    assert "host gpu-1 is run by another process already" in processes.log.read_text()
    assert is_up(server)
    processes.kill(first)
    third = begin(processes, launcher=LAUNCHER)  # a killed one leaves no lock behind
    wait_for(lambda: "next start" not in server.detail and is_up(server), processes)
    assert not third.has_ended


def test_a_lost_connection_to_the_database_stops_nothing(processes: Processes) -> None:
    server = served(names=NAMES)
    host = begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_up(server), processes)
    pid = pid_of(server)
    with psycopg.connect(state.database_url("postgres", database="postgres")) as postgres:
        (cut,) = postgres.execute(CUT, [LOCKS_OF_HOSTS, slots.OURS.database]).fetchall()

    def is_told_again() -> bool:
        return Host.objects.filter(name="gpu-1", state=Host.State.UP, reported_at__gt=cut[0]).exists()

    wait_for(is_told_again, processes)
    assert pid_of(server) == pid
    second = begin(processes, launcher=LAUNCHER)
    assert second.process.wait(timeout=GIVE_UP_S) == 1  # the name was taken again
    assert not host.has_ended


def test_a_probe_of_a_server_on_loopback_is_made_by_its_host(processes: Processes) -> None:
    server = served(names=NAMES)
    begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_well(server), processes)
    Endpoint.objects.update(healthy=None, check_at=timezone.now() + timedelta(hours=1))
    wait_for(lambda: signs.is_seen(signs.queue("calls.gpu-1")), processes)
    ask_worker(PROBE, server.endpoint_id, at=server.endpoint)
    wait_for(lambda: is_well(server), processes)


def test_an_unknown_host_is_refused_with_the_known_ones(processes: Processes) -> None:
    served(names=NAMES)
    child = begin(processes, launcher=LAUNCHER, host="gpu-9")
    assert child.process.wait(timeout=GIVE_UP_S) == 2
    assert "the registry has no host gpu-9; it has: gpu-1" in processes.log.read_text()


def test_a_host_that_swaps_starts_the_server_that_was_named_and_no_other(processes: Processes) -> None:
    first, second = served(names=["m0"]), served(names=["m1"])
    Host.objects.update(mode=Host.Mode.SWAPPED)
    begin(processes, launcher=LAUNCHER, server=second.endpoint.name)
    wait_for(lambda: is_well(second), processes)
    assert not runs(first)
    assert Host.objects.get().detail == "1 of 1 servers up, 1 not loaded"
    first.refresh_from_db()
    assert first.state == Server.State.STOPPED
    assert first.detail.endswith(f"To load this one: manage.py gpu_host gpu-1 --server {first.endpoint.name}")
    stands = standings(Model.objects.select_related("endpoint__host"))
    assert (stands["m0"].healthy, stands["m0"].note) == (False, "not loaded on gpu-1")
    assert stands["m1"].healthy is True


def test_an_entry_that_must_not_start_says_why_and_the_other_runs(processes: Processes) -> None:
    bad = served(names=[], environment={"LD_PRELOAD": "x.so"})
    good = served(names=NAMES)
    begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_up(good), processes)
    bad.refresh_from_db()
    assert (bad.state, bad.detail) == (
        Server.State.FAILED,
        "The variable LD_PRELOAD cannot be set from the registry.",
    )


def test_the_registry_is_heeded_while_the_host_runs(processes: Processes) -> None:
    first = served(names=NAMES)
    begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_up(first), processes)
    pid = pid_of(first)
    Server.objects.filter(pk=first.pk).update(
        environment={"LD_PRELOAD": "x.so"}
    )  # cannot be started any more
    second = served(names=["other"])
    wait_for(lambda: is_up(second), processes)
    assert is_up(first)
    assert pid_of(first) == pid

    Endpoint.objects.filter(pk=second.endpoint_id).update(enabled=False)
    wait_for(lambda: not runs(second), processes)
    assert pid_of(first) == pid


def test_a_program_that_is_missing_is_said_and_tried_again(processes: Processes) -> None:
    server = served(names=NAMES)
    begin(processes, launcher="no-such-program serve")

    def is_said() -> bool:
        server.refresh_from_db()
        return "2 times in a row" in server.detail

    wait_for(is_said, processes)
    assert server.state == Server.State.FAILED
    assert "cannot be started" in server.detail


def test_calls_in_hand_are_finished_before_the_servers_end(
    processes: Processes, worker_process: Child
) -> None:
    """The host is asked to end while its models are at work; what they say still counts."""
    server = served(names=["m0", "m1", "m2"], environment={"VLLM_STUB_DELAY_S": str(CALL_S)})
    host = begin(processes, launcher=LAUNCHER)
    wait_for(lambda: is_well(server), processes)
    session = opened()
    staffing.staff(session.pk)
    wait_for(lambda: count(session, "turns.taken") == 1, processes)

    assert end(host) == 0

    assert count(session, "proposal.made") == 3
    assert count(session, "attempt.failed") == 0
    assert count(session, "turns.taken") == 1  # the next phase is left to others
    server.refresh_from_db()
    assert server.state == Server.State.STOPPED


def opened() -> Session:
    load_built_in()
    rules = {"panel_size": [3, 3]}
    return open_session(Opening("What is 17*23?", "fast", seed=7, rules=rules), owner=builders.person())


def count(session: Session, kind: str) -> int:
    return Event.objects.filter(chain_id=str(session.pk), kind=kind).count()
