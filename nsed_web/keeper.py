"""Keeps processes up for as long as some other process uses them: `python -m nsed_web.keeper servers` (or
`workers`).

Every user holds a shared file lock; the keeper looks for the exclusive one. The kernel drops the lock of a
process that ends, however it ends, so what is kept stops after its last user and never before, and nobody has
to remember to stop it. A kept process that dies meanwhile is started again, at the same address. Standard
library only: it stays resident.
"""

import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from nsed_web import deployment, embedded, locks, programs, state
from nsed_web.processes import Child, Program, start, stop

COME_UP_S = 60.0
STOP_S = 10.0
ATTEMPTS = 8
ATTEMPT_PAUSE_S = 0.5
WATCH_S = 0.1
RESTARTS, RESTARTS_S = 5, 30.0  # more of them in this time: it will not live, whatever we do


@dataclass(frozen=True)
class Files:
    """The files in the state directory through which a keeper and its users know of each other."""

    name: str

    @property
    def keeper_lock(self) -> Path:
        return state.state_directory() / f"{self.name}.keeper"

    @property
    def users_lock(self) -> Path:
        return state.state_directory() / f"{self.name}.users"

    @property
    def up_note(self) -> Path:
        """There while everything is up. A line for each kept process: name, pid."""
        return state.state_directory() / f"{self.name}.up"


SERVERS, WORKERS = Files("servers"), Files("workers")


@dataclass(frozen=True)
class Charge:
    """What one keeper keeps. is_ready tells when the processes do their work; then `finish` completes the
    start.
    """

    programs: Sequence[Program]
    is_ready: Callable[[], bool]
    finish: Callable[[], None]
    uses: Sequence[IO[bytes]] = ()  # what this process uses itself, until all has stopped


def servers() -> Charge:
    embedded.prepare()
    return Charge(
        (embedded.postgres_program(), embedded.valkey_program()), embedded.is_ready, embedded.ensure_roles
    )


def workers() -> Charge:
    """They use the servers, and so does this process until they have stopped."""
    servers_in_use = locks.hold(SERVERS.users_lock, shared=True)
    chosen = (programs.turns(deployment.from_environment()), programs.solver())
    logged = tuple(replace(each, log=state.log_file(each.name)) for each in chosen)
    return Charge(logged, is_ready=lambda: True, finish=lambda: None, uses=(servers_in_use,))


CHARGES = {SERVERS.name: servers, WORKERS.name: workers}


class Kept:
    """The running processes of a charge, by name."""

    def __init__(self, charge: Charge) -> None:
        self._charge = charge
        self._children: dict[str, Child] = {}
        self._restarts: deque[float] = deque(maxlen=RESTARTS)

    def dead(self) -> list[Program]:
        return [each for each in self._charge.programs if self._has_ended(each.name)]

    def _has_ended(self, name: str) -> bool:
        return name not in self._children or self._children[name].has_ended

    def bring_up(self) -> None:
        """Starts what does not run and waits until it works. ServerError when something will not stay up: a
        PostgreSQL that was killed may need a few attempts, until its last backend has let go of the shared
        memory.
        """
        for _ in range(ATTEMPTS):
            for program in self.dead():
                self._children[program.name] = start(program)
            if self._comes_up():
                self._charge.finish()
                return
            time.sleep(ATTEMPT_PAUSE_S)
        raise self._failure("did not come up")

    def bring_back(self) -> None:
        """As bring_up(), after a death."""
        now = time.monotonic()
        if len(self._restarts) == RESTARTS and now - self._restarts[0] < RESTARTS_S:
            raise self._failure("ended again and again")
        self._restarts.append(now)
        self.bring_up()

    def _failure(self, what: str) -> embedded.ServerError:
        failed = self.dead() or self._charge.programs
        names, logs = (", ".join(str(getattr(each, field)) for each in failed) for field in ("name", "log"))
        return embedded.ServerError(f"{names} {what}; see {logs}")

    def _comes_up(self) -> bool:
        """False as soon as one has died, or after COME_UP_S."""
        deadline = time.monotonic() + COME_UP_S
        while not self.dead() and time.monotonic() < deadline:
            if self._charge.is_ready():
                return True
            time.sleep(0.02)
        return False

    def note(self) -> str:
        return "".join(f"{name} {child.process.pid}\n" for name, child in self._children.items())

    def stop(self) -> None:
        stop(list(self._children.values()), grace_s=STOP_S)


def main(name: str) -> int:
    """A second keeper of the same ends at once."""
    files = Files(name)
    lock = locks.try_hold(files.keeper_lock)
    if lock is None:
        return 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        keep_until_unused(files)
    except (embedded.ServerError, state.StateError) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201  the log that services.py quotes
        return 1
    return 0


def keep_until_unused(files: Files) -> None:
    """Returns when no user is left and all has stopped; a user that comes while it stops waits for that."""
    files.up_note.unlink(missing_ok=True)
    kept = Kept(CHARGES[files.name]())
    try:
        kept.bring_up()
        _write(files.up_note, kept.note())
        while (unused := locks.try_hold(files.users_lock)) is None:
            time.sleep(WATCH_S)
            if kept.dead():
                files.up_note.unlink(missing_ok=True)
                kept.bring_back()
                _write(files.up_note, kept.note())
        with unused:
            files.up_note.unlink(missing_ok=True)
            kept.stop()
    finally:
        files.up_note.unlink(missing_ok=True)
        kept.stop()


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
