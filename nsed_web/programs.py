"""The processes that make up a running site, as `up` and `deliberate` start them. deploy/ starts the same."""

import os
import signal
import sys
from collections.abc import Sequence

from nsed_web.deployment import Deployment
from nsed_web.processes import Program


def web(*, port: int, public_url: str) -> Program:
    """Daphne on loopback: HTTP and WebSockets."""
    argv = [
        sys.executable,
        "-m",
        "daphne",
        "-v",
        "0",
        "-b",
        "127.0.0.1",
        "-p",
        str(port),
        "nsed_web.asgi:application",
    ]
    return Program(name="web", argv=argv, environment={"NSED_PUBLIC_URL": public_url})


def turns(deployment: Deployment) -> Program:
    """One worker of many threads for steps and model calls; it beats too."""
    pool = ("-P", "threads", "-c", str(deployment.worker_threads))
    queues = ("steps", "calls", f"calls.{deployment.worker_host}")
    return _worker("turns", pool, queues, environment={"NSED_BEAT_IN_WORKER": "1"})


def calls(deployment: Deployment, *, host: str) -> Program:
    """A worker beside a host's model servers: it takes that host's calls and nothing else."""
    pool = ("-P", "threads", "-c", str(deployment.worker_threads))
    return _worker("calls", pool, (f"calls.{host}",), environment={})


def solver() -> Program:
    """One process for the panel solver, which computes for seconds and has a hard time limit. Its child is
    forked, and a connection pool does not survive that.
    """
    return _worker(
        "solver", ("-P", "prefork", "-c", "1"), ("solver",), environment={"NSED_DATABASE_POOL": "0"}
    )


def _worker(name: str, pool: Sequence[str], queues: Sequence[str], *, environment: dict[str, str]) -> Program:
    options = ("--without-gossip", "--without-mingle", "-l", "WARNING", "-n", f"{name}-{os.getpid()}@%h")
    return Program(
        name=name,
        argv=[
            sys.executable,
            "-m",
            "celery",
            "--quiet",
            "-A",
            "nsed_web",
            "worker",
            *pool,
            "-Q",
            ",".join(queues),
            *options,
        ],
        death_signal=signal.SIGKILL,  # at once, in the middle of its start too: its database may go with its starter
        environment=environment,
    )
