"""The registry as a file: out, and in again to the same registry; bad files are refused with the field and the line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from broker.models import Change, Competence, Endpoint, Host, Model, Price, Role, Server
from broker.services import portable, registry
from broker.services.changes import Act, Refused
from broker.services.portable_json import BadFile
from tests.broker.keeping import at, keeper, page, signed_in
from tests.builders import person

pytestmark = pytest.mark.django_db
NOBODY = Act()


@pytest.fixture
def whole(model: Model) -> str:
    """A registry with one of everything, as a file."""
    host = Host.objects.create(name="gpu", total_mb=24_000)
    served = Endpoint.objects.create(
        name="served",
        kind="openai_compatible",
        base_url="http://127.0.0.1:8000/v1",
        host=host,
        tokens_per_minute=9,
    )
    Server.objects.create(host=host, endpoint=served, model_path="/m", port=8000, extra_args=["--a", "1"])
    registry.set_key(served, "sk-very-secret", act=NOBODY)
    other = Model.objects.create(
        alias="other", served_name="Ö/x", endpoint=served, state="retired", tags=["code"], size_b=7.5
    )
    for year, usd in ((2025, "0.25"), (2026, "0.000001")):
        moment = datetime(year, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
        Price.objects.create(model=other, input_usd=usd, output_usd=None, valid_from=moment)
    Competence.objects.create(model=other, category="math", right=7, asked=10, claimed=0.5)
    Competence.objects.create(model=model, right=80, asked=100, declared=True)
    for version in (1, 2):
        Role.objects.create(name="critic", version=version, persona=f"Doubt {version}.", floor_points=1.5)
    return portable.export()


def wipe() -> None:
    for kind in (Server, Model, Endpoint, Host, Role, Change):
        kind.objects.all().delete()


def test_out_and_in_again_is_the_same(whole: str) -> None:
    wipe()
    assert whole != portable.export()

    portable.import_text(whole, act=NOBODY)

    assert portable.export() == whole
    assert Model.objects.get(alias="other").state == "retired"


def test_no_key_is_in_it(whole: str) -> None:
    assert "secret" not in whole
    assert "sealed" not in whole


def test_what_is_here_already_changes_nothing(whole: str) -> None:
    Change.objects.all().delete()
    assert list(portable.import_text(whole, act=NOBODY).changes) == []
    assert not Change.objects.exists()


def test_a_look_changes_nothing_and_tells_what_would_change(whole: str) -> None:
    wipe()
    plan = portable.preview(whole, act=NOBODY)

    assert [(each.kind, each.subject, each.action) for each in plan.changes] == [
        ("host", "gpu", "added"),
        ("endpoint", "lab", "added"),
        ("endpoint", "served", "added"),
        ("server", "served", "added"),
        ("model", "m", "added"),
        ("competence", "m", "added"),
        ("model", "other", "added"),
        ("price", "other", "added"),
        ("price", "other", "added"),
        ("competence", "other", "added"),
        ("role", "critic", "added"),
        ("role", "critic", "changed"),
    ]
    assert not Model.objects.exists()
    assert not Change.objects.exists()


def changed(text: str, change: Callable[[dict[str, Any]], Any]) -> str:
    document = json.loads(text)
    change(document)
    return json.dumps(document, indent=2)


def test_a_changed_state_is_a_move_of_its_own(whole: str) -> None:
    def back(document: dict[str, Any]) -> None:
        document["models"][1].update(state="active", family="qwen")

    portable.import_text(changed(whole, back), act=NOBODY)

    lines = Change.objects.filter(kind="model").order_by("pk")
    assert [(each.action, each.after, each.note) for each in lines] == [
        ("changed", {"family": "qwen"}, "import"),
        ("back as active", {"state": "active"}, "import"),
    ]


def test_what_the_file_leaves_out_stays(whole: str) -> None:
    portable.import_text('{"format": "nsed-registry/1", "models": []}', act=NOBODY)

    assert portable.export() == whole


def set_in(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


BAD = {
    "another format": (set_in("format", to="x"), "format", "no export of a registry"),
    "an unknown section": (set_in("keys", to=[]), "keys", "there is no section 'keys'"),
    "a section that is no list": (set_in("hosts", to={}), "hosts", "a section is a list"),
    "a row that is no object": (set_in("hosts", 0, to=3), "hosts[0]", "this is no object"),
    "an unknown field": (
        set_in("endpoints", 0, "api_key", to="x"),
        "endpoints[0].api_key",
        "no field 'api_key'",
    ),
    "a bad address": (
        set_in("endpoints", 0, "base_url", to="http://169.254.169.254/v1"),
        "endpoints[0].base_url",
        "metadata service",
    ),
    "a wrong type": (set_in("endpoints", 0, "enabled", to="yes"), "endpoints[0].enabled", "true or false"),
    "a truth value for a number": (set_in("models", 0, "size_b", to=True), "models[0].size_b", "a number"),
    "a number for an address": (set_in("endpoints", 0, "base_url", to=5), "endpoints[0].base_url", "a text"),
    "a negative number": (
        set_in("hosts", 0, "total_mb", to=-1),
        "hosts[0].total_mb",
        "greater than or equal",
    ),
    "no endpoint of that name": (
        set_in("models", 0, "endpoint", to="gone"),
        "models[0].endpoint",
        "no endpoint 'gone'",
    ),
    "no name at all": (set_in("models", 0, "alias", to=""), "models[0].alias", "has to be a name"),
    "a state that is none": (set_in("models", 0, "state", to="draft"), "models[0]", "cannot become draft"),
    "tags that are no list": (set_in("models", 1, "tags", to="code"), "models[1].tags", "list of words"),
    "half a character": (set_in("models", 0, "family", to="\ud800"), "models[0].family", "no text"),
    "history that is changed": (
        set_in("models", 1, "prices", 0, "input_usd", to="9"),
        "models[1].prices[0].valid_from",
        "history is not changed",
    ),
    "a price without a zone": (
        set_in("models", 1, "prices", 0, "valid_from", to="2025-01-02T03:04:05"),
        "models[1].prices[0].valid_from",
        "a time with its zone",
    ),
    "a price before the newest": (
        set_in("models", 1, "prices", 0, "valid_from", to="2025-06-01T00:00:00Z"),
        "models[1].prices[0].valid_from",
        "a new one begins after it",
    ),
    "more right than asked": (
        set_in("models", 1, "competences", 0, "right", to=11),
        "models[1].competences[0]",
        "right_of_asked",
    ),
    "another role of the same number": (
        set_in("roles", 0, "persona", to="x"),
        "roles[0].version",
        "give yours the next number",
    ),
    "a version that says nothing new": (
        set_in("roles", 1, "version", to=4),
        "roles[1].version",
        "no new one",
    ),
    "a version that is left out": (
        set_in("roles", to=[{"name": "critic", "version": 4, "persona": "x"}]),
        "roles[0].version",
        "is 3, not 4",
    ),
    "a row that stands twice": (
        set_in("hosts", to=[{"name": "a"}, {"name": "a"}]),
        "hosts[1].name",
        "here twice",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_field_and_line(whole: str, name: str) -> None:
    change, where, words = BAD[name]
    text = changed(whole, change)
    before = portable.export()

    with pytest.raises(BadFile) as refusal:
        portable.import_text(text, act=NOBODY)

    said = str(refusal.value)
    assert words in said
    assert f", {where}: " in said
    line = text.splitlines()[refusal.value.line - 1]
    assert where.rpartition(".")[2].partition("[")[0] in line or line.strip() in ("{", "3", "3,")
    assert portable.export() == before


# On the page.


@pytest.fixture
def browser() -> Client:
    return signed_in(keeper())


def test_the_export_is_a_file(browser: Client, whole: str) -> None:
    answer = browser.get(at("export"))

    assert answer.content.decode() == whole
    assert 'attachment; filename="nsed-registry-' in answer.headers["Content-Disposition"]


def test_an_import_shows_what_it_will_do_and_does_that(browser: Client, whole: str) -> None:
    wipe()
    sent = SimpleUploadedFile("registry.json", whole.encode())
    shown = browser.post(at("import"), {"file": sent})
    assert "Import these 12 changes" in shown.content.decode()
    assert not Model.objects.exists()

    confirmed = {"text": shown.context["form"]["text"].value(), "digest": shown.context["plan"].digest}
    browser.post(at("import"), confirmed)

    assert portable.export() == whole
    assert "import" in page(browser, at("history"))


def test_what_has_changed_since_it_was_shown_is_not_done(browser: Client, whole: str) -> None:
    wipe()
    shown = browser.post(at("import"), {"text": whole})
    Host.objects.create(name="gpu")

    answer = browser.post(at("import"), {"text": whole, "digest": shown.context["plan"].digest})

    assert answer.status_code == 422
    assert "has changed since this was shown" in answer.content.decode()
    assert not Model.objects.exists()


def test_a_bad_file_is_refused_on_the_page(browser: Client) -> None:
    answer = browser.post(at("import"), {"text": '{"format": "nsed-registry/1",\n "hosts": [{"nam": "x"}]}'})
    assert answer.status_code == 422
    assert "Line 2, hosts[0].nam: there is no field" in answer.content.decode()

    binary = SimpleUploadedFile("registry.json", b"\xff\xfe")
    assert "no UTF-8 text" in browser.post(at("import"), {"file": binary}).content.decode()


def test_a_file_that_could_not_be_confirmed_is_refused_at_once(browser: Client, whole: str) -> None:
    large = SimpleUploadedFile("registry.json", whole.encode() + b" " * 1_000_000)

    assert "import it in parts" in browser.post(at("import"), {"file": large}).content.decode()


def test_a_reader_sees_no_import(whole: str) -> None:
    assert at("import") not in page(signed_in(person("reader")), at("file"))


def test_a_plan_of_another_digest_is_refused(whole: str) -> None:
    with pytest.raises(Refused, match="Look again"):
        portable.import_text(whole, act=NOBODY, digest="0" * 64)
