"""The broker's charts: data in, Plotly figure out, as plain dicts.

A colour is written `token:NAME` (static/css/tokens.css). Heights are fixed: an update never moves the page. Gaps stay
gaps: an unknown reading is null, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Figure = dict[str, Any]
Span = tuple[datetime, datetime]  # the time that is drawn, whatever was read in it
HEIGHT = 210
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
    layout["yaxis2"] = _axis("KV cache", domain=[0.68, 1], range=[0, 1.02], tickformat=".0%", nticks=3)
    lines = [
        _line(times, running, name="running", color="token:accent"),
        _line(times, waiting, name="waiting", color="token:chart-threshold", dash="dot"),
        _line(times, kv_cache_share, name="KV cache", color="token:chart-line", yaxis="y2", form=":.0%"),
    ]
    return _figure(lines, layout)


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
    return _figure(lines, layout)


def _seconds(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else value / 1000 for value in values]


def _line(
    times: Sequence[datetime], values: Sequence[float | None], *, name: str, color: str, **more: Any
) -> Figure:
    dash, form = more.pop("dash", "solid"), more.pop("form", "")
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
