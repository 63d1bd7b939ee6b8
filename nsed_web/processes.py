"""Child processes that end with the process that started them, and are stopped in an orderly way before
that."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from nsed_web.state import PROJECT

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


@dataclass(frozen=True)
class Program:
    """What to start. stop_signal asks it to end in order, death_signal to end at once (it gets it when its
    starter dies); user is an account to run as (only root may ask).
    """

    name: str
    argv: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    log: Path | None = None
    stdin: bytes | None = None
    directory: Path = PROJECT


@dataclass(frozen=True)
class Child:
    program: Program
    process: subprocess.Popen[bytes]

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None


def start(program: Program) -> Child:
    """Start it in a session of its own (a Ctrl-C in the terminal reaches its starter alone)."""
    with program.log.open("ab") if program.log else nullcontext() as log:
        process = subprocess.Popen(
            program.argv,
            env={**os.environ, **program.environment},
            stdin=subprocess.PIPE if program.stdin is not None else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=program.directory,
            start_new_session=True,
            preexec_fn=_dies_with_parent(program.death_signal),
            user=program.user,
            group=program.user,
            extra_groups=[] if program.user else None,
        )
    if process.stdin is not None and program.stdin is not None:
        process.stdin.write(program.stdin)
        process.stdin.close()
    return Child(program, process)


def _dies_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Runs in the child after the change of account, which would clear the setting. Linux alone has it;
    elsewhere a killed starter leaves its children to the next start's clean-up.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_for_the_signal() -> None:
        prctl(PR_SET_PDEATHSIG, death_signal.value)
        if os.getppid() != parent:  # the starter died before we asked
            os._exit(1)

    return ask_for_the_signal


def stop(children: Sequence[Child], *, grace_s: float) -> None:
    """Ask all to end in order; those that have not after grace_s, to end at once; and kill what is left after
    as long.
    """
    for child in children:
        _send(child, child.program.stop_signal)
    for child in _not_ended(children, within_s=grace_s):
        _send(child, child.program.death_signal)
    for child in _not_ended(children, within_s=grace_s):
        child.process.kill()
        child.process.wait()


def _send(child: Child, number: signal.Signals) -> None:
    if not child.has_ended:
        child.process.send_signal(number)


def _not_ended(children: Sequence[Child], *, within_s: float) -> list[Child]:
    deadline = time.monotonic() + within_s
    while any(not child.has_ended for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [child for child in children if not child.has_ended]
