"""The measured rows. Started by bench.py, which gives it a database and a model server of its own."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nsed_web.settings")

from nsed_web import services as site  # noqa: E402  before Django reads the settings

site.prepare(["bench"])

import django  # noqa: E402

django.setup()

from django.db import connection  # noqa: E402

from broker.models import Endpoint, Host, Model  # noqa: E402
from deliberation.models import Session, Turn  # noqa: E402
from deliberation.selectors.report import critical_path_s  # noqa: E402
from deliberation.services.sessions import Opening, open_session  # noqa: E402

AGENTS, ROUNDS, MANY = 5, 3, 20
FULL = {"effort": 1.0, "min_rounds": ROUNDS, "max_rounds": ROUNDS, "panel_size": [AGENTS, AGENTS]}
GIVE_UP_S = 120.0


def row(name: str, *, asked: str, seen: float, held: bool, n: int) -> None:
    print(json.dumps({"row": name, "asked": asked, "seen": round(seen, 4), "held": held, "n": n}), flush=True)  # noqa: T201


def main() -> None:
    register_stub(int(os.environ["BENCH_STUB_PORT"]))
    with site.workers_for_this_command():
        run(1)  # connections, imports, bytecode
        one = run(1)
        row(
            "wall over critical path, 1 session of 5 x 3",
            asked="<= 1.03",
            seen=one.ratio,
            held=one.ratio <= 1.03,
            n=1,
        )
        many = run(MANY)
        row(
            "wall over critical path, 20 at once",
            asked="<= 1.15",
            seen=many.ratio,
            held=many.ratio <= 1.15,
            n=MANY,
        )
        row("CPU s of workers, 20 at once", asked="<= 5", seen=many.cpu_s, held=many.cpu_s <= 5, n=MANY)
        per_turn = many.cpu_s * 1000 / many.turns
        row("CPU ms of workers per turn", asked="reported", seen=per_turn, held=True, n=many.turns)
        calls = many.statements / many.turns
        row("database statements per turn", asked="reported", seen=calls, held=True, n=many.turns)


def register_stub(port: int) -> None:
    host, _ = Host.objects.get_or_create(name="local")
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


class Measured:
    """n sessions opened together, and what they cost."""

    def __init__(self, sessions: Sequence[Session], *, wall_s: float, cpu_s: float, statements: int) -> None:
        for session in sessions:
            session.refresh_from_db()
            if session.state != Session.State.CONCLUDED:
                raise SystemExit(f"session {session.pk} ended as {session.state}: {session.failure_detail}")
        slowest = max(critical_path_s(session) for session in sessions)
        self.ratio = wall_s / slowest
        self.cpu_s, self.statements = cpu_s, statements
        self.turns = Turn.objects.filter(session__in=sessions).count()


def run(count: int) -> Measured:
    """Opens the sessions, waits until the last has ended."""
    before_cpu, before_statements = workers_cpu_s(), statements()
    began = time.monotonic()
    sessions = [open_session(Opening("What is 17*23?", "standard", seed=n, rules=FULL)) for n in range(count)]
    pks = [session.pk for session in sessions]
    wait_for(lambda: not Session.objects.filter(pk__in=pks).exclude(state__in=Session.ENDED).exists())
    wall_s = time.monotonic() - began
    cpu_s = workers_cpu_s() - before_cpu
    return Measured(sessions, wall_s=wall_s, cpu_s=cpu_s, statements=statements() - before_statements)


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("the sessions did not end in time")
        time.sleep(0.02)


def statements() -> int:
    """Transactions that the database has ended, seen from its own counters; a floor of the statements."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements"
            if has_statements()
            else "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def has_statements() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'")
        return bool(cursor.fetchone()[0])


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
