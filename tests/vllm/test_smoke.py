"""The smoke test of a model at real vLLM: what passes passes, and what does not says why and what to do.

The tiny model says nothing of sense, in our schema all the same: its reviews can mostly be read. Where one cannot, the
test says that it left all candidates without a weight.
"""

from pathlib import Path
from typing import Any

import pytest

from broker.models import Endpoint, Model, SmokeTest
from broker.services import smoke
from broker.services.changes import Act
from deliberation import smoke_testing
from deliberation.models import Session
from deliberation.services.policies import load_built_in
from tests.deliberation.driving import drive
from tests.fixtures_processes import free_port
from tests.vllm.server import MODEL, Place, Server, Size, running

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]

TRIES = 8  # nearly every one passes
NARROW = Size(longest=2600)  # room for the chat with its 2,048 tokens, and not for the review's prompt


def registered(base_url: str, *, served: str = MODEL) -> Model:
    load_built_in()
    endpoint = Endpoint.objects.create(name="vllm", kind="openai_compatible", base_url=base_url)
    return Model.objects.create(alias="tested", served_name=served, endpoint=endpoint, state="draft")


def whole_test(model: Model) -> SmokeTest:
    """A whole test, its session driven in this process."""
    test = smoke.begin(model, act=Act())
    if smoke_testing.run(test.pk):
        test.refresh_from_db()
        drive(Session.objects.get(pk=test.steps[-1]["session"]))
        assert not smoke_testing.watch(test.pk)
    test.refresh_from_db()
    return test


def outcomes(test: SmokeTest) -> list[tuple[str, Any]]:
    return [(each["step"], each["passed"]) for each in smoke.told(test)]


def test_a_model_that_is_served_passes_or_names_the_step(vllm: Server) -> None:
    model = registered(vllm.base_url)
    for _ in range(TRIES):
        test = whole_test(model)
        chat, *rest = test.steps
        assert chat["passed"] and chat["latency_ms"] > 0
        assert chat["detail"].startswith("It answers. To What is 17*23? it said: ")
        if smoke.passed(test):
            break
        (schema,) = rest
        assert (schema["step"], schema["passed"], schema["code"]) == ("schema", False, "malformed")
        assert "no candidate got a usable weight" in schema["detail"]

    assert outcomes(test) == [("chat", True), ("schema", True), ("deliberation", True)]
    schema, session = rest
    assert schema["detail"].startswith("Its review can be read: it weighed ")
    assert session["detail"].startswith("A session of one round came to an answer, with ")
    concluded = Session.objects.get(pk=session["session"])
    assert {each.model for each in concluded.participants.select_related("model")} == {model}
    model.refresh_from_db()
    assert model.state == "draft"


def test_a_name_that_is_not_served_is_said_to_be_gone(vllm: Server) -> None:
    test = whole_test(registered(vllm.base_url, served="another"))

    (chat,) = test.steps
    assert (chat["step"], chat["passed"], chat["code"]) == ("chat", False, "model_gone")
    assert "It said: The model `another` does not exist." in chat["detail"]
    assert chat["detail"].endswith("Correct the name at the server: ask the endpoint for its models.")
    assert outcomes(test) == [("chat", False), ("schema", None), ("deliberation", None)]
    assert not Session.objects.exists()


def test_a_context_that_is_too_short_is_named_by_its_length(model_directory: Path, tmp_path: Path) -> None:
    place = Place(model_directory, free_port(), tmp_path / "vllm.log")
    with running(place, size=NARROW) as server:
        test = whole_test(registered(server.base_url))

    assert outcomes(test) == [("chat", True), ("schema", False), ("deliberation", None)]
    schema = test.steps[-1]
    assert schema["code"] == "bad_request"
    assert f"It said: This model's maximum context length is {NARROW.longest} tokens." in schema["detail"]
    assert schema["detail"].endswith("Read the server's own words: it does not take what we send.")
    assert not Session.objects.exists()
