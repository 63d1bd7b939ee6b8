"""manage.py doctor says what is wrong, and its mend mends it."""

import subprocess
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from pytest_django import Settings

from deliberation.models import Event
from nsed_web import diagnosis, signs
from tests.nsed_web.test_health import ALL


def doctor() -> tuple[int, dict[str, str]]:
    """Its exit status, and for each part what it says of it, mend included."""
    out = StringIO()
    status = 0
    try:
        call_command("doctor", stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    said = out.getvalue().replace("\n       mend: ", " MEND ").splitlines()
    return status, {line.split(maxsplit=1)[1].split(":")[0]: line for line in said}


@pytest.mark.django_db
def test_nothing_is_wrong(redis_server: None) -> None:
    signs.leave(ALL)
    status, said = doctor()
    assert status == 0
    assert [
        said[name] for name in ("services", "database", "migrations", "grants", "redis", "workers", "beat")
    ] == [
        f"ok     {name}"
        for name in ("services", "database", "migrations", "grants", "redis", "workers", "beat")
    ]


@pytest.mark.django_db
def test_without_workers_it_says_how_to_start_them(redis_server: None) -> None:
    status, said = doctor()
    assert status == 1
    assert said["workers"] == "WRONG  workers: no worker takes steps, calls, solver MEND python manage.py up"
    assert said["beat"].startswith("WRONG  beat: the beat is not seen")


@pytest.mark.usefixtures("redis_server")
def test_what_depends_on_something_broken_is_not_guessed(settings: Settings) -> None:
    settings.DATABASE_URL = "postgresql://role@127.0.0.1:1/nothing"
    status, said = doctor()
    assert status == 1
    assert "PostgreSQL does not answer" in said["database"]
    assert said["migrations"] == "?      migrations: cannot be told before database is mended"
    assert said["grants"] == "?      grants: cannot be told before migrations is mended"


@pytest.mark.django_db(transaction=True)
def test_a_role_that_may_rewrite_the_trail_is_found_and_the_mend_takes_it_back(
    settings: Settings,
) -> None:
    table = Event._meta.db_table
    with psycopg.connect(settings.DATABASE_OWNER_URL) as owner:
        owner.execute(f"GRANT UPDATE (body), DELETE ON {table} TO nsed_app")
    problem = diagnosis.find_grants()
    assert problem is not None
    assert problem.detail == f"role nsed_app has UPDATE, DELETE on {table}"
    subprocess.run(problem.mend, shell=True, check=True, stdout=subprocess.DEVNULL)
    assert diagnosis.find_grants() is None


@pytest.mark.django_db(transaction=True)
def test_one_role_for_both_purposes_is_told_apart_from_a_grant_too_many(settings: Settings) -> None:
    with psycopg.connect(settings.DATABASE_OWNER_URL) as owner:
        owner.execute(f"GRANT TRUNCATE ON {Event._meta.db_table} TO nsed_app")
    settings.DATABASE_OWNER_URL = settings.DATABASE_URL
    problem = diagnosis.find_grants()
    assert problem is not None
    assert problem.what == "the app runs as a role that may rewrite the trail"
    assert "DATABASE_OWNER_URL" in problem.mend


@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_named(settings: Settings) -> None:
    with psycopg.connect(settings.DATABASE_OWNER_URL) as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    problem = diagnosis.find_migrations()
    assert problem is not None
    assert (problem.detail, problem.mend) == ("sessions 0001_initial", "python manage.py migrate")


def test_a_missing_browser_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    problem = diagnosis.find_chromium()
    assert problem is not None
    assert not problem.is_grave
