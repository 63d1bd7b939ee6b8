import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from broker.inference.loop import PerLoop, ProcessLoop
from tests.stub_server import StubServer

ROOT = Path(__file__).resolve().parents[2]


async def where() -> int:
    return threading.get_ident()


def test_there_is_one_loop_in_a_thread_of_its_own() -> None:
    loop = ProcessLoop()
    idents = {loop.run(where()).result() for _ in range(3)}
    assert len(idents) == 1
    assert idents != {threading.get_ident()}
    loop.stop()


def test_stopping_cancels_closes_and_leaves_nothing_and_a_new_one_can_start() -> None:
    loop, closed = ProcessLoop(), []

    async def close() -> None:
        closed.append(threading.get_ident())

    first = loop.run(where()).result()
    loop.on_close(close)
    endless = loop.run(asyncio.sleep(3600))
    loop.stop()
    assert closed == [first]
    with pytest.raises(CancelledError):
        endless.result()
    assert "inference-loop" not in {thread.name for thread in threading.enumerate() if thread.ident == first}
    assert isinstance(loop.run(where()).result(), int)
    loop.stop()
    assert closed == [first]
    loop.stop()


def test_values_belong_to_their_loop() -> None:
    values: PerLoop[list[int]] = PerLoop(list)

    async def add(number: int) -> list[int]:
        values.get().append(number)
        return values.get()

    async def take() -> tuple[list[int] | None, list[int] | None]:
        return values.pop(), values.pop()

    one, other = ProcessLoop(), ProcessLoop()
    one.run(add(1)).result()
    assert one.run(add(2)).result() == [1, 2]
    assert other.run(add(3)).result() == [3]
    assert one.run(take()).result() == ([1, 2], None)
    one.stop()
    other.stop()


CHILD_AND_PARENT = """
import os, sys
from tests.inference.calls import endpoint, reply_of, request
at = endpoint(sys.argv[1])
reply_of(request(at))
if os.fork() == 0:
    reply_of(request(at, seat=2))
    reply_of(request(at, seat=3))
    os._exit(7)
_, status = os.wait()
reply_of(request(at, seat=4))
print(os.waitstatus_to_exitcode(status))
"""


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "dev", "-c", script, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False, env=environment
    )


def test_a_forked_child_calls_on_its_own_loop_and_the_parent_goes_on(stub: StubServer) -> None:
    done = run_script(CHILD_AND_PARENT, stub.base_url)
    assert (done.stdout.strip(), done.returncode) == ("7", 0), done.stderr
    assert len(stub.seen()) == 4
    parent, child = {seen["peer"] for seen in (stub.seen()[0], stub.seen()[3])}, {stub.seen()[1]["peer"]}
    assert parent.isdisjoint(child)


def test_connections_are_closed_at_exit_without_a_word(stub: StubServer) -> None:
    script = "import sys\nfrom tests.inference.calls import *\nreply_of(request(endpoint(sys.argv[1])))"
    done = run_script(script, stub.base_url)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_a_process_ends_though_a_call_hangs(stub: StubServer) -> None:
    script = (
        "import sys\nfrom broker.inference.fan_out import FanOut\nfrom tests.inference.calls import *\n"
        "FanOut().submit(1, request(endpoint(sys.argv[1]), model='fault:never'))\n"
    )
    done = run_script(script, stub.base_url)
    assert (done.stderr, done.returncode) == ("", 0)
