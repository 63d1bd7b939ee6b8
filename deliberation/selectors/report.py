"""A whole session as one JSON value: what `manage.py deliberate --json` prints. Of two runs with the same seed only
ids, times, money and the hashes over them differ."""

from typing import Any

from django.db.models import Prefetch, Q

from broker.models import Call
from deliberation.models import Ballot, Chain, Proposal, Round, Session, Turn
from deliberation.protocol.types import RoundOutcome, Rules
from deliberation.selectors import answers, ending, money
from deliberation.selectors import room as rooms
from deliberation.selectors.room import Room
from deliberation.services.rounds import spent_so_far


def report(session: Session) -> dict[str, Any]:
    """Everything that the session found, with how it found it. 25 queries."""
    rounds = list(
        session.rounds.prefetch_related(
            Prefetch(
                "proposals", Proposal.objects.select_related("participant").order_by("participant__seat")
            ),
            Prefetch(
                "ballots",
                Ballot.objects.filter(current=True)
                .select_related("participant")
                .order_by("participant__seat"),
            ),
        )
    )
    chain = Chain.objects.get(pk=str(session.pk))
    room = rooms.load(session.pk) if session.verdict is not None else None
    return {
        "session": str(session.pk),
        "state": session.state,
        "seed": session.seed,
        "simulated": session.participants.filter(simulated=True).exists(),
        "degraded": degraded(session, room),
        "policy": {"name": session.policy.name, "sha256": Rules.from_json(session.rules).sha256},
        "panel": _panel(session),
        "verdict": _verdict(room) if room is not None else None,
        "failure": {"code": session.failure, "detail": session.failure_detail} if session.failure else None,
        "rounds": [_round(each) for each in rounds],
        "usage": usage(session),
        "trail": {"events": chain.seq, "head": bytes(chain.head).hex()},
    }


def _panel(session: Session) -> list[dict[str, Any]]:
    seats = session.participants.select_related("model", "user").order_by("seat")
    return [
        {
            "seat": each.seat,
            "kind": each.kind,
            "name": each.name,
            "family": each.family,
            "reason": each.reason,
        }
        for each in seats
    ]


def _verdict(room: Room) -> dict[str, Any]:
    """pivotal: seats without whose ballot another proposal wins; deciding: of these, another answer."""
    value, verdict = room.session.verdict, room.verdict
    assert value is not None and verdict is not None  # noqa: S101  asked for where there is one
    return {
        "answer": verdict.final_answer if verdict.final_answer is not None else verdict.answer,
        "text": verdict.answer,
        "round": verdict.round,
        "proposal": verdict.proposal,
        "net_support": verdict.net_support,
        "margin": ending.counted(room, verdict).margin,
        "no_support": verdict.no_support,
        "conviction": verdict.conviction,
        "coverage": verdict.coverage,
        "stop_reason": verdict.stop_reason,
        "minority": value["minority"],
        "open_claims": value["open_claims"],
        "median_differs": verdict.median_differs,
        "pivotal": value["pivotal"],
        "deciding": None if verdict.pivotal is None else list(ending.deciding(room, verdict)),
        "self_consistency": verdict.self_consistency,
        "trail_hash": room.session.trail_hash,
    }


def _round(round_: Round) -> dict[str, Any]:
    outcome = RoundOutcome.from_json(round_.outcome) if round_.outcome else None
    return {
        "number": round_.number,
        "proposals": [_proposal(each) for each in round_.proposals.all()],
        "ballots": [
            {"voter": each.participant.seat, "version": each.version, "weights": each.weights}
            for each in round_.ballots.all()
        ],
        "tally": round_.outcome["tally"] if outcome else None,
        "evidence": outcome.evidence.total if outcome else None,
        "threshold": outcome.evidence.target if outcome else None,
        "utility": outcome.evidence.utility if outcome else None,
        "stop": outcome.stop if outcome else None,
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "proposal": proposal.participant.seat,
        "author": proposal.participant.seat,
        "final_answer": proposal.final_answer,
        "answer": proposal.answer,
        "claims": proposal.claims,
        "confidence": proposal.confidence,
    }


def degraded(session: Session, room: Room | None) -> list[str]:
    """What was lost, one sentence each; empty where all who were waited for answered every time. `room`: of a session
    with a verdict.
    """
    waited_for = Q(participant__kind="model") | Q(participant__asked=True)
    lost = (
        session.turns.filter(waited_for, state=Turn.State.ABSTAINED)
        .select_related("round", "participant")
        .order_by("round__number", "participant__seat")
    )
    sentences = [
        f"Round {turn.round.number}: seat {turn.participant.seat} gave no "
        f"{'proposal' if turn.kind == Turn.Kind.PROPOSE else 'ballot'} ({turn.reason})"
        for turn in lost
    ]
    sentences += money.sentences(money.budget(session))
    if not lost or room is None or room.verdict is None:
        return sentences
    return [*sentences, f"Could they have flipped the verdict? {answers.could_flip(room, room.verdict)}"]


def usage(session: Session) -> dict[str, Any]:
    """Tokens, money and time. Null where a call did not report its own."""
    spent = spent_so_far(session)
    calls = Call.objects.filter(reference=session.pk, error="").values_list("tokens_in", "tokens_out")
    tokens_in, tokens_out = zip(*calls, strict=True) if calls else ((None,), (None,))
    ended = session.concluded_at
    return {
        "calls": len(calls),
        "tokens_in": None if None in tokens_in else sum(tokens_in),
        "tokens_out": None if None in tokens_out else sum(tokens_out),
        "cost_usd": spent.cost_usd,
        "budget": money.as_json(money.budget(session)),
        "wall_s": (ended - session.created_at).total_seconds() if ended else None,
        "critical_path_s": critical_path_s(session),
    }


def critical_path_s(session: Session) -> float:
    """Seconds of the slowest agent of each phase, summed: what no system could have gone below with these calls."""
    slowest: dict[tuple[int, str], float] = {}
    turns = session.turns.exclude(busy_ms=None).values_list("round__number", "kind", "busy_ms")
    for number, kind, busy_ms in turns:
        slowest[number, kind] = max(slowest.get((number, kind), 0.0), busy_ms)
    return sum(slowest.values()) / 1000
