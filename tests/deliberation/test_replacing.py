"""An agent whose model goes down: another takes a new seat from the next phase on, and the result names the loss."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as django
from django.db.models.functions import Now

from broker.models import Endpoint, Host, Model, Selection
from deliberation import orchestrator, staffing, turn_taking
from deliberation.models import Session
from deliberation.protocol.types import Rules
from deliberation.replaying import recompute
from deliberation.selectors import glance, seating, tallies
from deliberation.selectors.report import report
from deliberation.selectors.room import load
from tests.deliberation.driving import drive, events, opened, register
from tests.fixtures_processes import free_port
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = ("good-a", "good-b", "good-c")


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django, "NSED", replace(django.NSED, backoff_s=0.01))


def holds(session: Session) -> bool:
    return recompute(session).first is None


def dead(alias: str = "a-dead") -> Model:
    """A model where nothing listens; its name comes first, so that it is chosen among equals."""
    endpoint = Endpoint.objects.create(
        name=alias, kind="openai_compatible", base_url=f"http://127.0.0.1:{free_port()}/v1"
    )
    return Model.objects.create(alias=alias, served_name=alias, endpoint=endpoint, family=alias)


def seated_with_a_dead_one(stub: StubServer, *, spare: bool, **rules: object) -> Session:
    """Two good models and a dead one sit; a third good model is registered once they do, or not."""
    register(GOOD[:2], base_url=stub.base_url)
    gone = dead()
    session = opened(panel_size=[3, 3], max_rounds=2, min_rounds=2, **rules)
    staffing.staff(session.pk)
    assert session.participants.filter(model=gone).exists()
    if spare:
        endpoint = Endpoint.objects.get(name="server")
        Model.objects.create(alias="spare", served_name=GOOD[2], endpoint=endpoint, family="spare")
    return drive(session)


def test_another_model_takes_a_new_seat_from_the_next_phase_on(stub: StubServer) -> None:
    session = seated_with_a_dead_one(stub, spare=True)

    assert session.state == Session.State.CONCLUDED
    (told,) = events(session, "seat.replaced")
    gone, newcomer = (
        session.participants.get(seat=told["seat"]),
        session.participants.get(model__alias="spare"),
    )
    assert gone.model is not None and gone.model.alias == "a-dead"
    assert (told["reason"], told["round"], told["by"]["seat"]) == ("refused", 1, newcomer.seat)
    assert newcomer.seat == 4
    kinds = [(each.round.number, each.kind) for each in newcomer.turns.select_related("round").order_by("pk")]
    assert kinds == [(1, "review"), (2, "propose"), (2, "review")]
    assert list(gone.turns.values_list("round__number", "kind")) == [(1, "propose")]
    assert holds(session)


def test_the_loss_is_named_and_the_broker_keeps_a_second_receipt(stub: StubServer) -> None:
    session = seated_with_a_dead_one(stub, spare=True)

    first, second = Selection.objects.filter(reference=session.pk).order_by("pk")
    assert (first.kind, second.kind) == ("start", "replacement")
    assert second.request["required"] == ["m0", "m1"]
    assert second.request["excluded"] == ["a-dead"]
    assert set(second.receipt["chosen"]) == {"m0", "m1", "spare"}
    outcome = session.rounds.get(number=1).outcome
    gone = session.participants.get(model__alias="a-dead").seat
    assert gone in outcome["degradation"]["lost_proposals"]
    assert gone not in outcome["degradation"]["lost_ballots"]
    assert "refused" in " ".join(report(session)["degraded"])
    assert outcome["tally"]["coverage"] == 1.0


def test_with_nobody_else_the_session_goes_on_and_says_so(stub: StubServer) -> None:
    session = seated_with_a_dead_one(stub, spare=False)

    assert session.state == Session.State.CONCLUDED
    assert {each["seat"] for each in events(session, "seat.not_replaced")} == {
        session.participants.get(model__alias="a-dead").seat
    }
    assert session.participants.count() == 3
    assert "refused" in " ".join(report(session)["degraded"])
    assert holds(session)


def test_a_policy_may_leave_the_seat_empty(stub: StubServer) -> None:
    session = seated_with_a_dead_one(stub, spare=True, replace_agents=False)

    assert session.state == Session.State.CONCLUDED
    assert not events(session, "seat.replaced", "seat.not_replaced")
    assert not session.participants.filter(model__alias="spare").exists()


def test_the_lost_model_is_benched_and_not_chosen_again(stub: StubServer) -> None:
    seated_with_a_dead_one(stub, spare=True)
    assert Model.objects.get(alias="a-dead").is_benched

    again = opened(panel_size=[1, 3], max_rounds=1)
    staffing.staff(again.pk)
    again.refresh_from_db()
    assert "a-dead" not in again.selection.receipt["chosen"]
    reasons = {each["id"]: each["reason"] for each in again.selection.receipt["candidates"]}
    assert reasons["a-dead"].startswith("benched until ")


def test_a_solver_that_never_answers_holds_nothing_up(stub: StubServer) -> None:
    register(GOOD[:2], base_url=stub.base_url)
    dead()
    session = opened(panel_size=[3, 3], max_rounds=1, turn_deadline_s=9)
    staffing.staff(session.pk)
    turn_taking.take_turns(session.pk, None)
    orchestrator.advance(session.pk)
    session.refresh_from_db()
    assert (session.state, session.replacing_since is None) == ("proposing", False)
    assert session.due_at is not None

    orchestrator.advance(session.pk)  # a wake-up before the time changes nothing
    session.refresh_from_db()
    assert session.state == "proposing"

    Session.objects.filter(pk=session.pk).update(replacing_since=Now() - timedelta(seconds=4))
    orchestrator.advance(session.pk)
    session.refresh_from_db()
    assert session.state == "reviewing"
    assert [each["selection"] for each in events(session, "seat.not_replaced")] == [None]


def test_all_models_of_a_host_without_a_worker_are_out_of_reach(stub: StubServer) -> None:
    register(GOOD, base_url=stub.base_url)
    Endpoint.objects.update(host=Host.objects.create(name="far"))
    dead()
    session = opened(panel_size=[2, 2], max_rounds=1)
    staffing.staff(session.pk)
    turns = session.turns.filter(participant__model__alias__startswith="m")
    lost = list(turns.select_related("endpoint", "participant__model")[:1])
    lost[0].reason = "no_worker"
    asked = staffing.wanted(session, Rules.from_json(session.rules), instead_of=lost)
    assert asked.excluded == ("m0", "m1", "m2")


def test_the_screens_count_with_those_who_are_there(stub: StubServer) -> None:
    session = seated_with_a_dead_one(stub, spare=True)
    room, gone = load(session.pk), session.participants.get(model__alias="a-dead").seat
    assert glance.strip(room, audience="open").coverage == "3/3"
    turns = glance.rail(room, audience="open").rounds[-1].turns
    assert {each.who.seat for each in turns} == {1, 2, 3, 4} - {gone}
    assert {each.who.seat for each in tallies.matrix(room, audience="open").rows} == {1, 2, 3, 4} - {gone}
    reasons = {each.who.seat: each.reason for each in seating.panel(room, audience="open").seats}
    assert reasons[gone] == "went down; replaced before the reviews of round 1"
    assert "V" in (reasons[4] or "")
