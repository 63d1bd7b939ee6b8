"""What the registry's pages show."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from broker.models import Call, Competence, Endpoint, Host, Model, Price, Telemetry
from tests.broker.keeping import at, keeper, page, signed_in
from tests.builders import person
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return signed_in(keeper())


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def test_what_is_unknown_is_said_to_be(browser: Client, model: Model) -> None:
    text = page(browser, at("models"))

    assert text.count(">unknown<") == 4  # size, health, price, right answers
    assert "$0.00" not in text


def test_a_price_of_which_one_half_is_known(browser: Client, model: Model) -> None:
    Price.objects.create(model=model, input_usd=0, output_usd=None, valid_from=timezone.now())

    text = page(browser, at("models"))

    assert "$0.00 <" in text
    assert '<span class="dim">unknown</span> <span class="unit">out</span>' in text


def test_competence_comes_with_its_interval_and_n(browser: Client, model: Model) -> None:
    Competence.objects.create(model=model, right=6, asked=8)
    Competence.objects.create(model=model, category="math", right=90, asked=100)

    text = page(browser, at("model", "m"))

    assert "too few" in text
    assert text.count(" % to ") == 2


def test_a_claim_is_no_measurement(browser: Client, model: Model) -> None:
    Competence.objects.create(model=model, right=80, asked=100, declared=True)

    text = page(browser, at("models"))

    assert "declared" in text
    assert "80 %" in text and " % to " in text
    assert "n&nbsp;0" in text


def test_a_simulated_expert_is_what_it_is_made_to_be_on_all_pages(browser: Client, model: Model) -> None:
    Endpoint.objects.update(kind="simulated", base_url="")
    Competence.objects.create(model=model, right=85, asked=100, declared=True)

    for path in (at("models"), at("model", "m"), reverse("broker_ranking")):
        text = page(browser, path)
        assert "made so (simulated)" in text, path
        assert "85 %" in text, path
        assert " % to " not in text, path


def test_a_benched_model_shows_for_how_long(browser: Client, model: Model) -> None:
    Model.objects.filter(pk=model.pk).update(
        benched_until=timezone.now() + timedelta(minutes=3), bench_reason="it timed out"
    )

    text = page(browser, at("models"))

    assert "benched" in text
    assert "data-due=" in text
    assert "it timed out" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"m", "other"}),
        ("?q=OTH", {"other"}),
        ("?state=retired", {"other"}),
        ("?tag=code", {"m"}),
        ("?endpoint=lab", {"m", "other"}),
        ("?endpoint=lab&state=active&tag=code", {"m"}),
        ("?state=nonsense", {"m", "other"}),
        ("?q=nothing-like-it", set()),
    ],
)
def test_the_address_holds_the_filter(browser: Client, model: Model, query: str, found: set[str]) -> None:
    Model.objects.filter(pk=model.pk).update(tags=["code"])
    Model.objects.create(alias="other", served_name="x", endpoint=model.endpoint, state="retired")

    answer = browser.get(at("models") + query)

    assert {line.model.alias for line in answer.context["lines"]} == found


def test_a_longer_list_costs_no_more_queries(
    browser: Client, lab: Endpoint, django_assert_num_queries: Any
) -> None:
    page(browser, at("models"))
    for number in range(12):
        Model.objects.create(alias=f"m{number}", served_name="x", endpoint=lab)
        if number in (0, 11):
            with django_assert_num_queries(7):
                page(browser, at("models"))


def test_sessions_are_told_to_staff_alone_and_never_the_seat(browser: Client, model: Model) -> None:
    """A person who votes blind must not read here which proposal is whose."""
    reference = uuid4()
    for seat in (7, 7, 9):
        Call.objects.create(
            reference=reference, model=model, seat=seat, round=1, exchange="propose", attempt=seat, error=""
        )

    (sat,) = browser.get(at("model", "m")).context["sessions"]
    assert (sat.seats, sat.calls, sat.failed, sat.unpriced) == (2, 3, 0, 3)
    assert str(reference) in page(browser, at("model", "m"))
    assert str(reference) not in page(signed_in(person("reader")), at("model", "m"))


def test_a_reading_that_is_too_old_counts_as_unknown(browser: Client, lab: Endpoint) -> None:
    Telemetry.objects.create(endpoint=lab, source="metrics", read_at=timezone.now(), running=41, waiting=3)
    assert "41, 3" in page(browser, at("endpoint", "lab"))

    Telemetry.objects.update(read_at=timezone.now() - timedelta(minutes=1))
    text = page(browser, at("endpoint", "lab"))
    assert "41, 3" not in text
    assert "too old to count" in text


# Looking at servers.


def served(stub: StubServer) -> Endpoint:
    return Endpoint.objects.create(name="stub", kind="openai_compatible", base_url=stub.base_url)


def test_a_server_is_asked_for_its_models_and_one_press_adds_them(browser: Client, stub: StubServer) -> None:
    endpoint = served(stub)
    answer = browser.post(at("discover", "stub"))

    missing = answer.context["missing"]
    assert missing
    assert not Model.objects.exists()
    browser.post(at("adopt", "stub"), {"model": missing})
    assert set(endpoint.models.values_list("served_name", "state")) == {(name, "draft") for name in missing}
    again = browser.post(at("discover", "stub"))
    assert again.context["missing"] == []


def test_a_server_that_is_not_there_is_said_not_to_be(browser: Client, lab: Endpoint) -> None:
    answer = browser.post(at("discover", "lab"))

    assert answer.status_code == 422
    assert "Nothing listens at the address of lab." in answer.content.decode()


def test_a_probe_is_a_workers_task(browser: Client, lab: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr(
        "broker.services.asking.current_app.send_task",
        lambda name, **given: sent.append((name, given["args"])),
    )

    assert browser.post(at("probe", "lab")).status_code == 302
    assert sent == [("broker.tasks.probe", [lab.pk])]


def beside(lab: Endpoint) -> Endpoint:
    """On the loopback of a host of its own."""
    lab.host = Host.objects.create(name="gpu")
    lab.save()
    return lab


def test_a_server_that_its_host_alone_reaches_is_probed_there(
    browser: Client, lab: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    queues = []
    monkeypatch.setattr(
        "broker.services.asking.current_app.send_task", lambda name, **given: queues.append(given["queue"])
    )
    browser.post(at("probe", "lab"))
    beside(lab)
    browser.post(at("probe", "lab"))
    Endpoint.objects.update(base_url="http://192.168.1.5:8000/v1")
    browser.post(at("probe", "lab"))

    assert queues == ["steps", "calls.gpu", "steps"]


def test_a_probe_that_no_worker_hears_says_so(
    browser: Client, lab: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.services.asking.current_app.send_task", lambda name, **given: None)
    beside(lab)

    def probed() -> str:
        return str(browser.post(at("probe", "lab"), follow=True).content.decode())

    assert "Host gpu has no worker that would do it: it never reported" in probed()
    Host.objects.update(state="up", reported_at=timezone.now() - timedelta(hours=1))
    assert "it has not reported since" in probed()
    Host.objects.update(reported_at=timezone.now())
    assert "is being looked at, and what is found shows here" in probed()


def test_a_server_that_its_host_alone_reaches_has_told_that_host_its_models(
    browser: Client, lab: Endpoint
) -> None:
    beside(lab)
    assert "its worker has not read it yet" in browser.post(at("discover", "lab")).content.decode()

    for name in ("b", "a", "a"):
        Telemetry.objects.create(endpoint=lab, served_name=name, source="metrics", read_at=timezone.now())
    assert browser.post(at("discover", "lab")).context["missing"] == ["a", "b"]


def test_without_a_queue_it_is_said_that_nothing_was_asked(
    browser: Client, lab: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(name: str, **given: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("broker.services.asking.current_app.send_task", away)
    answer = browser.post(at("probe", "lab"))

    assert answer.status_code == 503
    assert "so nothing was asked" in answer.content.decode()
