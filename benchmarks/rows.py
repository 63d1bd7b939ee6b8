"""The measured rows. Started by bench.py, which gives it a database and a model server of its own."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nsed_web.settings")

from nsed_web import services as site  # noqa: E402  before Django reads the settings

site.prepare(["bench"])

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402

from benchmarks.frames import frame_rows  # noqa: E402
from benchmarks.what_if import what_if_rows  # noqa: E402
from broker.models import Endpoint, Host, Model  # noqa: E402
from deliberation import orchestrator, staffing  # noqa: E402
from deliberation.models import Session, Turn  # noqa: E402
from deliberation.selectors.report import critical_path_s  # noqa: E402
from deliberation.services.sessions import Opening, open_session  # noqa: E402
from deliberation.turn_taking import take_turns  # noqa: E402

AGENTS, ROUNDS, MANY = 5, 3, 20
HOST = "local"
FULL = {"effort": 1.0, "min_rounds": ROUNDS, "max_rounds": ROUNDS, "panel_size": [AGENTS, AGENTS]}
GIVE_UP_S = 120.0


def row(name: str, *, asked: str, seen: float, held: bool, n: int) -> None:
    print(json.dumps({"row": name, "asked": asked, "seen": round(seen, 4), "held": held, "n": n}), flush=True)  # noqa: T201


def main() -> None:
    register_stub(int(os.environ["BENCH_STUB_PORT"]))
    calls = statements_per_turn()
    with site.workers_for_this_command():
        run(1)  # connections, imports, bytecode
        one, many = run(1), run(MANY)
    at_most("wall over critical path, 1 session of 5 x 3", one.ratio, limit=1.03, n=1)
    at_most("wall over critical path, 20 at once", many.ratio, limit=1.15, n=MANY)
    at_most("CPU s of workers, 20 at once", many.cpu_s, limit=5, n=MANY)
    reported("CPU ms of workers per turn, 20 at once", many.cpu_s * 1000 / many.turns, n=many.turns)
    reported("database statements per turn", calls, n=AGENTS * ROUNDS * 2)
    for each in (*frame_rows(), *what_if_rows()):
        row(each["row"], asked=each["asked"], seen=each["seen"], held=each["held"], n=each["n"])


def at_most(name: str, seen: float, *, limit: float, n: int) -> None:
    row(name, asked=f"<= {limit:g}", seen=seen, held=seen <= limit, n=n)


def reported(name: str, seen: float, *, n: int) -> None:
    row(name, asked="reported", seen=seen, held=True, n=n)


def register_stub(port: int) -> None:
    host, _ = Host.objects.get_or_create(name=HOST)
    endpoint = Endpoint.objects.create(
        name="stub",
        kind="openai_compatible",
        base_url=f"http://127.0.0.1:{port}/v1",
        host=host,
        max_concurrency=500,
    )
    for number in range(AGENTS):
        name = f"stub-{number}"
        Model.objects.create(alias=name, served_name=name, family=f"family-{number}", endpoint=endpoint)


def statements_per_turn() -> float:
    """Of a whole session, from the panel to the verdict: driven in this process, where statements can be counted."""
    counted = Counter[str]()

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        counted["statements"] += 1
        return execute(sql, *rest)

    session = opened(0)
    with connection.execute_wrapper(count):
        staffing.staff(session.pk)
        while take_turns(session.pk, HOST):
            orchestrator.advance(session.pk)
    session.refresh_from_db()
    must_have_concluded(session)
    return counted["statements"] / session.turns.count()


@dataclass(frozen=True)
class Measured:
    """Sessions opened together: wall time over the slowest one's critical path, CPU of the workers, turns in all."""

    ratio: float
    cpu_s: float
    turns: int


def run(count: int) -> Measured:
    """Opens the sessions, waits until the last has ended."""
    before_cpu, began = workers_cpu_s(), time.monotonic()
    sessions = [opened(n) for n in range(count)]
    pks = [session.pk for session in sessions]
    wait_for(lambda: not Session.objects.filter(pk__in=pks).exclude(state__in=Session.ENDED).exists())
    wall_s, cpu_s = time.monotonic() - began, workers_cpu_s() - before_cpu
    for session in sessions:
        session.refresh_from_db()
        must_have_concluded(session)
    slowest = max(critical_path_s(session) for session in sessions)
    return Measured(wall_s / slowest, cpu_s, Turn.objects.filter(session__in=sessions).count())


def opened(seed: int) -> Session:
    return open_session(Opening("What is 17*23?", "standard", seed=seed, rules=FULL))


def must_have_concluded(session: Session) -> None:
    if session.state != Session.State.CONCLUDED:
        raise SystemExit(f"session {session.pk} ended as {session.state}: {session.failure_detail}")


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the sessions did not end in time")
        time.sleep(0.02)


def workers_cpu_s() -> float:
    """User and system seconds of every Celery worker process below this database's keeper."""
    ticks = os.sysconf("SC_CLK_TCK")
    state = os.environ["NSED_STATE_DIR"]
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if f"NSED_STATE_DIR={state}".encode() in environment and b"celery" in command:
            total += int(fields[11]) + int(fields[12])
    return total / ticks


if __name__ == "__main__":
    main()
