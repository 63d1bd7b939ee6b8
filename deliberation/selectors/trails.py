"""Events of the sessions on a page of the list: of a kind, by somebody, or telling of a text that matches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from deliberation.models import Event, Guidance, Session, Veto
from deliberation.selectors import searching, snippets
from deliberation.selectors.asking import STEERING, TOLD_BY, VETOES, Source, Wanted, events_like
from deliberation.selectors.searching import Asked, Found
from deliberation.selectors.snippets import Piece
from deliberation.selectors.telling import TOLD
from deliberation.selectors.words import letter

SHOWN = 3  # of a session's events
KINDS: Mapping[str, str] = {kind: kind.replace(".", " ").replace("_", " ") for kind in sorted(TOLD)}
# Of an event: its kind, round and seat, and the key of a person's act that steered.
Place = tuple[str, int | None, int | None, str | None]
COLUMNS = ("chain_id", "seq", "kind", "actor", "time", F("data__round"), F("data__seat"), F("data__key"))
KEYED = [TOLD_BY[source] for source in STEERING]
Events = dict[UUID, list[Sequence[Any]]]


@dataclass(frozen=True)
class EventLine:
    """One event in short. by: "you", "a person", "agent C" or "the system"; pieces: of its text, where that matches."""

    seq: int
    time: datetime
    kind: str
    place: str
    by: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Told:
    """The first of a session's events that were asked for; `more` are not shown."""

    lines: tuple[EventLine, ...]
    more: int


def told(user: Any, wanted: Wanted, asked: Asked | None, *, sessions: Sequence[Session]) -> dict[UUID, Told]:
    """Four queries, however many sessions; two more where vetoes and guidance were found."""
    found = searching.found_in(user, [each.pk for each in sessions], asked)
    places = _places(found)
    rows = Event.objects.filter(events_like(user, wanted), chain_id__in=[str(each.pk) for each in sessions])
    events, counts = _first(rows) if asked is None else _telling(rows, found, places)
    texts = _texts(events, found, asked, places=places, sessions=sessions)
    return {
        pk: Told(
            tuple(_line(user, each, texts.get((pk, _place(each)), ())) for each in group),
            more=counts[pk] - len(group),
        )
        for pk, group in events.items()
    }


def _first(rows: "QuerySet[Event]") -> tuple[Events, dict[UUID, int]]:
    """The first events of each session, and how many there are in all. One query."""
    events: Events = {}
    counts: dict[UUID, int] = {}
    numbered = rows.annotate(
        nth=Window(RowNumber(), partition_by="chain_id", order_by="seq"),
        of=Window(Count("pk"), partition_by="chain_id"),
    )
    for *row, of in numbered.filter(nth__lte=SHOWN).order_by("chain_id", "seq").values_list(*COLUMNS, "of"):
        events.setdefault(UUID(row[0]), []).append(row)
        counts[UUID(row[0])] = of
    return events, counts


def _telling(
    rows: "QuerySet[Event]", found: Mapping[UUID, Sequence[Found]], places: Mapping[Found, Place]
) -> tuple[Events, dict[UUID, int]]:
    """The same of events that tell of a text that was found."""
    wanted = {pk: {places[each] for each in group} for pk, group in found.items()}
    events: Events = {}
    telling = rows.filter(kind__in=TOLD_BY.values()).order_by("chain_id", "seq")
    for row in telling.values_list(*COLUMNS):
        if _place(row) in wanted.get(UUID(row[0]), ()):
            events.setdefault(UUID(row[0]), []).append(row)
    return {pk: group[:SHOWN] for pk, group in events.items()}, {pk: len(g) for pk, g in events.items()}


def _place(row: Sequence[Any]) -> Place:
    kind, number, seat, key = row[2], *row[5:8]
    if kind == TOLD_BY[Source.TASK]:
        return (kind, None, None, None)
    return (kind, number, seat, key if kind in KEYED else None)


def _places(found: Mapping[UUID, Sequence[Found]]) -> dict[Found, Place]:
    """Which event tells of each text."""
    texts = [each for group in found.values() for each in group]
    keys = _keys(Veto, texts, VETOES) | _keys(Guidance, texts, (Source.GUIDANCE,))
    return {each: _place_of(each, keys.get((each.source, each.row))) for each in texts}


def _keys(model: Any, texts: Sequence[Found], sources: Sequence[str]) -> dict[tuple[str, int], str]:
    """Of what people did, by source and row. A query where there is any."""
    rows = {each.row: each.source for each in texts if each.source in sources}
    keys = model.objects.filter(pk__in=rows).values_list("pk", "key") if rows else ()
    return {(rows[pk], pk): str(key) for pk, key in keys}


def _place_of(found: Found, key: str | None) -> Place:
    seat = found.about if found.source in STEERING else found.seat
    return (TOLD_BY[Source(found.source)], found.round, seat, key)


def _texts(
    events: Mapping[UUID, Sequence[Any]],
    found: Mapping[UUID, Sequence[Found]],
    asked: Asked | None,
    *,
    places: Mapping[Found, Place],
    sessions: Sequence[Session],
) -> dict[tuple[UUID, Place], tuple[Piece, ...]]:
    """The best match in the text of each event that is shown."""
    best: dict[UUID, dict[Place, Found]] = {}
    for pk, group in found.items():
        shown = {_place(each) for each in events.get(pk, ())}
        for each in reversed(group):  # the best comes last and stays
            if places[each] in shown:
                best.setdefault(pk, {})[places[each]] = each
    hits = snippets.hits({pk: list(each.values()) for pk, each in best.items()}, asked, sessions=sessions)
    return {
        (pk, place): hit.pieces
        for pk, each in best.items()
        for place, hit in zip(each, hits[pk], strict=True)
    }


def _line(user: Any, row: Sequence[Any], pieces: tuple[Piece, ...]) -> EventLine:
    _, seq, kind, actor, time, number, seat, _ = row
    about = [f"round {number}"] if isinstance(number, int) else []
    about += [letter(seat)] if isinstance(seat, int) and not actor.startswith("seat:") else []
    return EventLine(seq, time, KINDS.get(kind, kind), ", ".join(about), _by(user, actor), pieces)


def _by(user: Any, actor: str) -> str:
    if actor.startswith("seat:"):
        return f"agent {letter(int(actor.removeprefix('seat:')))}"
    if actor.startswith("user:"):
        return "you" if actor == f"user:{user.pk}" else "a person"
    return "the system"
