"""Where a search matched, and the words around it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from deliberation import rendering
from deliberation.models import Proposal, Review, SearchDocument, Session
from deliberation.selectors.searching import Asked, Found
from deliberation.selectors.words import letter
from deliberation.services.searching import proposal_text, review_text

BEFORE, AROUND = 40, 150  # characters of a snippet: up to the first match, and in all
LOOKED_AT = 40  # matches of a text among which the best place is looked for
SPACES = re.compile(r"\s+")
Source = SearchDocument.Source


@dataclass(frozen=True)
class Piece:
    """A stretch of a snippet; `marked` is what matched."""

    text: str
    marked: bool


@dataclass(frozen=True)
class Hit:
    """A text that matched. place: in words; anchor: of the place in the room, "" for the whole room."""

    place: str
    anchor: str
    pieces: tuple[Piece, ...]


def hits(
    found: Mapping[UUID, Sequence[Found]], asked: Asked | None, *, sessions: Iterable[Session]
) -> dict[UUID, list[Hit]]:
    """Each found text with the words around its match. Two queries, however many there are."""
    pattern = asked.pattern() if asked else None
    texts = _texts(each for group in found.values() for each in group)
    tasks = {each.pk: each.task for each in sessions}
    return {
        pk: [
            Hit(
                place(each),
                anchor(each),
                snippet(texts.get((each.source, each.row), tasks.get(pk, "")), pattern),
            )
            for each in group
        ]
        for pk, group in found.items()
    }


def _texts(found: Iterable[Found]) -> dict[tuple[str, int], str]:
    rows: dict[str, list[int]] = {Source.PROPOSAL: [], Source.REVIEW: []}
    for each in found:
        if each.source in rows:
            rows[each.source].append(each.row)
    proposals = Proposal.objects.filter(pk__in=rows[Source.PROPOSAL])
    reviews = Review.objects.filter(pk__in=rows[Source.REVIEW])
    return {
        **{(Source.PROPOSAL, each.pk): proposal_text(each) for each in proposals},
        **{(Source.REVIEW, each.pk): review_text(each) for each in reviews},
    }


def place(found: Found) -> str:
    """the question; proposal B, round 2; review of B by C, round 2."""
    if found.source == Source.TASK:
        return "the question"
    if found.source == Source.PROPOSAL:
        return f"proposal {letter(found.seat or 0)}, round {found.round}"
    return f"review of {letter(found.about or 0)} by {letter(found.seat or 0)}, round {found.round}"


def anchor(found: Found) -> str:
    if found.source == Source.TASK:
        return ""
    if found.source == Source.PROPOSAL:
        return f"proposal-{found.round}-{found.seat}"
    return f"review-{found.round}-{found.seat}-{found.about}"


def summary(found: Sequence[Found]) -> str:
    """the question, 3 proposals and 1 review."""
    counts = [each.source for each in found]
    said = ["the question"] if Source.TASK in counts else []
    for source, word in ((Source.PROPOSAL, "proposal"), (Source.REVIEW, "review")):
        if count := counts.count(source):
            said.append(f"{count} {word}{'s' if count > 1 else ''}")
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}" if said else ""


def snippet(text: str, pattern: "re.Pattern[str] | None") -> tuple[Piece, ...]:
    """The stretch of the text in which most of the words occur, on one line, as plain text."""
    line = SPACES.sub(" ", rendering.plain_text(text)).strip()
    folded = line.translate(FOLDED)
    matches = islice(pattern.finditer(folded), LOOKED_AT) if pattern else ()
    spans = [match.span() for match in matches]
    start = _start(folded, spans)
    return _pieces(line, spans, start=start, end=start + AROUND)


def _start(folded: str, spans: Sequence[tuple[int, int]]) -> int:
    """A word's beginning a little before the match from which on most different words follow."""

    def different(first: int) -> int:
        return len({folded[a:b] for a, b in spans if first <= a and b <= first + AROUND - BEFORE})

    first = max((a for a, _ in spans), key=lambda a: (different(a), -a), default=0)
    start = max(first - BEFORE, 0)
    return start and max(folded.find(" ", start, first) + 1, start)


def _pieces(line: str, spans: Sequence[tuple[int, int]], *, start: int, end: int) -> tuple[Piece, ...]:
    found, at = [Piece("\u2026" if start else "", False)], start
    for a, b in spans:
        if at <= a and b <= end:
            found += [Piece(line[at:a], False), Piece(line[a:b], True)]
            at = b
    found += [Piece(line[at:end], False), Piece("\u2026" if end < len(line) else "", False)]
    return tuple(each for each in found if each.text)


class _Folded(dict[int, str]):
    """Each character in small letters without its accents, one for one, so that places in the text stay."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFKD", chr(code))[0].casefold()
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


FOLDED: Any = _Folded()
