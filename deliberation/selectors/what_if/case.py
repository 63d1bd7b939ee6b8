"""A session's record, ready to be counted again. What a viewer may see of it is decided in `load`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from deliberation import record
from deliberation.models import Participant, Session
from deliberation.protocol.types import RoundOutcome, Spent, Verdict
from deliberation.protocol.what_if import Change, Recorded, Recount, recount
from deliberation.selectors.access import BLIND
from deliberation.selectors.words import Who

OVERTURNED = "verdict.overturned"
ENDED_BETWEEN = ("person", "money")  # what ends a session without a stop test


@dataclass(frozen=True)
class Case:
    """A session that can be counted again. seats: who sits, by number. late: the round that is open and has no
    ballot to count yet. mismatch: what recomputes to something else, in words. overturned: by people, after the end.
    """

    session: Session
    seats: Mapping[int, Who]
    recorded: Recorded
    late: int | None
    mismatch: tuple[str, ...]
    overturned: bool

    @cached_property
    def base(self) -> Recount:
        """The record, counted by the code that counts the change."""
        return recount(self.recorded, Change())

    @property
    def alone(self) -> bool:
        """A panel of one casts no ballots."""
        return any(each.panel_of_one for each in self.recorded.all_rounds)

    @property
    def families(self) -> tuple[str, ...]:
        """Those with a seat, in the order of their names."""
        seated = (each for inputs in self.recorded.all_rounds for each in inputs.participants)
        return tuple(sorted({each.family for each in seated if each.family is not None}))

    @property
    def has_people(self) -> bool:
        return any(each.kind == Participant.Kind.HUMAN for each in self.seats.values())


def load(session: Session, *, audience: str) -> Case | None:
    """None for a viewer who has not cast yet where the policy is blind: all of it would be totals. Three queries."""
    if audience == BLIND:
        return None
    facts = record.load(session, kinds=(*record.COUNTED, OVERTURNED))
    rounds = tuple(
        facts.until(fact.seq).round_input(fact.data["round"], spent=record.spent_of(fact.data))
        for fact in facts.closings
    )
    seats = {
        each.seat: Who(each.seat, each.kind, each.name)
        for each in session.participants.select_related("model", "user").order_by("seat")
    }
    stops = bool(facts.closings and facts.closings[-1].data["stop"])
    running = (
        None
        if session.ended or session.round == len(rounds)
        else facts.round_input(session.round, spent=Spent())
    )
    counted = running if running is not None and running.ballots else None
    recorded = Recorded(
        rounds=rounds,
        rules=facts.rules,
        vetoes=facts.vetoes(),
        ended=session.stop_reason if not stops and session.stop_reason in ENDED_BETWEEN else None,  # type: ignore[arg-type]
        running=counted,
    )
    late = session.round if running is not None and counted is None else None
    return _checked(Case(session, seats, recorded, late, (), bool(facts.of(OVERTURNED))), facts)


def _checked(case: Case, facts: record.Record) -> Case:
    """With what the record tells otherwise than the count."""
    base, stored = case.base, case.session.verdict
    rounds = [fact for fact in facts.closings if not _is_told(fact, base.outcomes.get(fact.data["round"]))]
    mismatch = [f"round {fact.data['round']}" for fact in rounds]
    if stored is not None and base.verdict != Verdict.from_json(stored):
        mismatch.append("the verdict")
    return replace(case, mismatch=tuple(mismatch)) if mismatch else case


def _is_told(fact: record.Fact, outcome: RoundOutcome | None) -> bool:
    if outcome is None:
        return False
    told = fact.data["tally"]
    same = (told["winner"], fact.data["stop"]) == (outcome.tally.winner, outcome.stop)
    return same and float(told["conviction"]) == outcome.tally.conviction
