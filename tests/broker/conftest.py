"""A model at a server, for tests that need no more."""

import socket
from collections.abc import Iterator

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from broker.models import Endpoint, Model
from tests.stub_server import StubServer


@pytest.fixture
def lab(db: None) -> Endpoint:
    return Endpoint.objects.create(name="lab", kind="openai_compatible", base_url="http://127.0.0.1:1/v1")


@pytest.fixture
def model(lab: Endpoint) -> Model:
    return Model.objects.create(alias="m", served_name="stub", endpoint=lab)


@pytest.fixture(scope="session")
def running_stub() -> Iterator[StubServer]:
    with StubServer(models=("stub", "other")) as stub:
        yield stub


@pytest.fixture
def stub(running_stub: StubServer) -> StubServer:
    """A model server over HTTP that has seen nothing yet, with the models `stub` and `other`."""
    running_stub.stub.seen.clear()
    running_stub.stub.faults.clear()
    return running_stub


@pytest.fixture
def kept_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gives its connection back before it waits keeps it, and with it the test's transaction."""
    monkeypatch.setattr(BaseDatabaseWrapper, "close", lambda self: None)


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
