"""`manage.py gpu_host` beside a test: what it is to run, and what it says of it."""

import signal
import sys
import time
from collections.abc import Callable, Sequence

from broker.models import Endpoint, Host, Model, Server
from nsed_web.processes import Child, Program
from tests.fixtures_processes import Processes, free_port

GIVE_UP_S = 180.0


def served(
    *, names: Sequence[str], model_path: str = "tiny", host: str = "gpu-1", **fields: object
) -> Server:
    """A server in the registry, with models of families of their own."""
    port = free_port()
    endpoint = Endpoint.objects.create(
        name=f"on-{port}",
        kind="openai_compatible",
        base_url=f"http://127.0.0.1:{port}/v1",
        host=Host.objects.get_or_create(name=host)[0],
    )
    for name in names:
        Model.objects.create(alias=name, served_name=name, endpoint=endpoint, family=f"family-{name}")
    return Server.objects.create(
        host=endpoint.host, endpoint=endpoint, model_path=model_path, port=port, **fields
    )


def begin(processes: Processes, *, launcher: str, host: str = "gpu-1", server: str = "") -> Child:
    argv = [sys.executable, "manage.py", "gpu_host", host, "--launcher", launcher]
    argv += ["--server", server] if server else []
    return processes.start(Program(name="gpu_host", argv=argv))


def wait_for(is_so: Callable[[], bool], processes: Processes) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while not is_so():
        assert time.monotonic() < deadline, processes.log.read_text()[-3000:]
        time.sleep(0.05)


def is_up(server: Server) -> bool:
    server.refresh_from_db()
    return bool(server.state == Server.State.UP)


def is_well(server: Server) -> bool:
    """It is up, and its health check went well: its models can be seated."""
    return is_up(server) and Endpoint.objects.filter(server=server, healthy=True).exists()


def end(child: Child, number: signal.Signals = signal.SIGTERM) -> int:
    """Its exit status."""
    child.process.send_signal(number)
    return child.process.wait(timeout=GIVE_UP_S)
