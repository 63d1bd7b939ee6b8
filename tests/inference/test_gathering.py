"""Ends that come close together can be acted on together; the last one is never waited for."""

from collections.abc import Iterator

import pytest

from broker.inference.base import EndpointSpec
from broker.inference.fan_out import Delta, Done, Failed, FanOut, Gathered, Tick
from tests.inference.calls import endpoint, request
from tests.stub_server import StubServer

FOR_EVER_S = 600.0


@pytest.fixture
def at() -> Iterator[EndpointSpec]:
    with StubServer() as stub:
        yield endpoint(stub.base_url)


def kinds(fan_out: FanOut) -> list[type]:
    return [type(message) for message in fan_out if not isinstance(message, Delta | Tick)]


def test_one_word_for_all_that_came_and_no_wait_once_nothing_is_in_flight(at: EndpointSpec) -> None:
    with FanOut(gather_s=FOR_EVER_S) as fan_out:
        for key in range(3):
            fan_out.submit(key, request(at))
        assert kinds(fan_out) == [Done, Done, Done, Gathered]


def test_what_came_does_not_wait_for_a_call_that_goes_on(at: EndpointSpec) -> None:
    seen = []
    with FanOut(gather_s=0.01) as fan_out:
        fan_out.submit("quick", request(at))
        fan_out.submit("stuck", request(at, model="fault:never"))
        for message in fan_out:
            if isinstance(message, Delta):
                continue
            seen.append(type(message))
            if isinstance(message, Gathered):
                fan_out.cancel("stuck")
    assert seen == [Done, Gathered, Failed, Gathered]


def test_what_is_submitted_again_meanwhile_is_gathered_too(at: EndpointSpec) -> None:
    seen = []
    with FanOut(gather_s=FOR_EVER_S) as fan_out:
        fan_out.submit("key", request(at, model="fault:500"))
        for message in fan_out:
            if isinstance(message, Failed) and len(seen) == 0:
                fan_out.submit("key", request(at))
            if not isinstance(message, Delta):
                seen.append(type(message))
    assert seen == [Failed, Done, Gathered]


def test_who_did_not_ask_for_it_hears_nothing_of_it(at: EndpointSpec) -> None:
    with FanOut() as fan_out:
        fan_out.submit("key", request(at))
        assert kinds(fan_out) == [Done]


def test_the_caller_is_woken_although_ends_are_being_gathered(at: EndpointSpec) -> None:
    seen = []
    with FanOut(tick_s=0.01, gather_s=FOR_EVER_S) as fan_out:
        fan_out.submit("quick", request(at))
        fan_out.submit("stuck", request(at, model="fault:never"))
        for message in fan_out:
            if isinstance(message, Done | Tick):
                seen.append(type(message))
            if seen[-2:] == [Tick, Tick] and Done in seen:
                fan_out.cancel("stuck")
    assert Done in seen
