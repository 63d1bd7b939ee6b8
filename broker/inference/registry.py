"""Which backend serves which kind of endpoint. A new kind of model server is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from broker.inference.base import Backend
from broker.inference.openai_compatible import OpenAICompatible
from broker.inference.replay import Replay
from broker.inference.simulated import Simulated

BACKENDS: Mapping[str, Backend] = {
    "openai_compatible": OpenAICompatible(),
    "simulated": Simulated(),
    "replay": Replay(),
}


def backend(kind: str) -> Backend:
    """The process's backend of this kind. Raises ValueError for a kind that does not exist."""
    if kind not in BACKENDS:
        raise ValueError(f"no backend is called {kind!r}; there are {', '.join(BACKENDS)}")
    return BACKENDS[kind]
