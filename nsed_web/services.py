"""The database and Redis that commands use: those of DATABASE_URL and REDIS_URL, else the embedded servers.

manage.py asks here before a command that needs a database, so no command knows of it. attach() counts this
process as a user of the embedded servers and starts their keeper (keeper.py) where none is at work; after the
last user the keeper stops them. Nothing here ever stops a server that was given by its address.
"""

import atexit
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from nsed_web import deployment, embedded, locks, signs, state
from nsed_web.keeper import SERVERS, WORKERS, Files

# Commands that work on files and values alone.
WITHOUT_DATABASE = frozenset({"check", "help", "version", "--version", "tally", "utility", "choose_panel"})
WITHOUT_DATABASE |= {"collectstatic", "findstatic", "compilemessages", "makemessages", "diffsettings"}
# Commands that change tables; they run as the role that owns them.
AS_OWNER = frozenset({"migrate"})
# Commands that bring a database into shape, or look at its shape, themselves.
ON_ANY_SCHEMA = AS_OWNER | {"makemigrations", "showmigrations", "sqlmigrate"}
# Commands that call attach() themselves, to tell about it.
ATTACH_THEMSELVES = frozenset({"doctor", "up"})
PREPARING = "NSED_PREPARING"  # set for commands that are part of the preparation
COME_UP_S = 90.0
STOP_S = 60.0


class ServicesError(RuntimeError):
    """What a command needs is not to be had; the message says why."""


FAILURES = (ServicesError, embedded.ServerError, state.StateError, deployment.BadSetting)


def prepare(arguments: Sequence[str]) -> None:
    """What manage.py does before Django reads the settings. `arguments` is its command line without the
    program.
    """
    command = arguments[0] if arguments else "help"
    if command in WITHOUT_DATABASE | ATTACH_THEMSELVES or {"-h", "--help"}.intersection(arguments):
        return
    attach()
    if command in AS_OWNER:
        os.environ["NSED_AS_OWNER"] = "1"
    elif command not in ON_ANY_SCHEMA:
        migrate_if_fresh()


# The servers


def attach() -> None:
    """Holds the embedded servers up, and sets DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL where they are
    unset. Does nothing where both addresses are given.
    """
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        return
    hold_servers()
    found = state.addresses()
    os.environ.update(DATABASE_URL=found.database, DATABASE_OWNER_URL=found.owner, REDIS_URL=found.redis)


@cache
def hold_servers() -> None:
    """Until this process ends. ServicesError when they cannot be started."""
    atexit.register(Use(SERVERS).let_go)


def is_embedded() -> bool:
    """Whether the database that commands use is the embedded one."""
    return state.addresses().database == state.database_url("nsed_app")


def keeper_is_gone() -> bool:
    """Whether embedded servers that we use have lost what keeps them."""
    return hold_servers.cache_info().currsize > 0 and not locks.is_held(SERVERS.keeper_lock)


# Users of what a keeper keeps


class Use:
    """This process as a user: counted until let_go(), or until it ends."""

    def __init__(self, files: Files) -> None:
        """Waits until what is used is up. We are counted first: a keeper that ends from then on has failed."""
        self._files = files
        self._lock = locks.hold(files.users_lock, shared=True)
        self._keeper: subprocess.Popen[bytes] | None = None
        deadline = time.monotonic() + COME_UP_S
        while not is_up(files):
            self._need_keeper()
            if time.monotonic() > deadline:
                raise ServicesError(f"the {files.name} did not come up; see {_keeper_log(files)}")
            time.sleep(0.02)

    def _need_keeper(self) -> None:
        """Starts one where none is at work. Of several that are started at once, all but one end at once."""
        if self._keeper is None and not locks.is_held(self._files.keeper_lock):
            argv = [sys.executable, "-m", "nsed_web.keeper", self._files.name]
            with _keeper_log(self._files).open("ab") as log:
                self._keeper = subprocess.Popen(
                    argv,
                    cwd=state.PROJECT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        elif self._has_failed():
            raise ServicesError(_last_words(self._files))

    def _has_failed(self) -> bool:
        is_ours_gone = self._keeper is not None and self._keeper.poll() is not None
        return is_ours_gone and not locks.is_held(self._files.keeper_lock)

    def let_go(self) -> None:
        """Waits for the stop where we were the last user."""
        self._lock.close()
        deadline = time.monotonic() + STOP_S
        while (
            locks.is_held(self._files.keeper_lock) and not self._has_others() and time.monotonic() < deadline
        ):
            time.sleep(0.02)
        if self._keeper is not None and not locks.is_held(self._files.keeper_lock):
            self._keeper.wait()

    def _has_others(self) -> bool:
        """A shared lock can be had and an exclusive one cannot: somebody else holds a shared one, and not the
        keeper.
        """
        path = self._files.users_lock
        return locks.is_held(path) and not locks.is_held(path, against_shared=True)


def is_up(files: Files) -> bool:
    return files.up_note.exists() and locks.is_held(files.keeper_lock)


def _keeper_log(files: Files) -> Path:
    return state.log_file(f"{files.name}-keeper")


def _last_words(files: Files) -> str:
    lines = _keeper_log(files).read_text().strip().splitlines()
    return lines[-1] if lines else f"the {files.name} did not come up"


# Preparing a database


def migrate_if_fresh() -> None:
    """Prepares an embedded database that nobody has prepared yet, so that the first command works."""
    if not is_embedded() or is_prepared() or PREPARING in os.environ:
        return
    with locks.exclusive(state.state_directory() / "migrate.lock"):
        if not is_prepared():
            sys.stderr.write("First start: preparing the database ...\n")
            migrate()


def migrate() -> None:
    """The migrations, as the owner of the tables, and the demo panel where the registry is empty."""
    run_command("migrate", "--verbosity", "0", "--skip-checks")
    if list(state.PROJECT.glob("*/management/commands/load_demo_panel.py")):
        run_command("load_demo_panel", "--verbosity", "0")
    if is_embedded():
        _prepared_note().touch()


def is_prepared() -> bool:
    """Whether the embedded database was ever prepared. Of one given by its address nothing is known."""
    return is_embedded() and _prepared_note().exists()


def _prepared_note() -> Path:
    """There once the embedded database was prepared; goes with the data directory when that is made anew."""
    return embedded.data_directory() / ".prepared"


def run_command(*arguments: str) -> None:
    """A management command in a process of its own. ServicesError with the end of its output when it
    fails.
    """
    argv = [sys.executable, str(state.PROJECT / "manage.py"), *arguments]
    environment = {**os.environ, PREPARING: "1"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServicesError(f"manage.py {arguments[0]} failed:\n{done.stderr.strip()[-2000:]}")


# Workers


class Workers:
    """Workers for the time of one command: those that are seen at work, else ours."""

    def __init__(self) -> None:
        self._use: Use | None = None

    def ensure(self) -> None:
        """Starts workers where none is seen; to be called now and then, since those of `up` may go
        meanwhile.
        """
        if self._use is None and (is_up(WORKERS) or signs.unserved_queues()):
            self._use = Use(WORKERS)
            _wait_for_workers()

    def let_go(self) -> None:
        if self._use is not None:
            self._use.let_go()


def _wait_for_workers() -> None:
    deadline = time.monotonic() + COME_UP_S
    while missing := signs.unserved_queues():
        if not locks.is_held(WORKERS.keeper_lock):
            raise ServicesError(_last_words(WORKERS))
        if time.monotonic() > deadline:
            raise ServicesError(f"no worker takes {', '.join(missing)}; see {state.log_file('turns').parent}")
        time.sleep(0.05)


@contextmanager
def workers_for_this_command() -> Iterator[Workers]:
    """Somebody takes the tasks that this command enqueues. Their output is in the log files `turns` and
    `solver`.
    """
    workers = Workers()
    try:
        workers.ensure()
        yield workers
    finally:
        workers.let_go()
