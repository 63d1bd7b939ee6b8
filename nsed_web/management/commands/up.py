"""manage.py up: the whole site on this machine, until Ctrl-C. Everything it starts ends with it."""

import http
import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nsed_web import diagnosis, links, programs, services
from nsed_web.processes import Child, Program, start, stop

READY_S = 90.0
WATCH_S = 0.2
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked us to end."""


class Command(BaseCommand):
    help = "Starts the whole site on this machine: servers, migrations, workers, web. Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT", "8000"))

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        address = os.environ.get("NSED_PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
        try:
            with asked_to_end(), Site() as site:
                refuse_taken(port)
                self.prepare()
                for program in site_programs(port=port, address=address):
                    self.say(f"Starting {program.name} ...")
                    site.start(program)
                site.wait_until_ready(port)
                self.greet(address)
                site.watch()
        except Stopped:
            self.say("Stopped.")
        except services.FAILURES as error:
            raise CommandError(str(error)) from error

    def prepare(self) -> None:
        """The servers, and a database of today's shape."""
        self.say("Starting PostgreSQL and Redis ...")
        services.attach()
        if diagnosis.find_migrations() or not services.is_prepared():
            self.say("Preparing the database ...")
            services.migrate()
        self.say("Looking for model servers on this machine ...")
        call_command("find_servers", stdout=self.stdout)

    def greet(self, address: str) -> None:
        links.address_note().write_text(address)
        link = links.sign_in_link(ensure_owner(), address=address)
        self.say(
            f"\nReady at {address}\nSign in as owner, once, within a day:\n  {link}\nCtrl-C stops everything."
        )

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def asked_to_end() -> Iterator[None]:
    """Raises Stopped where a signal finds us, once; what is being stopped then is not disturbed by a second
    one.
    """

    def end(*_: Any) -> None:
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in ENDS:
        signal.signal(number, end)
    yield


def refuse_taken(port: int) -> None:
    """Before anything is started, rather than after."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            hint = "choose another: make run PORT=8001, or python manage.py up --port 8001"
            raise CommandError(f"port {port} cannot be had ({error}); {hint}") from error


def site_programs(*, port: int, address: str) -> list[Program]:
    return [programs.turns(settings.NSED), programs.solver(), programs.web(port=port, public_url=address)]


def ensure_owner() -> User:
    """The same person from start to start, who signs in by link alone."""
    owner, is_new = User.objects.get_or_create(
        username="owner", defaults={"is_staff": True, "is_superuser": True}
    )
    if is_new:
        owner.set_unusable_password()
        owner.save(update_fields=["password"])
    return owner


class Site:
    """The processes started so far; all are stopped at the end."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        links.address_note().unlink(missing_ok=True)
        stop(self._children, grace_s=settings.NSED.stop_grace_s)

    def start(self, program: Program) -> None:
        self._children.append(start(program))

    def wait_until_ready(self, port: int) -> None:
        deadline = time.monotonic() + READY_S
        while wrong := whats_wrong(port):
            self.refuse_dead()
            if time.monotonic() > deadline:
                raise CommandError(f"the site is not ready after {READY_S:.0f} s: {wrong}")
            time.sleep(WATCH_S)

    def watch(self) -> None:
        """Never returns: ends by Stopped or by CommandError."""
        while True:
            self.refuse_dead()
            time.sleep(WATCH_S)

    def refuse_dead(self) -> None:
        for child in self._children:
            if child.has_ended:
                status = child.process.returncode
                raise CommandError(
                    f"{child.program.name} ended by itself with status {status}, so all is stopped"
                )
        if services.keeper_is_gone():
            raise CommandError("the embedded servers were stopped by somebody else, so all is stopped")


def whats_wrong(port: int) -> str:
    """What /readyz would say, and whether the web answers; empty when nothing is wrong. Asked from here,
    because the web logs each refusal of /readyz as an error.
    """
    if not answers(port):
        return "the web does not answer"
    return "; ".join(each.problem.what for each in diagnosis.run(diagnosis.SITE) if each.problem)


def answers(port: int) -> bool:
    """Loopback is never asked through a proxy, which urllib would do."""
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        web.request("GET", "/healthz")
        return web.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        web.close()
