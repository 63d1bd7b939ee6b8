"""Words for the full-text search: each text's document is written in the transaction that stores the text.

A document holds every word twice: as it stands, so that names, code and numbers are found as they are written, and
by its English stem, so that "proofs" finds "proof".
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from deliberation.models import Proposal, Review, SearchDocument, Session

Source = SearchDocument.Source
CHARS = 50_000  # of a text; PostgreSQL refuses a document of more than 1 MB
WEIGHTS = {Source.TASK: "A", Source.PROPOSAL: "B", Source.REVIEW: "C"}  # what ranks higher
ACCENT = re.compile("[\u0300-\u036f]")
UNSPACED = re.compile(
    "([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])"
)  # written without spaces: each sign is a word
NOT_WORD = re.compile(r"[\W_]+")


def plain_words(text: str) -> str:
    """Small letters and digits with single spaces between, for documents and for what is asked alike: qwen-14b is
    "qwen 14b", 2^p-1 is "2 p 1", Erd\u0151s is "erdos".
    """
    folded = ACCENT.sub("", unicodedata.normalize("NFKD", text[:CHARS]).casefold())
    return NOT_WORD.sub(" ", UNSPACED.sub(r" \1 ", folded)).strip()[:CHARS]


@dataclass(frozen=True)
class Text:
    """One text to be found. The fields are those of a SearchDocument."""

    source: SearchDocument.Source
    row: int
    text: str
    round: int | None = None
    seat: int | None = None
    about: int | None = None


def add_task(session: Session) -> None:
    """The question can be found. One statement."""
    _add(session.pk, [Text(Source.TASK, 0, session.task)])


def add_proposals(session: Session, round_number: int) -> None:
    """The proposals of a round that cannot be found yet can be now. Two statements."""
    _add(session.pk, _proposals(session, round_number))


def add_reviews(session: Session, round_number: int) -> None:
    """The same for reviews. Two statements."""
    _add(session.pk, _reviews(session, round_number))


def _proposals(session: Session, round_number: int) -> list[Text]:
    made = Proposal.objects.filter(round__session=session, round__number=round_number)
    rows = made.exclude(pk__in=_known(session, Source.PROPOSAL)).select_related("participant")
    return [
        Text(Source.PROPOSAL, each.pk, proposal_text(each), round=round_number, seat=each.participant.seat)
        for each in rows
    ]


def _reviews(session: Session, round_number: int) -> list[Text]:
    written = Review.objects.filter(
        ballot__round__session=session, ballot__round__number=round_number
    ).exclude(pk__in=_known(session, Source.REVIEW))
    return [
        Text(
            Source.REVIEW,
            each.pk,
            review_text(each),
            round=round_number,
            seat=each.ballot.participant.seat,
            about=each.proposal.participant.seat,
        )
        for each in written.select_related("ballot__participant", "proposal__participant")
    ]


def _known(session: Session, source: str) -> Any:
    return SearchDocument.objects.filter(session=session, source=source).values("row")


def proposal_text(proposal: Proposal) -> str:
    """What can be found of a proposal, and what a hit is shown in."""
    claims = (claim["text"] for claim in proposal.claims)
    return _joined(proposal.final_answer, proposal.answer, proposal.reasoning, *claims)


def review_text(review: Review) -> str:
    return _joined(review.justification, *(claim["reason"] for claim in review.claims))


def _joined(*parts: str | None) -> str:
    return "\n".join(part for part in parts if part)


def _add(session_id: UUID, texts: Iterable[Text]) -> None:
    """Each text once: what is there already stays as it is. Its words join those of the session."""
    rows = [
        (
            each.source,
            each.row,
            each.round,
            each.seat,
            each.about,
            WEIGHTS[each.source],
            plain_words(each.text),
        )
        for each in texts
    ]
    if not rows:
        return
    columns = list(zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH added AS (INSERT INTO deliberation_searchdocument"
            ' (session_id, source, "row", round, seat, about, words)'
            " SELECT %s, source, nr, round, seat, about,"
            " setweight(to_tsvector('simple', plain) || to_tsvector('english', plain), weight::\"char\")"
            " FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::int[], %s::int[], %s::text[], %s::text[])"
            " AS given(source, nr, round, seat, about, weight, plain)"
            " ON CONFLICT DO NOTHING RETURNING session_id, words)"
            " INSERT INTO deliberation_sessionwords AS known (session_id, words)"
            " SELECT session_id, deliberation_all_words(words) FROM added GROUP BY session_id"
            " ON CONFLICT (session_id) DO UPDATE SET words = deliberation_join_words(known.words, EXCLUDED.words)",
            [session_id, *(list(column) for column in columns)],
        )
