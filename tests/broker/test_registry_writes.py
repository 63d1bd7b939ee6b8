"""What people change in the registry: each write with its line of history, and each refusal with its sentence."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from broker import keys
from broker.models import Call, Change, Endpoint, Host, Model, Price, Role, Server
from broker.services import registry
from broker.services.changes import Act, Refused
from broker.services.rules import lost_key
from tests.broker.keeping import keeper, told
from tests.builders import opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def act() -> Act:
    return Act(by=keeper(), note="a reason")


def draft(lab: Endpoint, alias: str = "new") -> Model:
    return Model(alias=alias, served_name=alias, endpoint=lab, state="draft")


def test_an_added_model_has_a_line_of_history(lab: Endpoint, act: Act) -> None:
    registry.add(draft(lab), act=act)

    (line,) = Change.objects.all()
    assert (line.kind, line.subject, line.action, line.by, line.note) == (
        "model", "new", "added", act.by, "a reason",
    )  # fmt: skip
    assert line.before is None
    assert line.after["endpoint"] == "lab"


def test_a_change_tells_what_differs_and_leaves_the_rest_alone(model: Model, act: Act) -> None:
    Model.objects.filter(pk=model.pk).update(bench_reason="written meanwhile")
    model.family, model.tags = "qwen", ["code"]

    line = registry.change(model, act=act)

    assert line is not None
    assert (line.before, line.after) == ({"family": "", "tags": []}, {"family": "qwen", "tags": ["code"]})
    stored = Model.objects.get(pk=model.pk)
    assert (stored.family, stored.bench_reason) == ("qwen", "written meanwhile")


def test_a_change_of_nothing_is_no_change(model: Model, act: Act) -> None:
    assert registry.change(model, act=act) is None
    assert not Change.objects.exists()


def test_a_name_stays(model: Model, act: Act) -> None:
    model.alias = "other"

    with pytest.raises(Refused, match="it stays") as refusal:
        registry.change(model, act=act)
    assert refusal.value.field == "alias"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "needs a base URL"),
        ("http://169.254.169.254/v1", "metadata service"),
        ("http://10.0.0.5:8000/v1", "in no allowed network"),
        ("ftp://127.0.0.1/v1", "must begin with http"),
        ("http://key@127.0.0.1/v1", "must not hold a user name or a key"),
        ("http://2130706433/v1", "four decimal numbers"),
    ],
)
def test_an_address_that_may_not_be_called_is_not_saved(act: Act, url: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as refusal:
        registry.add(Endpoint(name="bad", kind="openai_compatible", base_url=url), act=act)

    assert refusal.value.field == "base_url"
    assert not Endpoint.objects.filter(name="bad").exists()


def test_an_address_is_checked_where_it_is_changed_too(lab: Endpoint, act: Act) -> None:
    lab.base_url = "http://169.254.169.254/v1"

    with pytest.raises(Refused, match="metadata service"):
        registry.change(lab, act=act)


def test_a_key_is_told_nowhere(lab: Endpoint, act: Act) -> None:
    registry.set_key(lab, "sk-very-secret", act=act)
    registry.set_key(lab, "", act=act)

    assert told("endpoint", "lab") == ["key set", "key removed"]
    assert "secret" not in str(list(Change.objects.values()))
    assert Endpoint.objects.get(name="lab").sealed_key is None


def test_a_key_is_of_no_use_at_another_host(lab: Endpoint, act: Act) -> None:
    registry.set_key(lab, "sk-very-secret", act=act)
    assert keys.key_for(lab) == "sk-very-secret"

    lab.base_url = "http://127.0.0.1:9/v1"

    assert "was given for http://127.0.0.1:1" in lost_key(lab)


def test_a_move_needs_a_note_and_is_logged(model: Model, act: Act) -> None:
    with pytest.raises(Refused, match="Say why"):
        registry.move(model, "retired", act=Act(by=act.by))

    registry.move(model, "retired", act=act)
    registry.move(model, "active", act=act)

    assert told("model", "m") == ["retired", "back as active"]
    assert Model.objects.get(pk=model.pk).state == "active"


def test_nothing_becomes_a_draft_again(model: Model, act: Act) -> None:
    with pytest.raises(Refused, match="m is active and cannot become draft"):
        registry.move(model, "draft", act=act)


def test_a_draft_that_was_never_called_can_go(lab: Endpoint, act: Act) -> None:
    model = draft(lab)
    registry.add(model, act=act)
    registry.delete(model, act=act)

    assert not Model.objects.exists()
    assert told("model", "new") == ["added", "deleted"]


def test_a_model_that_is_no_draft_stays(model: Model, act: Act) -> None:
    with pytest.raises(Refused, match="Only a draft can be deleted; m is active. Retire it instead."):
        registry.delete(model, act=act)


def test_a_model_that_was_called_stays(lab: Endpoint, act: Act) -> None:
    model = draft(lab)
    registry.add(model, act=act)
    Call.objects.create(reference=uuid4(), model=model, seat=1, round=1, exchange="propose", attempt=1)

    with pytest.raises(Refused, match="was called before, so its record stays. Retire it instead."):
        registry.delete(model, act=act)


def test_a_model_that_has_sat_stays(lab: Endpoint, act: Act) -> None:
    model = draft(lab)
    registry.add(model, act=act)
    session = opened().session
    session.participants.create(seat=9, kind="model", model=model)

    with pytest.raises(Refused, match="rests on it: participant. Retire it instead."):
        registry.delete(model, act=act)
    assert Model.objects.filter(pk=model.pk).exists()


def test_what_something_rests_on_stays(model: Model, act: Act) -> None:
    with pytest.raises(Refused, match="lab stays, since something rests on it: model."):
        registry.delete(model.endpoint, act=act)
    assert not Change.objects.exists()


def test_a_price_is_a_new_row_and_the_old_one_stays(model: Model, act: Act) -> None:
    registry.add_price(Price(model=model, input_usd=Decimal("0.5"), output_usd=None), act=act)
    registry.add_price(Price(model=model, input_usd=Decimal(1), output_usd=Decimal(2)), act=act)

    assert [each.input_usd for each in model.prices.order_by("valid_from")] == [Decimal("0.5"), Decimal(1)]
    line = Change.objects.order_by("pk").first()
    assert line is not None
    assert (line.kind, line.subject, line.after["input_usd"], line.after["output_usd"]) == (
        "price", "m", "0.5", None,
    )  # fmt: skip


def test_a_price_does_not_reach_back(model: Model, act: Act) -> None:
    registry.add_price(Price(model=model, input_usd=1, output_usd=1), act=act)
    earlier = timezone.now() - timedelta(days=1)

    with pytest.raises(Refused, match="a new one begins after it"):
        registry.add_price(Price(model=model, input_usd=2, output_usd=2, valid_from=earlier), act=act)


def test_a_changed_role_is_a_new_version(act: Act) -> None:
    registry.add_role_version(Role(name="critic", persona="You doubt."), act=act)
    role = Role.objects.get(name="critic")
    role.persona = "You doubt twice."
    registry.add_role_version(role, act=act)

    assert [(each.version, each.persona) for each in Role.objects.order_by("version")] == [
        (1, "You doubt."),
        (2, "You doubt twice."),
    ]
    assert told("role", "critic") == ["added", "changed"]


def test_a_role_as_it_was_is_no_new_version(act: Act) -> None:
    registry.add_role_version(Role(name="critic"), act=act)
    role = Role.objects.get(name="critic")

    assert registry.add_role_version(role, act=act) is None
    assert (role.pk, Role.objects.count()) == (Role.objects.get().pk, 1)


def test_missing_models_are_added_as_drafts_with_names_of_their_own(model: Model, act: Act) -> None:
    added = registry.adopt(model.endpoint, ["stub", "org/m", "org/m", "a b"], act=act)

    assert [(each.alias, each.served_name, each.state) for each in added] == [
        ("m-2", "org/m", "draft"),
        ("a-b", "a b", "draft"),
    ]
    assert registry.adopt(model.endpoint, ["stub", "org/m", "a b"], act=act) == []


def test_a_server_stands_at_an_endpoint_of_its_host(lab: Endpoint, act: Act) -> None:
    host = Host.objects.create(name="gpu")
    server = Server(host=host, endpoint=lab, model_path="/models/m", port=8000)
    with pytest.raises(Refused, match="does not run on gpu"):
        registry.add(server, act=act)

    lab.host = host
    lab.save()
    for field, value, words in (
        ("port", 8000, "lab says http://127.0.0.1:1/v1: the port has to be that one"),
        ("environment", {"HF_TOKEN": "x"}, "HF_TOKEN sounds like a secret"),
        ("environment", {"LD_PRELOAD": "x"}, "LD_PRELOAD cannot be set from the registry"),
        ("model_path", "--x", "must not begin with a dash"),
    ):
        before, server.port = getattr(server, field), 1
        setattr(server, field, value)
        with pytest.raises(Refused, match=words):
            registry.add(server, act=act)
        setattr(server, field, before)

    server.port, server.environment = 1, {"TOKENIZERS_PARALLELISM": "false"}
    registry.add(server, act=act)
    assert told("server", "lab") == ["added"]


def test_a_server_has_to_go_before_its_endpoint(lab: Endpoint, act: Act) -> None:
    Server.objects.create(host=Host.objects.create(name="gpu"), endpoint=lab, model_path="/m", port=8000)

    with pytest.raises(Refused, match="Delete the server first"):
        registry.delete(lab, act=act)


def test_what_was_known_of_an_endpoints_health_goes_with_its_address_or_key(lab: Endpoint, act: Act) -> None:
    for change in (lambda: registry.change(lab, act=act), lambda: registry.set_key(lab, "sk-x", act=act)):
        Endpoint.objects.update(healthy=True)
        lab.base_url = "http://127.0.0.1:2/v1"
        change()
        assert Endpoint.objects.get().healthy is None


def test_two_who_add_the_same_name_at_once(lab: Endpoint, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        registry, "checked", lambda row, **stored: None
    )  # both have looked before either wrote
    registry.add(draft(lab), act=act)

    with pytest.raises(Refused, match="Somebody else added this"):
        registry.add(draft(lab), act=act)
    assert told("model", "new") == ["added"]


@pytest.mark.parametrize("text", ["half \ud800", "nul \x00"])
def test_what_the_database_would_refuse_is_refused_before(lab: Endpoint, act: Act, text: str) -> None:
    for field, value in (("family", text), ("tags", [text]), ("traits", {"x": text})):
        model = draft(lab)
        setattr(model, field, value)
        with pytest.raises(Refused, match="no text") as refusal:
            registry.add(model, act=act)
        assert refusal.value.field == field


def test_the_history_keeps_those_who_wrote_it(act: Act, model: Model) -> None:
    registry.move(model, "retired", act=act)

    with pytest.raises(Exception, match="protected|Cannot delete"):
        User.objects.get(pk=act.by.pk).delete()
