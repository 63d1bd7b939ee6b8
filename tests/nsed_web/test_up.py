"""manage.py up: one command starts the whole site, and leaves nothing when it ends, however it ends."""

import json
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from nsed_web import state
from tests.fixtures_processes import free_port
from tests.nsed_web.scratch import Scratch, wait_until

SITE_S = 120


class Up:
    """A running `manage.py up`. `said` is all it wrote until it was ready."""

    def __init__(self, scratch: Scratch, port: int) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=state.PROJECT,
            env=scratch.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        while "Ctrl-C" not in self.said:
            line = self.process.stdout.readline()
            assert line, f"it ended:\n{self.said}"
            self.said += line

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Its exit status and last words."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=SITE_S)
        return self.process.returncode, said

    def get(self, path: str) -> tuple[int, bytes]:
        web = HTTPConnection("127.0.0.1", self.port, timeout=10)
        web.request("GET", path)
        answer = web.getresponse()
        body = answer.read()
        web.close()
        return answer.status, body


@pytest.mark.timeout(240)
def test_a_site_starts_serves_and_ends(empty_scratch: Scratch) -> None:
    port = free_port()

    first = Up(empty_scratch, port)
    assert "Preparing the database ..." in first.said
    assert f"Ready at http://127.0.0.1:{port}\n" in first.said
    assert f"http://127.0.0.1:{port}/sign-in/link/?sesame=" in first.said
    assert first.get("/healthz")[0] == 200
    status, body = first.get("/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True, "wrong": {}})
    assert first.get("/sign-in/")[0] == 200
    other_link = empty_scratch.run("sign_in_link", "owner")
    assert other_link.stdout.startswith(f"http://127.0.0.1:{port}/sign-in/link/?sesame=")
    assert empty_scratch.run("doctor").returncode == 0
    status, said = first.end(signal.SIGINT)
    assert (status, said.splitlines()[-1]) == (0, "Stopped.")
    empty_scratch.check_all_has_ended()

    second = Up(empty_scratch, port)
    assert "Preparing the database ..." not in second.said
    web = next(each for each in empty_scratch.processes() if "daphne" in each.cmdline())
    web.kill()
    status, said = second.wait()
    assert status == 1
    assert "CommandError: web ended by itself with status -9, so all is stopped" in said
    empty_scratch.check_all_has_ended()

    third = Up(empty_scratch, port)
    third.end(signal.SIGKILL)
    wait_until(lambda: not empty_scratch.processes(), "everything ends after a kill")


def test_a_taken_port_is_told_before_anything_is_started(empty_scratch: Scratch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = empty_scratch.run("up", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot be had" in done.stderr
    assert "PORT=8001" in done.stderr
    assert not (empty_scratch.root / "data").exists()


@pytest.mark.parametrize("port", ["99999", "-1", "http"])
def test_a_port_that_cannot_be_is_refused(empty_scratch: Scratch, port: str) -> None:
    done = empty_scratch.run("up", f"--port={port}")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
