"""What the registry's forms and buttons do."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from broker.models import Endpoint, Host, Model, Role, Server
from broker.services.rules import NAME_WORDS
from tests.broker.keeping import ENDPOINT, at, keeper, page, signed_in, told
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return signed_in(keeper())


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def test_an_endpoint_is_added_with_its_key(browser: Client) -> None:
    answer = browser.post(at("add_endpoint"), {**ENDPOINT, "key": "sk-very-secret"}, follow=True)

    assert "Added: hosted." in answer.content.decode()
    endpoint = Endpoint.objects.get(name="hosted")
    assert endpoint.sealed_key is not None
    assert told("endpoint", "hosted") == ["added", "key set"]
    for path in (at("endpoint", "hosted"), at("change_endpoint", "hosted"), at("history"), at("export")):
        assert "secret" not in page(browser, path)
    assert "A key is set for http://127.0.0.1:8123." in page(browser, at("endpoint", "hosted"))


def test_a_refused_form_keeps_what_was_typed_but_for_the_key(browser: Client) -> None:
    typed = {**ENDPOINT, "base_url": "http://169.254.169.254/v1", "key": "sk-very-secret"}
    answer = browser.post(at("add_endpoint"), typed)

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "is a metadata service and is never called" in text
    assert 'value="http://169.254.169.254/v1"' in text
    assert "secret" not in text
    assert not Endpoint.objects.filter(name="hosted").exists()


def test_another_host_is_told_before_the_key_is_lost(browser: Client) -> None:
    browser.post(at("add_endpoint"), {**ENDPOINT, "key": "sk-very-secret"})
    moved = {**ENDPOINT, "base_url": "http://127.0.0.1:9000/v1"}

    answer = browser.post(at("change_endpoint", "hosted"), moved)
    assert answer.status_code == 422
    assert (
        "its key was given for http://127.0.0.1:8123, not for http://127.0.0.1:9000"
        in answer.content.decode()
    )
    assert Endpoint.objects.get(name="hosted").base_url == "http://127.0.0.1:8123/v1"

    browser.post(at("change_endpoint", "hosted"), {**moved, "remove_key": "on"})
    endpoint = Endpoint.objects.get(name="hosted")
    assert (endpoint.base_url, endpoint.sealed_key) == ("http://127.0.0.1:9000/v1", None)


def test_a_model_is_added_as_a_draft_and_goes_its_way(browser: Client, lab: Endpoint) -> None:
    typed = {"alias": "qwen", "served_name": "Qwen/Qwen3-8B", "endpoint": lab.pk, "tags": "code, math, code"}
    browser.post(at("add_model"), typed)
    browser.post(at("move", "qwen"), {"state": "active", "note": "its smoke test passed"})
    browser.post(at("change_model", "qwen"), {**typed, "size_b": "8", "note": "from its card"})
    browser.post(at("add_price", "qwen"), {"input_usd": "0.25", "output_usd": "", "valid_from": ""})

    model = Model.objects.get(alias="qwen")
    assert (model.state, model.tags, model.size_b) == ("active", ["code", "math"], 8)
    assert told("model", "qwen") == ["added", "made active", "changed"]
    text = page(browser, at("model", "qwen"))
    for words in ("keeper", "its smoke test passed", "from its card", "$0.25"):
        assert words in text


def test_a_move_without_a_note_is_refused_on_the_models_page(browser: Client, model: Model) -> None:
    answer = browser.post(at("move", "m"), {"state": "retired", "note": " "})

    assert answer.status_code == 422
    assert "Say why in a few words" in answer.content.decode()
    assert Model.objects.get().state == "active"


def test_a_model_is_benched_by_hand_and_comes_back(browser: Client, model: Model) -> None:
    browser.post(at("bench", "m"), {"minutes": "30", "note": "under repair"})
    text = page(browser, at("model", "m"))
    assert "under repair" in text
    assert "unhealthy" not in text
    assert "under repair (a person benched it: no success ends it)" in page(browser, reverse("broker"))
    assert Model.objects.get().is_benched

    assert browser.post(at("unbench", "m"), {"from": "broker"}).headers["Location"] == reverse("broker")
    assert not Model.objects.get().is_benched
    assert browser.post(at("unbench", "m")).headers["Location"] == at("model", "m")
    assert browser.post(at("bench", "m"), {"minutes": "7", "note": "x"}).status_code == 422


def test_only_a_draft_has_a_button_that_deletes(browser: Client, model: Model) -> None:
    assert at("delete_model", "m") not in page(browser, at("model", "m"))
    assert browser.post(at("delete_model", "m")).status_code == 422

    Model.objects.update(state="draft")
    assert at("delete_model", "m") in page(browser, at("model", "m"))
    browser.post(at("delete_model", "m"))
    assert not Model.objects.exists()
    assert browser.post(at("delete_model", "m")).status_code == 404


def test_a_host_with_a_server(browser: Client, lab: Endpoint) -> None:
    browser.post(at("add_host"), {"name": "gpu", "mode": "resident", "total_mb": ""})
    host = Host.objects.get()
    lab.host, lab.base_url = host, "http://127.0.0.1:8000/v1"
    lab.save()
    typed = {
        "endpoint": lab.pk,
        "model_path": "/models/qwen",
        "dtype": "auto",
        "gpu_memory_share": "0.8",
        "port": "8000",
        "extra_args": "--max-num-seqs\n16",
        "environment": "VLLM_A=1\nVLLM_B=x=y",
    }
    assert browser.post(at("add_server", "gpu"), {**typed, "environment": "nonsense"}).status_code == 422
    browser.post(at("add_server", "gpu"), typed)

    server = Server.objects.get()
    assert (server.host, server.extra_args, server.environment) == (
        host,
        ["--max-num-seqs", "16"],
        {"VLLM_A": "1", "VLLM_B": "x=y"},
    )
    assert browser.post(at("change_server", "lab"), {**typed, "port": "8001"}).status_code == 422
    browser.post(at("change_server", "lab"), {**typed, "revision": "main"})
    text = page(browser, at("host", "gpu"))
    for words in ("/models/qwen", "8000", "main", "--max-num-seqs 16", "VLLM_B=x=y", "unknown"):
        assert words in text
    assert browser.post(at("delete_host", "gpu")).status_code == 422
    browser.post(at("delete_server", "lab"))
    assert told("server", "lab") == ["added", "changed", "deleted"]


def test_a_role_and_its_versions(browser: Client) -> None:
    typed = {"name": "critic", "persona": "You **doubt**.", "minimum": "0", "tags": "code"}
    browser.post(at("add_role"), typed)
    assert "There is a role critic already" in browser.post(at("add_role"), typed).content.decode()
    browser.post(at("change_role", "critic"), {**typed, "persona": "You doubt twice."})
    browser.post(at("retire_role", "critic"))

    assert [(each.version, each.retired) for each in Role.objects.order_by("version")] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip
    assert "<strong>doubt</strong>" in page(browser, at("role", "critic") + "?version=1")
    assert "Use it again" in page(browser, at("role", "critic"))
    assert browser.get(at("role", "critic") + "?version=9").status_code == 404


NETWORKS = (
    "10.0.0.5 is in no allowed network, 10.0.0.5 no listed https host. "
    "The settings NSED_ENDPOINT_NETWORKS and NSED_ENDPOINT_HOSTS say which are."
)
IMPOSSIBLE = {
    "no calls at once": (
        at("add_endpoint"),
        {**ENDPOINT, "max_concurrency": "0"},
        {"max_concurrency": ["1 at least. To stop all calls, switch the endpoint off."]},
    ),
    "an address elsewhere": (
        at("add_endpoint"),
        {**ENDPOINT, "base_url": "http://10.0.0.5/v1"},
        {"base_url": [NETWORKS]},
    ),
    "a name with a space": (at("add_endpoint"), {**ENDPOINT, "name": "my server"}, {"name": [NAME_WORDS]}),
    "more at least than at most": (
        at("add_role"),
        {"name": "critic", "minimum": "3", "maximum": "1"},
        {"maximum": ["At most 1 cannot be: at least 3 are asked for."]},
    ),
    "a price below nothing": (
        at("add_price", "m"),
        {"input_usd": "-1", "output_usd": "2"},
        {"input_usd": ["A price is not below 0. 0 is free; leave it empty where it is unknown."]},
    ),
}


@pytest.mark.parametrize(("path", "typed", "errors"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_is_said_in_words_at_its_field(
    browser: Client, model: Model, path: str, typed: dict[str, str], errors: dict[str, list[str]]
) -> None:
    answer = browser.post(path, typed)

    assert answer.status_code == 422
    assert answer.context["form"].errors == errors
    assert "What you typed is kept" in answer.content.decode()


def test_beside_another_mistake_it_is_said_in_words_too(browser: Client) -> None:
    typed = {**ENDPOINT, "name": "my server", "max_concurrency": "0"}

    errors = browser.post(at("add_endpoint"), typed).context["form"].errors

    assert errors["name"] == [NAME_WORDS]
    assert "Calls at once: 1 at least." in str(errors)
    assert "Constraint" not in str(errors)


@pytest.mark.parametrize(
    ("share", "port", "field"), [("1.5", "1", "gpu_memory_share"), ("0.5", "70000", "port")]
)
def test_a_server_that_cannot_be_is_told_at_its_field(
    browser: Client, lab: Endpoint, share: str, port: str, field: str
) -> None:
    lab.host = Host.objects.create(name="gpu")
    lab.save()
    typed = {"endpoint": lab.pk, "model_path": "/m", "dtype": "auto", "gpu_memory_share": share, "port": port}

    errors = browser.post(at("add_server", "gpu"), typed).context["form"].errors

    assert list(errors) == [field]
    assert "Constraint" not in str(errors)
