"""Workers for the time of one command, and how workers end."""

import re
import signal
import subprocess
import sys

import psutil
import pytest

from nsed_web import programs, signs, state
from tests.fixtures_processes import Processes
from tests.nsed_web.scratch import Scratch, wait_until

COMMAND = """
from nsed_web import services
with services.workers_for_this_command() as workers:
    workers.ensure()
    print(services.WORKERS.up_note.read_text(), flush=True)
    sys.stdin.read()
"""


def command(scratch: Scratch) -> "subprocess.Popen[str]":
    argv = [sys.executable, "manage.py", "shell", "-v", "0", "-c", f"import sys{COMMAND}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(argv, cwd=state.PROJECT, env=scratch.environment(), text=True, **pipes)


def workers_of(running: "subprocess.Popen[str]") -> dict[str, str]:
    """Name and pid, once they are at work."""
    lines = [running.stdout.readline(), running.stdout.readline()]
    assert all(lines), running.communicate()[1]
    return dict(re.findall(r"(\w+) (\d+)", "".join(lines)))


def test_on_a_fresh_machine_a_command_prepares_the_database_and_shares_its_workers(
    empty_scratch: Scratch,
) -> None:
    first = command(empty_scratch)
    workers = workers_of(first)
    assert sorted(workers) == ["solver", "turns"]
    second = command(empty_scratch)
    assert workers_of(second) == workers
    _, said = first.communicate(timeout=60)
    assert said == "First start: preparing the database ...\n"
    assert all(psutil.pid_exists(int(pid)) for pid in workers.values()), "the second command still needs them"
    assert second.communicate(timeout=60)[1] == ""
    empty_scratch.check_all_has_ended()


@pytest.mark.usefixtures("worker_process")
def test_a_worker_says_what_it_takes_and_beats() -> None:
    assert signs.unserved_queues() == ["solver"]
    assert signs.is_seen(signs.queue("calls.local"))
    wait_until(lambda: signs.is_seen(signs.BEAT), "the beat is seen")


def test_a_killed_solver_leaves_no_child(processes: Processes) -> None:
    solver = processes.start_worker(programs.solver())
    children = psutil.Process(solver.process.pid).children(recursive=True)
    assert children
    processes.kill(solver)
    wait_until(lambda: not [child for child in children if child.is_running()], "its children end")


def test_a_worker_ends_when_its_starter_is_killed(processes: Processes) -> None:
    assert programs.solver().death_signal == signal.SIGKILL
    script = (
        "import time\n"
        "from nsed_web import programs\n"
        "from nsed_web.processes import start\n"
        "print(start(programs.solver()).process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = dict(processes.environment)
    starter = subprocess.Popen(
        [sys.executable, "-c", script], cwd=state.PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    )
    worker = psutil.Process(int(starter.stdout.readline()))
    starter.kill()
    starter.communicate()
    wait_until(lambda: not worker.is_running(), "the worker ends")
