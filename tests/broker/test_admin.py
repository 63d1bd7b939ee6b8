"""Django's admin beneath the registry: lists, searches, actions and forms; each save is a line of the history."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from broker import keys
from broker.models import Change, Endpoint, Host, Model, Price, Role, Server
from tests.broker.keeping import ENDPOINT, keeper, signed_in, told

pytestmark = pytest.mark.django_db
KINDS = sorted(
    (kind._meta.model_name for kind in admin.site._registry if kind._meta.app_label == "broker"), key=str
)
READ_ONLY = {
    "budget", "call", "change", "check", "competence", "peerscore", "reservation", "selection", "smoketest",
    "telemetry",
}  # fmt: skip


@pytest.fixture
def browser() -> Client:
    return signed_in(keeper())


def at(kind: str, page: str, *args: Any) -> str:
    return reverse(f"admin:broker_{kind}_{page}", args=args)


def test_every_kind_of_row_is_there() -> None:
    assert set(KINDS) == {"endpoint", "host", "model", "price", "role", "server", *READ_ONLY}


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_can_be_searched(browser: Client, model: Model, kind: str) -> None:
    answer = browser.get(at(kind, "changelist"), {"q": "m"})

    assert answer.status_code == 200
    assert 'id="searchbar"' in answer.content.decode()


@pytest.mark.parametrize("kind", sorted(READ_ONLY))
def test_what_the_system_writes_is_only_read(browser: Client, kind: str) -> None:
    assert browser.get(at(kind, "add")).status_code == 403


@pytest.mark.parametrize("kind", ["endpoint", "host", "model", "role", "server", "price"])
def test_nothing_is_deleted_here(browser: Client, model: Model, kind: str) -> None:
    assert browser.post(at("model", "delete", model.pk), {"post": "yes"}).status_code == 403
    listed = browser.get(at(kind, "changelist")).content.decode()
    assert "delete_selected" not in listed


def test_an_endpoint_is_saved_with_its_key_and_the_key_is_not_shown(browser: Client) -> None:
    browser.post(at("endpoint", "add"), {**ENDPOINT, "key": "sk-very-secret"})

    endpoint = Endpoint.objects.get()
    assert keys.key_for(endpoint) == "sk-very-secret"
    assert told("endpoint", "hosted") == ["added", "key set"]
    text = browser.get(at("endpoint", "change", endpoint.pk)).content.decode()
    assert "secret" not in text
    assert "A key is set for http://127.0.0.1:8123." in text


def test_an_address_that_may_not_be_called_is_refused(browser: Client) -> None:
    typed = {**ENDPOINT, "base_url": "http://169.254.169.254/v1"}
    answer = browser.post(at("endpoint", "add"), typed)

    assert "is a metadata service and is never called" in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_a_change_is_a_line_of_history(browser: Client, model: Model) -> None:
    typed = {
        "served_name": "stub",
        "endpoint": model.endpoint_id,
        "family": "qwen",
        "tags": "code",
        "traits": "{}",
    }
    answer = browser.post(at("model", "change", model.pk), {**typed, "note": "from its card", **inlines()})

    assert answer.status_code == 302, answer.context["errors"]
    (line,) = Change.objects.all()
    assert (line.action, line.note, line.after) == (
        "changed",
        "from its card",
        {"family": "qwen", "tags": ["code"]},
    )
    assert line.by is not None


def inlines() -> dict[str, str]:
    return {
        f"{name}-{what}_FORMS": "0" for name in ("prices", "competences") for what in ("TOTAL", "INITIAL")
    }


def test_a_new_model_is_a_draft(browser: Client, lab: Endpoint) -> None:
    typed = {"alias": "new", "served_name": "x", "endpoint": lab.pk, "tags": "", "traits": "", **inlines()}
    browser.post(at("model", "add"), typed)

    assert Model.objects.get().state == "draft"
    assert told("model", "new") == ["added"]


def test_models_are_retired_benched_and_brought_back(browser: Client, model: Model) -> None:
    for action in ("bench", "unbench", "retire"):
        browser.post(at("model", "changelist"), {"action": action, "_selected_action": [model.pk]})

    assert told("model", "m")[-1] == "retired"
    assert len(told("model", "m")) == 3
    assert Model.objects.get().state == "retired"


def test_endpoints_are_probed_by_a_worker(
    browser: Client, lab: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        "broker.services.asking.current_app.send_task",
        lambda name, **given: sent.append((name, given["args"])),
    )
    browser.post(at("endpoint", "changelist"), {"action": "probe", "_selected_action": [lab.pk]})

    assert sent == [("broker.tasks.probe", [lab.pk])]


def test_a_price_is_added_and_never_edited(browser: Client, model: Model) -> None:
    typed = {"model": model.pk, "input_usd": "0.5", "output_usd": "", "valid_from": ""}
    assert browser.post(at("price", "add"), typed).status_code == 302

    price = Price.objects.get()
    assert told("price", "m") == ["added"]
    assert browser.post(at("price", "change", price.pk), {**typed, "input_usd": "9"}).status_code == 403
    again = browser.post(at("price", "add"), {**typed, "valid_from": "2001-01-01T00:00"})
    assert "a new one begins after it" in again.content.decode()


def test_a_role_is_saved_as_its_next_version(browser: Client) -> None:
    typed = {"name": "critic", "persona": "You doubt.", "tags": "", "minimum": "0"}
    browser.post(at("role", "add"), typed)
    role = Role.objects.get()
    browser.post(at("role", "change", role.pk), {**typed, "persona": "You doubt twice."})
    browser.post(
        at("role", "change", Role.objects.latest("version").pk), {**typed, "persona": "You doubt twice."}
    )
    browser.post(at("role", "changelist"), {"action": "retire", "_selected_action": [role.pk]})

    assert list(Role.objects.order_by("version").values_list("version", "retired")) == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip


def test_a_server_needs_an_endpoint_of_its_host(browser: Client, lab: Endpoint) -> None:
    host = Host.objects.create(name="gpu")
    typed = {
        "host": host.pk, "endpoint": lab.pk, "model_path": "/m", "dtype": "auto", "gpu_memory_share": "0.5",
        "port": "8000", "extra_args": "", "environment": "",
    }  # fmt: skip
    assert "does not run on gpu" in browser.post(at("server", "add"), typed).content.decode()

    lab.host, lab.base_url = host, "http://127.0.0.1:8000/v1"
    lab.save()
    assert browser.post(at("server", "add"), typed).status_code == 302
    assert told("server", "lab") == ["added"]
    assert Server.objects.get().host == host
