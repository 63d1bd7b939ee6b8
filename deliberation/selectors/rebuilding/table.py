"""What the events so far come to, while they are taken in one after another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from deliberation.models import (
    Ballot,
    Guidance,
    Invitation,
    Participant,
    Proposal,
    Review,
    Round,
    Session,
    Turn,
    Veto,
)
from deliberation.selectors.reading_back import Trail
from deliberation.selectors.room import Moment, Place


@dataclass
class Table:
    """`calls`: what events tell of calls that gave a reply."""

    trail: Trail
    session: Session
    seats: dict[int, Participant] = field(default_factory=dict)
    rounds: dict[int, Round] = field(default_factory=dict)
    turns: dict[tuple[int, int, str], Turn] = field(default_factory=dict)
    proposals: dict[Place, Proposal] = field(default_factory=dict)
    ballots: dict[Place, Ballot] = field(default_factory=dict)
    reviews: dict[Place, list[Review]] = field(default_factory=dict)
    vetoes: list[Veto] = field(default_factory=list)
    guidance: dict[int, Guidance] = field(default_factory=dict)
    invitations: dict[int, Invitation] = field(default_factory=dict)
    calls: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def round(self) -> Round:
        """The newest one."""
        return self.rounds[self.session.round]

    def open_turn(self, moment: Moment, seat: int, *, kind: str) -> None:
        """An agent's has a deadline; a person's ends with the round."""
        participant = self.seats[seat]
        is_agent = participant.kind == Participant.Kind.MODEL
        patience = timedelta(seconds=self.trail.rules.turn_deadline_s)
        self.turns[self.session.round, seat, kind] = Turn(
            session=self.session,
            round=self.round,
            participant=participant,
            kind=kind,
            opened_at=moment.time,
            deadline_at=moment.time + patience if is_agent else None,
        )
