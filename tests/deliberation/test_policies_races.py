"""Two people publish at once, on connections of their own: one is first, the other is told."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction

from deliberation.events import SYSTEM
from deliberation.models import Chain, Policy
from deliberation.protocol.types import Rules
from deliberation.services.policies import Edit, PolicyMoved, publish_edit, publish_policy
from tests.deliberation import opening

pytestmark = pytest.mark.django_db(transaction=True)
GIVE_UP_S = 30.0
WAITING = (
    "SELECT count(*), pg_stat_clear_snapshot() IS NULL FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def edit(max_rounds: int) -> Edit:
    return Edit("duel", "", Rules.from_json({"max_rounds": max_rounds}), base=1)


def publish(user: User, max_rounds: int) -> Any:
    """What publish_edit gives, or the refusal that it raises."""
    try:
        return publish_edit(edit(max_rounds), by=user)
    except PolicyMoved as moved:
        return moved
    finally:
        connections.close_all()


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """All wait for the system's chain before one of them may go on."""
    with ThreadPoolExecutor(len(acts)) as threads:
        with transaction.atomic():
            Chain.objects.select_for_update().get(pk=SYSTEM)
            begun = [threads.submit(act) for act in acts]
            wait_for_locks(len(acts))
        return [each.result(timeout=GIVE_UP_S) for each in begun]


def wait_for_locks(count: int) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    with connection.cursor() as cursor:
        while True:
            cursor.execute(WAITING)
            if cursor.fetchone()[0] >= count:
                return
            assert time.monotonic() < deadline, "nobody waits for the lock"
            time.sleep(0.01)


def test_of_two_publishers_one_is_told_of_the_others_version() -> None:
    publish_policy("duel", summary="", rules=Rules())
    users = [opening.person(name) for name in ("ada", "grace")]
    found = at_once(lambda: publish(users[0], 2), lambda: publish(users[1], 3))
    refused = [each for each in found if isinstance(each, PolicyMoved)]
    assert len(refused) == 1
    assert refused[0].newest == Policy.objects.get(name="duel", version=2)
    assert Policy.objects.filter(name="duel").count() == 2


def test_two_who_publish_the_same_rules_publish_one_version() -> None:
    publish_policy("duel", summary="", rules=Rules())
    user = opening.person("ada")
    found = at_once(lambda: publish(user, 2), lambda: publish(user, 2))
    assert sorted(is_new for _, is_new in found) == [False, True]
    assert {policy.version for policy, _ in found} == {2}
