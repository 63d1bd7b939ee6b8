import socket

import pytest

from broker.inference import base
from broker.inference.probing import Found, models_of, probe
from broker.inference.registry import backend
from tests.inference.calls import KEY, endpoint
from tests.inference.test_failures import talker
from tests.stub_server import StubServer


def test_a_server_on_loopback_is_found_with_its_models(free_port: int) -> None:
    with StubServer(models=("small", "large")) as server:
        found = probe((free_port, server.port))
    assert found == (Found(f"http://127.0.0.1:{server.port}/v1", ("small", "large")),)
    assert [seen["path"] for seen in server.seen()] == ["/v1/models"]
    assert "Authorization" not in server.seen()[0]["headers"]


def test_what_is_no_model_server_is_passed_over(free_port: int) -> None:
    with talker(b"220 hello\r\n") as other, socket.create_server(("127.0.0.1", 0)) as silent:
        assert probe((free_port, other, silent.getsockname()[1]), timeout_s=0.3) == ()


def test_a_server_without_models_is_passed_over() -> None:
    with StubServer(models=()) as server:
        assert probe((server.port,)) == ()


def test_the_models_of_an_endpoint_are_asked_for_with_its_key(stub: StubServer) -> None:
    assert models_of(endpoint(stub.base_url), timeout_s=2.0) == ("stub",)
    assert stub.seen()[0]["headers"]["Authorization"] == f"Bearer {KEY}"


def test_an_endpoint_that_is_down_or_elsewhere_says_so(free_port: int, stub: StubServer) -> None:
    with pytest.raises(base.Refused):
        models_of(endpoint(f"http://127.0.0.1:{free_port}/v1"), timeout_s=2.0)
    with pytest.raises(base.ModelGone):
        models_of(endpoint(stub.base_url.replace("/v1", "/elsewhere")), timeout_s=2.0)
    with pytest.raises(base.AddressRefused):
        models_of(endpoint("http://169.254.169.254/v1"), timeout_s=2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(base.TimedOut):
        models_of(endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), timeout_s=0.2)


def test_the_registry_knows_its_kinds() -> None:
    assert {type(backend(kind)).__name__ for kind in ("openai_compatible", "simulated", "replay")} == {
        "OpenAICompatible",
        "Simulated",
        "Replay",
    }
    with pytest.raises(ValueError, match="there are openai_compatible, simulated, replay"):
        backend("carrier_pigeon")
