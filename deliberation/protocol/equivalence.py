"""Which final answers are the same answer (protocol.md 4, equivalence classes [O]).

A normaliser turns a `final_answer` into a key; equal keys are one class. None means that the normaliser
cannot read it: the proposal is then a class of its own. Each normaliser is a written rule; none guesses.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from deliberation.protocol.latex import plain_latex
from deliberation.protocol.types import AnswerClass, Proposal

Normaliser = Callable[[str], str | None]

# A number with a longer text or exponent than this is not an answer but an attack on the arithmetic.
LONGEST_NUMBER = 200
LARGEST_EXPONENT = 400


def normalise(kind: str, answer: str | None) -> str | None:
    """The key of `answer` under the normaliser `kind`; None for a null, empty or unreadable answer."""
    if answer is None or not answer.strip():
        return None
    return NORMALISERS[kind](answer)


def classes_of(proposals: Iterable[Proposal], *, kind: str) -> tuple[AnswerClass, ...]:
    """The answer classes, ordered by their smallest member; a proposal whose answer has no key is alone."""
    by_key: dict[object, list[int]] = {}
    for proposal in sorted(proposals, key=lambda each: each.id):
        key = normalise(kind, proposal.final_answer)
        by_key.setdefault(("alone", proposal.id) if key is None else key, []).append(proposal.id)
    return tuple(
        AnswerClass(key if isinstance(key, str) else None, tuple(ids)) for key, ids in by_key.items()
    )


def exact(answer: str) -> str:
    """The text itself: Unicode NFC, white space at the ends cut and inside collapsed; case and punctuation
    count.
    """
    return " ".join(unicodedata.normalize("NFC", answer).split())


def number(answer: str) -> str | None:
    """The rational number that the whole text writes: 391, 391.0, 3.91e2, 1,234, 1/2, 50 %, $12, x = 5, a
    Unicode minus or fraction. Powers, mixed numbers and units are unreadable: they are never guessed at.
    """
    if _JOINED.search(answer) or len(answer) > LONGEST_NUMBER:
        return None
    text = unicodedata.normalize("NFKC", answer).translate(_SIGNS).strip()
    text = re.sub(r"\A(?:[A-Za-z]\s*)?=\s*", "", text).strip("$€£ ").rstrip(".")
    value = _rational(re.sub(r"\s*([-+*/%^$])\s*", r"\1", text).replace("$", ""))
    return None if value is None else str(value)


def latex_math(answer: str) -> str | None:
    """A mathematical answer: the string rules of latex.py, then its value where what is left is a plain
    number.
    """
    text = plain_latex(answer)
    return number(text) or text or None


def choice(answer: str) -> str | None:
    """The letter of a multiple choice: B, (b), B., B) because, Answer: B, option b, \\boxed{B}; a bare word
    is not a choice.
    """
    text = re.sub(r"\\(?:boxed|text|mathrm|textbf)\s*|[{}$*_`]", "", answer).strip()
    found = _CHOICE.fullmatch(text)
    return (found["letter"] or found["marked"]).upper() if found else None


def json_value(answer: str) -> str | None:
    """The JSON value: keys sorted, no white space, 1 and 1.0 the same number; NaN and duplicate keys are
    unreadable.
    """
    try:
        value = json.loads(
            answer,
            parse_float=_json_number,
            parse_int=_json_number,
            parse_constant=_refuse,
            object_pairs_hook=_unique_keys,
        )
        return json.dumps(_tagged(value), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None


def none(_: str) -> None:
    """Every proposal is its own class (open tasks)."""


NORMALISERS: Mapping[str, Normaliser] = MappingProxyType(
    {
        "exact": exact,
        "number": number,
        "latex_math": latex_math,
        "choice": choice,
        "json": json_value,
        "none": none,
    }
)

# A digit before a vulgar fraction, and raised or lowered digits: NFKC would glue them to the number.
_JOINED = re.compile(r"\d\s*[\u00bc-\u00be\u2150-\u215e]|[\u00b2\u00b3\u00b9\u2070-\u209c]")
_SIGNS = str.maketrans({"−": "-", "–": "-", "⁄": "/", "×": "*", "\u00a0": " ", "\u202f": " "})
_DECIMAL = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)"
    r"(?:(?:[eE]|\*10\^)\{?(?P<exponent>[+-]?\d{1,6})\}?)?"
)
_CHOICE = re.compile(
    r"(?:(?:the\s+)?(?:final\s+)?(?:correct\s+)?(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*)?"
    r"(?:\(?(?P<letter>[A-Z])\)?[.):]?|\(?(?P<marked>[A-Z])(?:[.):]\s*|\s+[-–—]\s+)\S.*)",
    re.IGNORECASE | re.DOTALL,
)


def _rational(text: str) -> Fraction | None:
    percent = text.endswith("%")
    parts = [_decimal(part) for part in text.removesuffix("%").removesuffix("\\").split("/")]
    if any(part is None for part in parts) or len(parts) > 2:
        return None
    top, bottom = parts[0], parts[1] if len(parts) == 2 else Fraction(1)
    if top is None or not bottom:
        return None
    return top / bottom / (100 if percent else 1)


def _decimal(text: str) -> Fraction | None:
    found = _DECIMAL.fullmatch(text)
    if not found or abs(int(found["exponent"] or 0)) > LARGEST_EXPONENT:
        return None
    digits = found["digits"].replace(",", "").rstrip(".")
    value = Fraction(digits) * Fraction(10) ** int(found["exponent"] or 0)
    return -value if found["sign"] == "-" else value


def _json_number(token: str) -> Fraction:
    value = _decimal(token) if len(token) <= LONGEST_NUMBER else None
    if value is None:
        raise ValueError(token)
    return value


def _tagged(value: Any) -> Any:
    """Numbers and strings told apart: 1 and "1" stay different once numbers are written as fractions."""
    if isinstance(value, Fraction):
        return f"n{value}"
    if isinstance(value, str):
        return f"s{value}"
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    return {key: _tagged(item) for key, item in value.items()} if isinstance(value, dict) else value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
