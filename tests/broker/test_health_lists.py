"""check_lists(): a model that its server no longer has is noticed before a call fails."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broker.inference import reading
from broker.models import Endpoint, Host, Model, Server
from broker.selectors.standing import health_of
from broker.services.checking import check_fleet
from broker.services.health import bench, call_failed
from broker.services.listing import check_lists
from tests.broker.fleets import wait
from tests.stub_server import StubServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept_connection")]

WORDS = "not among the models that the server lists: stub, other; register one of them or start it"


@pytest.fixture
def lab(stub: StubServer) -> Endpoint:
    return Endpoint.objects.create(name="lab", kind="openai_compatible", base_url=stub.base_url)


@pytest.fixture
def gone(stub: StubServer, lab: Endpoint) -> Model:
    """A model that the server neither lists nor answers for."""
    return Model.objects.create(alias="gone", served_name="fault:404", endpoint=lab)


@pytest.fixture
def relisting(stub: StubServer) -> Iterator[list[str]]:
    """The names that the server lists, to be changed."""
    before = list(stub.stub.models)
    yield stub.stub.models
    stub.stub.models[:] = before


def as_it_is(model: Model) -> Model:
    return Model.objects.select_related("endpoint__host").get(pk=model.pk)


def bench_of(model: Model) -> tuple[int, str]:
    now = as_it_is(model)
    return (now.bench_min, now.bench_reason) if now.is_benched else (0, "")


def asked_for(stub: StubServer) -> list[str | None]:
    """The models asked for a token since the last time; None for the list."""
    asked = [(each["body"] or {}).get("model") for each in stub.seen()]
    stub.stub.seen.clear()
    return asked


def test_a_model_that_is_gone_is_benched_before_any_call_and_the_others_are_not(
    stub: StubServer, lab: Endpoint, gone: Model
) -> None:
    there = Model.objects.create(alias="there", served_name="stub", endpoint=lab)
    assert check_lists() == 1
    assert bench_of(gone) == (5, WORDS)
    assert bench_of(there) == (0, "")
    assert health_of(as_it_is(gone))[1].endswith(f" UTC: {WORDS}")
    assert asked_for(stub) == [None, "fault:404"]


def test_its_bench_doubles_without_a_gap_and_it_is_not_asked_meanwhile(stub: StubServer, gone: Model) -> None:
    minutes = []
    for _ in range(5):
        check_lists()
        assert asked_for(stub) == [None, "fault:404"]
        minutes.append(bench_of(gone)[0])
        check_lists()
        assert asked_for(stub) == [None]
        wait(minutes=minutes[-1], seconds=-50)
        assert as_it_is(gone).is_benched
    assert minutes == [5, 10, 20, 30, 30]


def test_it_is_free_as_soon_as_it_is_listed_again(gone: Model, relisting: list[str]) -> None:
    check_lists()
    relisting.append("fault:404")
    check_lists()
    assert bench_of(gone) == (0, "")
    assert as_it_is(gone).bench_min == 0


def test_a_name_that_is_not_listed_but_answers_is_well(stub: StubServer, lab: Endpoint) -> None:
    nickname = Model.objects.create(alias="nickname", served_name="stub:latest", endpoint=lab)
    check_lists()
    assert asked_for(stub) == [None, "stub:latest"]
    assert bench_of(nickname) == (0, "")


@pytest.mark.parametrize("fault", ["fault:500", "fault:429", "fault:hang_up"])
def test_another_failure_is_left_to_the_health_check(lab: Endpoint, fault: str) -> None:
    model = Model.objects.create(alias="m", served_name=fault, endpoint=lab)
    check_lists()
    assert bench_of(model) == (0, "")


def test_a_server_without_a_list_or_without_an_answer_benches_nobody(
    stub: StubServer, gone: Model, free_port: int
) -> None:
    for base_url in (f"{stub.base_url}/elsewhere", f"http://127.0.0.1:{free_port}/v1"):
        Endpoint.objects.update(base_url=base_url)
        assert check_lists() == 0
        assert bench_of(gone) == (0, "")


def test_a_failed_call_that_benched_it_gets_the_better_words(gone: Model) -> None:
    call_failed(gone, code="model_gone", detail="lab answered 404: it does not have this model.", lost=True)
    check_lists()
    assert bench_of(gone) == (5, WORDS)


def test_a_bench_by_a_person_stays_as_it_is(stub: StubServer, gone: Model, relisting: list[str]) -> None:
    bench(gone, by=None, minutes=1, reason="Not now.")
    check_lists()
    relisting.append("fault:404")
    check_lists()
    assert bench_of(gone) == (0, "Not now.")
    assert asked_for(stub) == [None, None]


def test_an_empty_list_is_said_to_be_one(gone: Model, relisting: list[str]) -> None:
    relisting.clear()
    check_lists()
    assert bench_of(gone)[1] == "not among the models that the server lists: it lists none; start it"


def test_of_a_long_list_the_first_are_named(gone: Model, relisting: list[str]) -> None:
    relisting[:] = [f"m{number}" for number in range(9)]
    check_lists()
    assert ": m0, m1, m2, m3, m4 and 4 more; register" in bench_of(gone)[1]


def test_servers_that_cannot_or_need_not_tell_are_not_asked(
    stub: StubServer, lab: Endpoint, gone: Model
) -> None:
    for change in ({"healthy": False}, {"healthy": True, "enabled": False}):
        Endpoint.objects.update(**change)
        assert check_lists() == 0
    Endpoint.objects.update(enabled=True)
    Model.objects.update(state=Model.State.RETIRED)
    assert check_lists() == 0
    assert stub.seen() == []


def test_a_host_asks_its_own_servers_alone(stub: StubServer, lab: Endpoint, gone: Model) -> None:
    assert check_lists("gpu-1") == 0
    Endpoint.objects.update(host=Host.objects.create(name="gpu-1"))
    assert check_lists() == 0  # on loopback: from here it is another server
    assert check_lists("gpu-1") == 1
    assert bench_of(gone) == (5, WORDS)


def test_a_server_that_is_not_loaded_is_asked_for_nothing(
    stub: StubServer, lab: Endpoint, gone: Model
) -> None:
    host = Host.objects.create(name="gpu-1", mode=Host.Mode.SWAPPED)
    Endpoint.objects.update(host=host)
    server = Server.objects.create(host=host, endpoint=lab, model_path="tiny", port=8101)
    assert check_lists("gpu-1") == 1  # no host has said anything of it
    stub.stub.seen.clear()
    Server.objects.update(reported_at=timezone.now())
    assert (check_lists("gpu-1"), check_fleet("gpu-1"), stub.seen()) == (0, 0, [])
    Server.objects.filter(pk=server.pk).update(state=Server.State.UP)
    assert (check_lists("gpu-1"), check_fleet("gpu-1")) == (1, 1)


def test_a_bug_met_at_one_server_hides_no_other(
    stub: StubServer, lab: Endpoint, gone: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Endpoint.objects.create(name="odd", kind="openai_compatible", base_url=stub.base_url)
    Model.objects.create(alias="odd", served_name="stub", endpoint=odd)
    list_models = reading.list_models

    async def met_by_one(spec: Any, *, timeout_s: float) -> tuple[str, ...]:
        if spec.name == "odd":
            raise ZeroDivisionError
        return await list_models(spec, timeout_s=timeout_s)

    monkeypatch.setattr(reading, "list_models", met_by_one)
    assert check_lists() == 1
    assert bench_of(gone) == (5, WORDS)


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_servers_are_asked(
    lab: Endpoint, gone: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    held: list[bool] = []
    for name in ("lists", "checks"):
        monkeypatch.setattr(reading, name, looked_at(getattr(reading, name), held))
    assert check_lists() == 1
    assert held == [False, False]


def looked_at(asking: Any, held: list[bool]) -> Any:
    def ask(*args: Any, **kwargs: Any) -> Any:
        held.append(connection.connection is not None)
        return asking(*args, **kwargs)

    return ask


def test_the_page_of_the_server_says_it_beside_the_model(gone: Model, admin_client: Client) -> None:
    check_lists()
    page = admin_client.get(reverse("registry_endpoint", args=["lab"])).content.decode()
    assert WORDS in page
