"""Charts: data in, Plotly figure out, as plain dicts; and the same data as a table.

A colour is written `token:NAME` and stands for the custom property `--NAME` of static/css/tokens.css: the
page puts the theme's value in (static/js/charts.js), so that one pushed part serves light and dark. Heights
are fixed: an update never moves the page. Labels are seat letters: Plotly would read markup in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class NetSupport:
    """One proposal in a tally. net_support in [-1, 1], None where nobody weighed it."""

    label: str
    net_support: float | None
    winner: bool = False
    vetoed: bool = False


def conviction_figure(rounds: Sequence[RoundEvidence], *, max_rounds: int) -> Figure:
    """Above: conviction of each round. Below: evidence gathered so far against the threshold that stops."""
    numbers = [r.number for r in rounds]
    layout = _layout(height=280, description="Conviction and evidence per round")
    layout["xaxis"] = _axis(title="round", dtick=1, range=[0.5, max_rounds + 0.5], anchor="y2")
    layout["yaxis"] = _axis(title="conviction", range=_conviction_range(rounds), domain=[0.58, 1], dtick=0.5)
    layout["yaxis2"] = _axis(title="evidence", range=[0, _evidence_top(rounds)], domain=[0, 0.42], nticks=4)
    layout["annotations"] = _threshold_word(rounds)
    return _figure(
        [
            _conviction_trace(rounds),
            _line(numbers, [r.evidence for r in rounds], name="evidence", color="token:accent", yaxis="y2"),
            _threshold_trace(rounds),
        ],
        layout,
    )


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


def utility_figure(points: Curve, *, current_round: int | None, t_opt: float) -> Figure:
    """The efficiency-fatigue curve U(t) with its optimum and where the session is."""
    layout = _layout(height=220, description="Expected utility over rounds")
    layout["xaxis"] = _axis(title="round", dtick=1, range=[-0.1, points[-1][0] + 0.1] if points else [0, 1])
    layout["yaxis"] = _axis(title="expected utility", range=_padded([u for _, u in points]), nticks=5)
    if points:
        layout["shapes"] = [_upright(t_opt, color="token:chart-line", dash="dot")]
        layout["annotations"] = [_note(t_opt, "optimum", y=1, yref="paper", yanchor="bottom")]
    ts, us = [t for t, _ in points], [u for _, u in points]
    traces = [_line(ts, us, name="U(t)", color="token:accent", mode="lines")]
    here = [(t, u) for t, u in points if t == current_round]
    if here:
        traces.append(_here_trace(here[0]))
    return _figure(traces, layout)


def utility_table(points: Curve, *, current_round: int | None, t_opt: float) -> Table:
    """The curve at whole rounds, with what each of them is."""
    rows = tuple(
        (f"{t:.0f}", formats.number(u, digits=3), _round_note(t, current_round=current_round, t_opt=t_opt))
        for t, u in points
        if t == int(t)
    )
    return Table(f"Expected utility, optimum at round {formats.number(t_opt)}", ("Round", "U", ""), rows)


def tally_figure(bars: Sequence[NetSupport]) -> Figure:
    """Net support around 0, one bar for each proposal in the order given, each with its signed number."""
    layout = _layout(height=52 + 32 * max(len(bars), 1), description="Net support per proposal")
    layout["xaxis"] = _axis(range=[-1.35, 1.35], tickvals=[-1, 0, 1], ticktext=["against", "0", "in favour"])
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": "token:chart-line", "zerolinewidth": 1}
    layout["yaxis"] = _axis(type="category", autorange="reversed", showgrid=False)
    layout["margin"] |= {"l": 28, "t": 4}
    layout["bargap"] = 0.42
    return _figure([_support_trace(bars)] if bars else [], layout)


def tally_table(bars: Sequence[NetSupport]) -> Table:
    rows = tuple((bar.label, formats.signed(bar.net_support), _bar_note(bar)) for bar in bars)
    return Table("Net support per proposal", ("Proposal", "Net support", ""), rows)


def _support_trace(bars: Sequence[NetSupport]) -> Figure:
    values = [bar.net_support for bar in bars]
    return {
        "type": "bar",
        "orientation": "h",
        "x": [value or 0 for value in values],
        "y": [bar.label for bar in bars],
        "text": [_bar_text(bar) for bar in bars],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"color": "token:text-1", "size": 13},
        "marker": {
            "color": [_bar_color(bar) for bar in bars],
            "pattern": {"shape": ["/" if bar.vetoed else "" for bar in bars], "size": 6},
        },
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }


def _bar_color(bar: NetSupport) -> str:
    return _sign_color(0 if bar.vetoed else bar.net_support or 0)


def _bar_text(bar: NetSupport) -> str:
    """The number; the winner's in bold, a struck one crossed out (Plotly reads these two tags)."""
    words = formats.signed(bar.net_support)
    if bar.vetoed:
        return f"<s>{words}</s>"
    return f"<b>{words}</b>" if bar.winner else words


def _bar_note(bar: NetSupport) -> str:
    if bar.vetoed:
        return "struck"
    if bar.net_support is None:
        return "nobody weighed it"
    return "winner" if bar.winner else ""


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


def _threshold_trace(rounds: Sequence[RoundEvidence]) -> Figure:
    """The threshold moves with the coverage of each round, so it is a step, half a round to each side."""
    known = [(r.number, r.threshold) for r in rounds if r.threshold is not None]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for number, _ in known for x in (number - 0.5, number + 0.5)],
        "y": [threshold for _, threshold in known for _ in range(2)],
        "yaxis": "y2",
        "name": "threshold",
        "line": {"color": "token:chart-threshold", "width": 2, "dash": "dash"},
        "hovertemplate": "threshold %{y:.4f}<extra></extra>",
    }


def _threshold_word(rounds: Sequence[RoundEvidence]) -> list[Figure]:
    known = [(r.number, r.threshold) for r in rounds if r.threshold is not None]
    if not known:
        return []
    number, threshold = known[-1]
    word = _note(number + 0.5, "threshold", y=threshold, yref="y2", yanchor="bottom", xanchor="right")
    return [word | {"font": {"color": "token:chart-threshold", "size": 12}}]


def _evidence_top(rounds: Sequence[RoundEvidence]) -> float:
    return max([0.01, *(r.evidence for r in rounds), *(r.threshold or 0 for r in rounds)]) * 1.35


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
        "hovertemplate": "round %{x}: U %{y:.3f}<extra></extra>",
    }


def _round_note(t: float, *, current_round: int | None, t_opt: float) -> str:
    words = ["now"] if t == current_round else []
    if t >= t_opt and t - 1 < t_opt:
        words.append("first round past the optimum" if t > t_opt else "optimum")
    return ", ".join(words)


def _line(xs: Sequence[float], ys: Sequence[float], *, name: str, color: str, **more: Any) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(xs),
        "y": list(ys),
        "name": name,
        "line": {"color": color, "width": 2},
        "marker": {"size": 7, "color": color},
        "hovertemplate": f"round %{{x}}: {name} %{{y:.4f}}<extra></extra>",
        **more,
    }


def _upright(x: float, *, color: str, dash: str) -> Figure:
    line = {"color": color, "width": 1, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _note(x: float, text: str, **more: Any) -> Figure:
    font = {"color": "token:text-2", "size": 12}
    return {"x": x, "text": text, "showarrow": False, "font": font, **more}


def _padded(values: Sequence[float]) -> list[float]:
    if not values:
        return [0, 1]
    margin = max(max(values) - min(values), 0.05) * 0.18
    return [min(values) - margin, max(values) + margin]


def _axis(*, title: str = "", **more: Any) -> Figure:
    return {
        "title": {"text": title, "font": {"color": "token:text-2", "size": 12}, "standoff": 8},
        "gridcolor": "token:chart-grid",
        "zeroline": False,
        "fixedrange": True,
        "automargin": False,
        "tickfont": {"color": "token:text-2", "size": 12},
        **more,
    }


def _layout(*, height: int, description: str) -> Figure:
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
