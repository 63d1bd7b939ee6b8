"""The broker's charts: data in, Plotly figure out, as plain dicts.

A colour is written `token:NAME` (static/css/tokens.css). Heights are fixed: an update never moves the page. Gaps stay
gaps: an unknown reading is null, never 0, and no line crosses a time in which nothing was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

Figure = dict[str, Any]
Span = tuple[datetime, datetime]  # the time that is drawn, whatever was read in it
HEIGHT = 210
NOT_TOLD = "not reported<br>by this server"
GAP_S = 15.0  # of silence; readings come every few seconds
FONT = {"size": 12, "color": "token:text-2"}


def load_figure(
    times: Sequence[datetime],
    *,
    span: Span,
    running: Sequence[float | None],
    waiting: Sequence[float | None],
    kv_cache_share: Sequence[float | None],
) -> Figure:
    """Requests at a server, running and waiting, and above them the share of its KV cache in use."""
    layout = _layout(span, "Requests running and waiting, and KV cache in use, over time")
    layout["yaxis"] = _axis("requests", domain=[0, 0.56], rangemode="tozero", nticks=4)
    lines = [
        _line(times, running, name="running", color="token:accent"),
        _line(times, waiting, name="waiting", color="token:chart-threshold", dash="dot"),
    ]
    if not _any(running, waiting):
        layout["yaxis"]["visible"] = False
        _say(layout, f"Running and waiting: {NOT_TOLD}", y=0.28)
    if not _any(kv_cache_share):
        _say(layout, f"KV cache: {NOT_TOLD}", y=0.84)
        return _figure(lines, layout)
    layout["yaxis2"] = _axis("KV cache", domain=[0.68, 1], range=[0, 1.02], tickformat=".0%", nticks=3)
    cache = _line(times, kv_cache_share, name="KV cache", color="token:chart-line", yaxis="y2", form=":.0%")
    return _figure([*lines, cache], layout)


def latency_figure(
    times: Sequence[datetime], figures: Mapping[str, Sequence[float | None]], *, span: Span
) -> Figure:
    """Time to the first token and to the end, at the median and the slow end, in seconds."""
    layout = _layout(span, "Time to first token and end to end, median and 95th percentile")
    layout["yaxis"] = _axis("seconds", rangemode="tozero", nticks=5)
    styles = {
        "ttft_p50_ms": ("first token p50", "token:accent", "solid"),
        "ttft_p95_ms": ("first token p95", "token:accent", "dot"),
        "e2e_p50_ms": ("whole p50", "token:chart-threshold", "solid"),
        "e2e_p95_ms": ("whole p95", "token:chart-threshold", "dot"),
    }
    lines = [
        _line(times, _seconds(figures[key]), name=name, color=color, dash=dash, form=":.2f")
        for key, (name, color, dash) in styles.items()
    ]
    if not _any(*(line["y"] for line in lines)):
        layout["yaxis"]["visible"] = layout["xaxis"]["visible"] = False
        _say(layout, "No answer was timed in this time.", y=0.5)
    return _figure(lines, layout)


def _any(*rows: Sequence[float | None]) -> bool:
    """Whether anything is known."""
    return any(value is not None for row in rows for value in row)


def _say(layout: Figure, words: str, *, y: float) -> None:
    """Words in the place of lines, at this height of the whole; for those who see no picture too."""
    note = {"text": words, "x": 0, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left"}
    layout.setdefault("annotations", []).append({**note, "showarrow": False, "align": "left", "font": FONT})
    layout["meta"]["description"] += f". {words.replace('<br>', ' ')}"


def _seconds(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else value / 1000 for value in values]


def _line(
    times: Sequence[datetime], values: Sequence[float | None], *, name: str, color: str, **more: Any
) -> Figure:
    dash, form = more.pop("dash", "solid"), more.pop("form", "")
    times, values = _with_gaps(times, values)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "marker": {"size": 4, "color": color},
        "x": [_moment(each) for each in times],
        "y": list(values),
        "name": name,
        "connectgaps": False,
        "line": {"color": color, "width": 2, "dash": dash},
        "hovertemplate": f"%{{x|%H:%M:%S}} {name} %{{y{form}}}<extra></extra>",
        **more,
    }


def _with_gaps(
    times: Sequence[datetime], values: Sequence[float | None]
) -> tuple[list[datetime], list[float | None]]:
    """With an unknown value inside of each silence, so that the line breaks there."""
    found = list(zip(times, values, strict=True))
    for before, after in pairwise(times):
        if (after - before).total_seconds() > GAP_S:
            found.append((before + timedelta(seconds=GAP_S / 2), None))
    found.sort(key=lambda each: each[0])
    return [at for at, _ in found], [value for _, value in found]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _axis(title: str, **more: Any) -> Figure:
    return {
        "title": {"text": title, "font": FONT, "standoff": 8},
        "gridcolor": "token:chart-grid",
        "zeroline": False,
        "fixedrange": True,
        "tickfont": FONT,
        **more,
    }


def _layout(span: Span, description: str) -> Figure:
    return {
        "height": HEIGHT,
        "autosize": True,
        "margin": {"l": 56, "r": 12, "t": 8, "b": 30},
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.16, "x": 0, "font": FONT},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter Variable, system-ui, sans-serif", **FONT},
        "hoverlabel": {"bgcolor": "token:surface-2", "font": {"color": "token:text-1"}},
        "dragmode": False,
        "xaxis": {
            "type": "date",
            "range": [_moment(each) for each in span],
            "tickformat": "%H:%M",
            "fixedrange": True,
            "gridcolor": "token:chart-grid",
            "tickfont": FONT,
            "nticks": 5,
        },
        "meta": {"description": description},
    }


def _figure(data: list[Figure], layout: Figure) -> Figure:
    return {"data": data, "layout": layout, "config": {"displayModeBar": False, "responsive": True}}
