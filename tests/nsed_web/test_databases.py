"""The tests' own footing: whose role they run as, and that no test sees what another one left."""

import psycopg
import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection

from deliberation.models import Event
from nsed_web import state
from tests import builders, slots
from tests.emptying import Clone

TWICE = pytest.mark.parametrize("_", ["first", "second"])


@pytest.mark.django_db
def test_tests_run_as_the_app_and_not_as_the_owner_of_the_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        role, database = cursor.fetchone()
    assert role == "nsed_app"
    assert database.startswith("test_")


@pytest.mark.django_db(transaction=True)
@TWICE
def test_what_a_test_commits_is_gone_for_the_next(_: str) -> None:
    """The trail too."""
    assert not User.objects.exists() and not Event.objects.exists()
    builders.opened()
    assert Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_where_all_is_gone_counting_begins_anew() -> None:
    builders.opened()
    connection.close()
    assert Clone.new(slots.OURS.database).is_emptied()
    assert builders.person().pk == 1


@pytest.mark.django_db(transaction=True)
@TWICE
def test_a_row_of_the_migrations_that_a_test_takes_away_is_there_for_the_next(_: str) -> None:
    Permission.objects.get(codename="add_user").delete()


@pytest.mark.django_db(transaction=True)
@TWICE
def test_a_table_that_a_test_makes_is_gone_for_the_next(_: str) -> None:
    database = state.database_url("postgres", database=slots.OURS.database)
    with psycopg.connect(database) as postgres:
        postgres.execute("CREATE TABLE left_behind (number integer)")


def test_a_worker_and_the_web_share_the_tests_database(worker_process, web_server) -> None:
    assert not worker_process.has_ended
    assert web_server.startswith("http://127.0.0.1:")
