"""The smoke test of a model, step by step, against servers that do it well and servers that do not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from broker.models import Endpoint, Model, Selection, SmokeTest
from broker.services import smoke
from broker.services.changes import Act, Refused
from deliberation import smoke_testing as steps
from deliberation import tasks
from deliberation.models import Ballot, Session
from deliberation.services.policies import load_built_in
from tests.broker.keeping import at, keeper, page, signed_in
from tests.deliberation.driving import drive
from tests.stub_server import StubServer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept_connection")]
driven = pytest.mark.django_db(transaction=True)  # whole sessions, with workers' own connections


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def registered(stub: StubServer, served: str = "stub", *, state: str = "draft") -> Model:
    load_built_in()
    endpoint = Endpoint.objects.create(name="server", kind="openai_compatible", base_url=stub.base_url)
    return Model.objects.create(alias="tested", served_name=served, endpoint=endpoint, state=state)


def began(model: Model) -> SmokeTest:
    return smoke.begin(model, act=Act(by=keeper()))


def told(test: SmokeTest) -> list[tuple[str, Any]]:
    test.refresh_from_db()
    return [(each["step"], each["passed"]) for each in smoke.told(test)]


def last(test: SmokeTest) -> dict[str, Any]:
    test.refresh_from_db()
    return dict(test.steps[-1])


@driven
def test_a_draft_that_does_everything_passes(stub: StubServer) -> None:
    test = began(registered(stub))

    assert steps.run(test.pk)  # the session is to be watched
    assert told(test) == [("chat", True), ("schema", True), ("deliberation", None)]
    session = Session.objects.get(pk=last(test)["session"])
    assert list(session.participants.values_list("model__alias", flat=True)) == ["tested", "tested"]
    assert steps.watch(test.pk)

    drive(session)
    assert not steps.watch(test.pk)

    assert told(test) == [("chat", True), ("schema", True), ("deliberation", True)]
    test.refresh_from_db()
    assert smoke.passed(test)
    assert Model.objects.get().state == "draft"
    assert "2 ballots" in last(test)["detail"]
    assert Ballot.objects.filter(round__session=session).count() == 2
    selection = Selection.objects.get()
    assert (selection.get_kind_display(), selection.category) == ("a smoke test", "")


@pytest.mark.parametrize(
    ("served", "step", "code", "words"),
    [
        ("fault:401", "chat", "unauthorized", "Enter a key that the server accepts."),
        ("fault:404", "chat", "model_gone", "ask the endpoint for its models"),
        ("fault:402", "chat", "payment_required", "Pay the account"),
        ("fault:429", "chat", "rate_limited", "Wait a little"),
        ("fault:engine_dead", "chat", "engine_dead", "Start the server again"),
        ("fault:cut", "chat", "stream_cut", "broke off in mid-answer"),
        ("fault:page", "chat", "unreadable_answer", "Look whether the address ends in /v1"),
        ("fault:empty", "chat", "no_text", "the model said nothing"),
        ("fault:prose", "schema", "malformed", "Set the endpoint's structured output"),
        ("fault:wrong_fields", "schema", "malformed", "Its review could not be read."),
    ],
)
def test_a_failure_says_why_and_what_to_do(
    stub: StubServer, served: str, step: str, code: str, words: str
) -> None:
    test = began(registered(stub, served))

    assert not steps.run(test.pk)

    failure = last(test)
    assert (failure["step"], failure["passed"], failure["code"]) == (step, False, code)
    assert words in failure["detail"]
    assert smoke.passed(test) is False
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ('{"error":{"message":"The model `a` does not exist.","code":404}}', "The model `a` does not exist."),
        ('{"error": {"message": "No \\"b\\" here", "type": "x"}}', 'No "b" here ...'),
        ('{"error":{"message":"At most 2600 tokens are', "At most 2600 tokens are ..."),
        ('{"error":{"message":"Cut off in \\u00', "Cut off in \\u00 ..."),
        ("Upstream is down.", "Upstream is down."),
        ("<html> 502", "<html> 502 ..."),
    ],
)
def test_what_a_server_said_is_taken_out_of_its_json(detail: str, words: str) -> None:
    assert steps.words_of(detail) == words


@pytest.mark.parametrize("served", ["fault:hostile_text", "fault:raw_bytes"])
def test_what_is_no_text_stops_nothing(stub: StubServer, served: str) -> None:
    test = began(registered(stub, served))
    steps.run(test.pk)

    assert told(test)[0] == ("chat", True)
    test.refresh_from_db()
    assert "\x00" not in str(test.steps)


def test_a_server_that_is_not_there(lab: Endpoint) -> None:
    test = began(Model.objects.create(alias="m", served_name="m", endpoint=lab, state="draft"))
    steps.run(test.pk)

    assert last(test)["detail"] == (
        "Nothing listens at the address of lab. Start the server, or correct the address of its endpoint."
    )


def test_an_endpoint_that_is_switched_off_is_not_called(stub: StubServer) -> None:
    model = registered(stub)
    Endpoint.objects.update(enabled=False)
    test = began(model)
    steps.run(test.pk)

    assert last(test)["code"] == "switched_off"
    assert stub.seen() == []


def test_without_a_policy_the_last_step_says_so(stub: StubServer) -> None:
    endpoint = Endpoint.objects.create(name="server", kind="openai_compatible", base_url=stub.base_url)
    test = began(Model.objects.create(alias="m", served_name="stub", endpoint=endpoint))

    assert not steps.run(test.pk)
    assert last(test)["code"] == "no_policy"


@driven
def test_a_turn_that_is_lost_in_the_session_is_its_failure(stub: StubServer) -> None:
    test = began(registered(stub))
    steps.run(test.pk)
    stub.faults("stub", "401", "ok")
    drive(Session.objects.get())
    steps.watch(test.pk)

    failure = last(test)
    assert (failure["step"], failure["passed"]) == ("deliberation", False)
    assert "unauthorized" in failure["detail"] or "failed" in failure["detail"]


def test_a_session_that_nobody_takes_up_ends_the_test(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = began(registered(stub))
    steps.run(test.pk)
    monkeypatch.setattr(steps, "SESSION_S", -1.0)

    assert not steps.watch(test.pk)
    assert last(test)["code"] == "no_worker"


@driven
def test_the_simulated_experts_pass(db: None) -> None:
    load_built_in()
    endpoint = Endpoint.objects.create(name="simulated", kind="simulated")
    traits = {
        "min_s": 0, "max_s": 0, "competence": 1, "discernment": 1, "herding": 0, "verbosity": 0,
    }  # fmt: skip
    test = began(Model.objects.create(alias="e", served_name="e", endpoint=endpoint, traits=traits))
    assert steps.run(test.pk)
    drive(Session.objects.get())
    steps.watch(test.pk)

    test.refresh_from_db()
    assert smoke.passed(test)


def test_one_at_a_time(stub: StubServer) -> None:
    model = registered(stub)
    test = began(model)
    with pytest.raises(Refused, match="running already"):
        smoke.begin(model, act=Act())

    SmokeTest.objects.filter(pk=test.pk).update(started_at=timezone.now() - timedelta(hours=1))
    test.refresh_from_db()
    assert smoke.lost(test)
    smoke.begin(model, act=Act())


@driven
def test_the_task_looks_again_until_it_has_ended(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.watch_smoke_test, "apply_async", lambda args, **given: sent.append((args, given["countdown"]))
    )
    test = began(registered(stub))

    tasks.smoke_test(test.pk)
    tasks.watch_smoke_test(test.pk)
    assert sent == [([test.pk], tasks.SMOKE_LOOK_S)] * 2

    drive(Session.objects.get())
    tasks.watch_smoke_test(test.pk)
    assert len(sent) == 2


def test_the_page_shows_the_steps_and_stops_refreshing_at_the_end(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        "broker.services.asking.current_app.send_task",
        lambda name, **given: sent.append((name, given["args"])),
    )
    model, browser = registered(stub, "fault:401"), signed_in(keeper())

    browser.post(at("smoke", "tested"))
    (test,) = SmokeTest.objects.all()
    assert sent == [("deliberation.tasks.smoke_test", [test.pk])]
    part = browser.get(at("smoke_steps", "tested"), headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 1s"' in part
    assert "It has not begun." in part
    assert browser.post(at("smoke", "tested")).status_code == 422

    steps.run(test.pk)
    text = page(browser, at("model", model.alias))
    assert "every 1s" not in text
    assert "Enter a key that the server accepts." in text
    assert "by keeper" in text
