"""Real vLLM for the tests of this directory: `make test-vllm`. A first start takes half a minute, so they share one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures_processes import free_port
from tests.vllm.server import Place, Server, make_model, running


@pytest.fixture(scope="session")
def model_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def vllm(model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that answers. Tests leave it as it is: one that kills something starts its own."""
    log = tmp_path_factory.mktemp("vllm") / "vllm.log"
    with running(Place(model_directory, free_port(), log)) as server:
        yield server
