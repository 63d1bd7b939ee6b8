"""Charts: data in, Plotly figure out, as plain dicts; and the same data as a table.

A colour is written `token:NAME` and stands for the custom property `--NAME` of static/css/tokens.css: the
page puts the theme's value in (static/js/charts.js), so that one pushed part serves light and dark. Heights
are fixed: an update never moves the page. Labels are seat letters: Plotly would read markup in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from deliberation import formats

Figure = dict[str, Any]
Curve = Sequence[tuple[float, float]]  # (t, U(t)), dense enough to draw as straight pieces


@dataclass(frozen=True)
class Table:
    """The data of a chart for those who read numbers: as many cells in each row as there are headers."""

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class RoundEvidence:
    """One closed round. conviction in [-1, 1]; evidence and threshold in units of utility (protocol.md 5)."""

    number: int
    conviction: float | None
    evidence: float
    threshold: float | None


def conviction_figure(
    rounds: Sequence[RoundEvidence], *, max_rounds: int, threshold: float | None = None, empty: str = ""
) -> Figure:
    """Above: conviction of each round. Below: evidence gathered so far against the threshold that stops.

    Without rounds: `threshold`, what is to be reached, and the sentence `empty` in the place of bars.
    """
    steps = _threshold_steps(rounds) or _threshold_ahead(threshold, max_rounds)
    low, high = _conviction_range(rounds)
    top = _evidence_top([r.evidence for r in rounds] + [y for _, y in steps])
    layout = plain_layout(height=280, description="Conviction and evidence per round")
    layout["xaxis"] = plain_axis(title="round", dtick=1, range=[0.5, max_rounds + 0.5], anchor="y2")
    layout["yaxis"] = plain_axis(title="conviction", domain=[0.58, 1], **_ticks(low, high, step=0.5))
    layout["yaxis2"] = plain_axis(title="evidence", domain=[0, 0.42], **_ticks(0, top))
    layout["annotations"] = _threshold_word(steps)
    if not rounds:
        layout["annotations"].append(note(0.5, empty, xref="x domain", y=0.5, yref="y domain"))
    return _figure([_conviction_trace(rounds), _evidence_trace(rounds), _threshold_trace(steps)], layout)


def conviction_table(rounds: Sequence[RoundEvidence]) -> Table:
    rows = tuple(
        (
            str(r.number),
            formats.signed(r.conviction),
            formats.number(r.evidence, digits=4),
            formats.number(r.threshold, digits=4),
        )
        for r in rounds
    )
    return Table("Conviction and evidence per round", ("Round", "Conviction", "Evidence", "Threshold"), rows)


def utility_figure(points: Curve, *, current_round: int | None, t_opt: float | None) -> Figure:
    """The efficiency-fatigue curve U(t) with its optimum (None: there is none) and where the session is."""
    layout = plain_layout(height=220, description="Expected utility over rounds")
    layout["xaxis"] = plain_axis(
        title="round", dtick=1, range=[-0.1, points[-1][0] + 0.1] if points else [0, 1]
    )
    layout["yaxis"] = plain_axis(title="expected utility", **_ticks(*_padded([u for _, u in points])))
    layout["shapes"], layout["annotations"] = [], []
    if points and t_opt is not None:
        layout["shapes"] = [_upright(t_opt, color="token:chart-line", dash="dot")]
        layout["annotations"] = [note(t_opt, "optimum", y=1, yref="paper", yanchor="bottom")]
    ts, us = [t for t, _ in points], [u for _, u in points]
    traces = [_line(ts, us, name="U(t)", digits=3, mode="lines")]
    here = [(t, u) for t, u in points if t == current_round]
    if here:
        traces.append(_here_trace(here[0]))
    return _figure(traces, layout)


def utility_table(points: Curve, *, current_round: int | None, t_opt: float | None) -> Table:
    """The curve at whole rounds, with what each of them is."""
    rows = tuple(
        (f"{t:.0f}", formats.number(u, digits=3), _round_note(t, current_round=current_round, t_opt=t_opt))
        for t, u in points
        if t == int(t)
    )
    best = "no optimum" if t_opt is None else f"optimum at round {formats.number(t_opt)}"
    return Table(f"Expected utility, {best}", ("Round", "U", ""), rows)


def law_figure(points: Curve, *, t_opt: float | None, max_rounds: int, empty: str = "") -> Figure:
    """A policy's curve with its optimum (None: there is none) and its last round; without points `empty`."""
    figure = utility_figure(points, current_round=None, t_opt=t_opt)
    layout = figure["layout"]
    if not points:
        layout["annotations"] = [note(0.5, empty, xref="paper", y=0.5, yref="paper")]
        return figure
    layout["xaxis"]["dtick"] = max(1, _round_step(points[-1][0] / 12))
    layout["shapes"].append(_upright(max_rounds, color="token:chart-threshold", dash="dash"))
    word = note(max_rounds, "last round", y=0, yref="paper", yanchor="bottom", xanchor="right")
    layout["annotations"].append(word | {"font": {"color": "token:chart-threshold", "size": 12}})
    return figure


def stops_figure(stops: Sequence[tuple[float, int]], *, empty: str = "") -> Figure:
    """(conviction, the round after which it ends) as bars; without any `empty`."""
    convictions, rounds = [w for w, _ in stops], [number for _, number in stops]
    last = max(rounds, default=1)
    layout = plain_layout(height=220, description="Rounds until it stops, by conviction")
    layout["xaxis"] = plain_axis(title="conviction in every round", **_ticks(0.03, 1.07, step=0.1))
    step = max(1, _round_step(last / 6))
    layout["yaxis"] = plain_axis(title="stops after round", **_ticks(0, last * 1.2, step=step))
    layout["annotations"] = [] if stops else [note(0.5, empty, xref="paper", y=0.5, yref="paper")]
    bars = {"type": "bar", "x": convictions, "y": rounds, "width": 0.06, "text": list(map(str, rounds))}
    look = {"textposition": "outside", "cliponaxis": False, "textfont": {"color": "token:text-1", "size": 12}}
    hover = {"hovertemplate": "conviction %{x}: round %{y}<extra></extra>"}
    return _figure([{**bars, **look, **hover, "marker": {"color": "token:accent"}}], layout)


def _conviction_trace(rounds: Sequence[RoundEvidence]) -> Figure:
    known = [r for r in rounds if r.conviction is not None]
    return {
        "type": "bar",
        "x": [r.number for r in known],
        "y": [r.conviction for r in known],
        "yaxis": "y",
        "width": 0.36,
        "name": "conviction",
        "text": [formats.signed(r.conviction) for r in known],
        "textposition": "outside",
        "textangle": 0,
        "constraintext": "none",
        "cliponaxis": False,
        "textfont": {"color": "token:text-1", "size": 12},
        "marker": {"color": [_sign_color(r.conviction or 0) for r in known]},
        "hovertemplate": "round %{x}: conviction %{text}<extra></extra>",
    }


def _sign_color(value: float) -> str:
    if not value:
        return "token:chart-neutral"
    return "token:chart-favour" if value > 0 else "token:chart-against"


def _evidence_trace(rounds: Sequence[RoundEvidence]) -> Figure:
    return _line(
        [r.number for r in rounds], [r.evidence for r in rounds], name="evidence", digits=4, yaxis="y2"
    )


def _threshold_steps(rounds: Sequence[RoundEvidence]) -> list[tuple[float, float]]:
    """The threshold moves with the coverage of each round, so it is a step, half a round to each side."""
    known = [(r.number, r.threshold) for r in rounds if r.threshold is not None]
    return [(x, threshold) for number, threshold in known for x in (number - 0.5, number + 0.5)]


def _threshold_ahead(threshold: float | None, max_rounds: int) -> list[tuple[float, float]]:
    return [(0.5, threshold), (max_rounds + 0.5, threshold)] if threshold else []


def _threshold_trace(steps: Sequence[tuple[float, float]]) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for x, _ in steps],
        "y": [y for _, y in steps],
        "yaxis": "y2",
        "name": "threshold",
        "text": [formats.number(y, digits=4) for _, y in steps],
        "line": {"color": "token:chart-threshold", "width": 2, "dash": "dash"},
        "hovertemplate": "threshold %{text}<extra></extra>",
    }


def _threshold_word(steps: Sequence[tuple[float, float]]) -> list[Figure]:
    if not steps:
        return []
    x, y = steps[0]  # evidence comes up to it at the other end
    word = note(x, "threshold", y=y, yref="y2", yanchor="bottom", xanchor="left")
    return [word | {"font": {"color": "token:chart-threshold", "size": 12}}]


def _evidence_top(values: Sequence[float]) -> float:
    return max([0.01, *values]) * 1.35


def _ticks(low: float, high: float, *, step: float | None = None) -> Figure:
    """The range of an axis with at most six ticks at round numbers, in the words of all other numbers."""
    step = step or _round_step((high - low) / 5)
    values = [step * n for n in range(ceil(low / step), floor(high / step) + 1)]
    return {"range": [low, high], "tickvals": values, "ticktext": [formats.tick(value) for value in values]}


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not below `least`."""
    power = 10 ** floor(log10(least))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= least)


def _conviction_range(rounds: Sequence[RoundEvidence]) -> list[float]:
    return [-1.3 if any((r.conviction or 0) < 0 for r in rounds) else 0, 1.3]


def _here_trace(here: tuple[float, float]) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [here[0]],
        "y": [here[1]],
        "text": ["now"],
        "textposition": "bottom center",
        "textfont": {"color": "token:text-1", "size": 12},
        "marker": {"color": "token:surface", "size": 11, "line": {"color": "token:accent", "width": 3}},
        "hovertemplate": f"round %{{x}}: U {formats.number(here[1], digits=3)}<extra></extra>",
    }


def _round_note(t: float, *, current_round: int | None, t_opt: float | None) -> str:
    words = ["now"] if t == current_round else []
    if t_opt is not None and t - 1 < t_opt <= t:
        words.append("first round past the optimum" if t > t_opt else "optimum")
    return ", ".join(words)


def _line(xs: Sequence[float], ys: Sequence[float], *, name: str, digits: int, **more: Any) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(xs),
        "y": list(ys),
        "name": name,
        "text": [formats.number(y, digits=digits) for y in ys],
        "line": {"color": "token:accent", "width": 2},
        "marker": {"size": 7, "color": "token:accent"},
        "hovertemplate": f"round %{{x}}: {name} %{{text}}<extra></extra>",
        **more,
    }


def _upright(x: float, *, color: str, dash: str) -> Figure:
    line = {"color": color, "width": 1, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def note(x: float, text: str, **more: Any) -> Figure:
    font = {"color": "token:text-2", "size": 12}
    return {"x": x, "text": text, "showarrow": False, "font": font, **more}


def _padded(values: Sequence[float]) -> list[float]:
    if not values:
        return [0, 1]
    margin = max(max(values) - min(values), 0.05) * 0.18
    return [min(values) - margin, max(values) + margin]


def plain_axis(*, title: str = "", **more: Any) -> Figure:
    return {
        "title": {"text": title, "font": {"color": "token:text-2", "size": 12}, "standoff": 8},
        "gridcolor": "token:chart-grid",
        "zeroline": False,
        "fixedrange": True,
        "automargin": False,
        "tickfont": {"color": "token:text-2", "size": 12},
        **more,
    }


def plain_layout(*, height: int, description: str) -> Figure:
    return {
        "height": height,
        "autosize": True,
        "margin": {"l": 52, "r": 12, "t": 22, "b": 40},
        "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Inter Variable, system-ui, sans-serif", "size": 12, "color": "token:text-2"},
        "hoverlabel": {"bgcolor": "token:surface-2", "font": {"color": "token:text-1"}},
        "hovermode": "closest",
        "dragmode": False,
        "meta": {"description": description},
    }


def _figure(data: list[Figure], layout: Figure) -> Figure:
    return {"data": data, "layout": layout, "config": {"displayModeBar": False, "responsive": True}}
