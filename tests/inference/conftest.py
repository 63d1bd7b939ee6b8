import socket
from collections.abc import Iterator

import pytest

from tests.stub_server import StubServer


@pytest.fixture(scope="session")
def running_stub() -> Iterator[StubServer]:
    with StubServer() as stub:
        yield stub


@pytest.fixture
def stub(running_stub: StubServer) -> StubServer:
    """A model server over HTTP that has seen nothing yet."""
    running_stub.stub.seen.clear()
    running_stub.stub.faults.clear()
    return running_stub


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
