"""Numbers, times and marks as the screens write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.template import engines

from deliberation import formats
from deliberation.selectors import words as room_words
from deliberation.templatetags import screens

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def render(source: str, **context: Any) -> str:
    return engines["django"].from_string("{% load screens %}" + source).render(context)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.54, "+.54"), (-0.314, "\u2212.31"), (0, "0"), (0.004, "0"), (-0.004, "0"), (1, "+1.00"),
     (12.5, "+12.50"), (-0.999, "\u22121.00"), (None, "-")],
)  # fmt: skip
def test_signed(value: float | None, words: str) -> None:
    assert formats.signed(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.31, ".31"), (-0.31, "\u2212.31"), (0, ".00"), (3, "3.00"), (None, "-")]
)
def test_number(value: float | None, words: str) -> None:
    assert formats.number(value) == words


@pytest.mark.parametrize(
    ("usd", "words"),
    [(None, "-"), (0, "$0.00"), (0.18, "$0.18"), (0.0042, "$0.0042"), (0.0000123, "$0.000012"),
     (0.00999, "$0.0100"), (1204.5, "$1,204.50")],
)  # fmt: skip
def test_money(usd: float | None, words: str) -> None:
    assert formats.money(usd) == words


@pytest.mark.parametrize(
    ("usd", "words"),
    [(None, "-"), (0.3307216, "$0.3308"), (0.05, "$0.05"), (0.1 + 0.2, "$0.3001"), (1204.5, "$1,204.50"),
     (0.00001, "$0.0001")],
)  # fmt: skip
def test_an_amount_that_is_enough(usd: float | None, words: str) -> None:
    assert formats.money_up(usd) == words


@pytest.mark.parametrize(
    ("usd", "simulated", "words"),
    [
        (0, True, "none (simulated)"),
        (0.0, False, "$0.00"),
        (None, True, "-"),
        (None, False, "-"),
        (0.18, True, "$0.18"),
    ],
)
def test_only_calls_of_simulated_experts_cost_nothing_in_words(
    usd: float | None, simulated: bool, words: str
) -> None:
    assert formats.cost(usd, simulated=simulated) == words
    assert render("{{ usd|cost:simulated }}", usd=usd, simulated=simulated) == words


def test_in_a_narrow_column_no_cost_is_one_word() -> None:
    assert render("{{ 0|brief_cost:True }} {{ 0|brief_cost:False }}") == "none $0.00"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (0.5, ".5"), (1, "1"), (-0.25, "\u2212.25"), (0.3000000004, ".3"), (12.5, "12.5")],
)
def test_tick(value: float, words: str) -> None:
    assert formats.tick(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0, "0.0 s"), (0.42, "0.4 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1:00"),
     (192, "3:12"), (3729, "1:02:09"), (-3, "0.0 s")],
)  # fmt: skip
def test_duration(seconds: float | None, words: str) -> None:
    assert formats.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "step"),
    [(None, "unknown"), (0, "neutral"), (0.004, "neutral"), (0.01, "favour-1"), (0.25, "favour-1"),
     (0.26, "favour-2"), (1, "favour-4"), (-1, "against-4"), (-0.5, "against-2")],
)  # fmt: skip
def test_tone(value: float | None, step: str) -> None:
    assert formats.tone(value) == step


def test_unknown_is_a_dash_and_nothing_is_not_unknown() -> None:
    assert (
        render("{{ a|known }} {{ b|known }} {{ c|known }} {{ d|money }}", a=None, b="", c=0, d=None)
        == "- - 0 -"
    )
    assert formats.count(None) == formats.percent(None) == "-"
    assert (formats.count(12480), formats.percent(0.8)) == ("12,480", "80 %")


def test_a_unit_is_dimmed_and_left_out_where_the_number_is_unknown() -> None:
    assert (
        render("{{ 12480|amount:'tokens' }}")
        == '<span class="n">12,480 <span class="unit">tokens</span></span>'
    )
    assert render("{{ none|amount:'tokens' }}", none=None) == '<span class="n">-</span>'


@pytest.mark.parametrize(
    ("text", "is_long"),
    [(None, False), ("x" * 900, False), ("x" * 901, True), ("- x\n" * 15, False), ("- x\n" * 16, True)],
)
def test_a_text_is_long_by_its_characters_or_by_its_lines(text: str | None, is_long: bool) -> None:
    assert screens.is_long(text) is is_long


def test_markdown_stands_in_a_wrapper_that_htmx_leaves_alone() -> None:
    body = render("{{ text|markdown }}", text="**yes** <script>x</script>")

    assert body.startswith('<div class="prose" hx-disable><p><strong>yes</strong> &lt;script&gt;')


@pytest.mark.parametrize(("seat", "mark"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (None, "-")])
def test_a_seat_has_a_letter(seat: int | None, mark: str) -> None:
    assert screens.letter(seat) == mark


def test_a_mark_is_a_shape_and_a_letter_and_has_a_name() -> None:
    first, second, person = (
        render("{% mark s k %}", s=s, k=k) for s, k in [(1, "model"), (2, "model"), (1, "human")]
    )

    assert 'aria-label="agent A"' in first
    assert "circle" in first
    assert "rect" in second
    assert 'class="mark mark-human"' in person
    assert 'aria-label="person A"' in person


def test_names_in_marks_and_icons_are_escaped() -> None:
    assert '"><script>' not in render("{% mark 1 'model' name=n %}{% icon 'x' n %}", n='"><script>')


def test_an_icon_beside_a_word_is_decoration_and_alone_it_has_a_name() -> None:
    assert 'aria-hidden="true"' in render("{% icon 'pause' %}")
    assert 'role="img" aria-label="Pause"' in render("{% icon 'pause' 'Pause' %}")


def test_a_bar_reaches_from_zero_to_its_value() -> None:
    assert 'class="positive" x="0" y=".1" width="0.5"' in render("{% support_bar v %}", v=0.5)
    assert 'class="negative" x="-0.3" y=".1" width="0.3"' in render("{% support_bar v %}", v=-0.3)
    assert 'width="0"' in render("{% support_bar v %}", v=None)


def test_a_spark_line_leaves_unknown_values_out() -> None:
    assert 'aria-label="+.20, +.60"' in render("{% spark v %}", v=[0.2, None, 0.6])
    assert render("{% spark v %}", v=[None]) == "-"


def test_times_carry_what_the_page_counts_from() -> None:
    left = render("{% deadline due now %}", due=NOON + timedelta(seconds=192), now=NOON)
    late = render("{% deadline due now %}", due=NOON - timedelta(seconds=5), now=NOON)

    assert f'data-due="{int(NOON.timestamp() * 1000) + 192_000}">3:12 left<' in left
    assert ">0.0 s left<" in late
    assert render("{% deadline due %}", due=None) == "-"
    assert f'data-since="{int(NOON.timestamp() * 1000)}"' in render("{% since start %}", start=NOON)
    assert render("{% since start end %}", start=NOON, end=NOON + timedelta(minutes=2)) == "<span>2:00</span>"


@pytest.mark.parametrize(
    ("pivotal", "said"),
    [((3,), "Without the ballot of C"), ((4, 6), "Without any one of the ballots of D and F")],
)
def test_each_pivotal_ballot_alone_is_enough(pivotal: tuple[int, ...], said: str) -> None:
    assert room_words.without(pivotal) == said
