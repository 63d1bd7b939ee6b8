"""Records pages of /metrics from real vLLM into tests/broker/recorded, for the tests that run without one.

    python -m tests.vllm.record_metrics

The pages, in the order in which they were taken. One server with 160 blocks of KV cache: `idle` before any request,
`busy` and `busy_later` (about 3 s after it) while it has 160 requests and works on 16, `done` after them. The same
server started anew: `restarted` after 3 requests. A third one with 48 blocks: `preempting`, where they do not suffice.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fixtures_processes import free_port
from tests.vllm.load import under_load
from tests.vllm.server import HERE, Place, Server, Size, make_model, running

RECORDED = HERE.parent / "broker" / "recorded"
KEPT = ("vllm:", "process_start_time_seconds")
VALUE = {
    "waiting": "vllm:num_requests_waiting{",
    "kv": "vllm:kv_cache_usage_perc{",
    "preempted": "vllm:num_preemptions_total{",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        model = make_model(Path(directory) / "model")
        place = Place(model, free_port(), Path(directory) / "vllm.log")
        with running(place, size=Size(blocks=160)) as server:
            keep("idle", server)
            with under_load(server, chats=160, tokens=800):
                wait_for(lambda: read(server, "waiting") > 0 and read(server, "kv") > 0.35)
                keep("busy", server)
                time.sleep(3)
                keep("busy_later", server)
            settle(server)
            keep("done", server)
        with running(place, size=Size(blocks=160)) as server:
            with under_load(server, chats=3, tokens=50):
                pass
            settle(server)
            keep("restarted", server)
        with (
            running(place, size=Size(blocks=48, longest=2048)) as server,
            under_load(server, chats=32, tokens=600),
        ):
            wait_for(lambda: read(server, "preempted") > 0 and read(server, "waiting") > 0)
            keep("preempting", server)


def keep(name: str, server: Server) -> None:
    page = server.get("/metrics")[1].decode()
    RECORDED.mkdir(exist_ok=True)
    (RECORDED / f"{name}.prom").write_text("".join(f"{line}\n" for line in kept(page)))


def kept(page: str) -> Iterator[str]:
    """The server's own families, with what is said of them; of its Python only when it started."""
    for line in page.splitlines():
        name = line.split(" ", 3)[2] if line.startswith("# ") else line
        if name.startswith(KEPT):
            yield line


def read(server: Server, what: str) -> float:
    lines = server.get("/metrics")[1].decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(VALUE[what]))


def wait_for(is_so: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to pass")


def settle(server: Server) -> None:
    """The engine reports every now and then, so the last figures come a moment after the last answer."""
    time.sleep(2)
    wait_for(lambda: read(server, "kv") == 0)


if __name__ == "__main__":
    main()
