"""The room as it stood at one event. The room from all events equals the room from rows."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from deliberation.models import Review, Session
from deliberation.selectors.reading_back import Trail
from deliberation.selectors.rebuilding import acts, course, seats, turns
from deliberation.selectors.rebuilding.table import Table
from deliberation.selectors.room import Moment, Room, Usage, used

TAKEN_IN: Mapping[str, Callable[[Table, Moment], None]] = {
    "session.opened": course.opened,
    "participant.joined": seats.joined,
    "participant.invited": seats.invited,
    "invitation.answered": seats.answered,
    "panel.chosen": seats.panel_chosen,
    "seat.replaced": seats.replaced,
    "round.opened": course.round_opened,
    "turns.taken": turns.taken,
    "attempt.failed": turns.attempt_failed,
    "proposal.made": turns.proposed,
    "reviews.opened": course.reviews_opened,
    "ballot.cast": turns.cast,
    "turn.abstained": turns.abstained,
    "round.held": course.held,
    "human.done": turns.person_done,
    "human.extended": course.extended,
    "round.closed": course.closed,
    "proposal.vetoed": acts.struck("proposal"),
    "ballot.vetoed": acts.struck("ballot"),
    "veto.withdrawn": acts.taken_back,
    "guidance.left": acts.guided,
    "guidance.withdrawn": acts.guidance_withdrawn,
    "session.paused": course.paused,
    "session.resumed": course.resumed,
    "session.stop_requested": course.stop_requested,
    "session.concluded": course.concluded,
    "session.failed": course.failed,
    "answer.ruled": course.ruled,
}


class DoesNotFit(Exception):
    """An event that cannot follow those before it: it names a seat, a round or a text that is not there."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"Event {seq} does not fit the events before it.")
        self.seq = seq


def room_at(trail: Trail, seq: int) -> Room:
    """The room when event `seq` was the newest one. Raises DoesNotFit."""
    moments = tuple(each for each in trail.moments if each.seq <= seq)
    table = Table(trail, Session(pk=trail.session_id, secret=trail.secret, rules=trail.rules.to_json()))
    for moment in moments:
        _take_in(table, moment)
        call = moment.data.get("call")
        if call and call["latency_ms"] is not None:  # one without gave no reply
            table.calls.append(call)
    return _room(table, moments)


def _take_in(table: Table, moment: Moment) -> None:
    try:
        TAKEN_IN.get(moment.kind, _nothing)(table, moment)
    except (LookupError, TypeError, ValueError) as error:
        raise DoesNotFit(moment.seq) from error


def _nothing(table: Table, moment: Moment) -> None:
    """Events that change nothing that a room shows but its timeline."""


def _room(table: Table, moments: tuple[Moment, ...]) -> Room:
    seq = moments[-1].seq
    return Room(
        session=table.session,
        seq=seq,
        moments=moments,
        seats=dict(sorted(table.seats.items())),
        rounds=table.rounds,
        turns=dict(sorted(table.turns.items(), key=lambda item: item[0][1])),
        proposals=dict(sorted(table.proposals.items())),
        ballots=dict(sorted(table.ballots.items())),
        reviews={place: tuple(sorted(group, key=_reviewer)) for place, group in table.reviews.items()},
        vetoes=tuple(table.vetoes),
        guidance=tuple(table.guidance.values()),
        invitations=tuple(table.invitations.values()),
        usage=_usage(table),
        facts=table.trail.record(seq),
    )


def _reviewer(review: Review) -> int:
    return int(review.ballot.participant.seat)


def _usage(table: Table) -> Usage:
    return used(
        (
            each["tokens_in"],
            each["tokens_out"],
            None if each["cost_usd"] is None else Decimal(each["cost_usd"]),
        )
        for each in table.calls
    )
