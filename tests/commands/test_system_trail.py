"""verify_trail on the system's own chain."""

import pytest
from django.db import transaction

from deliberation import events
from deliberation.models import Blob
from tests.commands.calling import called

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_systems_chain_is_verified_with_its_texts() -> None:
    events.open_chain(events.SYSTEM)
    with transaction.atomic():
        text = events.keep(None, b"what changed")
        events.append(
            events.SYSTEM, [events.Fact("registry.changed", "user:1", {"text": events.reference(text)})]
        )
    ended = called("verify_trail", "system")
    assert ended.status == 0
    assert "chain intact" in ended.out
    Blob.objects.filter(pk=text.pk).update(content=b"something else")
    ended = called("verify_trail", "system")
    assert (ended.status, "is not the one that was hashed" in ended.err) == (1, True)


def test_a_chain_that_was_never_begun_is_told_with_status_two() -> None:
    ended = called("verify_trail", "system")
    assert (ended.status, ended.err) == (2, "The system's chain has no event yet.")
