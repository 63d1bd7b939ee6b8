"""The tests' own footing: whose role they run as, and that no test sees what another one left."""

import pytest
from django.contrib.auth.models import User
from django.db import connection


@pytest.mark.django_db
def test_tests_run_as_the_app_and_not_as_the_owner_of_the_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        role, database = cursor.fetchone()
    assert role == "nsed_app"
    assert database.startswith("test_")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", ["first", "second"])
def test_what_a_test_commits_is_gone_for_the_next(_: str) -> None:
    assert not User.objects.exists()
    User.objects.create(username="left behind")


def test_a_worker_and_the_web_share_the_tests_database(worker_process, web_server) -> None:
    assert not worker_process.has_ended
    assert web_server.startswith("http://127.0.0.1:")
