"""A question as a title: its formulas are set, money stays money, markup stays text, and it is cut between words."""

import pytest

from deliberation.templatetags.screens import titled


@pytest.mark.parametrize("text", ["Is $2^p-1$ prime?", r"Is \(2^p-1\) prime?", "Is $$2^p-1$$ prime?"])
def test_formulas_are_set(text: str) -> None:
    html = titled(text)
    assert html.startswith("Is <math")
    assert "<msup><mn>2</mn><mi>p</mi></msup>" in html
    assert html.endswith("</math> prime?")


@pytest.mark.parametrize(
    "text",
    [
        "A bat and a ball cost $1.10 in total. The bat costs $1.00 more.",
        "From $5 to $6, or $5-$6",
        "What is 17*23, and _why_?",
        "a lone $ sign, $x and no end",
    ],
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert titled(text) == text


def test_markup_stays_text_inside_and_outside_of_formulas() -> None:
    html = titled("<b>x</b> $<img src=x onerror=alert(1)>$ & more")
    assert html.startswith("&lt;b&gt;x&lt;/b&gt; ")
    assert "<img" not in html
    assert html.endswith(" &amp; more")


def test_a_formula_that_cannot_be_read_is_shown_as_its_source() -> None:
    assert titled("$a^b^c$") == '<code class="formula-source">a^b^c</code>'


def test_a_long_title_is_cut_at_a_word_and_never_within_a_formula() -> None:
    assert titled("one two three", 9) == "one two\u2026"
    assert titled("one $2^{100}$ three", 8) == "one\u2026"
    assert titled("one $x$ three four", 14).endswith("</math> three\u2026")
    assert titled("short", 9) == "short"
    assert titled(None) == ""
