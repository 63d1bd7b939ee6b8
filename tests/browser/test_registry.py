"""The registry at a browser: a server is registered, asked for its models, tested and put to work. Every page is
usable, and Django's admin beneath works under the policy of the site.
"""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from broker.models import (
    Change,
    Endpoint,
    Host,
    Model,
    Price,
    Role,
    Server,
)
from broker.services import portable
from tests.browser.pages import State
from tests.browser.people import Person
from tests.browser.registry_rows import ENDPOINT, HOST, MODEL, examples, furnished
from tests.browser.test_usable import OPEN_FOLDS, complaints
from tests.stub_server import StubServer

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer(models=["org/tiny", "fault:401"]) as server:
        yield server


def keeper(username: str) -> User:
    """Hashed as the site does it, and not as the tests do."""
    hashed = PBKDF2PasswordHasher().encode(PASSWORD, "salt")
    return User.objects.create(username=username, password=hashed, is_staff=True, is_superuser=True)


def test_a_server_is_registered_tested_and_put_to_work(
    sit_down: Callable[..., Person], start_workers: Callable[[], None], stub: StubServer
) -> None:
    person = sit_down()
    person.sign_in(keeper("warden"))
    start_workers()
    page = person.open("/")
    page.get_by_role("link", name="Registry", exact=True).click()
    add_endpoint(page, stub, person)
    probe(page)
    adopt(page)
    try_and_activate(page)
    fail(page)
    set_price(page)
    read_history(page)


def add_endpoint(page: Page, stub: StubServer, person: Person) -> None:
    """Refused first, with what was typed kept."""
    person.faults.allow(r"^422 to POST .*/registry/add/endpoint/")
    person.faults.allow("status of 422")
    page.get_by_role("link", name="Endpoints", exact=True).click()
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("Name", exact=True).fill("bench")
    page.get_by_label("Base URL").fill("http://169.254.169.254/v1")
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.locator(".errorlist")).to_contain_text("is a metadata service and is never called")
    page.get_by_label("Base URL").fill(stub.base_url)
    page.get_by_label("API key", exact=True).fill("sk-very-secret")
    page.get_by_role("button", name="Add endpoint").click()
    expect(page.get_by_text("Added: bench.")).to_be_visible()
    page.get_by_role("link", name="bench", exact=True).click()
    expect(page.locator("main")).to_contain_text(f"A key is set for {stub.base_url.removesuffix('/v1')}.")


def adopt(page: Page) -> None:
    page.get_by_role("button", name="Ask for its models").click()
    expect(page.get_by_text("not registered")).to_have_count(2)
    page.get_by_role("button", name="Add the missing 2 as drafts").click()
    expect(page.get_by_role("link", name="tiny", exact=True)).to_be_visible()


def probe(page: Page) -> None:
    page.get_by_role("button", name="Probe now").click()
    expect(page.locator("#health").get_by_text("healthy", exact=True)).to_be_visible()


def try_and_activate(page: Page) -> None:
    page.get_by_role("link", name="tiny", exact=True).click()
    page.get_by_role("button", name="Run the smoke test").click()
    part = page.locator("#smoke")
    expect(part.get_by_text("passed", exact=True)).to_be_visible()
    expect(part).to_contain_text("A session of one round came to an answer")
    page.get_by_label("Why", exact=True).first.fill("its smoke test passed")
    page.get_by_role("button", name="Make active").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("active")


def fail(page: Page) -> None:
    """Of the other one the page says why it failed, and what to do."""
    page.goto(page.url.replace("/tiny/", "/fault-401/").partition("#")[0])
    page.get_by_role("button", name="Run the smoke test").click()
    part = page.locator("#smoke")
    expect(part.get_by_text("failed", exact=True)).to_be_visible()
    expect(part).to_contain_text("the key is missing or not accepted")
    expect(part).to_contain_text("Enter a key that the server accepts.")
    page.go_back()


def set_price(page: Page) -> None:
    page.goto(page.url.replace("/fault-401/", "/tiny/").partition("#")[0])
    expect(page.get_by_text("Unknown. A session with a money cap cannot seat it.")).to_be_visible()
    page.get_by_role("link", name="New price").click()
    page.get_by_label("US$ per million tokens in").fill("0.25")
    page.get_by_label("US$ per million tokens out").fill("1")
    page.get_by_role("button", name="Set this price").click()
    expect(page.get_by_role("region", name="Prices")).to_contain_text("$0.25")


def read_history(page: Page) -> None:
    page.get_by_role("link", name="History", exact=True).click()
    rows = page.get_by_role("region", name="History")
    for words in (
        "price tiny added",
        "model tiny made active",
        "endpoint bench key set",
        "its smoke test passed",
    ):
        expect(rows).to_contain_text(words)
    expect(rows).not_to_contain_text("very-secret")


def test_a_host_its_server_a_role_and_the_file_without_script(sit_down: Callable[..., Person]) -> None:
    """All forms are plain ones: they work in a browser that runs no scripts."""
    person = sit_down(java_script_enabled=False)
    person.sign_in(keeper("clerk"))
    Endpoint.objects.create(
        name="rack-7", kind="openai_compatible", base_url="http://127.0.0.1:8007/v1", host=add_host(person)
    )
    add_server(person.open("/registry/hosts/rack/"))
    add_role(person.open("/registry/roles/"))
    export_and_import(person)


def add_host(person: Person) -> Host:
    page = person.open("/registry/hosts/")
    page.get_by_role("link", name="Add a host").click()
    page.get_by_label("Name", exact=True).fill("rack")
    page.get_by_role("button", name="Add host").click()
    expect(page.get_by_text("Added: rack.")).to_be_visible()
    return Host.objects.get(name="rack")


def add_server(page: Page) -> None:
    page.get_by_role("link", name="Add a server").click()
    page.get_by_label("Endpoint").select_option(label="rack-7")
    page.get_by_label("Model", exact=True).fill("/models/qwen")
    page.get_by_label("Port").fill("8007")
    page.get_by_role("button", name="Add server").click()
    expect(page.get_by_role("article", name="rack-7")).to_contain_text("/models/qwen")


def add_role(page: Page) -> None:
    """Changed, it is a second version."""
    page.get_by_role("link", name="Add a role").click()
    page.get_by_label("Name", exact=True).fill("sceptic")
    page.get_by_label("Persona").fill("You doubt.")
    page.get_by_role("button", name="Add role").click()
    page.get_by_role("link", name="sceptic", exact=True).click()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Persona").fill("You doubt twice.")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("version 2")


def export_and_import(person: Person) -> None:
    """What was exported changes nothing; with another family in it, it changes that."""
    page = person.open("/registry/file/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as JSON").click()
    path = download.value.path()
    page.get_by_label("A file of an export").set_input_files(path)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("Nothing: all that is in the file is here already")).to_be_visible()
    text = path.read_text().replace('"simulated-lantern"', '"wooden"')
    page.get_by_label("Or its text").fill(text)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("region", name="History")).to_contain_text("family simulated-lantern → wooden")
    page.get_by_role("button", name="Import this change").click()
    expect(page.get_by_text("Imported. Changes in the history: 1.")).to_be_visible()
    assert Model.objects.get(alias="lantern").family == "wooden"


# Every page.


def pages(person: Person) -> Iterator[State]:
    paths = {
        "models": "",
        "models, filtered to none": "?q=nothing-like-it",
        "a model": f"models/{MODEL}/",
        "a simulated model": "models/abacus/",
        "change a model": f"models/{MODEL}/change/",
        "a new price": f"models/{MODEL}/price/",
        "endpoints": "endpoints/",
        "an endpoint": f"endpoints/{ENDPOINT}/",
        "change an endpoint": f"endpoints/{ENDPOINT}/change/",
        "hosts": "hosts/",
        "a host": f"hosts/{HOST}/",
        "a new server": f"hosts/{HOST}/server/",
        "roles": "roles/",
        "a role": "roles/critic/",
        "change a role": "roles/critic/change/",
        "history": "history/",
        "import and export": "file/",
    }
    for name, path in paths.items():
        yield State(name, lambda path=path: person.open(f"/registry/{path}"))  # type: ignore[misc]
    yield State("a refused form", lambda: refuse(person))
    yield State("an import that is shown", lambda: show_an_import(person))


def refuse(person: Person) -> None:
    person.faults.allow(r"^422 to POST .*/registry/add/model/")
    person.faults.allow("status of 422")
    page = person.open("/registry/add/model/")
    page.get_by_label("Name here").fill("abacus")
    page.get_by_label("Name at the server").fill("x")
    page.get_by_label("Endpoint").select_option(index=1)
    page.get_by_role("button", name="Add as a draft").click()
    expect(page.locator(".errorlist")).to_contain_text("There is one of this name already.")


def show_an_import(person: Person) -> None:
    page = person.open("/registry/file/")
    text = portable.export().replace('"family": "qwen"', '"family": "qwen3"')
    page.get_by_label("Or its text").fill(text)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("button", name="Import this change")).to_be_visible()


def test_every_page_of_the_registry_is_usable(sit_down: Callable[..., Person]) -> None:
    person, found = sit_down(reduced_motion="reduce"), {}
    furnished()
    person.sign_in(keeper("guardian"))
    for state in pages(person):
        state.show()
        person.page.evaluate(OPEN_FOLDS)
        findings = complaints(person.page, state.within)
        if findings:
            found[state.name] = findings
    assert found == {}


# Django's admin.


def test_the_admin_works_under_the_policy(sit_down: Callable[..., Person]) -> None:
    """The browser would tell of every violation: each list, each search and each form is opened, and one is saved."""
    person = sit_down()
    keeper("sexton")
    seen = examples()
    page = person.open("/admin/")
    page.get_by_label("Username").fill("sexton")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()
    for kind, row in seen.items():
        name = kind._meta.model_name
        person.open(f"/admin/broker/{name}/?q=x")
        expect(page.locator("#changelist-search, #searchbar").first).to_be_visible()
        person.open(f"/admin/broker/{name}/{row.pk}/change/")
        expect(page.locator("#content h1")).to_be_visible()
        if kind in (Host, Endpoint, Server, Model, Price, Role):
            person.open(f"/admin/broker/{name}/add/")
            expect(page.locator("input[name=_save]")).to_be_visible()
    for path in ("user/", f"user/{User.objects.get(username='sexton').pk}/change/", "group/add/"):
        person.open(f"/admin/auth/{path}")
        expect(page.locator("#content h1")).to_be_visible()
    save(person, page)


def save(person: Person, page: Page) -> None:
    model = Model.objects.get(alias="abacus")
    person.open(f"/admin/broker/model/{model.pk}/change/")
    page.get_by_label("Family").fill("wooden")
    page.get_by_label("Note for the history").fill("by the admin")
    page.locator("input[name=_save]").click()
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    change = Change.objects.filter(subject="abacus").latest("pk")
    assert (change.action, change.note, change.after) == ("changed", "by the admin", {"family": "wooden"})
