"""Reads the /metrics page of a vLLM server into values, and two readings into what happened between them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

RUNNING = "vllm:num_requests_running"
WAITING = "vllm:num_requests_waiting"
KV_CACHE = "vllm:kv_cache_usage_perc"
PREEMPTIONS = "vllm:num_preemptions_total"
ENDED = "vllm:request_success_total"  # by finished_reason, which may also be one of NOT_ANSWERED
NOT_ANSWERED = ("abort", "error")
MODELS_MOST = 50  # of one page, and no longer names than the registry has
NAME_CHARS = 200
COUNT_MOST = 2**31 - 1
SECONDS_MOST = 1e9
HISTOGRAMS = {
    "ttft": "vllm:time_to_first_token_seconds",
    "e2e": "vllm:e2e_request_latency_seconds",
    "queue": "vllm:request_queue_time_seconds",
}
STARTED = f"{HISTOGRAMS['e2e']}_created"

# (upper bound in seconds, requests up to it) in rising order; the last bound is infinity.
Buckets = tuple[tuple[float, float], ...]


class UnreadablePage(ValueError):
    """What came is not in Prometheus' text format."""


@dataclass(frozen=True)
class Totals:
    """One model as its server counts it. Counters run from the server's start, `since` (Unix time).

    What the page does not hold is None. Several engines of one model are added up; of their caches the fullest counts.
    """

    running: int | None = None
    waiting: int | None = None
    kv_cache_share: float | None = None
    preemptions: int | None = None
    finished: int | None = None
    since: float | None = None
    histograms: Mapping[str, Buckets] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The counters, for difference() with a later reading."""
        buckets = {
            name: [[None if bound == math.inf else bound, count] for bound, count in counts]
            for name, counts in self.histograms.items()
        }
        counters = {"preemptions": self.preemptions, "finished": self.finished, "since": self.since}
        return {**counters, "histograms": buckets}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Totals:
        buckets = {
            name: tuple((math.inf if bound is None else bound, count) for bound, count in counts)
            for name, counts in kept["histograms"].items()
        }
        return cls(
            preemptions=kept["preemptions"],
            finished=kept["finished"],
            since=kept["since"],
            histograms=buckets,
        )


@dataclass(frozen=True)
class Spread:
    """The middle and the slow end of some times, in ms; None where nothing was timed."""

    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True)
class Between:
    """What a server did from one reading to another; None is unknown."""

    preemptions: int | None = None
    finished: int | None = None
    ttft: Spread = Spread()
    e2e: Spread = Spread()
    queue: Spread = Spread()


# From a page to totals.


def read_page(page: str) -> dict[str, Totals]:
    """The totals by served name; empty where the page is not vLLM's. Raises UnreadablePage."""
    wanted = {RUNNING, WAITING, KV_CACHE, PREEMPTIONS, ENDED, STARTED}
    wanted |= {f"{name}_bucket" for name in HISTOGRAMS.values()}
    by_model: dict[str, list[Sample]] = defaultdict(list)
    for sample in _samples(page):
        if sample.name in wanted and math.isfinite(sample.value):
            by_model[sample.labels.get("model_name", "")].append(sample)
    names = [name for name in by_model if len(name) <= NAME_CHARS and "\0" not in name]
    return {name: _totals(by_model[name]) for name in names[:MODELS_MOST]}


def _samples(page: str) -> list[Sample]:
    try:
        return [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # a bad page is met by any of them
        raise UnreadablePage(f"no metrics page: {type(error).__name__}") from None


def _totals(samples: list[Sample]) -> Totals:
    named: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        named[sample.name].append(sample)
    answered = [each for each in named[ENDED] if each.labels.get("finished_reason") not in NOT_ANSWERED]
    histograms = {key: _buckets(named[f"{name}_bucket"]) for key, name in HISTOGRAMS.items()}
    return Totals(
        running=_whole(named[RUNNING]),
        waiting=_whole(named[WAITING]),
        kv_cache_share=_share(named[KV_CACHE]),
        preemptions=_whole(named[PREEMPTIONS]),
        finished=_whole(answered),
        since=_over(max, named[STARTED]),
        histograms={key: buckets for key, buckets in histograms.items() if buckets},
    )


def _over(combine: Callable[[Iterable[float]], float], samples: list[Sample]) -> float | None:
    return combine(sample.value for sample in samples) if samples else None


def _whole(samples: list[Sample]) -> int | None:
    value = _over(sum, samples)
    return round(value) if value is not None and 0 <= value <= COUNT_MOST else None


def _share(samples: list[Sample]) -> float | None:
    value = _over(max, samples)
    return value if value is not None and 0 <= value <= 1 else None


def _buckets(samples: list[Sample]) -> Buckets:
    """Added up over engines; empty where they are no buckets: a bad bound, a bad count, or none that is infinity."""
    counts: dict[float, float] = defaultdict(float)
    for sample in samples:
        try:
            counts[float(sample.labels.get("le", ""))] += sample.value
        except ValueError:
            return ()
    sound = all(
        (0 <= bound <= SECONDS_MOST or bound == math.inf) and 0 <= count <= COUNT_MOST
        for bound, count in counts.items()
    )
    return tuple(sorted(counts.items())) if sound and math.inf in counts else ()


# From two readings to what lies between them.


ZERO = Totals(preemptions=0, finished=0)


def baseline(readings: Sequence[Totals], now: Totals) -> Totals | None:
    """What to count from: the first of these readings (newest last), zero where the server has started since.

    Looked at one by one, so that a restart is seen even where the counters have passed the first reading's by now.
    """
    later = now
    for each in reversed(readings):
        if _has_restarted(each, later):
            return ZERO
        later = each
    return readings[0] if readings else None


def difference(before: Totals | None, after: Totals) -> Between:
    """What happened from `before` to `after`; unknown where there is no `before`.

    A server that has started anew in between counts from zero: what it did before is not in the figures.
    """
    if before is None:
        return Between()
    if _has_restarted(before, after):
        before = ZERO
    spreads = {
        name: _spread(_new(before.histograms.get(name), after.histograms.get(name, ())))
        for name in HISTOGRAMS
    }
    return Between(
        preemptions=_less(after.preemptions, before.preemptions),
        finished=_less(after.finished, before.finished),
        **spreads,
    )


def _has_restarted(before: Totals, after: Totals) -> bool:
    """It says so, or a counter went down, which none does otherwise."""
    if before.since is not None and after.since is not None and before.since != after.since:
        return True
    counters: list[tuple[float | None, float | None]] = [
        (before.preemptions, after.preemptions),
        (before.finished, after.finished),
    ]
    for name, counts in after.histograms.items():
        earlier = dict(before.histograms.get(name, ()))
        counters += [(earlier.get(bound), count) for bound, count in counts]
    return any(was is not None and now is not None and now < was for was, now in counters)


def _less(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before


def _new(before: Buckets | None, after: Buckets) -> Buckets:
    """The buckets of what came since. Other bounds than before (another version of the server): none."""
    if not before:
        return after
    if [bound for bound, _ in before] != [bound for bound, _ in after]:
        return ()
    return tuple((bound, now - was) for (bound, now), (_, was) in zip(after, before, strict=True))


def _spread(buckets: Buckets) -> Spread:
    return Spread(quantile_ms(buckets, 0.5), quantile_ms(buckets, 0.95))


def quantile_ms(buckets: Buckets, share: float) -> float | None:
    """The time within which this share of the requests lies, linear inside its bucket; None without a request.

    Beyond the last finite bound nothing is known but that bound, which is then the answer (as Prometheus has it).
    """
    asked = buckets[-1][1] if buckets else 0
    if asked <= 0:
        return None
    rank = share * asked
    for (low_s, under), (high_s, up_to) in pairwise(((0.0, 0.0), *buckets)):
        if up_to >= rank and up_to > under:
            if high_s == math.inf:
                return low_s * 1000
            return (low_s + (high_s - low_s) * (rank - under) / (up_to - under)) * 1000
    return None
