"""What an author changed since the last round: the final answer, and the text word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from deliberation.models import Proposal
from deliberation.selectors.room import Place, Room

WORDS_MOST = 3_000  # of one text; comparing longer ones would hold up the page
KEPT, ADDED, TAKEN = "kept", "added", "taken"


@dataclass(frozen=True)
class Piece:
    """A run of text. kind: kept | added | taken."""

    kind: str
    text: str


@dataclass(frozen=True)
class Change:
    """since: the round that is compared with. final_answer: what it was, None where it stayed. added, taken: words;
    None where the texts are too long to compare.
    """

    since: int
    final_answer: str | None
    added: int | None
    taken: int | None
    pieces: tuple[Piece, ...]

    @property
    def is_same(self) -> bool:
        return self.final_answer is None and self.added == 0 and self.taken == 0


def change(room: Room, place: Place, *, audience: str) -> Change | None:
    """None in the author's first round."""
    number, seat = place
    made = room.proposals.get(place)
    since = max(
        (round_ for round_, author in room.proposals if author == seat and round_ < number), default=0
    )
    if made is None or not since:
        return None
    before = room.proposals[since, seat]
    old, new = (room.said(seat, _text(each), audience=audience) for each in (before, made))
    was = room.said(seat, before.final_answer or "", audience=audience)
    has_changed = (before.final_answer or "") != (made.final_answer or "")
    pieces = compared(old, new)
    return Change(
        since=since,
        final_answer=was if has_changed else None,
        added=None if pieces is None else _words(pieces, ADDED),
        taken=None if pieces is None else _words(pieces, TAKEN),
        pieces=pieces or (),
    )


def _text(made: Proposal) -> str:
    return f"{made.answer}\n\n{made.reasoning}".strip()


def _words(pieces: tuple[Piece, ...], kind: str) -> int:
    return sum(len(each.text.split()) for each in pieces if each.kind == kind)


@lru_cache(maxsize=256)
def compared(old: str, new: str) -> tuple[Piece, ...] | None:
    """The new text with what was added and what was taken out. None where they are too long."""
    before, after = (re.findall(r"\S+\s*", text) for text in (old, new))
    if max(len(before), len(after)) > WORDS_MOST:
        return None
    matcher = SequenceMatcher(None, [word.strip() for word in before], [word.strip() for word in after])
    pieces: list[Piece] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece(KEPT, "".join(after[k:m])))
            continue
        pieces += [
            Piece(kind, "".join(run)) for kind, run in ((TAKEN, before[i:j]), (ADDED, after[k:m])) if run
        ]
    return tuple(pieces)
