"""The embedded servers are there while somebody uses them, survive what happens to their users, and leave
nothing."""

import stat
import subprocess
import sys

import psutil
import psycopg
import redis

from nsed_web import state
from tests.nsed_web.scratch import SERVERS, Scratch, wait_until


def test_they_run_from_the_first_user_to_the_last(scratch: Scratch) -> None:
    first = scratch.use()
    assert answer(first.database, "SELECT 1") == 1
    before = servers(scratch)
    second = scratch.use()
    assert second.addresses == first.addresses
    first.leave()
    assert servers(scratch) == before
    assert answer(second.database, "SELECT 1") == 1
    assert ping(second.redis_url)
    second.leave()
    scratch.check_all_has_ended()


def test_first_users_at_once_share_one_pair(scratch: Scratch) -> None:
    users = [scratch.use() for _ in range(3)]
    assert len({user.addresses for user in users}) == 1
    assert sorted(child.name() for child in scratch.keeper().children()) == list(SERVERS)
    for user in users:
        user.leave()
    scratch.check_all_has_ended()


def test_data_outlives_its_users(scratch: Scratch) -> None:
    first = scratch.use()
    execute(first.database, "CREATE TABLE first AS SELECT 7 AS n")
    first.leave()
    assert answer(scratch.use().database, "SELECT n FROM first") == 7


def test_a_killed_user_leaves_nothing_behind(scratch: Scratch) -> None:
    user = scratch.use()
    assert ping(user.redis_url)
    user.kill()
    wait_until(lambda: not scratch.processes(), "the servers stop")


def test_a_killed_server_comes_back_at_the_same_address_with_what_was_committed(scratch: Scratch) -> None:
    user = scratch.use()
    execute(user.database, "CREATE TABLE second AS SELECT 7 AS n")
    for name in ("postgres", "valkey"):
        killed = scratch.server(name)
        killed.kill()
        wait_until(
            lambda name=name, killed=killed: is_replaced(scratch, name, killed), f"{name} is there again"
        )
    assert answer(user.database, "SELECT n FROM second") == 7
    assert ping(user.redis_url)
    user.leave()
    scratch.check_all_has_ended()


def test_a_killed_keeper_takes_its_servers_along_and_the_next_user_starts_anew(scratch: Scratch) -> None:
    user = scratch.use()
    execute(user.database, "CREATE TABLE third AS SELECT 7 AS n")
    scratch.keeper().kill()
    wait_until(lambda: len(scratch.processes()) == 1, "only the user is left")
    other = scratch.use()
    assert answer(other.database, "SELECT n FROM third") == 7
    other.leave()
    user.leave()
    scratch.check_all_has_ended()


def test_there_are_two_roles_and_neither_is_a_superuser(scratch: Scratch) -> None:
    database = scratch.use().database
    query = "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname LIKE 'nsed%' ORDER BY 1"
    assert execute(database, query) == [("nsed_app", False, False), ("nsed_owner", False, True)]
    assert answer(database, "SELECT current_setting('max_connections')") == "300"


def test_nobody_else_can_reach_the_data_the_sockets_or_the_secrets(scratch: Scratch) -> None:
    assert scratch.run("check").returncode == 0  # the settings ask for both secrets
    assert ping(scratch.use().redis_url)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in scratch.root.iterdir()}
    assert {"data", "run", "log", "secret_key", "key_encryption_key"} <= set(modes)
    assert {name for name, mode in modes.items() if mode & 0o077} <= {"servers.up"}
    assert stat.S_IMODE(scratch.root.stat().st_mode) == 0o711
    assert not [listens for each in servers(scratch) for listens in each.net_connections("inet")]


def test_data_of_another_postgresql_is_refused_named_and_left_alone(scratch: Scratch) -> None:
    first = scratch.use()
    assert ping(first.redis_url)
    first.leave()
    version = scratch.root / "data" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("12\n")
    assert "was made by PostgreSQL 12" in scratch.use().last_words()
    assert version.read_text() == "12\n"
    scratch.check_all_has_ended()
    version.write_text(ours)


def test_given_addresses_are_used_and_nothing_is_started(empty_scratch: Scratch) -> None:
    given = {"DATABASE_URL": "postgresql://u@nowhere.invalid/d", "REDIS_URL": "redis://nowhere.invalid"}
    script = "from nsed_web import services; services.attach(); print(services.is_embedded())"
    environment = {**empty_scratch.environment(), **given}
    argv = [sys.executable, "-c", script]
    done = subprocess.run(
        argv, cwd=state.PROJECT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
    assert list(empty_scratch.root.iterdir()) == []


def test_commands_without_a_database_start_nothing(empty_scratch: Scratch) -> None:
    assert empty_scratch.run("help").returncode == 0
    assert empty_scratch.run("migrate", "--help").returncode == 0
    assert not (empty_scratch.root / "data").exists()


def servers(scratch: Scratch) -> list[psutil.Process]:
    return [scratch.server("postgres"), scratch.server("valkey")]


def is_replaced(scratch: Scratch, name: str, killed: psutil.Process) -> bool:
    return (scratch.root / "servers.up").exists() and scratch.server(name) != killed


def execute(database: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def answer(database: str, query: str) -> object:
    return execute(database, query)[0][0]


def ping(redis_url: str) -> object:
    with redis.from_url(redis_url) as client:
        return client.ping()
