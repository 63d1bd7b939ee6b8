"""probe_now(), and which servers can be asked from where."""

import pytest

from broker.models import Endpoint, Host, Model
from broker.services.checking import check_fleet, probe_now
from broker.services.health import call_failed
from broker.services.reach import in_reach, is_in_reach
from tests.stub_server import StubServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept_connection")]


@pytest.fixture
def lab(stub: StubServer) -> Endpoint:
    return Endpoint.objects.create(name="lab", kind="openai_compatible", base_url=stub.base_url)


@pytest.fixture
def model(lab: Endpoint) -> Model:
    return Model.objects.create(alias="m", served_name="stub", endpoint=lab)


def test_a_person_gets_an_answer_at_once_with_the_models(
    stub: StubServer, lab: Endpoint, model: Model
) -> None:
    call_failed(model, code="refused")
    outcome = probe_now(lab)
    assert (outcome.code, outcome.sentence) == ("", "m at lab answers.")
    assert outcome.models == ("stub", "other")
    assert outcome.latency_ms is not None
    lab.refresh_from_db()
    assert lab.healthy is True


def test_a_person_is_told_what_is_wrong(stub: StubServer, lab: Endpoint, model: Model) -> None:
    stub.faults("stub", "401")
    outcome = probe_now(lab)
    assert (outcome.code, outcome.sentence) == (
        "unauthorized",
        "lab answered 401: the key is missing or not accepted.",
    )
    assert outcome.models is None
    Model.objects.all().delete()
    assert probe_now(lab).sentence == "lab answers; no model of it is registered that could be asked."


def test_a_server_that_listens_on_its_own_host_alone_is_asked_there(
    stub: StubServer, lab: Endpoint, model: Model
) -> None:
    lab.host = Host.objects.create(name="gpu1")
    lab.save()
    assert check_fleet() == 0
    assert check_fleet("gpu2") == 0
    assert check_fleet("gpu1") == 1
    assert len(stub.seen()) == 1
    outcome = probe_now(lab)
    assert (outcome.code, outcome.sentence) == (
        "asked_there",
        "lab listens on its host gpu1 alone, which checks it in a moment.",
    )
    assert check_fleet("gpu1") == 1
    assert len(stub.seen()) == 2


def test_a_server_that_is_reached_from_everywhere_is_asked_by_anybody(
    lab: Endpoint,
) -> None:
    lab.host = Host.objects.create(name="gpu1")
    lab.base_url = "http://gpu-box.test:8000/v1"
    assert is_in_reach(lab, "local")
    for address in (
        "http://127.0.0.1:1/v1",
        "http://LOCALHOST/v1",
        "https://[::1]:1/v1",
        "http://127.9.9.9/v1",
    ):
        lab.base_url = address
        lab.save()
        assert not is_in_reach(lab, "local")
        assert is_in_reach(lab, "gpu1")
        assert not Endpoint.objects.filter(in_reach("local")).exists()
        assert Endpoint.objects.filter(in_reach("gpu1")).exists()
    for address in ("http://127.0.0.1.example.org/v1", "http://localhost.example.org/v1"):
        lab.base_url = address
        lab.save()
        assert is_in_reach(lab, "local")
        assert Endpoint.objects.filter(in_reach("local")).exists()
