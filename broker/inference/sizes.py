"""How many tokens a request is, before any server has counted."""

from __future__ import annotations

import json

from broker.inference.base import Request

BYTES_PER_TOKEN = 4  # of English text, roughly
MESSAGE_TOKENS = 16  # around each message: role, begin, end
TEMPLATE_TOKENS = 256  # what a chat template says of its own


def most_tokens_in(request: Request) -> int:
    """An upper bound for the prompt: a token is at least one byte of UTF-8, and the chat template adds a little.

    The schema counts, as some servers put it into the prompt. Four times too much for English; a bound is wanted.
    """
    return _bytes(request) + MESSAGE_TOKENS * len(request.messages) + TEMPLATE_TOKENS


def likely_tokens(request: Request) -> int:
    """Prompt and whole reply, as servers reckon a request when they let it in."""
    return _bytes(request) // BYTES_PER_TOKEN + request.max_tokens


def _bytes(request: Request) -> int:
    said = sum(len(message["content"].encode("utf-8", "surrogatepass")) for message in request.messages)
    return said + (len(json.dumps(request.schema)) if request.schema is not None else 0)
