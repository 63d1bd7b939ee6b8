"""Words for the full-text search: each text's document is written in the transaction that stores the text.

A document holds every word twice: as it stands, so that names, code and numbers are found as they are written, and
by its English stem, so that "proofs" finds "proof".
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from broker.models import plain
from deliberation.models import Guidance, Proposal, Review, SearchDocument, Session, Veto

Source = SearchDocument.Source
CHARS = 50_000  # of a text; PostgreSQL refuses a document of more than 1 MB
VETOES = {"proposal": Source.PROPOSAL_VETO, "ballot": Source.BALLOT_VETO}  # by what is struck
RANKS_HIGHER = {Source.TASK: "A", Source.PROPOSAL: "B"}
OTHERS = "C"
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


def add_veto(veto: Veto) -> None:
    """Its reason can be found. One statement."""
    source = VETOES[veto.kind]
    place = {"round": veto.round.number, "about": veto.target.seat}
    _add(veto.session_id, [Text(source, veto.pk, veto.reason, **place)])


def add_guidance(given: Guidance) -> None:
    """The same. One statement."""
    about = given.to.seat if given.to else None
    _add(given.session_id, [Text(Source.GUIDANCE, given.pk, given.text, round=given.round, about=about)])


def _proposals(session: Session, round_number: int) -> list[Text]:
    rows = plain.rows(
        "FROM deliberation_proposal AS proposal JOIN deliberation_round AS round ON round.id = proposal.round_id"
        " JOIN deliberation_participant AS seat ON seat.id = proposal.participant_id"
        " WHERE round.session_id = %s AND round.number = %s AND NOT EXISTS (SELECT FROM deliberation_searchdocument"
        " AS known WHERE known.session_id = round.session_id AND known.source = %s AND known.row = proposal.id)",
        [session.pk, round_number, Source.PROPOSAL],
        more=("seat.seat",),
        proposal=Proposal,
    )
    return [
        Text(Source.PROPOSAL, each.pk, proposal_text(each), round=round_number, seat=seat)
        for each, seat in rows
    ]


def _reviews(session: Session, round_number: int) -> list[Text]:
    rows = plain.rows(
        "FROM deliberation_review AS review JOIN deliberation_ballot AS ballot ON ballot.id = review.ballot_id"
        " JOIN deliberation_round AS round ON round.id = ballot.round_id"
        " JOIN deliberation_participant AS voter ON voter.id = ballot.participant_id"
        " JOIN deliberation_proposal AS proposal ON proposal.id = review.proposal_id"
        " JOIN deliberation_participant AS author ON author.id = proposal.participant_id"
        " WHERE round.session_id = %s AND round.number = %s AND NOT EXISTS (SELECT FROM deliberation_searchdocument"
        " AS known WHERE known.session_id = round.session_id AND known.source = %s AND known.row = review.id)",
        [session.pk, round_number, Source.REVIEW],
        more=("voter.seat", "author.seat"),
        review=Review,
    )
    return [
        Text(Source.REVIEW, each.pk, review_text(each), round=round_number, seat=voter, about=author)
        for each, voter, author in rows
    ]


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
            RANKS_HIGHER.get(each.source, OTHERS),
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
