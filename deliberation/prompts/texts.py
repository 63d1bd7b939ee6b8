"""Plain operations on text that came from a model or a person: cleaned, compared, fenced, measured."""

import re
import unicodedata

LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\U000e0000-\U000e007f]")
NONCE = re.compile(r"[0-9A-Za-z]{8,}")
HEADING = re.compile(r"^([^\S\n]*)\[(candidate\b[^\]\n]*)\]", re.IGNORECASE | re.MULTILINE)
FOLDED = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u00b4\u02bc`\u2032", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)
SWALLOWED_AS = {"\b": "b", "\f": "f", "\r": "r", "\t": "t", "\n": "n"}
SWALLOWED = re.compile(
    "[\b\f](?=[A-Za-z])"
    "|\r(?=ight|angle|floor|ceil|ho\\b|m\\b)"
    "|\t(?=(?:ext|extbf|extit|extrm|imes|heta|frac|au|herefore|ilde|riangle)\\b)"
    "|\n(?=(?:eq|abla|otin|subseteq)\\b)"
)


def clean(text: str) -> str:
    """The text with all line ends as \\n, and U+FFFD for what cannot be stored, sent or seen.

    NUL, other controls, lone surrogates (they have no UTF-8 form) and the invisible tag characters, which
    can carry instructions that no person sees.
    """
    return UNSAFE.sub("\ufffd", LINE_END.sub("\n", text))


def folded(text: str) -> str:
    """The form in which quotes are compared: quotation marks, dashes and white space made equal."""
    return " ".join(unicodedata.normalize("NFKC", clean(text).translate(FOLDED)).split())


def fence(name: str, text: str, *, nonce: str) -> str:
    """The text between two lines that it cannot contain; what looks like our headings loses its brackets.

    Raises ValueError where the nonce is shorter than 8 characters or not alphanumeric: it would be
    guessable, or a text could rebuild it from the mark that replaces it.
    """
    if not NONCE.fullmatch(nonce):
        raise ValueError("a fence needs a nonce of at least 8 letters or digits")
    return f"<<<{name} {nonce}\n{shown(text, nonce=nonce)}\n{nonce}>>>"


def shown(text: str, *, nonce: str) -> str:
    """The text as it stands inside its fence."""
    without = re.sub(re.escape(nonce), "[\u2026]", clean(text).strip(), flags=re.IGNORECASE)
    return HEADING.sub(r"\1(\2)", without)


def shape(text: str) -> str:
    """The measured shape of a text in words: characters, lines, code blocks."""
    blocks = len(re.findall(r"^\s*```", text, re.MULTILINE)) // 2
    counted = ((len(text), "character"), (text.count("\n") + 1, "line"), (blocks, "code block"))
    return ", ".join(f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in counted)


def restored_latex(text: str) -> str:
    """The text with LaTeX commands restored whose backslash JSON took for an escape, as in form feed + "rac".

    Form feed and backspace before a letter have no other reading; tabs and line breaks are restored only
    before the rest of a command's name.
    """
    return SWALLOWED.sub(lambda match: "\\" + SWALLOWED_AS[match[0]], text)
