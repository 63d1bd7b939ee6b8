"""Roles of a policy: the broker seats a model for each, and that model is told its role and perspective."""

from collections.abc import Iterator

import pytest

from broker.models import Model, Role
from deliberation import staffing
from deliberation.models import Session
from tests.deliberation.driving import drive, events, opened, register
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


def test_a_role_is_filled_by_a_model_with_its_tags_and_reaches_its_prompts_alone(stub: StubServer) -> None:
    register(("good-a", "good-b", "good-c"), base_url=stub.base_url)
    Model.objects.filter(alias="m1").update(tags=["doubt"])
    Role.objects.create(
        name="critic", persona="You look for what is wrong.", minimum=1, maximum=1, tags=["doubt"]
    )
    Role.objects.create(name="solver", persona="You answer in full.", minimum=1)
    session = drive(opened(panel_size=[3, 3], max_rounds=1, roles=["critic", "solver"]))

    assert session.state == Session.State.CONCLUDED
    seats = {each.model.alias: each for each in session.participants.select_related("model")}
    assert (seats["m1"].role, seats["m1"].persona) == ("critic", "You look for what is wrong.")
    assert {seats["m0"].role, seats["m2"].role} == {"solver"}
    (chosen,) = events(session, "panel.chosen")
    assert {each["role"] for each in chosen["seats"]} == {"critic", "solver"}
    told = {
        each["body"]["model"]
        for each in stub.seen()
        if "You look for what is wrong." in each["body"]["messages"][0]["content"]
    }
    assert told == {"good-b"}


def test_a_role_that_nobody_can_fill_is_said_and_nothing_is_started(stub: StubServer) -> None:
    register(("good-a", "good-b"), base_url=stub.base_url)
    Role.objects.create(name="critic", minimum=1, tags=["code"])
    session = opened(panel_size=[1, 2], roles=["critic"])
    staffing.staff(session.pk)
    session.refresh_from_db()
    assert (session.state, session.failure) == ("failed", "no_panel")
    assert session.failure_detail == "role critic needs 1 model with tag code; no candidate has it"
    assert session.selection.receipt["chosen"] == []
    assert stub.seen() == []
