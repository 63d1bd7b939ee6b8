"""To whom the registry's pages are open."""

from collections.abc import Iterator

import pytest
from django.test import Client

from broker.models import Change, Host, Model, Role
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


READS = [
    ("models",), ("model", "m"), ("endpoints",), ("endpoint", "lab"), ("hosts",), ("host", "gpu"), ("roles",),
    ("role", "critic"), ("history",), ("file",), ("export",),
]  # fmt: skip
WRITES = {
    ("add_model",): "add_model",
    ("change_model", "m"): "change_model",
    ("move", "m"): "change_model",
    ("bench", "m"): "change_model",
    ("unbench", "m"): "change_model",
    ("add_price", "m"): "add_price",
    ("delete_model", "m"): "delete_model",
    ("smoke", "m"): "change_model",
    ("add_endpoint",): "add_endpoint",
    ("change_endpoint", "lab"): "change_endpoint",
    ("delete_endpoint", "lab"): "delete_endpoint",
    ("probe", "lab"): "change_endpoint",
    ("discover", "lab"): "change_endpoint",
    ("adopt", "lab"): "add_model",
    ("add_host",): "add_host",
    ("change_host", "gpu"): "change_host",
    ("delete_host", "gpu"): "delete_host",
    ("add_server", "gpu"): "add_server",
    ("add_role",): "add_role",
    ("change_role", "critic"): "change_role",
    ("retire_role", "critic"): "change_role",
    ("import",): "add_model",
}


@pytest.fixture
def everything(model: Model) -> None:
    Host.objects.create(name="gpu")
    Role.objects.create(name="critic")


def test_everybody_reads_and_has_no_button(everything: None) -> None:
    browser = signed_in(person("reader"))

    for name in READS:
        text = page(browser, at(*name))
        assert "csrfmiddlewaretoken" not in text.partition("<main")[2].partition("</main")[0]


@pytest.mark.parametrize("name", WRITES, ids=lambda name: name[0])
def test_a_change_needs_staff_with_the_permission(everything: None, name: tuple[str, ...]) -> None:
    needed = WRITES[name]
    other = "add_host" if needed != "add_host" else "add_role"
    plain = person("plain")
    lacking, allowed = keeper(other, username="lacking"), keeper(needed, username="allowed")

    for user in (plain, lacking):
        answer = signed_in(user).post(at(*name))
        assert answer.status_code == 403
        assert "The registry is kept by staff who may" in answer.content.decode()
    assert not Change.objects.exists()
    assert signed_in(allowed).post(at(*name)).status_code != 403


def test_a_permission_without_being_staff_is_not_enough(everything: None) -> None:
    user = keeper("add_model")
    user.is_staff = False
    user.save()

    assert signed_in(user).get(at("add_model")).status_code == 403


def test_a_part_that_refreshes_itself_leads_to_the_sign_in_page(everything: None) -> None:
    answer = Client().get(at("endpoint", "lab"), headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"].startswith("/sign-in/")
