"""Figures are plain data in token colours, of fixed height; each has a table that says the same."""

import json
from typing import Any

import pytest

from deliberation import charts
from deliberation.charts import RoundEvidence

ROUNDS = [
    RoundEvidence(1, 0.61, 0.0564, 0.137),
    RoundEvidence(2, None, 0.0564, 0.171),
    RoundEvidence(3, -0.2, 0.0564, 0.137),
]
CURVE = [(0.0, 0.54), (0.5, 0.6), (1.0, 0.649), (2.0, 0.727), (3.0, 0.781)]
FIGURES = [
    charts.conviction_figure(ROUNDS, max_rounds=6),
    charts.conviction_figure([], max_rounds=6),
    charts.utility_figure(CURVE, current_round=2, t_opt=5.96),
    charts.utility_figure([], current_round=None, t_opt=0.0),
    charts.conviction_figure([], max_rounds=6, threshold=0.137, empty="no round has closed yet"),
]


def colors(value: Any, *, key: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(colors(item, key=name) for name, item in value.items()))
    if isinstance(value, list):
        return set().union(*(colors(item, key=key) for item in value)) if value else set()
    return {value} if isinstance(value, str) and key.lower().endswith("color") else set()


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_json_with_a_height_and_no_mode_bar(figure: charts.Figure) -> None:
    assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    assert figure["layout"]["height"] > 0
    assert figure["config"]["displayModeBar"] is False
    assert figure["layout"]["showlegend"] is False


@pytest.mark.parametrize("figure", FIGURES)
def test_every_colour_is_a_token_that_the_sheet_knows(figure: charts.Figure, tokens: set[str]) -> None:
    used = colors(figure) - {"rgba(0,0,0,0)"}

    assert all(color.startswith("token:") for color in used)
    assert {color.removeprefix("token:") for color in used} <= tokens


def test_height_does_not_change_while_rounds_close() -> None:
    heights = {charts.conviction_figure(ROUNDS[:n], max_rounds=6)["layout"]["height"] for n in range(4)}

    assert len(heights) == 1


def test_the_threshold_is_a_line_with_its_word() -> None:
    figure = charts.conviction_figure(ROUNDS, max_rounds=6)

    line = next(trace for trace in figure["data"] if trace["name"] == "threshold")
    assert line["y"] == [0.137, 0.137, 0.171, 0.171, 0.137, 0.137]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["threshold"]


def test_before_the_first_round_the_chart_says_so_and_shows_what_is_to_be_reached() -> None:
    figure = charts.conviction_figure([], max_rounds=6, threshold=0.137, empty="no round has closed yet")

    line = next(trace for trace in figure["data"] if trace["name"] == "threshold")
    assert (line["x"], line["y"]) == ([0.5, 6.5], [0.137, 0.137])
    assert [note["text"] for note in figure["layout"]["annotations"]] == [
        "threshold",
        "no round has closed yet",
    ]


def test_without_a_threshold_there_is_no_line_and_no_word() -> None:
    figure = charts.conviction_figure([], max_rounds=1, threshold=None, empty="no round was closed")

    assert [trace["y"] for trace in figure["data"]] == [[], [], []]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["no round was closed"]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1.3, ["0", ".5", "1"]),
        (0, 0.185, ["0", ".05", ".1", ".15"]),
        (0.49, 0.83, [".5", ".6", ".7", ".8"]),
        (0, 0.0135, ["0", ".005", ".01"]),
        (-0.4, 0.2, ["\u2212.4", "\u2212.2", "0", ".2"]),
    ],
)
def test_an_axis_is_written_as_all_other_numbers(low: float, high: float, ticks: list[str]) -> None:
    step = 0.5 if high == 1.3 else None
    axis = charts._ticks(low, high, step=step)

    assert axis["ticktext"] == ticks
    assert len(axis["tickvals"]) == len(ticks)
    assert axis["range"] == [low, high]


def test_an_unknown_conviction_is_left_out_of_the_chart_and_a_dash_in_the_table() -> None:
    bars = charts.conviction_figure(ROUNDS, max_rounds=6)["data"][0]

    assert bars["x"] == [1, 3]
    assert bars["text"] == ["+.61", "\u2212.20"]
    assert charts.conviction_table(ROUNDS).rows[1] == ("2", "-", ".0564", ".1710")


def test_room_below_zero_only_where_it_is_needed() -> None:
    assert charts.conviction_figure(ROUNDS[:2], max_rounds=6)["layout"]["yaxis"]["range"][0] == 0
    assert charts.conviction_figure(ROUNDS, max_rounds=6)["layout"]["yaxis"]["range"][0] < -1


def test_the_utility_curve_marks_now_and_the_optimum() -> None:
    figure = charts.utility_figure(CURVE, current_round=2, t_opt=5.96)

    here = figure["data"][1]
    assert (here["x"], here["y"], here["text"]) == ([2.0], [0.727], ["now"])
    assert figure["layout"]["shapes"][0]["x0"] == 5.96
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["optimum"]


def test_the_utility_table_holds_whole_rounds() -> None:
    table = charts.utility_table(CURVE, current_round=2, t_opt=2.4)

    assert table.rows == (
        ("0", ".540", ""),
        ("1", ".649", ""),
        ("2", ".727", "now"),
        ("3", ".781", "first round past the optimum"),
    )


@pytest.mark.parametrize(
    "table",
    [
        charts.conviction_table(ROUNDS),
        charts.utility_table(CURVE, current_round=2, t_opt=2.4),
    ],
)
def test_a_table_has_a_cell_for_each_header(table: charts.Table) -> None:
    assert table.caption
    assert {len(row) for row in table.rows} == {len(table.headers)}
