"""Tests run as the app's role on a clone of the migrated template; the trail refuses to be emptied, so a
database that a test has committed to is dropped and cloned anew."""

from collections.abc import Iterator

import pytest
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from nsed_web import services
from tests import slots


@pytest.fixture(scope="session")
def embedded_servers() -> None:
    """PostgreSQL and Valkey of the tests, until this process of pytest ends."""
    services.hold_servers()


@pytest.fixture(scope="session")
def django_db_setup(embedded_servers: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Instead of pytest-django's: our database is there already, and is not made by the app's role."""
    slots.OURS.renew()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _renew_instead_of_flush)
        yield
    connections.close_all()
    slots.OURS.drop()


def _renew_instead_of_flush(case: TransactionTestCase) -> None:
    connections.close_all()
    slots.OURS.renew()


@pytest.fixture
def redis_server(embedded_servers: None) -> None:
    """An empty Redis for a test that needs no database."""
    slots.OURS.empty_redis()
