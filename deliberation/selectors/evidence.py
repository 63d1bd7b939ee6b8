"""Why it goes on or ends: evidence against its threshold, and what a further round is expected to bring."""

from dataclasses import dataclass
from math import ceil

from deliberation import formats
from deliberation.protocol import stopping
from deliberation.protocol.types import Evidence
from deliberation.selectors import words
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room


@dataclass(frozen=True)
class EvidenceView:
    """rounds: of each closed round its number and the terms of its stop test. target: what ends it when everybody
    casts a ballot, None where no evidence can. empty: what the chart says where it has no round to show.
    """

    hidden: bool
    sentence: str
    rounds: tuple[tuple[int, Evidence], ...]
    max_rounds: int
    target: float | None
    empty: str


def evidence(room: Room, *, audience: str) -> EvidenceView:
    """Conviction and gathered evidence of each closed round against the threshold of its stop test."""
    blind = audience == BLIND
    rounds = () if blind else tuple((number, each.evidence) for number, each in room.outcomes.items())
    return EvidenceView(
        hidden=blind,
        sentence="" if blind else _evidence_words(room),
        rounds=rounds,
        max_rounds=room.max_rounds,
        target=room.rules.effort * stopping.effort_budget(room.rules) or None,
        empty="shown after your first ballot" if blind else _no_round(room),
    )


def _no_round(room: Room) -> str:
    return "no round was closed" if room.session.ended else "no round has closed yet"


def _evidence_words(room: Room) -> str:
    if room.session.stop_reason:
        return f"It ended because {words.STOP_REASONS[room.session.stop_reason]}."
    if not room.outcomes and room.session.ended:
        return "No round was closed, so no evidence was gathered."
    if not room.outcomes:
        return "Each round that closes adds its conviction, weighed by what a further round can still bring."
    last = room.outcomes[max(room.outcomes)].evidence
    total, target = formats.number(last.total, digits=4), formats.number(last.target, digits=4)
    return f"Evidence {total} of the {target} that end it."


@dataclass(frozen=True)
class UtilityView:
    """points: (t, U(t)), whole rounds among them. t_opt None: the policy knows no fatigue."""

    sentence: str
    points: tuple[tuple[float, float], ...]
    round: int | None
    t_opt: float | None


def utility(room: Room, *, audience: str, pieces: int = 10) -> UtilityView:
    """The efficiency-fatigue curve (protocol.md 5 [P]) with the running round, in `pieces` a round.

    It follows from the policy and the round's number alone, so every audience sees the same.
    """
    law, best = room.rules.law, stopping.t_opt(room.rules.law)
    last = max(room.max_rounds, ceil(best or 0)) + 1
    times = [i / pieces for i in range(last * pieces + 1)]
    sentence = (
        "By this policy a further round always helps."
        if best is None
        else f"By the policy's preset {room.rules.preset}, the gain of a further round is used up at "
        f"{formats.number(best)} rounds."
    )
    return UtilityView(
        sentence,
        tuple((t, round(stopping.utility(t, law), 6)) for t in times),
        room.session.round or None,
        best,
    )
