"""What a model server does wrong, over real HTTP: the turn ends, the session goes on, and the record says so."""

import json
from collections.abc import Iterator
from unittest import mock

import pytest

from deliberation.models import Ballot, Blob, Proposal, Session, Turn
from deliberation.replaying import recompute
from deliberation.selectors.report import report
from tests.deliberation.driving import drive, events, opened, register
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = ("good-a", "good-b", "good-c")


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture(autouse=True)
def quick_back_off(settings: object) -> Iterator[None]:
    from dataclasses import replace

    from django.conf import settings as django

    with mock.patch.object(django, "NSED", replace(django.NSED, backoff_s=0.01)):
        yield


def sat_with(stub: StubServer, bad: str, **rules: object) -> Session:
    """A session of three good models and a bad one, at its end."""
    register([*GOOD, bad], base_url=stub.base_url)
    return drive(opened(panel_size=[4, 4], max_rounds=1, **rules))


def holds(session: Session) -> bool:
    return recompute(session).first is None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("fault:401", "unauthorized"),
        ("fault:402", "payment_required"),
        ("fault:404", "model_gone"),
        ("fault:500", "server_error"),
        ("fault:engine_dead", "engine_dead"),
        ("fault:prose", "unreadable"),
        ("fault:wrong_fields", "unreadable"),
        ("fault:cut", "stream_cut"),
    ],
)
def test_a_broken_model_abstains_with_its_reason_and_the_others_conclude(
    stub: StubServer, fault: str, reason: str
) -> None:
    session = sat_with(stub, fault)

    assert session.state == Session.State.CONCLUDED
    lost = events(session, "turn.abstained")
    assert {each["reason"] for each in lost} - {"breaker_open"} == {reason}  # then it may be left alone
    assert len({each["seat"] for each in lost}) == 1
    assert reason in " ".join(report(session)["degraded"])
    assert "Could they have flipped the verdict?" in " ".join(report(session)["degraded"])
    assert session.verdict["coverage"] == 0.75
    assert holds(session)


def test_a_server_that_is_down_is_tried_again_and_then_abstains(stub: StubServer) -> None:
    register(GOOD, base_url=stub.base_url)
    register_down()
    session = drive(opened(panel_size=[4, 4], max_rounds=1))

    assert session.state == Session.State.CONCLUDED
    assert [each["code"] for each in events(session, "attempt.failed")] == ["refused"]
    lost = [(each["exchange"], each["reason"]) for each in events(session, "turn.abstained")]
    assert lost == [
        ("propose", "refused"),
        ("review", "breaker_open"),
    ]  # asked no more until it answers a check


def register_down() -> None:
    from broker.models import Endpoint, Model
    from tests.fixtures_processes import free_port

    down = Endpoint.objects.create(
        name="down", kind="openai_compatible", base_url=f"http://127.0.0.1:{free_port()}/v1"
    )
    Model.objects.create(alias="down", served_name="down", endpoint=down, family="down")


def test_all_servers_down_ends_the_session_with_a_reason() -> None:
    register_down()
    session = drive(opened(panel_size=[1, 1], samples=2, max_rounds=1))

    assert (session.state, session.failure) == ("failed", "no_proposals")
    assert session.failure_detail
    assert events(session, "session.failed")[0]["failure"] == "no_proposals"


def test_429_waits_as_long_as_the_server_asks_and_no_longer_than_the_deadline(stub: StubServer) -> None:
    session = sat_with(stub, "fault:429", turn_deadline_s=5)

    assert session.state == Session.State.CONCLUDED
    assert {each["reason"] for each in events(session, "turn.abstained")} == {"rate_limited"}


def test_a_deadline_that_passes_ends_the_turn(stub: StubServer) -> None:
    session = sat_with(stub, "fault:never", turn_deadline_s=1)

    assert session.state == Session.State.CONCLUDED
    assert {each["reason"] for each in events(session, "turn.abstained")} == {"timed_out"}


def test_prose_is_asked_for_once_more_with_what_was_wrong(stub: StubServer) -> None:
    register(GOOD, base_url=stub.base_url)
    stub.faults("good-a", "prose")
    session = drive(opened(panel_size=[3, 3], max_rounds=1))

    assert session.state == Session.State.CONCLUDED
    assert [each["code"] for each in events(session, "attempt.failed")] == ["unreadable"]
    assert events(session, "turn.abstained") == []
    asked_again = [each["body"]["messages"] for each in stub.seen() if len(each["body"]["messages"]) > 2]
    assert len(asked_again) == 1
    assert "could not be used" in asked_again[0][-1]["content"]
    assert report(session)["degraded"] == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("fenced", None),
        ("thinks", None),
        ("raw_bytes", "unreadable"),
        ("hostile_text", None),
        ("duplicate_keys", "unreadable"),
        ("deep", "unreadable"),
        ("empty", "unreadable"),
        ("ten_mb", "too_large"),
        ("endless", "too_large"),
    ],
)
def test_a_hostile_reply_settles_its_turn_and_is_kept_to_the_byte(
    stub: StubServer, fault: str, reason: str | None
) -> None:
    session = sat_with(stub, f"fault:{fault}")

    assert session.state == Session.State.CONCLUDED
    assert not Turn.objects.filter(session=session, state=Turn.State.OPEN).exists()
    assert holds(session)
    lost = events(session, "turn.abstained")
    assert {each["reason"] for each in lost} == ({reason} if reason else set())
    told = events(session, "turn.abstained", "proposal.made", "ballot.cast")
    for each in told:
        assert Blob.objects.get(pk=each["reply"]["blob"]).content is not None


def test_a_reply_cut_at_its_length_is_asked_for_once_with_more_room(stub: StubServer) -> None:
    register(GOOD, base_url=stub.base_url)
    stub.faults("good-b", "length")
    session = drive(opened(panel_size=[3, 3], max_rounds=1, propose_max_tokens=1000))

    asked = [each["body"] for each in stub.seen() if each["body"].get("model") == "good-b"]
    assert session.state == Session.State.CONCLUDED
    assert [each["code"] for each in events(session, "attempt.failed")] == ["cut_at_length"]
    assert [each["max_tokens"] for each in asked[:2]] == [1000, 1500]
    assert report(session)["degraded"] == []


def test_nobody_reads_the_name_of_another_and_candidates_never_reach_the_system_message(
    stub: StubServer,
) -> None:
    register(GOOD, base_url=stub.base_url)
    drive(opened(panel_size=[3, 3], max_rounds=2, min_rounds=2))

    for each in stub.seen():
        said = json.dumps(each["body"]["messages"])
        assert not any(name in said for name in ("good-a", "good-b", "good-c", "m0", "m1", "m2"))
        assert "[candidate" not in each["body"]["messages"][0]["content"]


def test_every_turn_is_settled_once_and_every_reviewer_weighs_all_others(stub: StubServer) -> None:
    register(GOOD, base_url=stub.base_url)
    session = drive(opened(panel_size=[3, 3], max_rounds=1))

    assert Proposal.objects.filter(round__session=session).count() == 3
    for ballot in Ballot.objects.filter(round__session=session).select_related("participant"):
        assert str(ballot.participant.seat) not in ballot.weights
        assert len(ballot.weights) == 2
