"""Where a search matched, and the words around it."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import attrgetter
from typing import Any
from uuid import UUID

from deliberation import rendering
from deliberation.models import Guidance, Proposal, Review, SearchDocument, Session, Veto
from deliberation.selectors import prose
from deliberation.selectors.searching import Asked, Found
from deliberation.selectors.words import letter
from deliberation.services.searching import proposal_text, review_text

BEFORE, AROUND = 40, 150  # characters of a snippet: up to the first match, and in all
MARKED_UP = 2 * AROUND  # characters with markup that hold a snippet without
LONG = 6_000  # characters of a text whose markup is read as a whole
LOOKED_AT = 40  # matches of a text among which the best place is looked for
SPACES = re.compile(r"\s+")
Source = SearchDocument.Source
# Where a text that was found stands, besides the question, and what is shown of it.
TEXTS: Mapping[str, tuple[Any, Callable[[Any], str]]] = {
    Source.PROPOSAL: (Proposal, proposal_text),
    Source.REVIEW: (Review, review_text),
    Source.PROPOSAL_VETO: (Veto, attrgetter("reason")),
    Source.BALLOT_VETO: (Veto, attrgetter("reason")),
    Source.GUIDANCE: (Guidance, attrgetter("text")),
}
AS_WRITTEN = (Source.PROPOSAL_VETO, Source.BALLOT_VETO, Source.GUIDANCE)  # the room shows them so too
COUNTED = (
    ("proposal", "proposals", (Source.PROPOSAL,)),
    ("review", "reviews", (Source.REVIEW,)),
    ("veto", "vetoes", (Source.PROPOSAL_VETO, Source.BALLOT_VETO)),
)


@dataclass(frozen=True)
class Piece:
    """A stretch of a snippet; `marked` is what matched."""

    text: str
    marked: bool


CUT = Piece("\u2026", False)


@dataclass(frozen=True)
class Hit:
    """A text that matched. place: in words; anchor: of the place in the room, "" for the whole room."""

    place: str
    anchor: str
    pieces: tuple[Piece, ...]


def hits(
    found: Mapping[UUID, Sequence[Found]], asked: Asked | None, *, sessions: Iterable[Session]
) -> dict[UUID, list[Hit]]:
    """Each found text with the words around its match. A query for each kind of text, however many there are."""
    pattern = asked.pattern() if asked else None
    texts = _texts(each for group in found.values() for each in group)
    tasks = {each.pk: each.task for each in sessions}
    return {
        pk: [
            Hit(
                place(each),
                anchor(each),
                snippet(
                    texts.get((each.source, each.row), tasks.get(pk, "")),
                    pattern,
                    is_markdown=each.source not in AS_WRITTEN,
                ),
            )
            for each in group
        ]
        for pk, group in found.items()
    }


def _texts(found: Iterable[Found]) -> dict[tuple[str, int], str]:
    rows: dict[str, list[int]] = {}
    for each in found:
        rows.setdefault(each.source, []).append(each.row)
    return {
        (source, each.pk): text(each)
        for source, (model, text) in TEXTS.items()
        if source in rows
        for each in model.objects.filter(pk__in=rows[source])
    }


def place(found: Found) -> str:
    """the question; proposal B, round 2; review of B by C, round 2; guidance to all agents, round 1."""
    if found.source == Source.TASK:
        return "the question"
    return f"{_what(found)}, round {found.round}"


def _what(found: Found) -> str:
    seat, about = letter(found.seat or 0), letter(found.about or 0)
    if found.source == Source.GUIDANCE:
        return f"guidance to agent {about}" if found.about else "guidance to all agents"
    return {
        Source.PROPOSAL: f"proposal {seat}",
        Source.REVIEW: f"review of {about} by {seat}",
        Source.PROPOSAL_VETO: f"veto of proposal {about}",
        Source.BALLOT_VETO: f"veto of the ballot of {about}",
    }[Source(found.source)]


def anchor(found: Found) -> str:
    if found.source == Source.TASK:
        return ""
    if found.source == Source.PROPOSAL:
        return f"proposal-{found.round}-{found.seat}"
    if found.source == Source.REVIEW:
        return f"review-{found.round}-{found.seat}-{found.about}"
    return f"guidance-{found.row}" if found.source == Source.GUIDANCE else "vetoes"


def summary(found: Sequence[Found]) -> str:
    """the question, 3 proposals and 1 review."""
    sources = [each.source for each in found]
    said = ["the question"] if Source.TASK in sources else []
    for word, words, counted in COUNTED:
        if count := sum(each in counted for each in sources):
            said.append(f"{count} {word if count == 1 else words}")
    said += ["guidance"] if Source.GUIDANCE in sources else []
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}" if said else ""


def snippet(text: str, pattern: "re.Pattern[str] | None", *, is_markdown: bool = True) -> tuple[Piece, ...]:
    """The stretch of the text in which most of the words occur, on one line, as plain text without its markup."""
    whole = rendering.plain_text(text)
    part = _part(whole, pattern)
    blocks = list(prose.blocks(whole[part])) if is_markdown else [prose.Block(whole[part])]
    near = _near(blocks, pattern)
    line = SPACES.sub(" ", " ".join(each.plain() for each in blocks[near])).strip()
    folded = line.translate(FOLDED)
    spans = _spans(folded, pattern)
    start = _start(folded, spans)
    found = _pieces(line, spans, start=start, end=start + AROUND)
    is_begun = start or near.start or part.start
    goes_on = start + AROUND < len(line) or near.stop < len(blocks) or part.stop < len(whole)
    return (*([CUT] if is_begun else ()), *found, *([CUT] if goes_on else ()))


def _part(whole: str, pattern: "re.Pattern[str] | None") -> slice:
    """Of a long text, the lines around the place in which most of the words occur: to read all of its markup would
    take too long.
    """
    if len(whole) <= LONG:
        return slice(0, len(whole))
    folded = whole.translate(FOLDED)
    start = _start(folded, _spans(folded, pattern))
    first = whole.rfind("\n", 0, max(start - LONG // 4, 0)) + 1
    return slice(max(first, start - LONG // 2), min(start + LONG // 2, len(whole)))


def _near(blocks: Sequence[prose.Block], pattern: "re.Pattern[str] | None") -> slice:
    """The blocks around the place in which most of the words occur."""
    folded = " ".join(each.source for each in blocks).translate(FOLDED)
    start = _start(folded, _spans(folded, pattern))
    ends = list(accumulate(len(each.source) + 1 for each in blocks))
    return slice(bisect_right(ends, start), bisect_right(ends, start + MARKED_UP) + 1)


def _spans(folded: str, pattern: "re.Pattern[str] | None") -> list[tuple[int, int]]:
    return [each.span() for each in islice(pattern.finditer(folded), LOOKED_AT)] if pattern else []


def _start(folded: str, spans: Sequence[tuple[int, int]]) -> int:
    """A word's beginning a little before the match from which on most different words follow."""

    def different(first: int) -> int:
        return len({folded[a:b] for a, b in spans if first <= a and b <= first + AROUND - BEFORE})

    first = max((a for a, _ in spans), key=lambda a: (different(a), -a), default=0)
    start = max(first - BEFORE, 0)
    return start and max(folded.find(" ", start, first) + 1, start)


def _pieces(line: str, spans: Sequence[tuple[int, int]], *, start: int, end: int) -> tuple[Piece, ...]:
    found, at = list[Piece](), start
    for a, b in spans:
        if at <= a and b <= end:
            found += [Piece(line[at:a], False), Piece(line[a:b], True)]
            at = b
    found.append(Piece(line[at:end], False))
    return tuple(each for each in found if each.text)


class _Folded(dict[int, str]):
    """Each character in small letters without its accents, one for one, so that places in the text stay."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFKD", chr(code))[0].casefold()
        self[code] = folded if len(folded) == 1 else chr(code)
        return self[code]


FOLDED: Any = _Folded()
