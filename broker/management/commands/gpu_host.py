"""manage.py gpu_host NAME: this machine as a GPU host, until SIGTERM or Ctrl-C."""

import os
import shlex
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from broker.management.hosting import Hosting, Plan, TakenOver
from broker.selectors import servers

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Command(BaseCommand):
    help = "Runs a worker for the calls of one host, and the model servers that the registry names for it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the host, as the registry knows it")
        parser.add_argument(
            "--launcher",
            default=os.environ.get("NSED_VLLM", "vllm serve"),
            help="the program of a model server (NSED_VLLM; by default `vllm serve`)",
        )
        parser.add_argument(
            "--drain-s",
            type=float,
            default=600.0,
            help="how long calls in hand may take when it ends (600 s)",
        )
        parser.add_argument(
            "--server",
            default="",
            metavar="ENDPOINT",
            help="which server to start, on a host that has one model in memory at a time",
        )

    def handle(self, *args: Any, name: str, launcher: str, drain_s: float, **options: Any) -> None:
        if not shlex.split(launcher):
            raise CommandError("the launcher names no program", returncode=2)
        server = chosen(name, options["server"])
        hosting = Hosting(Plan(name, shlex.split(launcher), drain_s, server), say=self.say)
        heed_signals(hosting)
        self.say(f"Host {name} is starting. Ctrl-C or SIGTERM finishes the calls in hand and stops.")
        try:
            hosting.run()
        except TakenOver:
            raise CommandError(f"host {name} is run by another process already") from None
        self.say("Stopped.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def chosen(name: str, server: str) -> str:
    """The server to start on a host that swaps, "" on any other. CommandError says what to do."""
    host = servers.host(name)
    if host is None:
        known = ", ".join(servers.host_names()) or "none"
        raise CommandError(f"the registry has no host {name}; it has: {known}", returncode=2)
    there = [each.endpoint.name for each in servers.servers_of(name)]
    if not servers.swaps(host):
        if server:
            raise CommandError(f"all models of host {name} stay in memory: leave --server out", returncode=2)
        return ""
    if server not in there and (server or len(there) > 1):
        raise CommandError(
            f"host {name} has one model in memory at a time: say which with --server X; "
            f"it has: {', '.join(there) or 'none'}",
            returncode=2,
        )
    return server or "".join(there)


def heed_signals(hosting: Hosting) -> None:
    """The first one ends it in order, a second one cuts the waiting short."""

    def end(*_: Any) -> None:
        if hosting.ending.is_set():
            hosting.hurry.set()
        hosting.ending.set()

    for number in ENDS:
        signal.signal(number, end)
