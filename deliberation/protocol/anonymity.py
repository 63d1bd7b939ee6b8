"""Labels that nobody can steer and everybody can check, and the scrubbing of self-identification (protocol.md
2 [O]).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from functools import lru_cache

SCRUBBED = "a participant"


def secret_from_seed(seed: int) -> bytes:
    """SHA-256("nsed" || seed in decimal): 32 bytes. Where no seed is given the caller draws 32 random bytes
    instead.
    """
    return hashlib.sha256(b"nsed" + str(seed).encode("ascii")).digest()


def commitment(secret: bytes) -> str:
    """SHA-256 of the secret in hex, for the first event."""
    return hashlib.sha256(secret).hexdigest()


def keyed(secret: bytes, message: str) -> bytes:
    """HMAC-SHA-256(secret, message): what sorts labels and parts ties (protocol.md 2 and 4)."""
    return hmac.digest(secret, message.encode("ascii"), "sha256")


def label(index: int) -> str:
    """A, B, ... Z, AA, AB ... for 0, 1, ... (protocol.md 2)."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def label_order(secret: bytes, *, round: int, reviewer: int, seats: Iterable[int]) -> list[int]:
    """The candidates' seats in label order for this reviewer in this round, the reviewer's own left out:
    sorted by HMAC-SHA-256(secret, "r/i/j").
    """
    candidates = {seat for seat in seats if seat != reviewer}
    return sorted(candidates, key=lambda seat: keyed(secret, f"{round}/{reviewer}/{seat}"))


def labels(secret: bytes, *, round: int, reviewer: int, seats: Iterable[int]) -> dict[str, int]:
    """Label -> seat, in label order."""
    order = label_order(secret, round=round, reviewer=reviewer, seats=seats)
    return {label(index): seat for index, seat in enumerate(order)}


def scrub(text: str, names: Iterable[str]) -> tuple[str, int]:
    """The text with self-identification by one of `names` ("As Qwen, I ...") replaced, and how many were;
    other text intact.

    A name on its own stays: it may be the subject of the task. Names match in any case, with a version behind
    them.
    """
    found = 0
    for form in _forms(tuple(names)):
        text, count = form.subn(rf"\g<lead>{SCRUBBED}", text)
        found += count
    return text, found


@lru_cache(maxsize=256)
def _forms(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """SELF_IDENTIFICATION by these names: made once for all texts of a table."""
    given = sorted({name for name in names if name.strip()}, key=_longest_first)
    if not given:
        return ()
    alternatives = "|".join(re.escape(name) for name in given)
    name = rf"(?:{alternatives})(?:[-\s]?v?\d\w*(?:[.-]\w+)*|(?:-\w+)+)?(?!\w)(?!['’]s)"
    return tuple(re.compile(form.replace("NAME", name)) for form in SELF_IDENTIFICATION)


def _longest_first(name: str) -> tuple[int, str]:
    return -len(name), name


# Each form keeps its group `lead`, and what follows it, the name, is replaced. Lower-case "as" counts only
# where it cannot be
# "such as" or "known as": after a comma, or in "speaking as".
SELF_IDENTIFICATION = (
    r"(?P<lead>\b(?:As|(?i:speaking|writing|answering|responding) as|(?<=[,;]\s)as)\s+(?:the\s+)?)(?i:NAME)"
    r"(?=\s+(?:I|my|we)\b|\s*[,(][^.!?\n]{0,120}?\b(?:I|my|we)\b)",
    r"(?P<lead>(?i:\b(?:I am|I['’]m|my name is|call me|we at)\s+(?:called\s+|named\s+|the\s+)?))(?i:NAME)",
    r"(?P<lead>\bI,\s+)(?i:NAME)(?=,)",
    r"(?P<lead>(?i:\bthis is\s+))(?i:NAME)(?=\s+(?:speaking|here)\b)",
    r"(?P<lead>(?i:\b(?:I am|I['’]m|as)\s+an?\s[^.!?\n]{0,80}?"
    r"\b(?:developed|trained|made|created|built|released)\s+by\s+))(?i:NAME)",
    r"(?P<lead>\A[\s\[*_#>]*)(?i:NAME)(?=[\]*_]*\s*:)",
    r"(?P<lead>(?:^|\n)[ \t]*(?:--+|–|—|(?i:signed,?|regards,?))\s*)(?i:NAME)(?=\s*\.?\s*\Z)",
)
