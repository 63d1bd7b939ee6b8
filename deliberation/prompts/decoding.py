"""JSON text to values, strictly or with damage that has only one reading. Linear time, bounded depth."""

import json
import re
from collections import Counter
from dataclasses import dataclass

from deliberation.prompts.fields import Record

STRING = r'"(?:[^"\\]++|\\.)*+(?P<end>"?)'
BRACKET = re.compile(STRING + r"|[\[\]{}]", re.DOTALL)
MARK = re.compile(STRING + r"|[\[\]{},]", re.DOTALL)
LOOSE = re.compile(STRING + r"|,(?=\s*[}\]])|\b(?:None|True|False)\b", re.DOTALL)
TIGHT = {",": "", "None": "null", "True": "true", "False": "false"}
ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
CUT_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u[0-9a-fA-F]{0,3})?$")
CUT_WORD = re.compile(r"[-+.\w]$")
CLOSER = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class Limits:
    """What a reply may be: bytes in all, depth of nesting, characters handed to the repair library, and how
    often the library may look at one of them.
    """

    bytes: int = 1_000_000
    depth: int = 40
    repair_chars: int = 200_000
    repair_looks: int = 1_000_000


def load(text: str, *, limits: Limits) -> object:
    """The value of a JSON text, None where it is none.

    Tried in turn: as it stands (raw line breaks in strings allowed); with lone backslashes doubled, as in
    LaTeX; and without trailing commas, with Python's words for null, true and false.
    """
    if depth_end(text, limits=limits)[1] == "deep":
        return None
    meant = ESCAPE.sub(doubled, text)
    for version in (text, meant, LOOSE.sub(tightened, meant)):
        try:
            return json.loads(
                version, strict=False, object_pairs_hook=as_record, parse_int=as_number, parse_float=float
            )
        except json.JSONDecodeError:
            continue
    return None


def doubled(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else "\\\\"


def tightened(match: re.Match[str]) -> str:
    return TIGHT.get(match[0], match[0])


def as_number(digits: str) -> int | float:
    """Integers beyond 18 digits as floats (infinite past 1e308): no weight or rating needs them exactly."""
    return int(digits) if len(digits) <= 18 else float(digits)


def as_record(pairs: list[tuple[str, object]]) -> Record:
    record = Record(pairs)
    if len(record) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        record.repeated = frozenset(key for key, count in counts.items() if count > 1)
    return record


def depth_end(text: str, *, start: int = 0, limits: Limits) -> tuple[int, str]:
    """Where the JSON value that begins at start ends, and how: "closed", "open" (never) or too "deep"."""
    depth = 0
    for token in BRACKET.finditer(text, start):
        first = token[0][0]
        if first in "{[":
            depth += 1
        elif first in "]}":
            depth -= 1
            if depth <= 0:
                return token.end(), "closed"
        if depth > limits.depth:
            return token.end(), "deep"
    return len(text), "open"


def completed(text: str, *, limits: Limits) -> tuple[object, bool]:
    """The value of a JSON text that was cut off, and whether its last text is only the beginning of one.

    Its open string and brackets are closed; where that is no JSON, all after the last comma goes. Half a
    number or word at the end always goes: 8 is not 80. (None, False) where nothing whole is left.
    """
    text = text.rstrip()
    stack: list[str] = []
    comma, in_string = (0, ""), False
    for token in MARK.finditer(text):
        first, in_string = token[0][0], token["end"] == ""
        if first == ",":
            comma = (token.start(), closers(stack))
        elif first in "{[":
            stack.append(first)
        elif first in "]}" and stack:
            stack.pop()
        if len(stack) > limits.depth:
            return None, False
    if in_string:
        value = load(CUT_ESCAPE.sub(r"\1", text) + '"' + closers(stack), limits=limits)
        if value is not None:
            return value, True
    elif not CUT_WORD.search(text):
        value = load(text + closers(stack), limits=limits)
        if value is not None:
            return value, False
    return (load(text[: comma[0]] + comma[1], limits=limits) if comma[0] else None), False


def closers(stack: list[str]) -> str:
    return "".join(CLOSER[each] for each in reversed(stack))
