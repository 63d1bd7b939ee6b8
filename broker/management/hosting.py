"""A GPU host at work: one worker for its calls and the model servers of the registry, kept up and told of."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from broker.gpu_host import memory, serving, supervising
from broker.gpu_host.serving import BadServer, Serving
from broker.gpu_host.supervising import Charge, Report, Supervisor
from broker.keys import KeyUnusable
from broker.models import Host, Server
from broker.selectors import servers
from broker.services import checking, hosts, listing, readings
from broker.services.hosts import HostReport
from nsed_web import programs, state
from nsed_web.processes import Child, Program, start

log = logging.getLogger(__name__)

WATCH_S = 0.2
READ_S = 5.0  # how often the registry is read, and the host reports although nothing changed
LOG_BYTES = 20_000_000  # a server's log is put aside at a start once it is longer
WORKER = "worker"
ASLEEP = (
    "Another model of this host is in memory. To load this one: "
    "manage.py gpu_host {row.host.name} --server {row.endpoint.name}"
)
# Ours, and none of a model server's business.
OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY")


class TakenOver(Exception):
    """Another process is the host of this name now."""


class Process:
    """A started program with all that it started: its process group."""

    def __init__(self, child: Child) -> None:
        self._child = child

    @property
    def exit_status(self) -> int | None:
        return self._child.process.poll()

    @property
    def group(self) -> int:
        return self._child.process.pid  # it leads a session of its own

    def ask_to_end(self) -> None:
        if self.exit_status is None:
            self._child.process.send_signal(self._child.program.stop_signal)

    def end(self) -> None:
        """A model server's engine is a process of its own, which a killed server leaves behind with its memory."""
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._child.process.wait()


@dataclass(frozen=True)
class Plan:
    """launcher: the program of a model server, `vllm serve`. drain_s: how long calls in hand may take to end.

    server: which one to start, by its endpoint, on a host that has one model in memory at a time.
    """

    host: str
    launcher: Sequence[str]
    drain_s: float
    server: str = ""


class Hosting:
    """Everything that runs here, from run() until `ending` is set; set once more, the draining is cut short."""

    def __init__(self, plan: Plan, *, say: Callable[[str], None]) -> None:
        self.ending, self.hurry = threading.Event(), threading.Event()
        self._news = threading.Event()  # a server came up
        self._plan = plan
        self._say = say
        self._servers, self._worker = Supervisor(), Supervisor()
        self._rows: dict[str, Server] = {}
        self._asleep: list[Server] = []
        self._charges: dict[str, Charge] = {}
        self._told: dict[str, Report] = {}
        self._next_read = self._next_report = float("-inf")
        self._is_ours = True

    def run(self) -> None:
        """Raises TakenOver where another process is this host."""
        if not hosts.take_name(self._plan.host):
            raise TakenOver
        threading.Thread(target=self._read_servers, name="readings", daemon=True).start()
        try:
            while not self.ending.wait(WATCH_S):
                self._look()
        finally:
            self._drain()

    def _read_servers(self) -> None:
        """What the servers say of themselves, and their health: those on loopback can be asked from here alone. In a
        thread of its own: it waits for them, and gives back its connection, on which our name would hang.
        """
        lists_due = float("-inf")
        while not self.hurry.is_set():
            try:
                readings.read_fleet(self._plan.host)
                checking.check_fleet(self._plan.host)
                if time.monotonic() >= lists_due:
                    lists_due = time.monotonic() + settings.NSED.health_check_s
                    listing.check_lists(self._plan.host)
            except (OperationalError, InterfaceError) as error:
                log.warning("no readings, the database is away: %s", type(error).__name__)
            finally:
                connection.close()
            if self._news.wait(settings.NSED.telemetry_s):
                lists_due = float("-inf")
            self._news.clear()

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._next_read:
            self._next_read = now + READ_S
            with self._database_may_be_away():
                self._read_registry()
        self._watch_servers(now, state=Host.State.UP)
        if self._can_call():
            self._worker.want({WORKER: Charge(self._start_worker, is_well=lambda: True)})
        self._worker.look(now)

    def _read_registry(self) -> None:
        if not hosts.take_name(self._plan.host):
            self._is_ours = False
            raise TakenOver
        rows = servers.servers_of(self._plan.host)
        wanted = servers.loaded(rows, chosen=self._plan.server)
        self._rows = {each.endpoint.name: each for each in wanted}
        self._asleep = [each for each in rows if each not in wanted]
        charges = {name: self._charge(name, row) for name, row in self._rows.items()}
        self._charges = {name: charge for name, charge in charges.items() if charge is not None}
        self._servers.want(self._charges)

    def _charge(self, name: str, row: Server) -> Charge | None:
        """For one that cannot be started as it is: what was known of it before, else None, and the row says why."""
        try:
            wanted = servers.serving(row)
            serving.check(wanted)
        except (KeyUnusable, BadServer) as error:
            if name not in self._charges:
                hosts.report_server(row, Report("failed", row.restarts, str(error)))
            return self._charges.get(name)
        return Charge(
            lambda: self._start_server(wanted), lambda: supervising.answers(wanted.address, wanted.port)
        )

    def _can_call(self) -> bool:
        """The worker begins once there is something to call, and stays."""
        reports = self._servers.reports().values()
        return not reports or any(each.state == "up" for each in reports)

    def _watch_servers(self, now: float, *, state: Host.State) -> None:
        """Looks after them, and tells what is new; every READ_S seconds, all."""
        reports = self._servers.look(now)
        news = {name: each for name, each in reports.items() if self._told.get(name) != each}
        for name, report in news.items():
            log.info("server %s: %s %s", name, report.state, report.detail)
            self._told[name] = report
        if news or now >= self._next_report:
            self._next_report = now + READ_S
            with self._database_may_be_away():
                self._tell(reports, state=state)
                self._welcome([name for name, report in news.items() if report.state == "up"])

    def _tell(self, reports: Mapping[str, Report], *, state: Host.State) -> None:
        if not self._is_ours:
            return
        for name, report in reports.items():
            hosts.report_server(self._rows[name], report)
        for row in self._asleep:
            hosts.report_server(row, Report("stopped", row.restarts, ASLEEP.format(row=row)))
        groups = [running.group for running in self._servers.running()]
        hosts.report_host(self._plan.host, HostReport(state, memory.read(groups), self._detail(reports)))

    def _welcome(self, names: Sequence[str]) -> None:
        for name in names:
            hosts.check_soon(self._rows[name])
        if names:
            self._news.set()

    def _detail(self, reports: Mapping[str, Report]) -> str:
        up = sum(each.state == "up" for each in reports.values())
        told = f"{up} of {len(self._rows)} servers up" if self._rows else "no servers to run"
        told += f", {len(self._asleep)} not loaded" if self._asleep else ""
        worker = self._worker.reports().get(WORKER)
        return f"{told}; worker {worker.detail}" if worker and worker.state == "failed" else told

    def _drain(self) -> None:
        """The worker finishes its calls while the servers are kept up; then they end."""
        self._say("Finishing the calls in hand ...")
        with self._database_may_be_away():
            self._tell(self._servers.reports(), state=Host.State.DRAINING)
        self._worker.ask_to_end()
        for now in self._until(lambda: self._worker.has_ended, within_s=self._plan.drain_s):
            self._watch_servers(now, state=Host.State.DRAINING)
        self._worker.end()
        self._say("Stopping the model servers ...")
        self._servers.ask_to_end()
        for _ in self._until(lambda: self._servers.has_ended, within_s=supervising.LEAVE_S):
            pass
        self._servers.end()
        with self._database_may_be_away():
            self._tell(self._servers.reports(), state=Host.State.DOWN)

    def _until(self, is_so: Callable[[], bool], *, within_s: float) -> Iterator[float]:
        deadline = time.monotonic() + within_s
        while not is_so() and time.monotonic() < deadline and not self.hurry.wait(WATCH_S):
            yield time.monotonic()

    @contextmanager
    def _database_may_be_away(self) -> Iterator[None]:
        """What runs goes on without it. The name went with the connection, so it is taken anew at the next look."""
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            log.warning("the database is away: %s", type(error).__name__)
            self._next_read = float("-inf")
            connection.close()

    def _start_worker(self) -> Process:
        worker = programs.calls(settings.NSED, host=self._plan.host)
        return Process(start(replace(worker, environment={"NSED_WORKER_HOST": self._plan.host})))

    def _start_server(self, wanted: Serving) -> Process:
        return Process(start(server(wanted, launcher=self._plan.launcher)))


def server(wanted: Serving, *, launcher: Sequence[str]) -> Program:
    """A model server: without our secrets, away from our source."""
    unseen = {name: "" for name in os.environ if name in OURS or name.startswith("NSED_")}
    path = state.log_file(f"server-{wanted.name}")
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old"))
    return Program(
        name=wanted.name,
        argv=serving.command_line(wanted, launcher=launcher),
        environment={**unseen, **serving.environment(wanted)},
        log=path,
        directory=state.state_directory(),
    )
