"""The stub as a script: what the browser tests and the bench start."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.inference.base import RateLimited, ServerError
from tests.inference.calls import endpoint, error_of, reply_of, request

SCRIPT = Path(__file__).resolve().parents[1] / "stub_server.py"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address at which a stub of its own process serves; it runs in another folder than the project's."""
    command = [sys.executable, str(SCRIPT), "--port", "0", "--models", "small,large"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        process.terminate()


def fetch(url: str, *, method: str = "GET", body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as response:
        return json.load(response)


def test_it_serves_takes_faults_and_shows_what_it_saw(address: str) -> None:
    at = endpoint(f"{address}/v1")
    assert [model["id"] for model in fetch(f"{address}/v1/models")["data"]] == ["small", "large"]
    fetch(f"{address}/_faults", method="POST", body={"small": ["429", "500"]})
    assert isinstance(error_of(request(at, model="small")), RateLimited)
    assert isinstance(error_of(request(at, model="small")), ServerError)
    assert json.loads(reply_of(request(at, model="small")).body)["final_answer"] == "391"
    seen = fetch(f"{address}/_seen")
    assert [each["path"] for each in seen] == ["/v1/models", *["/v1/chat/completions"] * 3]
    assert seen[-1]["body"]["messages"][1]["content"] == "What is 17*23?"
    fetch(f"{address}/_seen", method="DELETE")
    assert fetch(f"{address}/_seen") == []
