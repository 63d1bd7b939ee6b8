"""Any server that speaks OpenAI's chat completions (vLLM, llama.cpp, Ollama, hosted ones), by aiohttp alone.

Streams where the server streams and takes a whole JSON answer where it does not.
"""

from __future__ import annotations

from collections.abc import Callable

import aiohttp

from broker.inference import failures
from broker.inference.answer import Answer
from broker.inference.base import AddressRefused, BadRequest, InferenceError, Reply, Request
from broker.inference.connections import Connections
from broker.inference.dialect import Dialect, adapt, payload


class OpenAICompatible:
    """The backend. Remembers how each server and model wants to be asked, for the life of the process."""

    def __init__(self) -> None:
        self._connections = Connections()
        self._dialects: dict[tuple[str, str, str], Dialect] = {}

    async def complete(self, request: Request, *, on_text: Callable[[str], None]) -> Reply:
        """Asks, and asks again in a plainer way where the server refuses the form (400, 422)."""
        endpoint = request.endpoint
        server = (endpoint.base_url, request.model, endpoint.structured_output)
        dialect = self._dialects.get(server, Dialect(endpoint.structured_output))
        while True:
            outcome = await self._ask(request, dialect=dialect, on_text=on_text)
            if isinstance(outcome, Reply):
                self._dialects[server] = dialect
                return outcome
            plainer = adapt(dialect, request=request, refusal=outcome)
            if plainer is None:
                raise outcome
            dialect = plainer

    async def _ask(
        self, request: Request, *, dialect: Dialect, on_text: Callable[[str], None]
    ) -> Reply | BadRequest:
        endpoint = request.endpoint
        answer = Answer(endpoint, on_text=on_text)
        body = payload(request, dialect=dialect)
        try:
            async with self._connections.post(endpoint, path="/chat/completions", body=body) as response:
                return await answer.read(response)
        except (aiohttp.ClientError, AddressRefused, OSError) as error:
            failure = failures.from_transport(error, endpoint=endpoint)
        except InferenceError as error:
            failure = error.with_traceback(None)
        # Out here, without a context or the frames below: their variables hold headers and raw answers, and
        # error reporters show variables.
        if isinstance(failure, BadRequest):
            return failure
        raise failure
