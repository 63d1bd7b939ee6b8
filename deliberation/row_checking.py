"""Whether the rows that screens read say what the trail says: proposals, ballots in every version, reviews, vetoes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.models import Ballot, Proposal, Review, Session, Veto
from deliberation.selectors import reading_back
from deliberation.selectors.reading_back import Trail
from deliberation.selectors.rebuilding.rooms import DoesNotFit, room_at
from deliberation.selectors.room import Room, load
from deliberation.selectors.words import letter

Key = tuple[Any, ...]  # what, round, seat and more, to be read as words


@dataclass(frozen=True)
class Mismatch:
    """Something that does not recompute. seq: the event that says otherwise."""

    seq: int
    what: str


def check_rows(session: Session) -> Iterator[Mismatch]:
    """What rows say otherwise than events, in the order of the events; nothing where both agree."""
    trail = reading_back.read(session.pk)
    try:
        room = room_at(trail, trail.head)
    except DoesNotFit as error:
        yield Mismatch(error.seq, "the event does not fit those before it")
        return
    told = _facts(room) | _versions_told(trail)
    kept = _facts(load(session.pk)) | _versions_kept(session)
    found = [
        Mismatch(_seq(trail, key), _words(key, told=key in told, kept=key in kept))
        for key in (told | kept)
        if told.get(key) != kept.get(key)
    ]
    yield from sorted(found, key=lambda each: each.seq)


def _facts(room: Room) -> dict[Key, Any]:
    proposals = {("proposal", *place): _proposal(each) for place, each in room.proposals.items()}
    reviews = {
        ("review", place[0], each.ballot.participant.seat, place[1]): _review(each)
        for place, group in room.reviews.items()
        for each in group
    }
    vetoes: dict[Key, Any] = {}
    for each in room.vetoes:
        vetoes.setdefault((f"{each.kind} veto", each.round.number, each.target.seat), []).append(_veto(each))
    return {**proposals, **reviews, **vetoes}


def _proposal(made: Proposal) -> Key:
    return made.answer, made.reasoning, made.final_answer, made.claims, made.confidence


def _review(said: Review) -> Key:
    return said.label, said.weight, said.justification, said.claims, said.categories


def _veto(veto: Veto) -> Key:
    return veto.user_id, veto.code, veto.reason, veto.withdrawn_at is None


def _versions_told(trail: Trail) -> dict[Key, Any]:
    """Weights of every ballot that was cast, by round, seat and version."""
    return {
        ("ballot", data["round"], data["seat"], data["version"]): _weights(data["weights"])
        for data in (each.data for each in trail.moments if each.kind == "ballot.cast")
    }


def _versions_kept(session: Session) -> dict[Key, Any]:
    rows = Ballot.objects.filter(round__session=session).values_list(
        "round__number", "participant__seat", "version", "weights"
    )
    return {("ballot", *row[:3]): _weights(row[3]) for row in rows}


def _weights(weights: Mapping[str, Any]) -> dict[str, float | None]:
    return {seat: None if weight is None else float(weight) for seat, weight in weights.items()}


KINDS = {
    "proposal": "proposal.made",
    "ballot": "ballot.cast",
    "review": "ballot.cast",
    "proposal veto": "proposal.vetoed",
    "ballot veto": "ballot.vetoed",
}


def _seq(trail: Trail, key: Key) -> int:
    """The newest event about it; that of the whole trail where none is."""
    what, place = key[0], (key[1], key[2])
    about = [each.seq for each in trail.moments if each.kind == KINDS[what] and each.place == place]
    return about[-1] if about else trail.head


def _words(key: Key, *, told: bool, kept: bool) -> str:
    what, number, seat, *more = key
    names = {
        "ballot": f", version {more[0]}," if more else "",
        "review": f" on {letter(more[0])}" if more else "",
    }
    thing = f"the {what} of {letter(seat)} in round {number}{names.get(what, '')}"
    if not kept:
        return f"{thing} is not among the rows that screens show"
    return f"{thing} is not as it was told" if told else f"{thing} is told by no event"
