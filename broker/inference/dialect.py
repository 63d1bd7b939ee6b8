"""How one server wants to be asked, learnt from its refusals: compatible servers differ in what they take."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from broker.inference.base import BadRequest, Request

STEPS_DOWN = {"json_schema": "json_object", "json_object": "none"}
OPTIONAL = ("stream_options", "seed", "temperature")
TOO_LONG = re.compile(r"context.{0,20}length|maximum context|too many tokens|prompt is too long", re.I)


@dataclass(frozen=True)
class Dialect:
    """structured_output: the best form not yet refused. tokens_field: max_tokens or its newer name.

    left_out: optional fields that this server refuses.
    """

    structured_output: str
    tokens_field: str = "max_tokens"
    left_out: frozenset[str] = frozenset()


def payload(request: Request, *, dialect: Dialect) -> bytes:
    """The request's body, as ASCII JSON (a lone surrogate in a prompt stays escaped)."""
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": list(request.messages),
        dialect.tokens_field: request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "seed": request.seed,
        "temperature": request.temperature,
        "response_format": response_format(request, dialect=dialect),
    }
    left_out = dialect.left_out
    sent = {name: value for name, value in fields.items() if value is not None and name not in left_out}
    return json.dumps(sent).encode()


def response_format(request: Request, *, dialect: Dialect) -> dict[str, Any] | None:
    if request.schema is None or dialect.structured_output == "none":
        return None
    if dialect.structured_output == "json_object":
        return {"type": "json_object"}
    schema = {"name": request.schema_name, "schema": request.schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def adapt(dialect: Dialect, *, request: Request, refusal: BadRequest) -> Dialect | None:
    """The dialect to try after a refusal (400 or 422), None where nothing is left or the prompt is too long.

    A field that the server names is dropped or renamed; otherwise the structured output steps down, and at
    last every optional field goes. Each answer differs from all before it, so asking again ends.
    """
    words = refusal.detail
    if refusal.status not in (400, 422) or TOO_LONG.search(words):
        return None
    if dialect.tokens_field == "max_tokens" and "max_completion_tokens" in words:
        return replace(dialect, tokens_field="max_completion_tokens")
    named = {name for name in OPTIONAL if re.search(rf"\b{name}\b", words)} - dialect.left_out
    if named:
        return replace(dialect, left_out=dialect.left_out | named)
    if request.schema is not None and dialect.structured_output in STEPS_DOWN:
        return replace(dialect, structured_output=STEPS_DOWN[dialect.structured_output])
    if not dialect.left_out.issuperset(OPTIONAL):
        return replace(dialect, left_out=frozenset(OPTIONAL))
    return None
