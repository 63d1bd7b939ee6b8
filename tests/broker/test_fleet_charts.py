"""The broker's charts: gaps stay gaps, and what a server does not tell is said in words."""

from datetime import UTC, datetime, timedelta
from typing import Any

from broker.charts import latency_figure, load_figure

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPAN = (BEGAN, BEGAN + timedelta(minutes=15))


def at(*seconds: float) -> list[datetime]:
    return [BEGAN + timedelta(seconds=each) for each in seconds]


def load(times: list[datetime], **figures: Any) -> dict[str, Any]:
    empty = {name: [None] * len(times) for name in ("running", "waiting", "kv_cache_share")}
    return load_figure(times, span=SPAN, **{**empty, **figures})


def said(figure: dict[str, Any]) -> str:
    return " ".join(each["text"] for each in figure["layout"].get("annotations", ()))


def test_no_line_crosses_a_time_in_which_nothing_was_read() -> None:
    running = load(at(0, 5, 10, 600, 605), running=[1, 2, 2, 4, 4])["data"][0]

    assert running["y"] == [1, 2, 2, None, 4, 4]
    assert running["x"] == sorted(running["x"])
    assert running["connectgaps"] is False


def test_a_reading_that_comes_a_little_late_is_no_gap() -> None:
    assert load(at(0, 5, 18), running=[1, 2, 3])["data"][0]["y"] == [1, 2, 3]


def test_a_cache_that_no_server_tells_of_has_no_axis() -> None:
    figure = load(at(0, 5), running=[1, 2], waiting=[0, 0])

    assert "yaxis2" not in figure["layout"]
    assert [line["name"] for line in figure["data"]] == ["running", "waiting"]
    assert said(figure) == "KV cache: not reported<br>by this server"
    assert "KV cache: not reported by this server" in figure["layout"]["meta"]["description"]


def test_a_chart_in_which_nothing_is_known_says_so_in_the_place_of_axes() -> None:
    figure = load(at(0, 5))
    assert figure["layout"]["yaxis"]["visible"] is False
    assert "Running and waiting: not reported" in said(figure)

    names = [f"{name}_{percentile}_ms" for name in ("ttft", "e2e") for percentile in ("p50", "p95")]
    times = latency_figure(at(0, 5), {name: [None, None] for name in names}, span=SPAN)
    assert times["layout"]["yaxis"]["visible"] is False
    assert said(times) == "No answer was timed in this time."


def test_what_is_known_is_drawn_without_words() -> None:
    figure = load(at(0), running=[0], waiting=[0], kv_cache_share=[0.0])

    assert said(figure) == ""
    assert figure["layout"]["yaxis2"]["domain"] == [0.68, 1]
