"""Whatever a model writes, a screen shows text and the few tags of prose, and nothing of it acts."""

from html.parser import HTMLParser

import pytest

from deliberation.rendering import (
    CLASSES,
    MATH_ATTRIBUTES,
    MATH_TAGS,
    TEXT_TAGS,
    formula_html,
    markdown_html,
    plain_text,
)

ALLOWED_ATTRIBUTES = {"href", "rel", "start", "class", "tabindex"} | MATH_ATTRIBUTES
VOID = {"br", "hr"}

HOSTILE = [
    # raw HTML
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<body onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<math href='javascript:alert(1)'>x</math>",
    "<form action=/sessions/><button>press</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<div style='position:fixed;inset:0'>cover</div>",
    "<div hx-get='/stop' hx-trigger='load'>x</div>",
    "<div data-hx-post='/stop' data-hx-trigger='load'>x</div>",
    "<div ws-connect='/ws/evil'>x</div>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "</div></article><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<script type='application/json' data-figure='tally-plot'>{}</script>",
    # links
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/x)",
    "[x](/sessions/1/stop/)",
    "[x](#tally)",
    "[x](https:evil.example)",
    "[x](http:\\\\evil.example)",
    "[x](https://)",
    "[x](https://[bad)",
    "[x](https://host:99999/)",
    "<javascript:alert(1)>",
    "<mailto:a@b.example>",
    '[x](https://e.example/" onmouseover="alert(1))',
    '[x](https://e.example "title\\" onmouseover=\\"alert(1)")',
    "[x]\n\n[x]: javascript:alert(1)",
    "[![x](javascript:alert(1))](javascript:alert(2))",
    # images
    "![x](https://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    '![" onerror="alert(1)](https://evil.example/x.png)',
    "![<img src=x onerror=alert(1)>](https://evil.example/x.png)",
    # maths
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{<img src=x onerror=alert(1)>}$",
    r"$\text{</mtext></math><script>alert(1)</script>}$",
    r"$\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{position:fixed}{x}$",
    r"$\class{button}{x}$",
    r"$\mathrm{<svg onload=alert(1)>}$",
    r'$\color{red" onclick="alert(1)}x$',
    r'$\hspace{1em" onclick="alert(1)}x$',
    r"$\unicode{<script>}$",
    r"$$\begin{array}{<img src=x>}1\end{array}$$",
    "\\[ \\text{<iframe>} \\]",
    "\\( \\operatorname{<script>} \\)",
    "$<script>alert(1)</script>$",
    "$\\frac{<script>$",
    # code
    "```html\n<script>alert(1)</script>\n```",
    "``` button primary\nx\n```",
    '```"onload=alert(1)\nx\n```',
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    # tables, bytes, nesting
    "| <script> | b |\n|---|--:|\n| <img src=x onerror=alert(1)> | $\\text{<b>}$ |",
    "\x00<script\x00>alert(1)</script>",
    "\ud800<script>alert(1)</script>\udfff",
    "\ufeff<script>alert(1)</script>",
    "\u202e<script>alert(1)</script>",
    "[" * 3000 + "](javascript:alert(1))",
    "> " * 3000 + "<script>",
    "$" + "{" * 900 + "x" + "}" * 900 + "$",
    "- " * 2000 + "<img src=x onerror=alert(1)>",
]


class Page(HTMLParser):
    """Collects what a browser would make of it: elements with their attributes, and the text."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(body)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == "a"]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:40]))
def test_nothing_hostile_survives(text: str) -> None:
    page = Page(markdown_html(text))

    assert page.open == []
    for tag, attributes in page.elements:
        assert tag in TEXT_TAGS | MATH_TAGS
        assert set(attributes) <= ALLOWED_ATTRIBUTES
        assert set((attributes.get("class") or "").split()) <= CLASSES.get(tag, set())
        assert (attributes.get("href") or "https://").startswith(("http://", "https://"))


def test_there_are_enough_hostile_texts() -> None:
    assert len(set(HOSTILE)) >= 60


def test_raw_html_is_shown_as_it_was_written() -> None:
    assert Page(markdown_html("<b>bold</b> & <i>")).text.strip() == "<b>bold</b> & <i>"


@pytest.mark.parametrize(
    ("link", "host"),
    [
        ("[docs](https://example.org/a)", "(example.org)"),
        ("[https://good.example](https://evil.example)", "(evil.example)"),
        ("<https://good.example@evil.example/>", "(evil.example)"),
        ("[x](https://EXAMPLE.org:8443/)", "(example.org:8443)"),
        ("[x](https://ex\u00e4mple.org)", "(xn--exmple-cua.org)"),
        ("[x](https://\u0430pple.example)", "(xn--pple-43d.example)"),
        ("[![chart](https://a.example/c.png)](https://b.example)", "(b.example)"),
    ],
)
def test_a_link_names_the_host_that_it_leads_to(link: str, host: str) -> None:
    page = Page(markdown_html(link))

    assert page.text.strip().endswith(host)
    assert [attributes["rel"] for attributes in page.links()] == ["noopener nofollow"]


def test_an_image_becomes_a_link_that_says_what_it_would_have_shown() -> None:
    page = Page(markdown_html("![a chart](https://example.org/c.png)"))

    assert page.text.strip() == "image: a chart (example.org)"
    assert not [tag for tag, _ in page.elements if tag == "img"]


@pytest.mark.parametrize(
    "text", ["so $x^2$ holds", "so \\(x^2\\) holds", "so $$x^2$$ holds", "so \\[x^2\\] holds"]
)
def test_a_formula_within_a_sentence(text: str) -> None:
    body = markdown_html(text)

    assert body.startswith("<p>so <math")
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in body


@pytest.mark.parametrize(
    "text", ["$$\nx\n+ 1\n- y\n$$", "\\[\nx\n+ 1\n- y\n\\]", "> \\[\n> x\n> + 1\n> - y\n> \\]"]
)
def test_a_displayed_formula_may_have_lines_that_begin_like_a_list(text: str) -> None:
    body = markdown_html(text)

    assert '<div class="formula"><math display="block">' in body
    assert "<ul>" not in body
    assert "&gt;" not in body


def test_less_than_in_a_formula_stays_less_than() -> None:
    assert "<mo>&lt;</mo>" in markdown_html("$a<b$")


def test_prices_are_no_formulas() -> None:
    assert markdown_html("between $5 and $6") == "<p>between $5 and $6</p>\n"


@pytest.mark.parametrize("source", [r"\frac{", r"a_{", r"x^2^3", r"\left(", r"\begin{pmatrix}1", r"\sqrt["])
def test_a_broken_formula_is_shown_as_its_source(source: str) -> None:
    page = Page(formula_html(source, block=False))

    assert page.elements == [("code", {"class": "formula-source"})]
    assert page.text == source


def test_a_formula_too_long_or_too_deep_is_shown_as_its_source() -> None:
    assert "formula-source" in formula_html("x" * 2001, block=True)
    assert "formula-source" in formula_html("{" * 50 + "x" + "}" * 50, block=True)


@pytest.mark.parametrize("width", ["-500em", "9999em", "1e9em"])
def test_a_formula_cannot_reach_over_the_page(width: str) -> None:
    assert width not in formula_html(rf"\hspace{{{width}}}x", block=False)


def test_headings_of_a_text_stand_below_those_of_the_page() -> None:
    body = markdown_html("# One\n\n###### Six")

    assert "<h4>One</h4>" in body
    assert "<h6>Six</h6>" in body


def test_a_table_scrolls_in_its_frame_and_keeps_numbers_to_the_right() -> None:
    body = markdown_html("| a | b |\n|---|--:|\n| x | 1 |")

    assert body.startswith('<div class="scroll"><table>')
    assert '<td class="num">1</td>' in body


def test_code_borrows_no_class_of_the_page_and_can_be_scrolled_by_keyboard() -> None:
    assert markdown_html("```python\nx<1\n```") == '<pre tabindex="0"><code>x&lt;1\n</code></pre>\n'


def test_a_long_text_is_cut_and_says_so() -> None:
    body = markdown_html("word " * 100, max_chars=50)

    assert body.count("word") == 10
    assert "Cut for the screen after 50 of 500 characters." in body


def test_what_cannot_be_shown_is_shown_as_replaced() -> None:
    assert plain_text("a\x00b\ud800c\u202ed\ne\tf") == "a\ufffdb\ufffdc\ufffdd\ne\tf"
