"""Real vLLM beside a test, without a GPU, serving the tiny model."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nsed_web.processes import Child, Program, start, stop
from nsed_web.state import PROJECT

HERE = Path(__file__).resolve().parent
MODEL = "tiny"
COME_UP_S = 180.0
GRACE_S = 15.0
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
}
LAUNCHER = ("-m", "vllm.entrypoints.openai.api_server")
STRUCTURED = {"backend": "guidance", "disable_any_whitespace": True}


@dataclass(frozen=True)
class Size:
    """How much the server takes at once. blocks: of KV cache, 128 tokens each."""

    seqs: int = 16
    blocks: int = 2048
    longest: int = 16384


@cache
def python() -> str:
    """vLLM's own Python; .ci/vllm makes it where it is missing."""
    made = subprocess.run(["sh", ".ci/vllm"], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    return made.stdout.strip()


def make_model(directory: Path) -> Path:
    subprocess.run([python(), str(HERE / "tiny_model.py"), str(directory)], check=True)
    return directory


def arguments(size: Size) -> Sequence[str]:
    """What a server of the tiny model is told besides model, address and name."""
    return (
        "--max-num-seqs",
        str(size.seqs),
        "--enforce-eager",
        "--num-gpu-blocks-override",
        str(size.blocks),
        "--structured-outputs-config",
        json.dumps(STRUCTURED),
    )


@dataclass(frozen=True)
class Server:
    """A running one. `log` holds what it wrote."""

    port: int
    child: Child
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body. OSError where nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def chat(self, text: str, **asked: Any) -> dict[str, Any]:
        """One whole chat completion, past our own client."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}], **asked}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def is_healthy(self) -> bool:
        try:
            return self.get("/health")[0] == 200
        except OSError:
            return False

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + COME_UP_S
        while not self.is_healthy():
            if self.child.has_ended or time.monotonic() > deadline:
                raise AssertionError(f"vLLM did not come up:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)


@dataclass(frozen=True)
class Place:
    """Where a server of the tests runs: the model's directory, its port, its log."""

    model: Path
    port: int
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def running(place: Place, *, size: Size = Size()) -> Iterator[Server]:  # noqa: B008  a constant
    """A server that answers; ends with the block, its engine too."""
    server = Server(place.port, start(program(place, size=size)), place.log)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        stop([server.child], grace_s=GRACE_S)
        end_group(server.child.process.pid)


def program(place: Place, *, size: Size) -> Program:
    argv = [python(), *LAUNCHER, "--model", str(place.model), "--served-model-name", MODEL]
    argv += ["--host", "127.0.0.1", "--port", str(place.port), "--dtype", "float32"]
    argv += ["--max-model-len", str(size.longest), *arguments(size)]
    return Program(name="vllm", argv=argv, environment={**ENVIRONMENT, **place.environment}, log=place.log)


def end_group(pid: int) -> None:
    """The engine is a process of its own, which a killed server leaves behind."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
