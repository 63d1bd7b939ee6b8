"""The written list of string rules behind the `latex_math` normaliser (protocol.md 4, equivalence classes
[O]).
"""

from __future__ import annotations

import re
import unicodedata

# In this order; each is (pattern, replacement).
RULES: tuple[tuple[str, str], ...] = (
    (r"\\left(?![a-z])|\\right(?![a-z])|\\displaystyle|\\[bB]ig+[lr]?(?![a-z])", ""),  # sizes of brackets
    (r"(?<!\\)\\[,!;:> ]|\\quad|\\qquad|~", ""),  # spaces of LaTeX
    (r"\\[dtc]frac(?![a-z])", r"\\frac"),  # sizes of fractions
    (
        r"\\(?:text|mbox|textrm|mathrm)\s*\{\s*(?:cm|mm|m|km|in|inches|feet|ft|units?|degrees?|dollars|cents)[.\s]*\}(?:\^\{?[23]\}?)?",
        "",
    ),
    (r"\^\{?\\circ\}?|\\degree|°", ""),  # degrees
    (r"\\(?:text|mbox|textbf|textrm|mathrm|mathbf|operatorname)\s*\{([^{}]*)\}", r"\1"),  # fonts
    (r"\{,\}", ","),
    (r"\\%", "%"),
    (r"\\\$|\$|\\\(|\\\)|\\\[|\\\]", ""),  # signs around formulas, and money
    (r"\\cdot(?![a-z])|\\times(?![a-z])", "*"),
    (r"\\le(?![a-z])", r"\\leq"),
    (r"\\ge(?![a-z])", r"\\geq"),
    (r"\\ne(?![a-z])", r"\\neq"),
    (r"\\dots(?![a-z])|\\cdots(?![a-z])", r"\\ldots"),
    (r"\\lbrace", r"\\{"),
    (r"\\rbrace", r"\\}"),
    (r"\s+", ""),
    (r"\\frac(\d)(\d)", r"\\frac{\1}{\2}"),  # \frac12
    (r"\\frac(\d)\{", r"\\frac{\1}{"),
    (r"\\frac\{([^{}]+)\}(\d)", r"\\frac{\1}{\2}"),
    (r"\\sqrt(\w)", r"\\sqrt{\1}"),  # \sqrt2
    (r"\^\{(\w)\}", r"^\1"),  # x^{2}
    (r"_\{(\w)\}", r"_\1"),
    (r"\A(-?)(\w+|\\[a-z]+)/(\w+|\\[a-z]+)\Z", r"\1\\frac{\2}{\3}"),  # \pi/2
    (r"\A(-?)\\frac\{(-?\d+)\}\{(-?\d+)\}\Z", r"\1\2/\3"),  # a fraction of two integers is a number
    (r"\A--", ""),
    (r"\A[A-Za-z](?:\([a-z]\))?=(?=.)", ""),  # x= or f(x)= before the answer
    (r"(?<![\d.])0+(?=\d)", ""),  # leading zeros
    (r"(?<![\d.])\.(?=\d)", "0."),
    (r"(\.\d*?)0+(?!\d)", r"\1"),  # closing zeros of decimals
    (r"\.(?!\d)(?=\W|\Z)", ""),  # 3. and a closing full stop
)


def plain_latex(answer: str) -> str:
    """The answer after the rules, in one spelling; the content of the last \\boxed{} where there is one."""
    text = unicodedata.normalize("NFC", _unboxed(answer.strip())).replace("−", "-").replace("π", r"\pi")
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text


def _unboxed(text: str) -> str:
    start = max(text.rfind(r"\boxed{"), text.rfind(r"\fbox{"))
    if start < 0:
        return text
    begin = text.index("{", start)
    depth = 0
    for position in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return text[begin + 1 : position]
    return text
