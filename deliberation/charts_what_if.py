"""The tornado of leave-one-out influence: a figure in the manner of charts.py, and the same data as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

from deliberation import formats
from deliberation.charts import Figure, Table, note, plain_axis, plain_layout

ROW_PX = 30


@dataclass(frozen=True)
class Bar:
    """What changes without one ballot, in units of net support. None: there is none then. flips: who wins then."""

    letter: str
    support: float | None
    lead: float | None
    flips: str | None


def _measure(bars: Sequence[Bar]) -> str:
    """What the bars are of: the lead, or the support where no bar has a lead, as nobody is there to lead."""
    return "lead" if any(each.lead is not None for each in bars) else "support"


def _lengths(bars: Sequence[Bar]) -> list[float | None]:
    return [getattr(each, _measure(bars)) for each in bars]


def tornado_figure(bars: Sequence[Bar], *, winner: str, rows: int, empty: str) -> Figure:
    """The widest bar on top. `rows`: for how many ballots there is room, so that the height stays as it is."""
    reach = max((abs(each) for each in _lengths(bars) if each is not None), default=0.0) * 2.0 or 1.0
    shown = list(reversed(bars))
    words = {"lead": f"change of {winner}'s lead", "support": f"change of {winner}'s net support"}[
        _measure(bars)
    ]
    return {
        "data": [_trace(shown)],
        "layout": _layout(reach, words=f"{words} without the ballot", rows=rows, empty="" if bars else empty),
        "config": {"displayModeBar": False, "responsive": True},
    }


def tornado_table(bars: Sequence[Bar], *, winner: str) -> Table:
    rows = tuple(
        (
            each.letter,
            formats.signed(each.support, digits=3),
            formats.signed(each.lead, digits=3),
            each.flips or "no change",
        )
        for each in bars
    )
    caption = f"What {winner} gains or loses without one ballot"
    return Table(caption, ("Without", "Net support", "Lead", "Who wins"), rows)


def _trace(bars: Sequence[Bar]) -> Figure:
    lengths = _lengths(bars)
    marks = [" ≠" if each.flips else "" for each in bars]
    texts = [formats.signed(each, digits=3) + mark for each, mark in zip(lengths, marks, strict=True)]
    return {
        "type": "bar",
        "orientation": "h",
        "x": [each or 0.0 for each in lengths],  # an unknown one has no length, and "-" beside it
        "y": [each.letter for each in bars],
        "width": 0.62,
        "name": "without",
        "text": texts,
        "textposition": "outside",
        "constraintext": "none",
        "cliponaxis": False,
        "textfont": {"color": "token:text-1", "size": 12},
        "marker": {"color": [_color(each or 0.0) for each in lengths]},
        "hovertemplate": "without %{y}: %{text}<extra></extra>",
    }


def _color(value: float) -> str:
    if not value:
        return "token:chart-neutral"
    return "token:chart-favour" if value > 0 else "token:chart-against"


def _layout(reach: float, *, words: str, rows: int, empty: str) -> Figure:
    layout = plain_layout(height=70 + ROW_PX * max(rows, 3), description="Leave-one-out influence")
    ticks = _ticks(reach)
    text = [formats.tick(each) for each in ticks]
    line = {"color": "token:chart-line", "width": 1}
    return layout | {
        "margin": {"l": 34, "r": 12, "t": 8, "b": 40},
        "xaxis": plain_axis(title=words, range=[-reach, reach], tickvals=ticks, ticktext=text),
        "yaxis": {"type": "category", "fixedrange": True, "tickfont": {"color": "token:text-1", "size": 12}},
        "shapes": [{"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "line": line}],
        "annotations": [note(0.5, empty, y=0.5, xref="paper", yref="paper")] if empty else [],
    }


def _ticks(reach: float) -> list[float]:
    """Five round numbers around 0."""
    power = 10 ** floor(log10(reach / 2))
    step = max(power * digit for digit in (1, 2, 5) if power * digit <= reach / 2)
    return [step * n for n in (-2, -1, 0, 1, 2) if abs(step * n) < reach]
