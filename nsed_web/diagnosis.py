"""What can be wrong with an installation, found out one part at a time, each with the command that mends it.

/readyz asks the parts of a running site, `manage.py doctor` all of them. `what` may be read by anybody;
`detail`, which can hold addresses and names, is for the terminal alone.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from deliberation.models import Event
from nsed_web import embedded, services, signs

CONNECT_S = 3  # a probe that waits longer is no answer


@dataclass(frozen=True)
class Problem:
    """Where is_grave is false the site works, and something beside it does not."""

    what: str
    mend: str
    detail: str = ""
    is_grave: bool = True


@dataclass(frozen=True)
class Check:
    """`needs` names a check before it whose problem makes this one pointless."""

    name: str
    find: Callable[[], Problem | None]
    needs: str = ""


@dataclass(frozen=True)
class Result:
    """`unknown`: not looked at, because of the named check."""

    name: str
    problem: Problem | None = None
    unknown: str = ""


def run(checks: Iterable[Check]) -> list[Result]:
    results: dict[str, Result] = {}
    for check in checks:
        blocker = results.get(check.needs)
        if blocker and (blocker.problem or blocker.unknown):
            results[check.name] = Result(check.name, unknown=check.needs)
        else:
            results[check.name] = Result(check.name, problem=check.find())
    return list(results.values())


def find_services() -> Problem | None:
    try:
        services.attach()
    except services.FAILURES as error:
        mend = "set DATABASE_URL and REDIS_URL to servers of your own, or follow what PostgreSQL's log says"
        return Problem("the embedded servers do not start", mend, str(error))
    return None


def find_database() -> Problem | None:
    """Asked beside the pool, which would wait for a connection as long as a request does."""
    try:
        psycopg.connect(settings.DATABASE_URL, connect_timeout=CONNECT_S).close()
    except psycopg.OperationalError as error:
        return Problem(
            "PostgreSQL does not answer", "python manage.py up (or check DATABASE_URL)", str(error).strip()
        )
    return None


def find_redis() -> Problem | None:
    try:
        cache.get("probe")
    except RedisError as error:
        return Problem("Redis does not answer", "python manage.py up (or check REDIS_URL)", str(error))
    return None


def find_migrations() -> Problem | None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return None
    names = ", ".join(f"{migration.app_label} {migration.name}" for migration, _ in missing)
    return Problem(f"migrations are not applied: {len(missing)}", "python manage.py migrate", names)


def find_grants() -> Problem | None:
    """The app adds events and reads them, and can do nothing else to them: not even by mistake."""
    table = Event._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT privilege FROM unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) privilege WHERE"
            " CASE privilege WHEN 'UPDATE' THEN has_any_column_privilege(%s, privilege)"
            " ELSE has_table_privilege(%s, privilege) END",
            [table, table],
        )
        excess = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        role, is_superuser = cursor.fetchone()
    if not excess:
        return None
    if is_superuser or settings.DATABASE_OWNER_URL == settings.DATABASE_URL:
        mend = "give the app a role of its own in DATABASE_URL, and the owner's in DATABASE_OWNER_URL"
        return Problem("the app runs as a role that may rewrite the trail", mend, f"role {role}")
    psql = embedded.postgres_binary("psql") if services.is_embedded() else "psql"
    mend = f'{psql} "{settings.DATABASE_OWNER_URL}" -c "REVOKE {", ".join(excess)} ON {table} FROM {role}"'
    return Problem(
        "the app's role may rewrite the trail", mend, f"role {role} has {', '.join(excess)} on {table}"
    )


def find_workers() -> Problem | None:
    missing = signs.unserved_queues()
    return Problem(f"no worker takes {', '.join(missing)}", "python manage.py up") if missing else None


def find_beat() -> Problem | None:
    if signs.is_seen(signs.BEAT):
        return None
    return Problem("the beat is not seen: what falls due is not looked for", "python manage.py up")


def find_chromium() -> Problem | None:
    if shutil.which("chromium"):
        return None
    return Problem(
        "Chromium is missing: the browser tests cannot run", "apt-get install chromium", is_grave=False
    )


SITE = (
    Check("database", find_database),
    Check("migrations", find_migrations, needs="database"),
    Check("redis", find_redis),
    Check("workers", find_workers, needs="redis"),
    Check("beat", find_beat, needs="redis"),
)
INSTALLATION = (
    Check("services", find_services),
    Check("database", find_database, needs="services"),
    Check("migrations", find_migrations, needs="database"),
    Check("grants", find_grants, needs="migrations"),
    Check("redis", find_redis, needs="services"),
    Check("workers", find_workers, needs="redis"),
    Check("beat", find_beat, needs="redis"),
    Check("chromium", find_chromium),
)
