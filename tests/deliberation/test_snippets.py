"""The words around a match: plain text, whatever markup they stand in."""

import re

import pytest

from deliberation.selectors import snippets

LONG = "Some *words* in between. " * 400


def shown(text: str, word: str = "fox") -> str:
    """The snippet around the word, with what matched in brackets."""
    pieces = snippets.snippet(text, re.compile(rf"\b{word}\b"))
    return "".join(f"[{each.text}]" if each.marked else each.text for each in pieces)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The **quick** `brown` fox", "The quick brown [fox]"),
        ("## On the _fox_\n\nIt runs.", "On the [fox] It runs."),
        ("- a ~~dog~~\n- a fox", "a dog a [fox]"),
        ("> 1. a [fox](https://example.org/x) &amp; \\*more\\*", "a [fox] & *more*"),
        (
            "a ![sly fox](https://example.org/x.png)\nand [more][1]\n\n[1]: https://x.org",
            "a sly [fox] and more",
        ),
        ("| fox | n |\n|---|--:|\n| *a* | 1 |", "[fox] n a 1"),
        ("fox:\n\n```python\na = b*c*d\n```", "[fox]: a = b*c*d"),
        ("fox $2^p-1$ and \\(x_1\\)\n\n$$\nE = mc^2\n$$", "[fox] 2^p-1 and x_1 E = mc^2"),
        ("<b>fox</b> 2*3 or 2 * 3 * 4, snake_case_name", "<b>[fox]</b> 2*3 or 2 * 3 * 4, snake_case_name"),
    ],
)
def test_markup_is_gone_and_what_it_marks_stays(text: str, plain: str) -> None:
    assert shown(text) == plain


def test_what_is_no_markdown_stays_as_it_is_written() -> None:
    pieces = snippets.snippet("a*b*c\nand a `fox`", re.compile("fox"), is_markdown=False)
    assert [each.text for each in pieces] == ["a*b*c and a `", "fox", "`"]


def test_a_match_deep_in_a_long_text_is_cut_on_both_sides() -> None:
    text = shown(f"{LONG}\n\nThe **quick** fox.\n\n{LONG}")
    assert text.startswith("\u2026") and text.endswith("\u2026")
    assert "The quick [fox]. Some words" in text
    assert len(text) < 160


def test_a_text_that_is_one_long_line_is_cut_too() -> None:
    text = shown(f"{LONG}The **quick** fox. {LONG}")
    assert text.startswith("\u2026") and text.endswith("\u2026")
    assert "The quick [fox]. Some words" in text


def test_the_place_with_most_of_the_words_is_shown() -> None:
    text = f"A *fox*.\n\n{LONG}\n\nA `dog` and a fox."
    assert "A [dog] and a [fox]." in shown(text, "(?:fox|dog)")


def test_without_a_match_the_beginning_is_shown() -> None:
    assert shown("# **All** of it", "nowhere") == "All of it"
    assert shown(f"# Begin\n\n{LONG}", "nowhere").startswith("Begin Some words")
    assert snippets.snippet("", None) == ()
