"""The values of one call to a model, what every backend promises, and every way in which a call can fail.

    InferenceError
    |-- Unreachable          no HTTP answer came              unreachable       retry
    |   |-- Refused          nothing listens there            refused           retry
    |   |-- DnsFailed        the name has no address          dns_failed        retry
    |   |-- TlsFailed        the certificate is not accepted  tls_failed
    |   `-- AddressRefused   the guard forbids the address    address_refused
    |-- Answered             an HTTP status that is no answer http_status
    |   |-- BadRequest       400, 413, 422                    bad_request
    |   |-- Unauthorized     401, 403                         unauthorized
    |   |-- PaymentRequired  402                              payment_required
    |   |-- ModelGone        404                              model_gone
    |   |-- RateLimited      429 (retry_after_s)              rate_limited      retry
    |   |-- Redirected       3xx, never followed              redirected
    |   `-- ServerError      5xx, or an error in the stream   server_error      retry
    |       `-- EngineDead   the model's engine is gone       engine_dead       retry
    |-- StreamCut            ended before it was finished     stream_cut        retry
    |-- TimedOut             the call's deadline passed       timed_out         retry
    |-- TooLarge             more bytes than the limit        too_large
    |-- Unreadable           200, but no chat completion      unreadable_answer
    |-- NoRecord             replay: nothing was recorded     no_record
    |-- Cancelled            the caller gave the call up      cancelled
    `-- Crashed              a bug in a backend (its cause)   crashed

A message says what happened in one sentence for a person. It never holds a key, a prompt or a model's text;
what had arrived of the reply is in `partial`, the server's own words (cut, without the key) in `detail`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol


class InferenceError(Exception):
    """A call that gave no reply. `code` goes into the trail; `retryable`: another attempt may help.

    `sent`: False where it was given up before anything went out. `queued_ms` as in Reply, None where not known.
    """

    code: ClassVar[str] = "inference_error"
    retryable: ClassVar[bool] = False
    sent: bool = True
    queued_ms: float | None = None

    def __init__(self, message: str, *, partial: bytes = b"", detail: str = "") -> None:
        super().__init__(message)
        self.partial = partial
        self.detail = detail


class Unreachable(InferenceError):
    code, retryable = "unreachable", True


class Refused(Unreachable):
    code = "refused"


class DnsFailed(Unreachable):
    code = "dns_failed"


class TlsFailed(Unreachable):
    code, retryable = "tls_failed", False


class AddressRefused(Unreachable):
    """The address guard forbids it (guard.py). Raised at save as well as at connect."""

    code, retryable = "address_refused", False


class Answered(InferenceError):
    """A status that carries no reply; `status` is None for an error inside a stream."""

    code = "http_status"

    def __init__(
        self, message: str, *, status: int | None = None, partial: bytes = b"", detail: str = ""
    ) -> None:
        super().__init__(message, partial=partial, detail=detail)
        self.status = status


class BadRequest(Answered):
    code = "bad_request"


class Unauthorized(Answered):
    code = "unauthorized"


class PaymentRequired(Answered):
    code = "payment_required"


class ModelGone(Answered):
    code = "model_gone"


class RateLimited(Answered):
    """429. `retry_after_s` is what the server asked for, None when it did not say."""

    code, retryable = "rate_limited", True

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, status: int = 429, detail: str = ""
    ) -> None:
        super().__init__(message, status=status, detail=detail)
        self.retry_after_s = retry_after_s


class Redirected(Answered):
    code = "redirected"


class ServerError(Answered):
    code, retryable = "server_error", True


class EngineDead(ServerError):
    """HTTP answers, the engine behind it is gone (vLLM's "EngineCore"): as good as unreachable."""

    code = "engine_dead"


class StreamCut(InferenceError):
    code, retryable = "stream_cut", True


class TimedOut(InferenceError):
    code, retryable = "timed_out", True


class TooLarge(InferenceError):
    """The reply passed the endpoint's limit; `partial` holds the bytes until then."""

    code = "too_large"


class Unreadable(InferenceError):
    code = "unreadable_answer"


class NoRecord(InferenceError):
    code = "no_record"


class Cancelled(InferenceError):
    code = "cancelled"


class Crashed(InferenceError):
    """A bug, not a failure of the server: `__cause__` is the exception, logged with its traceback."""

    code = "crashed"


@dataclass(frozen=True)
class EndpointSpec:
    """Where a model is served. `structured_output` is the best form that the server is said to understand.

    `allowed_networks` (CIDR) and `allowed_hosts` (names, https only) are for the address guard.
    """

    name: str
    kind: str  # openai_compatible | simulated | replay
    base_url: str
    api_key: str = field(repr=False)
    max_concurrency: int
    structured_output: str = "json_schema"  # json_schema | json_object | none
    max_response_bytes: int = 2_000_000
    allowed_networks: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    requests_per_minute: int | None = None  # of all processes together; None: no limit
    tokens_per_minute: int | None = None
    rates_at: str = field(
        default="", repr=False
    )  # the Redis where processes count them together; "": nowhere
    callers: int = 1  # processes that share the rates where they cannot count together


@dataclass(frozen=True)
class Request:
    """One call. `inputs` (the prompt's structured inputs) and `traits` are for `simulated` and `replay`.

    `deadline_s` counts from the moment the call leaves the endpoint's queue, not from submission.
    """

    endpoint: EndpointSpec
    model: str
    messages: tuple[dict[str, str], ...] = field(repr=False)
    schema: dict[str, Any] | None = field(repr=False)
    schema_name: str
    max_tokens: int
    temperature: float | None
    seed: int | None
    deadline_s: float
    exchange: str  # propose | review
    seat: int
    round: int
    attempt: int
    inputs: Mapping[str, Any] = field(repr=False)
    traits: Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What came back. Token counts are the server's own, None where it sent none. Times in milliseconds."""

    body: bytes = field(repr=False)
    reasoning: bytes | None = field(repr=False)
    tokens_in: int | None
    tokens_out: int | None
    finish_reason: str | None
    ttft_ms: float | None  # to the first visible or reasoning text
    latency_ms: float  # from leaving the queue to the end
    served_model: str | None
    queued_ms: float = 0.0  # waited for a place at the endpoint and for its rates; not part of latency_ms


class Backend(Protocol):
    """A kind of model server. Runs on the process's event loop; must be safe for calls in parallel."""

    async def complete(self, request: Request, *, on_text: Callable[[str], None]) -> Reply:
        """Calls the model; `on_text` gets each visible piece in order. Raises InferenceError."""
        ...  # pragma: no cover
