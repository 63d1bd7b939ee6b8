"""A slot: the number under which one process of pytest has its database and its Redis.

The lock is dropped by the kernel with its holder; what a killed run left behind in a slot goes when the slot
is taken again. A database comes from a template that is migrated once per state of the migrations.
"""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

import psycopg
import redis
from psycopg import sql

from nsed_web import locks, state

SLOTS = 200
KEPT_TEMPLATES = 3


@dataclass(frozen=True)
class Slot:
    number: int
    lock: IO[bytes] = field(repr=False)

    @property
    def database(self) -> str:
        return f"test_{self.number}"

    @property
    def redis_url(self) -> str:
        return state.redis_url(number=self.number)

    def environment(self) -> dict[str, str]:
        """What a process is told so that it works on this slot."""
        return {
            "DATABASE_URL": state.database_url("nsed_app", database=self.database),
            "DATABASE_OWNER_URL": state.database_url("nsed_owner", database=self.database),
            "REDIS_URL": self.redis_url,
        }

    def renew(self) -> None:
        """A database as the migrations leave it, and an empty Redis. Who is still connected is thrown out."""
        template = ensure_template()
        self.drop()
        _execute("CREATE DATABASE {} TEMPLATE {} OWNER nsed_owner", self.database, template)
        self.empty_redis()

    def empty_redis(self) -> None:
        with redis.from_url(self.redis_url) as client:
            client.flushdb()

    def drop(self) -> None:
        _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.database)


def _take() -> Slot:
    directory = state.state_directory() / "slots"
    directory.mkdir(exist_ok=True)
    for number in range(1, SLOTS):
        lock = locks.try_hold(directory / str(number))
        if lock is not None:
            return Slot(number, lock)
    raise RuntimeError(f"all {SLOTS} slots are taken: too many test runs at once")


@cache
def ensure_template() -> str:
    """The name of the database to clone, made if these migrations were never applied here."""
    name = f"template_{_migrations_hash()}"
    with locks.exclusive(state.state_directory() / "template.lock"):
        if not _names("datname = %s", name):
            _make_template(name)
            for old in _names("datname LIKE 'template\\_%%' ORDER BY oid DESC")[KEPT_TEMPLATES:]:
                _execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", old)
    return name


def _make_template(name: str) -> None:
    """Durability is worth nothing here; under another name until it is whole."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        _execute(f"ALTER SYSTEM SET {setting} = off")
    _execute("SELECT pg_reload_conf()")
    _execute("DROP DATABASE IF EXISTS unfinished WITH (FORCE)")
    _execute("CREATE DATABASE unfinished OWNER nsed_owner")
    _migrate("unfinished")
    _execute("ALTER DATABASE unfinished RENAME TO {}", name)


def _migrate(database: str) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "nsed_web.settings",
        "DATABASE_URL": state.database_url("nsed_app", database=database),
        "DATABASE_OWNER_URL": state.database_url("nsed_owner", database=database),
        "REDIS_URL": state.redis_url(),
    }
    argv = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
    subprocess.run(argv, cwd=state.PROJECT, env=environment, check=True)


def _migrations_hash() -> str:
    """Over what decides the shape of a fresh database."""
    decides = [*state.PROJECT.glob("*/migrations/*.py"), state.PROJECT / "nsed_web" / "roles.py"]
    decides.append(state.PROJECT / "requirements.txt")
    return hashlib.sha256(b"".join(_content(path) for path in sorted(decides))).hexdigest()[:16]


def _content(path: Path) -> bytes:
    return str(path.relative_to(state.PROJECT)).encode() + path.read_bytes()


def _names(condition: str, *values: str) -> list[str]:
    with _connected() as connection:
        rows = connection.execute(f"SELECT datname FROM pg_database WHERE {condition}", values)
        return [row[0] for row in rows]


def _execute(statement: str, *names: str) -> None:
    with _connected() as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _connected() -> "psycopg.Connection[tuple[str, ...]]":
    """As superuser: only it may end the sessions of others. A database cannot be dropped from within."""
    return psycopg.connect(state.database_url("postgres", database="postgres"), autocommit=True)


OURS = _take()
