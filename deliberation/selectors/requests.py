"""What one person asked to strike and a second one has not answered yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deliberation.models import VetoRequest
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room
from deliberation.selectors.waiting import person
from deliberation.selectors.words import letter


@dataclass(frozen=True)
class Request:
    """by: None where names are hidden; user_id tells the asker's own page from others'. lapsed: the end came first."""

    id: int
    kind: str
    round: int
    seat: int
    by: str | None
    user_id: Any
    code: str
    reason: str
    time: datetime
    seq: int | None
    lapsed: bool

    @property
    def key(self) -> str:
        """As `?strike=` has it."""
        return f"{self.kind}-{self.round}-{self.seat}"

    @property
    def what(self) -> str:
        """proposal of B, round 2."""
        return f"{self.kind} of {letter(self.seat)}, round {self.round}"


def open_requests(room: Room, *, audience: str) -> tuple[Request, ...]:
    """In the order in which they were asked. A query, where there are some; none else."""
    numbers = {each.data["request"]: each.seq for each in room.moments if each.kind == "veto.requested"}
    settled = {each.data.get("request") for each in room.moments if each.kind in SETTLING}
    waiting = set(numbers) - settled
    if not waiting:
        return ()
    rows = VetoRequest.objects.filter(pk__in=waiting).select_related("round", "target", "user").order_by("pk")
    return tuple(_request(room, row, seq=numbers[row.pk], audience=audience) for row in rows)


SETTLING = ("proposal.vetoed", "ballot.vetoed", "veto.dropped")


def _request(room: Room, row: VetoRequest, *, seq: int, audience: str) -> Request:
    return Request(
        id=row.pk,
        kind=row.kind,
        round=row.round.number,
        seat=row.target.seat,
        by=None if audience == BLIND else person(row.user),
        user_id=row.user_id,
        code=row.get_code_display(),
        reason=room.unnamed(row.reason, audience=audience),
        time=row.created_at,
        seq=seq,
        lapsed=room.session.ended,
    )


def request_for(room: Room, place: tuple[str, int, int], *, audience: str) -> Request | None:
    """The open request about one thing: its kind, round and seat."""
    found = open_requests(room, audience=audience)
    return next((each for each in found if (each.kind, each.round, each.seat) == place), None)
