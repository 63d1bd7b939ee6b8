"""Tests run as the app's role on a clone of the migrated template; the trail refuses to be emptied, so the superuser
does it after a test that has committed, and what cannot be undone so is cloned anew.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from nsed_web import services
from tests import slots
from tests.emptying import Clone


@pytest.fixture(scope="session")
def embedded_servers() -> None:
    """PostgreSQL and Valkey of the tests, until this process of pytest ends."""
    services.hold_servers()


@pytest.fixture(scope="session")
def django_db_setup(embedded_servers: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Instead of pytest-django's: our database is there already, and is not made by the app's role."""
    slots.OURS.renew()
    from deliberation import claims  # models are there by now

    clone = Clone.new(slots.OURS.database)

    def empty_instead_of_flush(case: TransactionTestCase) -> None:
        connections.close_all()
        if clone.is_emptied():
            slots.OURS.empty_redis()
        else:
            slots.OURS.renew()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_instead_of_flush)
        patch.setattr(claims, "renew", _renewed_while_a_test_has_a_database(claims.renew))
        yield
    connections.close_all()
    slots.OURS.drop()


def _renewed_while_a_test_has_a_database(renew: Callable[..., None]) -> Callable[..., None]:
    """The thread that renews leases may have begun when the test that held them ends, and its database with it."""

    def renewed(held: Any) -> None:
        try:
            renew(held)
        except RuntimeError as error:
            if "Database access not allowed" not in str(error):
                raise

    return renewed


@pytest.fixture(scope="module")
def made_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction around the tests of a file, each of which is a savepoint in it: what a fixture of the file makes
    beneath this one is as new for each of them. Its objects are not: a test takes copies.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def redis_server(embedded_servers: None) -> None:
    """An empty Redis for a test that needs no database."""
    slots.OURS.empty_redis()
