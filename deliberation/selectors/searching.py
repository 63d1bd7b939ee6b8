"""Full-text search over questions, proposals, reviews, vetoes and guidance, as far as who asks may read them.

Every word has to occur somewhere in a session, in whichever of its texts. Words in quotes stand side by side, `-word`
leaves sessions out, `or` gives a choice, and the last word is taken as the beginning of one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from deliberation.models import Ballot, SearchDocument, Session, SessionWords
from deliberation.services.searching import UNSPACED, plain_words

CLAUSES = 8  # more are left out: each is a search of its own
RANKED = 300  # of the newest sessions that match, put in order by how well they do
TOKEN = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
Source = SearchDocument.Source


@dataclass(frozen=True)
class Clause:
    """One thing that has to occur: any of the ways to say it, each a row of words side by side. begins: its last
    word is the beginning of one.
    """

    ways: tuple[tuple[str, ...], ...]
    quoted: bool = False
    negated: bool = False
    begins: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for way in self.ways for word in way)

    @property
    def is_phrase(self) -> bool:
        """Whether words have to stand side by side."""
        return any(len(way) > 1 for way in self.ways)

    def begun(self, way: Sequence[str]) -> bool:
        """Whether this one of its ways ends with the beginning of a word."""
        return self.begins and way is self.ways[-1]


@dataclass(frozen=True)
class Asked:
    """A text that was asked for, read. `stems`: the English stem of each word, "" for one as common as "the"."""

    clauses: tuple[Clause, ...]
    stems: Mapping[str, str]

    @property
    def positive(self) -> tuple[Clause, ...]:
        return tuple(each for each in self.clauses if not each.negated)

    def query(self, *clauses: Clause) -> SearchQuery:
        """What a document has to hold to satisfy any of the clauses."""
        return _query(" | ".join(self._said(each, beside=" <-> ") for each in clauses))

    def all_words(self) -> SearchQuery:
        """What the words of a session have to hold; that words stand side by side is left to be seen. A clause
        that leaves out several of them is left out of this.
        """
        single = (each for each in self.clauses if not (each.negated and each.is_phrase))
        said = [("!" if each.negated else "") + f"({self._said(each, beside=' & ')})" for each in single]
        return _query(" & ".join(said))

    def _said(self, clause: Clause, *, beside: str) -> str:
        """Any of its ways: the words as they are written, or as their stems. Letters and digits need no quoting."""
        ways = []
        for words in clause.ways:
            ways.append(beside.join(words) + (":*" if clause.begun(words) else ""))
            stems = [self.stems.get(word, "") for word in words]
            if all(stems) and stems != list(words):
                ways.append(beside.join(stems))
        return " | ".join(f"({way})" for way in ways)

    def pattern(self) -> re.Pattern[str] | None:
        """Finds what matched in a text of small letters without accents. None: all that was asked for is absence."""
        ways = {self._written(way, begins=each.begun(way)) for each in self.positive for way in each.ways}
        stems = {
            rf"(?<![^\W_]){re.escape(stem)}[^\W_]{{0,5}}(?![^\W_])"
            for each in self.positive
            for way in each.ways
            if len(way) == 1 and len(stem := self.stems.get(way[0], "")) > 2
        }
        return re.compile("|".join([*sorted(ways), *sorted(stems)])) if ways else None

    @staticmethod
    def _written(words: Sequence[str], *, begins: bool) -> str:
        inner = r"[\W_]*".join(re.escape(word) for word in words)
        before = "" if UNSPACED.match(words[0]) else r"(?<![^\W_])"
        after = r"[^\W_]*" if begins else "" if UNSPACED.match(words[-1]) else r"(?![^\W_])"
        return f"{before}{inner}{after}"


def read(text: str) -> Asked | None:
    """What was asked for; None for nothing. Words such as "the" do not count beside others. One query."""
    if not text.strip():
        return None
    clauses = _clauses(text)
    stems = _stems({word for each in clauses for word in each.words})
    telling = [each for each in clauses if each.quoted or any(stems.get(word) for word in each.words)]
    return Asked(tuple((telling or clauses)[:CLAUSES]), stems)


def _clauses(text: str) -> list[Clause]:
    found: list[Clause] = []
    choice = False  # an "or" stands before
    for match in TOKEN.finditer(text):
        minus, quoted, bare = match.groups()
        words = tuple(plain_words(quoted if bare is None else bare).split())
        is_or = bare is not None and bare.lower() == "or" and match.end() < len(text)
        if is_or and found and not found[-1].negated:
            choice = True
        elif words and choice and not minus:
            last = found.pop()
            found.append(Clause((*last.ways, words), quoted=last.quoted or bare is None))
            choice = False
        elif words:
            found.append(Clause((words,), quoted=bare is None, negated=bool(minus)))
            choice = False
    return [*found[:-1], _begun(found[-1], text)] if found else []


def _begun(clause: Clause, text: str) -> Clause:
    """The last word may not be typed to its end, unless it is a number, a single letter or was closed by a quote."""
    last = clause.ways[-1][-1]
    is_open = not text.rstrip().endswith('"') and not clause.negated and not clause.quoted
    begins = is_open and len(last) > 1 and not last.isdigit()
    return Clause(clause.ways, quoted=clause.quoted, negated=clause.negated, begins=begins)


def _stems(words: Iterable[str]) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word, coalesce((ts_lexize('english_stem', word))[1], '') FROM unnest(%s::text[]) AS word",
            [sorted(words)],
        )
        return dict(cursor.fetchall())


def _query(said: str) -> SearchQuery:
    return SearchQuery(said, config="simple", search_type="raw")


def matching(user: Any, sessions: "QuerySet[Any]", asked: Asked) -> "QuerySet[Any]":
    """Those in which everything occurs that was asked for. Without a single word in it, none. One query of its own."""
    if not asked.clauses:
        return sessions.none()
    blind = _blind(user)
    if any(not (each.negated and each.is_phrase) for each in asked.clauses):
        sessions = sessions.filter(_holds_all(asked.all_words(), blind))
    texts = _searchable(blind)
    for clause in asked.clauses:
        if clause.is_phrase:
            there = Exists(texts.filter(session=OuterRef("pk"), words=asked.query(clause)))
            sessions = sessions.filter(~there if clause.negated else there)
    return sessions


def _holds_all(words: SearchQuery, blind: Sequence[UUID]) -> Q:
    known = SessionWords.objects.filter(words=words)
    if not blind:
        return Q(pk__in=known.values("pk"))
    questions = SearchDocument.objects.filter(source=Source.TASK, session__in=blind, words=words)
    return Q(pk__in=known.exclude(pk__in=blind).values("pk")) | Q(pk__in=questions.values("session"))


def _blind(user: Any) -> list[UUID]:
    """The sessions in which a person votes blind and has not cast a ballot yet. One query, of those that run."""
    cast = Ballot.objects.filter(round__session=OuterRef("pk"), participant__user_id=user.pk)
    running = Session.objects.exclude(state__in=[Session.State.DRAFT, *Session.ENDED])
    return list(running.exclude(Q(rules__blind=False) | Exists(cast)).values_list("pk", flat=True))


def documents(user: Any) -> "QuerySet[SearchDocument]":
    """Those that a person may search. One query of its own."""
    return _searchable(_blind(user))


def _searchable(blind: Sequence[UUID]) -> "QuerySet[SearchDocument]":
    """Of a session in which a person votes blind, the question alone: until their first ballot a match could tell
    whose name stands in a text.
    """
    return SearchDocument.objects.filter(Q(source=Source.TASK) | ~Q(session__in=blind))


def ranked(user: Any, sessions: "QuerySet[Session]", asked: Asked) -> tuple[list[UUID], bool]:
    """The newest RANKED of these sessions, the best match first, and whether there are more. Two queries."""
    keys = list(sessions.order_by("-created_at", "pk").values_list("pk", flat=True)[: RANKED + 1])
    newest, are_more = keys[:RANKED], len(keys) > RANKED
    wanted = asked.query(*asked.positive) if asked.positive else None
    if wanted is None:
        return newest, are_more
    rows = (
        documents(user)
        .filter(session__in=newest, words=wanted)
        .values("session")
        .annotate(rank=Max(SearchRank(F("words"), wanted)))
        .values_list("session", "rank")
    )
    ranks = dict(rows)
    return sorted(newest, key=lambda pk: -ranks.get(pk, 0.0)), are_more


@dataclass(frozen=True)
class Found:
    """A document that matches, without its words."""

    session_id: UUID
    source: str
    row: int
    round: int | None
    seat: int | None
    about: int | None
    rank: float


def found_in(user: Any, session_ids: Sequence[UUID], asked: Asked | None) -> dict[UUID, list[Found]]:
    """The documents of these sessions in which anything occurs that was asked for, the best first. One query."""
    if asked is None or not asked.positive:
        return {}
    wanted = asked.query(*asked.positive)
    rows = (
        documents(user)
        .filter(session__in=session_ids, words=wanted)
        .annotate(rank=SearchRank(F("words"), wanted))
        .order_by("-rank", "pk")
        .values_list("session_id", "source", "row", "round", "seat", "about", "rank")
    )
    found: dict[UUID, list[Found]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(Found(*row))
    return found
