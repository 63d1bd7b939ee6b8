"""The registry's changes in the system's chain: in their order, each once, with no name and no key in an event."""

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from broker.models import Change, Endpoint, Host, Model, Price
from broker.services import registry
from broker.services.changes import Act, mark_told
from deliberation import events, sweeping
from deliberation.models import Blob, Chain, Event
from deliberation.services import registry_changes
from deliberation.services.registry_changes import tell_changes
from deliberation.trail import chain, verify

pytestmark = pytest.mark.django_db
GIVE_UP_S = 30.0
SECRET = "sk-very-secret-7391"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def endpoint(ada: User) -> Endpoint:
    row = Endpoint(name="lab", kind="openai_compatible", base_url="http://127.0.0.1:1/v1")
    registry.add(row, act=Act(ada, "Bought by Grace."))
    return row


def told() -> list[Event]:
    return list(Event.objects.filter(chain_id=events.SYSTEM, kind="registry.changed").order_by("seq"))


def said(event: Event) -> dict[str, Any]:
    """The text that the event names, which must be the one that was hashed."""
    blob = Blob.objects.get(pk=event.data["details"]["blob"])
    content = bytes(blob.content)
    assert chain.blob_digest(bytes(blob.salt), content) == event.data["details"]["sha256"]
    return dict(json.loads(content))


def holds() -> verify.Verdict:
    rows = Event.objects.filter(chain_id=events.SYSTEM).order_by("seq").values_list("seq", "body", "hash")
    head = bytes(Chain.objects.get(pk=events.SYSTEM).head).hex()
    return verify.verify_chain(events.SYSTEM, rows, expected_head=head)


def test_a_sweep_tells_every_change_in_its_order(ada: User, endpoint: Endpoint) -> None:
    model = Model(alias="m", served_name="m", endpoint=endpoint, state="active")
    registry.add(model, act=Act(ada))
    price = Price(model=model, input_usd=1, output_usd=2, valid_from=timezone.now() - timedelta(days=1))
    registry.add_price(price, act=Act())
    registry.move(model, "retired", act=Act(ada, "Worn out."))

    sweeping.sweep()

    assert [(each.data["kind"], each.data["action"], each.actor) for each in told()] == [
        ("endpoint", "added", f"user:{ada.pk}"),
        ("model", "added", f"user:{ada.pk}"),
        ("price", "added", "system"),
        ("model", "retired", f"user:{ada.pk}"),
    ]
    assert [each.data["ids"] for each in told()] == [
        {"endpoint": endpoint.pk},
        {"model": model.pk, "endpoint": endpoint.pk},
        {"price": price.pk, "model": model.pk},
        {"model": model.pk, "endpoint": endpoint.pk},
    ]
    assert [each.data["change"] for each in told()] == list(
        Change.objects.order_by("pk").values_list("pk", flat=True)
    )
    assert not Change.objects.filter(told_at=None).exists()
    assert holds().ok


def test_the_text_holds_what_was_said_and_the_event_does_not(endpoint: Endpoint) -> None:
    tell_changes()

    (event,) = told()
    text = said(event)
    assert (text["subject"], text["note"], text["before"]) == ("lab", "Bought by Grace.", None)
    assert text["after"]["base_url"] == "http://127.0.0.1:1/v1"
    body = bytes(event.body).decode()
    assert not any(word in body for word in ("lab", "Grace", "127.0.0.1"))


def test_a_text_can_go_and_the_chain_still_holds(endpoint: Endpoint) -> None:
    tell_changes()
    Blob.objects.filter(pk=told()[0].data["details"]["blob"]).update(content=b"")
    assert holds().ok


def test_a_key_is_told_nowhere(ada: User, endpoint: Endpoint) -> None:
    registry.set_key(endpoint, SECRET, act=Act(ada))
    tell_changes()

    assert [each.data["action"] for each in told()] == ["added", "key set"]
    kept = [bytes(each.content) for each in Blob.objects.filter(session=None)]
    assert len(kept) == 2
    sealed = bytes(Endpoint.objects.get().sealed_key)
    assert sealed
    for stored in (*kept, *(bytes(each.body) for each in told())):
        assert SECRET.encode() not in stored and sealed not in stored


def test_what_was_told_is_not_told_again(endpoint: Endpoint) -> None:
    assert [tell_changes(), tell_changes()] == [1, 0]
    sweeping.sweep()
    assert len(told()) == 1


def test_a_change_of_before_the_trail_kept_numbers_is_told_without_them(db: None) -> None:
    Change.objects.create(kind="host", subject="old", action="added", after={"traits": 1e300})
    tell_changes()
    assert [each.data["ids"] for each in told()] == [{}]
    assert holds().ok


def test_a_row_that_is_gone_is_told_with_its_number(db: None) -> None:
    host = Host(name="rack")
    registry.add(host, act=Act())
    number = host.pk
    registry.delete(host, act=Act())
    tell_changes()
    assert [(each.data["action"], each.data["ids"]) for each in told()] == [
        ("added", {"host": number}),
        ("deleted", {"host": number}),
    ]


def test_more_than_one_sweep_takes_are_told_by_the_next(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_changes, "AT_ONCE", 2)
    for number in range(4):
        registry.add(Host(name=f"h{number}"), act=Act())
    assert [tell_changes() for _ in range(4)] == [2, 2, 1, 0]
    assert [each.data["change"] for each in told()] == sorted(each.data["change"] for each in told())


class Killed(Exception):
    """The worker is gone."""


@pytest.mark.parametrize("moment", ["append", "mark_told"])
def test_a_sweep_that_is_killed_repeats_nothing(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Right after the events were written, and right after they were marked."""

    def and_die(verb: Any) -> Any:
        def dying(*args: Any) -> None:
            verb(*args)
            raise Killed

        return dying

    with monkeypatch.context() as patch:
        place, verb = {
            "append": (events, events.append),
            "mark_told": (registry_changes.changes, mark_told),
        }[moment]
        patch.setattr(place, moment, and_die(verb))
        with pytest.raises(Killed):
            tell_changes()
    assert (told(), Blob.objects.filter(session=None).count()) == ([], 0)

    assert tell_changes() == 1
    assert len(told()) == 1
    assert holds().ok


@pytest.fixture
def many(transactional_db: None) -> list[int]:
    events.open_chain(events.SYSTEM)
    for number in range(30):
        registry.add(Host(name=f"h{number}"), act=Act())
    return list(Change.objects.order_by("pk").values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_sweepers_at_once_tell_each_change_once(many: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_changes, "AT_ONCE", 4)
    together = threading.Barrier(3)

    def sweep_all() -> None:
        together.wait()
        while Change.objects.filter(told_at=None).exists():
            sweeping.sweep()

    joined([begun(sweep_all) for _ in range(3)])

    assert [each.data["change"] for each in told()] == many
    assert holds().ok


@pytest.mark.django_db(transaction=True)
def test_a_quicker_sweeper_does_not_tell_later_changes_first(
    many: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one dawdles with what it took until the second one has to wait for it, or is through."""
    monkeypatch.setattr(registry_changes, "AT_ONCE", 4)
    took, second_is_there, keep_all = threading.Event(), threading.Event(), events.keep_all

    def dawdling(*args: Any) -> Any:
        if not took.is_set():
            took.set()
            assert second_is_there.wait(GIVE_UP_S)
        return keep_all(*args)

    monkeypatch.setattr(events, "keep_all", dawdling)
    first = begun(sweeping.sweep)
    assert took.wait(GIVE_UP_S)
    second = begun(sweeping.sweep)
    while second.is_alive() and not somebody_waits():
        time.sleep(0.01)
    second_is_there.set()
    joined([first, second])

    assert [each.data["change"] for each in told()] == many[:8]


def begun(act: Callable[[], None]) -> threading.Thread:
    def with_a_connection_of_its_own() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=with_a_connection_of_its_own)
    thread.start()
    return thread


def joined(threads: list[threading.Thread]) -> None:
    for each in threads:
        each.join(GIVE_UP_S)
        assert not each.is_alive()


def somebody_waits() -> bool:
    """For a lock, in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_a_change_that_somebody_holds_is_left_for_the_next_sweep(many: list[int]) -> None:
    with transaction.atomic():
        Change.objects.select_for_update().get(pk=many[0])
        joined([begun(sweeping.sweep)])
        assert [each.data["change"] for each in told()] == many[1:]
    sweeping.sweep()
    assert [each.data["change"] for each in told()] == [*many[1:], many[0]]
