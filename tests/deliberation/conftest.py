"""A prepared scene for the tests of acts: made once per module, and as new for each test."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from deliberation import claims, parts
from tests.deliberation import acting


@pytest.fixture(autouse=True)
def nothing_is_held_afterwards() -> Iterator[None]:
    """A claim that a test leaves behind would be renewed on and on, beside the tests that follow."""
    yield
    for each in list(claims._held._claims):
        claims._held.discard(each)


@pytest.fixture(scope="module")
def prepared(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[acting.Scene]:
    """Stands in a transaction around the module's tests, each of which is a savepoint in it."""
    with django_db_blocker.unblock(), undone():
        yield acting.scene()


@pytest.fixture
def room(prepared: acting.Scene, db: None, monkeypatch: pytest.MonkeyPatch) -> acting.Scene:
    """In review: the three agents have proposed 391, 391 and 381, and nobody has cast."""
    monkeypatch.setattr(
        parts, "sheets", parts.Sheets()
    )  # what an undone test has shown is not to be shown here
    return copy.deepcopy(prepared)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
