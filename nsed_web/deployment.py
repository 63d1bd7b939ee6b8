"""What a deployment may choose, typed: settings.NSED. Each field is overridden by NSED_<FIELD> in the
environment."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit


class BadSetting(ValueError):
    """A variable of the environment cannot be read; the message names it."""


@dataclass(frozen=True)
class Deployment:
    """What holds for all sessions of this installation; what holds for one session is in its policy."""

    debug: bool = False  # never where others can reach it: error pages show settings and source
    public_url: str = "http://127.0.0.1:8000"  # for browsers; https turns on secure cookies and HSTS
    lease_s: float = 30.0  # how long a claimed row stays claimed without a sign of life
    heartbeat_s: float = 5.0  # how often a worker renews its claims
    sweep_s: float = 1.0  # how often the sweeper looks for rows that are due
    poll_s: float = 3.0  # how often a socket looks for events whose nudge was lost
    seen_s: float = 5.0  # a worker or the beat that was not seen for so long counts as gone
    delta_ms: int = 200  # streamed text is pushed once per turn and this many milliseconds
    backoff_s: float = 1.0  # wait before the second attempt at a model; doubled for each one more
    worker_threads: int = 32
    beat_in_worker: bool = False  # the worker beats too, and no `celery -A nsed_web beat` is needed
    worker_host: str = "local"  # the worker's place: it takes the calls of models on this host
    as_owner: bool = False  # this process changes tables (manage.py sets it for migrate)
    database_pool: int = 12  # connections that one process has at most; 0: one per thread, no pool
    max_task_chars: int = 20_000
    reply_max_bytes: int = 2_000_000
    # Where endpoints may be, besides public addresses.
    endpoint_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    endpoint_hosts: tuple[str, ...] = ()  # names that may resolve to a private address, over https
    # Model servers: what they say of themselves, their health, and what failures lead to.
    telemetry_s: float = 5.0  # how often servers are read
    telemetry_timeout_s: float = 3.0  # a server that takes longer has no reading this time
    telemetry_window_s: float = 60.0  # the time over which a reading's rates and percentiles are
    telemetry_stale_s: float = 15.0  # an older reading counts as unknown
    telemetry_kept_s: float = 3600.0
    health_check_s: float = 60.0  # a server that nobody called for so long is asked for one token
    health_timeout_s: float = 20.0
    host_silent_s: float = 30.0  # a GPU host that has not reported for so long counts as gone
    breaker_failures: int = 3  # failed calls in a row that open a server's breaker
    breaker_first_s: float = 10.0  # for how long it opens; doubled each time that a check fails
    breaker_most_s: float = 300.0
    bench_first_min: int = 5  # for how long a model that lost a turn is not seated; doubled each time
    bench_most_min: int = 30
    # Money, and the rates of endpoints.
    max_day_usd: float = math.inf  # what all sessions of one day (UTC) may cost together
    max_turn_usd: float = math.inf  # what one turn may cost with all of its attempts
    min_reply_tokens: int = 256  # where money is short: a reply with less room than this is not asked for
    # Processes that call the same endpoints: each has its share of the calls at once, and of the rates without Redis.
    call_workers: int = 1
    link_max_age_s: int = 86_400  # how long a one-time sign-in link works
    stop_grace_s: float = 5.0  # how long a process may take to end before it is killed

    def __post_init__(self) -> None:
        if (
            urlsplit(self.public_url).scheme not in ("http", "https")
            or not urlsplit(self.public_url).hostname
        ):
            raise BadSetting(f"NSED_PUBLIC_URL: not an address like https://example.org: {self.public_url!r}")
        if self.heartbeat_s >= self.lease_s:
            raise BadSetting("NSED_HEARTBEAT_S: a claim must be renewed before NSED_LEASE_S have passed")


def from_environment(environment: Mapping[str, str] = os.environ) -> Deployment:
    """The defaults with the environment's overrides. BadSetting names the variable that cannot be read."""
    chosen = {
        field.name: _read(f"NSED_{field.name.upper()}", text, READERS[type(field.default)])
        for field in fields(Deployment)
        if (text := environment.get(f"NSED_{field.name.upper()}")) is not None
    }
    return replace(Deployment(), **chosen)


def _read(name: str, text: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise BadSetting(f"{name}: {error}") from error


def _non_negative(kind: type[int] | type[float]) -> Callable[[str], int | float]:
    def read(text: str) -> int | float:
        number = kind(text)
        if not 0 <= number < float("inf"):
            raise ValueError(f"not a number from 0 up: {text!r}")
        return number

    return read


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"not 0 or 1: {text!r}")
    return text == "1"


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


READERS: dict[type, Callable[[str], Any]] = {
    str: str,
    bool: _flag,
    int: _non_negative(int),
    float: _non_negative(float),
    tuple: _names,
}


def broker_url(redis_url: str) -> str:
    """The same Redis as Celery writes it: it has a scheme of its own for a socket."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


def channel_prefix(redis_url: str) -> str:
    """Keeps the channels of one logical Redis database apart: publishing reaches all of them."""
    parts = urlsplit(redis_url)
    number = parse_qs(parts.query).get("db", [parts.path.strip("/") if parts.scheme != "unix" else ""])[0]
    return f"nsed{number or 0}"
