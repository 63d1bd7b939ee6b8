"""A small OpenAI-compatible model server that answers in the schemas of the two exchanges, faults on demand.

As a script, `python tests/stub_server.py --port 0 --delay 1.0` prints {"port": N} and serves until stopped.
In a test, `with StubServer() as stub:` serves from a thread; stub.base_url ends in /v1.

What it reads of a prompt: the schema's name (propose | review) in response_format, else whether the user
messages hold a line `[candidate X]`; the labels are the X of exactly such lines. A task with `a * b`, `a + b`
or `a - b` is worked out; every other task is answered in words.

Faults: a model called `fault:NAME` always has it, `fault:slow:2` also takes 2 s; POST /_faults
{"MODEL": ["NAME", ...]} gives the next requests for MODEL one each ("ok" is none). The names are those of
REFUSALS, TEXTS and TRANSPORTS (stub_faults.py, stub_answers.py) and "redirect". GET /_seen lists the requests
received ({path, headers, body, peer}), DELETE /_seen forgets them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

if not __package__:  # run as a script: the path holds this folder, and `tests` lies above it
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.stub_answers import TEXTS, answer_to, as_is  # noqa: E402
from tests.stub_faults import REFUSALS, TRANSPORTS, Exchange, accept, stream, whole  # noqa: E402


class Stub:
    """The server's state and its routes. Lives on one event loop."""

    def __init__(self, *, delay_s: float, models: Sequence[str], redirect_to: str) -> None:
        self.delay_s = delay_s
        self.models = list(models)
        self.redirect_to = redirect_to
        self.faults: dict[str, deque[str]] = {}
        self.seen: list[dict[str, Any]] = []
        self.at_once = 0
        self.most_at_once = 0

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.add_routes(
            [
                web.get("/v1/models", self.list_models),
                web.post("/v1/chat/completions", self.chat),
                web.get("/health", self.health),
                web.post("/_faults", self.set_faults),
                web.get("/_seen", self.get_seen),
                web.delete("/_seen", self.forget_seen),
            ]
        )
        return app

    async def list_models(self, request: web.Request) -> web.Response:
        self.note(request, None)
        models = [{"id": name, "object": "model"} for name in self.models]
        return web.json_response({"object": "list", "data": models})

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def set_faults(self, request: web.Request) -> web.Response:
        self.faults = {model: deque(names) for model, names in (await request.json()).items()}
        return web.json_response({})

    async def get_seen(self, request: web.Request) -> web.Response:
        return web.json_response(self.seen)

    async def forget_seen(self, request: web.Request) -> web.Response:
        self.seen.clear()
        return web.json_response({})

    def note(self, request: web.Request, body: dict[str, Any] | None) -> None:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        self.seen.append({"path": request.path, "headers": dict(request.headers), "body": body, "peer": peer})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.note(request, body)
        fault, delay_s = self.fault_of(body["model"])
        if fault == "redirect":
            return web.Response(status=307, headers={"Location": self.redirect_to})
        refusal = REFUSALS.get(fault, accept)(body)
        if refusal is not None:
            return refusal
        text = TEXTS.get(fault, as_is)(answer_to(body))
        transport = TRANSPORTS.get(fault, stream if body.get("stream") else whole)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await transport(Exchange(request, body, text, delay_s))
        finally:
            self.at_once -= 1

    def fault_of(self, model: str) -> tuple[str, float]:
        """The next request's fault and the seconds it takes: NAME or NAME:SECONDS; None for the usual
        time.
        """
        waiting = self.faults.get(model) or deque(["ok"])
        said = model.removeprefix("fault:") if model.startswith("fault:") else waiting.popleft()
        name, _, seconds = said.partition(":")
        return known(name), float(seconds) if seconds else self.delay_s


def known(fault: str) -> str:
    """The fault's name; a misspelt one fails the request, and with it the test that misspelt it."""
    if fault not in {"ok", "slow", "redirect", *REFUSALS, *TEXTS, *TRANSPORTS}:
        raise ValueError(f"there is no fault {fault!r}")
    return fault


class StubServer:
    """The stub in a thread of this process, for tests. `stub` is its state."""

    def __init__(
        self, *, delay_s: float = 0.0, models: Sequence[str] = ("stub",), port: int = 0, redirect_to: str = ""
    ) -> None:
        self.stub = Stub(delay_s=delay_s, models=models, redirect_to=redirect_to)
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="stub-server", daemon=True)

    def __enter__(self) -> StubServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._runner, self.port = await serve(self.stub, port=self._port)

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def faults(self, model: str, *names: str) -> None:
        """The next requests for the model have these faults, one each."""
        self.stub.faults[model] = deque(names)

    def seen(self) -> list[dict[str, Any]]:
        """The requests received so far: {path, headers, body, peer}."""
        return list(self.stub.seen)


async def serve(stub: Stub, *, port: int) -> tuple[web.AppRunner, int]:
    """Listens on loopback; (runner, the port that it got)."""
    runner = web.AppRunner(stub.app(), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner, runner.addresses[0][1]


async def serve_until_stopped(options: argparse.Namespace) -> None:
    stub = Stub(delay_s=options.delay, models=options.models.split(","), redirect_to="")
    _, port = await serve(stub, port=options.port)
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="a small OpenAI-compatible model server")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that an answer takes")
    parser.add_argument("--models", default="stub", help="names at /v1/models, separated by commas")
    try:
        asyncio.run(serve_until_stopped(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
