"""Pages that a real vLLM server gave, and pages that nobody should: read into values, and compared."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from broker.telemetry import (
    ZERO,
    Between,
    Spread,
    Totals,
    UnreadablePage,
    baseline,
    difference,
    quantile_ms,
    read_page,
)

RECORDED = Path(__file__).parent / "recorded"


def page(name: str) -> str:
    return (RECORDED / f"{name}.prom").read_text()


def totals(name: str) -> Totals:
    return read_page(page(name))["tiny"]


def test_a_server_under_load_says_how_many_run_and_wait_and_how_full_its_cache_is() -> None:
    busy = totals("busy")
    assert (busy.running, busy.waiting) == (16, 144)
    assert busy.kv_cache_share == pytest.approx(0.4025, abs=1e-4)
    idle = totals("idle")
    assert (idle.running, idle.waiting, idle.kv_cache_share) == (0, 0, 0.0)


def test_times_are_those_between_two_readings() -> None:
    between = difference(totals("busy"), totals("busy_later"))
    assert between.finished == 32
    assert between.e2e == Spread(p50_ms=2000.0, p95_ms=4750.0)
    assert between.queue.p95_ms == 1950.0
    assert between.ttft == Spread(p50_ms=2500.0, p95_ms=4750.0)


def test_what_was_not_answered_in_between_has_no_times() -> None:
    between = difference(totals("idle"), totals("idle"))
    assert between == Between(preemptions=0, finished=0)
    assert between.e2e.p50_ms is None


def test_preemptions_are_counted() -> None:
    between = difference(totals("idle"), totals("preempting"))
    assert between.preemptions == totals("preempting").preemptions
    assert between.preemptions


def test_without_an_earlier_reading_nothing_is_known() -> None:
    assert difference(None, totals("done")) == Between()


def test_a_restarted_server_counts_from_zero() -> None:
    between = difference(totals("done"), totals("restarted"))
    assert between.finished == totals("restarted").finished
    assert between.e2e.p95_ms is not None


def test_a_restart_is_seen_by_a_counter_that_went_down_where_the_server_does_not_say_since_when_it_counts() -> (
    None
):
    done, restarted = (replace(totals(name), since=None) for name in ("done", "restarted"))
    assert difference(done, restarted).finished == restarted.finished


def test_a_restart_is_seen_even_where_the_counters_have_passed_those_of_before() -> None:
    before, low, high = (Totals(finished=count, preemptions=0) for count in (10, 2, 30))
    assert baseline([before, low], high) is ZERO
    assert baseline([low, before], high) is low
    assert baseline([], high) is None


def test_counters_survive_being_kept_as_json() -> None:
    kept = Totals.from_json(json.loads(json.dumps(totals("busy").to_json())))
    assert difference(kept, totals("done")) == difference(totals("busy"), totals("done"))


def test_a_quantile_is_linear_inside_its_bucket() -> None:
    buckets = ((0.1, 10.0), (0.2, 30.0), (float("inf"), 30.0))
    assert quantile_ms(buckets, 0.5) == pytest.approx(125.0)
    assert quantile_ms(buckets, 1.0) == pytest.approx(200.0)
    assert quantile_ms(((0.1, 0.0), (float("inf"), 5.0)), 0.5) == pytest.approx(100.0)
    assert quantile_ms(((0.1, 0.0), (float("inf"), 0.0)), 0.5) is None
    assert quantile_ms((), 0.5) is None


def test_other_buckets_than_before_tell_nothing() -> None:
    before = Totals(histograms={"e2e": ((0.1, 1.0), (float("inf"), 1.0))})
    after = Totals(histograms={"e2e": ((0.2, 5.0), (float("inf"), 5.0))})
    assert difference(before, after).e2e == Spread()


def test_engines_of_one_model_are_added_up_and_the_fullest_cache_counts() -> None:
    text = "\n".join(
        [
            *(f'vllm:num_requests_running{{engine="{n}",model_name="m"}} {n + 1}' for n in (0, 1)),
            *(f'vllm:kv_cache_usage_perc{{engine="{n}",model_name="m"}} 0.{n + 3}' for n in (0, 1)),
            'vllm:num_requests_running{engine="0",model_name="other"} 7',
            "",
        ]
    )
    read = read_page(text)
    assert (read["m"].running, read["m"].kv_cache_share, read["m"].waiting) == (3, 0.4, None)
    assert read["other"].running == 7


def test_requests_that_were_given_up_or_failed_were_not_answered() -> None:
    text = "".join(
        f'vllm:request_success_total{{finished_reason="{reason}",model_name="m"}} 5\n'
        for reason in ("stop", "length", "abort", "error")
    )
    assert read_page(text)["m"].finished == 10


def test_another_servers_page_holds_no_totals() -> None:
    assert read_page("# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing 1\n") == {}
    assert read_page("") == {}


def test_what_is_no_number_is_unknown() -> None:
    read = read_page(
        'vllm:num_requests_running{model_name="m"} NaN\nvllm:num_requests_waiting{model_name="m"} 2\n'
    )
    assert (read["m"].running, read["m"].waiting) == (None, 2)
    assert read_page('vllm:num_requests_running{model_name="m"} -1\n')["m"].running is None


def test_figures_that_no_server_can_mean_are_unknown() -> None:
    read = read_page(
        'vllm:num_requests_running{model_name="m"} 1e300\n'
        'vllm:kv_cache_usage_perc{model_name="m"} 40\n'
        'vllm:e2e_request_latency_seconds_bucket{model_name="m",le="NaN"} 1\n'
        'vllm:e2e_request_latency_seconds_bucket{model_name="m",le="+Inf"} 1\n'
        'vllm:request_queue_time_seconds_bucket{model_name="m",le="+Inf"} 1e300\n'
    )
    assert read["m"] == Totals()


def test_a_page_with_endless_models_is_cut() -> None:
    lines = [f'vllm:num_requests_running{{model_name="{n}"}} 1\n' for n in range(1000)]
    long_name = f'vllm:num_requests_running{{model_name="{"x" * 201}"}} 1\n'
    assert len(read_page("".join([long_name, *lines]))) == 50


@pytest.mark.parametrize(
    "text", ["<html>hello</html>", 'a{b="c" 1\n', "vllm:num_requests_running\n", "x y z\n"]
)
def test_what_is_no_metrics_page_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UnreadablePage):
        read_page(text)


def test_no_page_is_beyond_reading() -> None:
    draw = random.Random(5)
    start = page("busy")[:6000]
    for _ in range(300):
        text = list(start)
        for _ in range(draw.randrange(1, 40)):
            text[draw.randrange(len(text))] = draw.choice('{}",=\n #x0\\\x00é')
        try:
            read_page("".join(text))
        except UnreadablePage:
            continue
