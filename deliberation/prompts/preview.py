"""What can be read of a reply that is still arriving. Called for every delta: one pass and no repair."""

import re

from deliberation.prompts.reading import without_thinking
from deliberation.prompts.texts import clean, restored_latex

TEXT = re.compile(r'"((?:[^"\\]++|\\.)*+)("?)', re.DOTALL)
VALUE_NEXT = re.compile(r'\s*:\s*(?=")')
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u[0-9a-fA-F]{0,3}$|(.)|$)", re.DOTALL)
KNOWN = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
FIELDS = ("reasoning", "answer")


def preview(partial_text: str) -> str:
    """The readable text so far of the fields `reasoning` and `answer`, an empty line between them, or "".

    Thinking parts are left out. An escape that the end cuts in two is left out until it is whole.
    """
    spoken, _ = without_thinking(partial_text)
    position, found = max(spoken.find("{"), 0), []
    while (key := TEXT.search(spoken, position)) is not None:
        colon = VALUE_NEXT.match(spoken, key.end()) if key[2] else None
        position = key.end()
        if colon is not None and key[1] in FIELDS:
            value = TEXT.match(spoken, colon.end())
            if value is not None:
                found.append(unescaped(value[1]).strip())
                position = value.end()
    return "\n\n".join(text for text in found if text)


def unescaped(raw: str) -> str:
    """The text of a JSON string that may be cut anywhere; surrogate pairs joined, halves dropped."""
    units = ESCAPE.sub(one_character, raw)
    joined = units.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return clean(restored_latex(joined))


def one_character(match: re.Match[str]) -> str:
    """What an escape stands for: "" for one that is cut, itself for one that JSON does not know."""
    if match[1]:
        return chr(int(match[1], 16))
    return KNOWN.get(match[2], match[0]) if match[2] else ""
