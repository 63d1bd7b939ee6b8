"""Markdown and maths to safe HTML: data in, HTML out.

Everything that a model or a person wrote reaches a screen through `markdown_html`. Several walls: no raw
HTML is parsed; links are http(s) and absolute; MathML is rebuilt element by element; nh3 cleans the whole.
"""

from __future__ import annotations

import html
import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import nh3
from latex2mathml import exceptions as latex
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

Tokens = Sequence[Token]
Env = MutableMapping[str, Any]

# latex2mathml has no common base for its errors and lets built-in ones through, as fuzzing showed.
BROKEN_FORMULA = (
    latex.DenominatorNotFoundError,
    latex.DoubleSubscriptsError,
    latex.DoubleSuperscriptsError,
    latex.ExtraLeftOrMissingRightError,
    latex.InvalidAlignmentError,
    latex.InvalidStyleForGenfracError,
    latex.InvalidWidthError,
    latex.LimitsMustFollowMathOperatorError,
    latex.MissingEndError,
    latex.MissingSuperScriptOrSubscriptError,
    latex.NoAvailableTokensError,
    latex.NumeratorNotFoundError,
    AttributeError,
    LookupError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)

MATH_TAGS = frozenset({
    "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle",
    "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none",
    "mpadded", "mphantom", "menclose", "mtable", "mtr", "mlabeledtr", "mtd",
})  # fmt: skip
MATH_ATTRIBUTES = frozenset({
    "display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form", "separator",
    "largeop", "movablelimits", "accent", "accentunder", "lspace", "rspace", "minsize", "maxsize",
    "width", "height", "depth", "linethickness", "columnalign", "rowalign", "rowspacing",
    "columnspacing", "columnlines", "rowlines", "notation", "symmetric",
})  # fmt: skip
# Words, and lengths under 100 units that reach back less than one: no formula may cover the page around it.
MATH_LENGTH = r"\+?\d{1,2}(?:\.\d{1,6})?[a-z%]{0,4}|-?0?\.\d{1,6}[a-z%]{0,4}"
MATH_VALUE = re.compile(rf"(?:(?:[A-Za-z-]{{1,24}}|{MATH_LENGTH})(?: |\Z)){{1,16}}\Z")
TEXT_TAGS = frozenset({
    "p", "br", "hr", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong",
    "s", "a", "table", "thead", "tbody", "tr", "th", "td", "div", "span",
})  # fmt: skip
CLASSES = {
    "a": {"image-link"},
    "code": {"formula-source"},
    "div": {"scroll", "formula"},
    "p": {"cut"},
    "span": {"host"},
    "td": {"num"},
    "th": {"num"},
}
# Bidirectional overrides and isolates reorder what a reviewer reads: shown as the replacement character.
UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class _TooDeep(ValueError):
    """A formula nested deeper than a screen can hold."""


def markdown_html(text: str, *, max_chars: int = 60_000) -> str:
    """Safe HTML of a Markdown text; no wrapper element. Longer texts are cut for the screen, and say so."""
    shown = UNSHOWABLE.sub("\ufffd", text[:max_chars])
    body = _parser().render(shown)
    if len(text) > max_chars:
        body += f'<p class="cut">Cut for the screen after {max_chars:,} of {len(text):,} characters.</p>'
    return _clean(body)


def plain_text(text: str, *, max_chars: int = 60_000) -> str:
    """The text with what cannot be shown replaced, not escaped: for titles, lists and the raw view."""
    return UNSHOWABLE.sub("\ufffd", text[:max_chars])


def formula_html(source: str, *, block: bool, max_chars: int = 2_000, max_depth: int = 40) -> str:
    """MathML of a TeX formula. One that cannot be read is shown as its source."""
    if len(source) > max_chars:
        return _formula_source(source)
    try:
        root = convert_to_element(source.strip(), display="block" if block else "inline")
    except BROKEN_FORMULA:
        return _formula_source(source)
    try:
        return _mathml(root, depth_left=max_depth)
    except _TooDeep:
        return _formula_source(source)


def _formula_source(source: str) -> str:
    return f'<code class="formula-source">{html.escape(source)}</code>'


def _mathml(element: Element, *, depth_left: int) -> str:
    """One element, written from the allow lists; what is not on them keeps its text and loses its meaning."""
    if depth_left == 0:
        raise _TooDeep("formula is nested too deep")
    inner = _math_text(element.text)
    inner += "".join(_mathml(child, depth_left=depth_left - 1) + _math_text(child.tail) for child in element)
    if element.tag not in MATH_TAGS:
        return inner
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if name in MATH_ATTRIBUTES and MATH_VALUE.match(value)
    )
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"


def _math_text(text: str | None) -> str:
    """The converter leaves entities such as &#x0003C; in its text and escapes nothing: undo, then escape."""
    return html.escape(html.unescape(text or ""), quote=False)


def _clean(body: str) -> str:
    return nh3.clean(
        body,
        tags=set(TEXT_TAGS | MATH_TAGS),
        attributes={"a": {"href"}, "ol": {"start"}, **{tag: set(MATH_ATTRIBUTES) for tag in MATH_TAGS}},
        allowed_classes=CLASSES,
        set_tag_attribute_values={"pre": {"tabindex": "0"}},
        link_rel="noopener nofollow",
        url_schemes={"http", "https"},
    )


@cache
def _parser() -> MarkdownIt:
    return grammar()


def grammar() -> MarkdownIt:
    """What counts as markup here."""
    md = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    dollarmath_plugin(md, allow_space=False, allow_digits=False, double_inline=True)
    md.inline.ruler.before("escape", "bracket_formula", _bracket_inline)
    interrupts = ["paragraph", "blockquote", "list"]
    md.block.ruler.before("fence", "bracket_block", _bracket_block, {"alt": interrupts})
    md.validateLink = _is_web_link  # type: ignore[method-assign]
    rules = {
        "heading_open": _heading, "heading_close": _heading, "image": _image,
        "link_open": _link_open, "link_close": _link_close,
        "fence": _code, "code_block": _code, "table_open": _table_open, "table_close": _table_close,
        "th_open": _cell_open, "td_open": _cell_open,
        "math_inline": _inline_formula, "math_inline_double": _block_formula,
        "math_block": _block_formula, "math_block_label": _block_formula, "math_block_eqno": _block_formula,
    }  # fmt: skip
    for name, rule in rules.items():
        md.add_render_rule(name, rule)
    return md


def _bracket_inline(state: StateInline, silent: bool, *, reach: int = 2_000) -> bool:
    r"""`\( ... \)` and, within a sentence, `\[ ... \]`.

    mdit_py_plugins' texmath scans to the end of the text from every opening bracket (8 s for 60,000
    characters); this rule looks `reach` characters ahead."""
    closing = {"\\(": "\\)", "\\[": "\\]"}.get(state.src[state.pos : state.pos + 2])
    end = state.src.find(closing, state.pos + 2, min(state.pos + reach, state.posMax)) if closing else -1
    if end < 0 or not state.src[state.pos + 2 : end].strip():
        return False
    if not silent:
        token = state.push("math_inline" if closing == "\\)" else "math_inline_double", "math", 0)
        token.content = state.src[state.pos + 2 : end]
    state.pos = end + 2
    return True


def _bracket_block(state: StateBlock, start: int, end: int, silent: bool, *, reach: int = 2_000) -> bool:
    r"""`\[` at the start of a line up to `\]` at the end of one: a formula's lines may begin like a list."""
    first = state.bMarks[start] + state.tShift[start]
    if state.src[first : first + 2] != "\\[" or state.is_code_block(start):
        return False
    close = state.src.find("\\]", first + 2, min(first + reach, state.eMarks[end - 1]))
    last = next((line for line in range(start, end) if state.eMarks[line] > close), end) if close > 0 else end
    if last == end or state.src[close + 2 : state.eMarks[last]].strip():
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        lines = state.getLines(start, last + 1, state.blkIndent, False).strip()
        token.block, token.map, token.content = True, [start, last + 1], lines[2:-2]
    state.line = last + 1
    return True


def _is_web_link(url: str) -> bool:
    return _host(url) is not None


def _host(url: str) -> str | None:
    """The host that a browser would ask, in ASCII, so that look-alike letters show; None if there is none."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "\\" in url:
        return None
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return f"{ascii_host}:{port}" if port else ascii_host


def _link_open(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    url = str(tokens[index].attrGet("href") or "")
    env["host"] = _host(url)
    return f'<a href="{html.escape(url)}">'


def _link_close(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    return f'</a> <span class="host">({html.escape(env.pop("host", None) or "no host")})</span>'


def _image(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    """Nothing is loaded from outside: an image becomes a link that says what it would have shown."""
    url = str(tokens[index].attrGet("src") or "")
    words = html.escape(f"image: {tokens[index].content or 'no description'}")
    if "host" in env:  # inside a link already
        return words
    host = html.escape(_host(url) or "no host")
    return f'<a class="image-link" href="{html.escape(url)}">{words}</a> <span class="host">({host})</span>'


def _heading(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    """h1 to h3 belong to the page; a text's own headings start at h4."""
    token = tokens[index]
    level = min(int(token.tag[1]) + 3, 6)
    return f"<h{level}>" if token.nesting == 1 else f"</h{level}>\n"


def _code(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    """Code without the class that a text could name: none of the page's own classes can be borrowed."""
    return f"<pre><code>{html.escape(tokens[index].content, quote=False)}</code></pre>\n"


def _table_open(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    return '<div class="scroll"><table>\n'


def _table_close(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    return "</table></div>\n"


def _cell_open(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    right = tokens[index].attrGet("style") == "text-align:right"
    return f'<{tokens[index].tag} class="num">' if right else f"<{tokens[index].tag}>"


def _inline_formula(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    return formula_html(tokens[index].content, block=False)


def _block_formula(self: RendererHTML, tokens: Tokens, index: int, options: object, env: Env) -> str:
    """A displayed formula; one inside a sentence stays a phrase, since a paragraph cannot hold a block."""
    formula = formula_html(tokens[index].content, block=True)
    within = tokens[index].type == "math_inline_double"
    return formula if within else f'<div class="formula">{formula}</div>\n'
