"""From what a server or the HTTP client reports to the InferenceError tree. No key or prompt passes."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from broker.inference.base import (
    AddressRefused,
    Answered,
    BadRequest,
    DnsFailed,
    EndpointSpec,
    EngineDead,
    InferenceError,
    ModelGone,
    PaymentRequired,
    RateLimited,
    Redirected,
    Refused,
    ServerError,
    TlsFailed,
    Unauthorized,
    Unreachable,
    Unreadable,
)
from broker.inference.texts import from_bytes, readable, without_key

MEANINGS: Mapping[int, tuple[type[Answered], str]] = {
    400: (BadRequest, "it does not accept the request"),
    401: (Unauthorized, "the key is missing or not accepted"),
    402: (PaymentRequired, "the account has no credit"),
    403: (Unauthorized, "the key may not do this"),
    404: (ModelGone, "it does not serve this model"),
    413: (BadRequest, "the request is too long for it"),
    422: (BadRequest, "it does not accept the request"),
}
DETAIL_CHARS = 300


def from_status(
    status: int, *, endpoint: EndpointSpec, headers: Mapping[str, str], body: bytes
) -> InferenceError:
    """The failure that a status of 300 or more means."""
    detail = words_of(body, endpoint=endpoint)
    said = f"{endpoint.name} answered {status}: "
    if status == 429:
        wait_s = retry_after_s(headers.get("Retry-After"), now=datetime.now(UTC))
        return RateLimited(said + "too many requests.", retry_after_s=wait_s, detail=detail)
    if status >= 500:
        return server_error(said, status=status, detail=detail, body=body)
    if status < 400:
        return Redirected(said + "it points to another address, which is not followed.", status=status)
    kind, meaning = MEANINGS.get(status, (Answered, "no reply"))
    return kind(f"{said}{meaning}.", status=status, detail=detail)


def server_error(said: str, *, status: int | None, detail: str, body: bytes) -> ServerError:
    if b"EngineCore" in body or b"EngineDead" in body:
        return EngineDead(said + "the model's engine is gone.", status=status, detail=detail)
    return ServerError(said + "the server failed.", status=status, detail=detail)


def from_event(event: bytes, *, endpoint: EndpointSpec, partial: bytes) -> ServerError:
    """An error that came inside an answer that had begun with 200."""
    error = server_error(
        f"{endpoint.name} reported an error inside its answer: ",
        status=None,
        detail=words_of(event, endpoint=endpoint),
        body=event,
    )
    error.partial = partial
    return error


def from_transport(error: Exception, *, endpoint: EndpointSpec) -> InferenceError:
    """What an exception of the HTTP client, raised before the answer's head had come, means."""
    name = endpoint.name
    if isinstance(error, AddressRefused):
        return AddressRefused(str(error))
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return DnsFailed(f"The host name of {name} has no address.")
    if isinstance(error, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)):
        return TlsFailed(f"The certificate or the encryption of {name} is not accepted.")
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.ECONNREFUSED:
        return Refused(f"Nothing listens at the address of {name}.")
    if isinstance(error, aiohttp.ClientResponseError):
        return Unreadable(f"What answers at the address of {name} does not speak HTTP.")
    return Unreachable(f"{name} could not be reached ({type(error).__name__}).")


def words_of(body: bytes, *, endpoint: EndpointSpec) -> str:
    """The server's own words, cut; the key, should they repeat it, is cut out first."""
    return readable(from_bytes(without_key(body, key=endpoint.api_key)))[:DETAIL_CHARS]


def retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """The header in seconds from now: a number of seconds or an HTTP date. None where it says neither."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:
        return None
    return max((when - now).total_seconds(), 0.0)
