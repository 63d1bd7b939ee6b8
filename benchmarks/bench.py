"""`make bench`: what the system adds to the models' own time, on real services and a stub model server.

Each row is one JSON line {"row", "asked", "seen", "held", "n"}; figures are ratios or costs within this one run.
A state directory of its own is used and removed; everything that is started here is stopped here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
CALL_S = 1.0


def main() -> None:
    """Prepares a database of its own, then measures in a process that Django is set up in."""
    with state_directory() as state, stub_server() as port:
        environment = {**os.environ, "NSED_STATE_DIR": str(state), "BENCH_STUB_PORT": str(port)}
        codes = [run("rows.py", *sys.argv[1:], environment=environment), run("selection.py"), run("lists.py")]
    raise SystemExit(max(codes))


def run(script: str, *arguments: str, environment: dict[str, str] | None = None) -> int:
    argv = [sys.executable, str(PROJECT / "benchmarks" / script), *arguments]
    return subprocess.run(argv, env=environment, cwd=PROJECT, check=False).returncode


@contextmanager
def state_directory() -> Iterator[Path]:
    """World-walkable, since PostgreSQL runs as an account of its own where we are root."""
    path = Path(tempfile.mkdtemp(prefix="nsed-bench-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def stub_server() -> Iterator[int]:
    """The OpenAI-compatible stub of the tests, at one second a call, in a process of its own."""
    argv = [sys.executable, str(PROJECT / "tests" / "stub_server.py"), "--port", "0", "--delay", str(CALL_S)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield int(json.loads(line)["port"])
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
