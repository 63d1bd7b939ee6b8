"""The tornado is a figure like the others: token colours, a height that stays, and a table that says the same."""

import pytest

from deliberation.charts_what_if import Bar, tornado_figure, tornado_table
from tests.look.test_charts import colors

BARS = [Bar("C", -0.2, -0.251, "D wins"), Bar("A", 0.1, 0.103, None), Bar("E", -0.02, None, None)]


def test_every_colour_is_a_token_that_the_sheet_knows(tokens: set[str]) -> None:
    used = colors(tornado_figure(BARS, winner="B", rows=5, empty="")) - {"rgba(0,0,0,0)"}
    assert {color.removeprefix("token:") for color in used} <= tokens
    assert all(color.startswith("token:") for color in used)


def test_the_widest_bar_is_on_top_and_a_flip_has_its_sign() -> None:
    trace = tornado_figure(BARS, winner="B", rows=5, empty="")["data"][0]
    assert trace["y"] == ["E", "A", "C"]
    assert trace["x"] == [0.0, 0.103, -0.251]
    assert trace["text"] == ["-", "+.103", "−.251 ≠"]  # an unknown lead is no 0


def test_where_nobody_is_there_to_lead_it_is_the_support_and_the_axis_says_so() -> None:
    alone = [Bar("A", -0.1, None, None), Bar("B", 0.0, None, None), Bar("C", None, None, "nobody wins")]
    figure = tornado_figure(alone, winner="D", rows=3, empty="")
    assert figure["data"][0]["text"] == ["- ≠", "0", "−.100"]
    assert figure["layout"]["xaxis"]["title"]["text"] == "change of D's net support without the ballot"
    led = tornado_figure(BARS, winner="B", rows=3, empty="")
    assert led["layout"]["xaxis"]["title"]["text"] == "change of B's lead without the ballot"


@pytest.mark.parametrize("length", [1e-6, 0.003, 0.05, 0.7, 1.9])
def test_zero_is_in_the_middle_of_the_ticks(length: float) -> None:
    axis = tornado_figure([Bar("A", length, length, None)], winner="B", rows=1, empty="")["layout"]["xaxis"]
    low, high = axis["range"]
    assert low == -high and high > length
    assert axis["tickvals"] == [-each for each in reversed(axis["tickvals"])] and len(axis["tickvals"]) >= 3
    assert all(low <= each <= high for each in axis["tickvals"])


def test_the_height_is_that_of_the_rows_whatever_is_struck() -> None:
    heights = {tornado_figure(BARS[:n], winner="B", rows=5, empty="x")["layout"]["height"] for n in range(4)}
    assert len(heights) == 1


def test_without_bars_it_says_why() -> None:
    figure = tornado_figure([], winner="", rows=3, empty="nobody wins")
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["nobody wins"]


def test_the_table_says_who_wins() -> None:
    table = tornado_table(BARS, winner="B")
    assert table.rows[0] == ("C", "−.200", "−.251", "D wins")
    assert table.rows[2] == ("E", "−.020", "-", "no change")
