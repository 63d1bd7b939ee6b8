"""A state directory for one test, and processes that use the embedded servers in it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psutil

from nsed_web import state

PATIENCE_S = 60.0
SERVERS = ("postgres", "valkey-server")
USER = """
import os, sys
from nsed_web import services
services.attach()
print(os.environ["DATABASE_OWNER_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the servers until it is told to leave."""

    def __init__(self, environment: dict[str, str]) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        argv = [sys.executable, "-c", USER]
        self._process = subprocess.Popen(argv, cwd=state.PROJECT, env=environment, text=True, **pipes)

    @cached_property
    def addresses(self) -> tuple[str, str]:
        """The owner's database and Redis, once the servers are up."""
        line = self._process.stdout.readline()
        assert line, self.last_words()
        database, redis_url = line.split()
        return database, redis_url

    @property
    def database(self) -> str:
        return self.addresses[0]

    @property
    def redis_url(self) -> str:
        return self.addresses[1]

    def leave(self) -> None:
        """It ends by itself, in order."""
        self.last_words()
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self.last_words()

    def last_words(self) -> str:
        """What it said of its failure; waits for its end."""
        if self._process.stdin.closed:
            return ""
        return self._process.communicate(timeout=PATIENCE_S)[1]


@dataclass(frozen=True)
class Scratch:
    """`root` lies in the system's temporary directory and is walkable: as root, PostgreSQL has an account of
    its own.
    """

    root: Path
    users: list[User] = field(default_factory=list)

    @classmethod
    def make(cls) -> "Scratch":
        root = Path(tempfile.mkdtemp(prefix="nsed-test-"))
        root.chmod(0o711)
        return cls(root)

    def remove(self) -> None:
        self.end_everything()
        shutil.rmtree(self.root)

    def end_everything(self) -> None:
        """The users that a test left, then the servers, in order."""
        while self.users:
            self.users.pop().kill()
        wait_until(lambda: not self.processes(), "the servers stop")

    def check_all_has_ended(self) -> None:
        """After the last user: the servers have stopped. Their keeper has let go of its lock by then, and may
        need a moment more to end where another than the last user started it.
        """
        assert [each for each in self.processes() if each.name() in SERVERS] == []
        wait_until(lambda: not self.processes(), "the keeper ends")

    def environment(self) -> dict[str, str]:
        """As for somebody who has set nothing but the directory."""
        unset = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        kept = {name: value for name, value in os.environ.items() if name not in unset}
        return {**kept, "NSED_STATE_DIR": str(self.root)}

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A command line of manage.py, to its end."""
        argv = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            argv,
            cwd=state.PROJECT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )

    def use(self) -> User:
        self.users.append(User(self.environment()))
        return self.users[-1]

    def processes(self) -> list[psutil.Process]:
        """All that know of this directory, by their command line or their environment."""
        return [
            process
            for process in psutil.process_iter()
            if process.pid != os.getpid() and self._knows(process)
        ]

    def _knows(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return str(self.root) in " ".join(process.cmdline()) or self._is_in_environment(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _is_in_environment(self, process: psutil.Process) -> bool:
        return process.environ().get("NSED_STATE_DIR") == str(self.root)

    def server(self, name: str) -> psutil.Process:
        """The running `postgres` or `valkey`, by the keeper's note."""
        pids = dict(line.split() for line in (self.root / "servers.up").read_text().splitlines())
        return psutil.Process(int(pids[name]))

    def keeper(self) -> psutil.Process:
        return self.server("postgres").parent()


def wait_until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
