"""What the orchestrator writes: a round and its turns open, the hold, the close, the verdict."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from broker.models import Endpoint, Host, Model, plain
from deliberation import dispatch, events, record
from deliberation.claims import Claim
from deliberation.models import Participant, Round, Session, Turn
from deliberation.protocol.round import close_round
from deliberation.protocol.types import RoundOutcome, Rules, Spent, Verdict
from deliberation.protocol.verdict import conclude
from deliberation.services import people, rulings, spending
from deliberation.services.acts import database_now, grace, wake_at


@transaction.atomic
def open_round(claim: Claim) -> None:
    """The next round, with a propose turn for each agent and a turn for each person who is asked."""
    session = claim.fence()
    session.round += 1
    session.state = Session.State.PROPOSING
    session.hold_until = None
    plain.save(session, "round", "state", "hold_until")
    round_ = Round.objects.create(session=session, number=session.round)
    seats = _seats(session)
    agents = [each for each in seats if each.kind == Participant.Kind.MODEL and each.left_phase is None]
    asked = [each for each in seats if each.kind == Participant.Kind.HUMAN and each.asked]
    events.record(
        session,
        "round.opened",
        actor="orchestrator",
        payload={
            "round": round_.number,
            "agents": [each.seat for each in agents],
            "asked": [each.seat for each in asked],
        },
    )
    for person in asked:
        people.open_human_turn(round_, person)
    people.bring_in(round_)
    _open_turns(session, round_, agents, kind=Turn.Kind.PROPOSE)


@transaction.atomic
def open_reviews(claim: Claim) -> bool:
    """The review phase: a turn for each agent that can compare at least one proposal of others. True: there is none."""
    session = claim.fence()
    session.state = Session.State.REVIEWING
    plain.save(session, "state")
    ((round_, authors),) = plain.rows(
        "FROM deliberation_round AS round WHERE round.session_id = %s AND round.number = %s",
        [session.pk, session.round],
        more=(
            "ARRAY(SELECT participant_id FROM deliberation_proposal AS made WHERE made.round_id = round.id)",
        ),
        round=Round,
    )
    agents = [
        each
        for each in _seats(session)
        if each.kind == Participant.Kind.MODEL and each.left_phase is None and set(authors) - {each.pk}
    ]
    events.record(
        session,
        "reviews.opened",
        actor="orchestrator",
        payload={"round": round_.number, "agents": [each.seat for each in agents]},
    )
    _open_turns(session, round_, agents, kind=Turn.Kind.REVIEW)
    return not agents


def _seats(session: Session) -> list[Participant]:
    """In order, an agent with its model, the endpoint and its host. One query."""
    found = plain.rows(
        "FROM deliberation_participant AS seat LEFT JOIN broker_model AS model ON model.id = seat.model_id"
        " LEFT JOIN broker_endpoint AS endpoint ON endpoint.id = model.endpoint_id"
        " LEFT JOIN broker_host AS host ON host.id = endpoint.host_id WHERE seat.session_id = %s ORDER BY seat.seat",
        [session.pk],
        seat=Participant,
        model=Model,
        endpoint=Endpoint,
        host=Host,
    )
    for seat, model, endpoint, host in found:
        if model is not None:
            seat.model, model.endpoint, endpoint.host = model, endpoint, host
    return [seat for seat, *_ in found]


def _open_turns(session: Session, round_: Round, agents: Iterable[Participant], *, kind: str) -> None:
    """One Turn per agent; on commit one task per host that serves one of them."""
    rules, now = Rules.from_json(session.rules), database_now()
    deadline = timedelta(seconds=rules.turn_deadline_s)
    turns = [
        Turn(
            session=session,
            round=round_,
            participant=agent,
            endpoint=agent.model.endpoint,
            kind=kind,
            opened_at=now,
            due_at=now + grace(),
            deadline_at=now + deadline,
        )
        for agent in agents
    ]
    Turn.objects.bulk_create(turns)
    for host in {_host(agent) for agent in agents}:
        dispatch.send_on_commit(dispatch.TAKE_TURNS, str(session.pk), host, queue=dispatch.calls_queue(host))
    wake_at(session, now + deadline / 3)


def _host(agent: Participant) -> str | None:
    host = agent.model.endpoint.host
    return host.name if host else None


@transaction.atomic
def hold(claim: Claim) -> None:
    """Keeps the tally open for the people who are asked, for as long as the policy says."""
    session = claim.fence()
    rules = Rules.from_json(session.rules)
    session.state = Session.State.HOLDING
    session.hold_until = database_now() + timedelta(seconds=rules.human_window_s)
    session.save(update_fields=["state", "hold_until"])
    events.record(
        session,
        "round.held",
        actor="orchestrator",
        payload={"round": session.round, "until": session.hold_until.isoformat()},
    )
    wake_at(session, session.hold_until)


@transaction.atomic
def begin_tally(claim: Claim) -> None:
    """No act counts for this round any more. People's turns end with one of the outcomes of a window."""
    session = claim.fence()
    session.state = Session.State.TALLYING
    plain.save(session, "state")
    waiting = plain.rows(
        "FROM deliberation_turn AS turn JOIN deliberation_participant AS seat ON seat.id = turn.participant_id"
        " WHERE turn.session_id = %s AND turn.state = 'open' AND seat.kind = 'human' ORDER BY turn.id",
        [session.round, session.pk],
        more=(
            "EXISTS (SELECT FROM deliberation_ballot AS ballot JOIN deliberation_round AS round"
            " ON round.id = ballot.round_id WHERE ballot.participant_id = seat.id AND ballot.current"
            " AND round.session_id = turn.session_id AND round.number = %s)",
        ),
        turn=Turn,
        seat=Participant,
    )
    for turn, seat, has_voted in waiting:
        turn.participant = seat
        _expire(session, turn, cast=has_voted)


def _expire(session: Session, turn: Turn, *, cast: bool) -> None:
    state = Turn.State.SETTLED if cast else Turn.State.ABSTAINED
    missed = "expired" if session.stop_requested_at is None else "withdrawn"  # the question was taken back
    reason = "cast" if cast else missed
    Turn.objects.filter(pk=turn.pk).update(state=state, reason=reason, settled_at=Now())
    events.record(
        session,
        "human.done",
        actor="orchestrator",
        payload={"round": session.round, "seat": turn.participant.seat, "outcome": reason},
    )


@transaction.atomic
def close(claim: Claim) -> RoundOutcome:
    """Closes the round: the recorded facts through close_round(), stored and told. Pure but for the reading."""
    session = claim.fence()
    facts, spent = record.load(session), spent_so_far(session)
    outcome = close_round(
        facts.round_input(session.round, spent=spent), facts.rules, history=outcomes(session)
    )
    value = outcome.to_json()
    session.rounds.filter(number=session.round).update(outcome=value, closed_at=Now())
    events.record(
        session,
        "round.closed",
        actor="orchestrator",
        payload={
            "round": session.round,
            "spent": spent.to_json(),
            "stop": outcome.stop,
            "failure": outcome.failure,
            "tally": numbers_of(value["tally"]),
            "evidence": value["evidence"],
            "outcome": events.reference(events.keep(session, exact_bytes(value))),
        },
    )
    return outcome


def exact_bytes(value: Any) -> bytes:
    """JSON in the one form that replay compares byte for byte."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def numbers_of(tally: dict[str, Any]) -> dict[str, Any]:
    """A tally without the words in it: answers and notes stay in the outcome's blob."""
    kept = {key: value for key, value in tally.items() if key not in ("notes", "classes")}
    return {**kept, "classes": [each["members"] for each in tally["classes"]]}


def outcomes(session: Session) -> list[RoundOutcome]:
    """The closed rounds before the running one, in order."""
    closed = plain.read(
        "SELECT outcome FROM deliberation_round WHERE session_id = %s AND closed_at IS NOT NULL ORDER BY number",
        [session.pk],
    )
    return [RoundOutcome.from_json(json.loads(outcome)) for (outcome,) in closed]


def spent_so_far(session: Session) -> Spent:
    """Money, tokens and seconds until now; None where a call did not report its own."""
    ((count, costs, cost_usd, counted, tokens, now),) = plain.read(
        "SELECT count(*), count(cost_usd), sum(cost_usd), count(tokens_in + tokens_out), sum(tokens_in + tokens_out),"
        " clock_timestamp() FROM broker_call WHERE reference = %s AND error = ''",
        [session.pk],
    )
    return Spent(
        cost_usd=float(cost_usd) if count == costs > 0 else None,
        tokens=tokens if count == counted > 0 else None,
        seconds=(now - session.created_at).total_seconds(),
        money_short=spending.is_short(session),
    )


@transaction.atomic
def conclude_session(claim: Claim, stop_reason: str) -> Verdict:
    """The verdict over all closed rounds, from the trail; the secret of the labels is revealed with it."""
    session = claim.fence()
    verdict = verdict_of(record.load(session), outcomes(session), stop_reason=stop_reason)
    if verdict.failure is not None:
        return verdict
    people.withdraw_open_turns(session)
    head = events.Chain.objects.get(pk=str(session.pk)).head
    value = verdict.to_json()
    session.state, session.stop_reason, session.verdict = Session.State.CONCLUDED, stop_reason, value
    session.trail_hash = bytes(head).hex()
    session.concluded_at = database_now()
    session.save(update_fields=["state", "stop_reason", "verdict", "trail_hash", "concluded_at"])
    events.record(
        session,
        "session.concluded",
        actor="orchestrator",
        payload={
            "stop_reason": stop_reason,
            "round": verdict.round,
            "proposal": verdict.proposal,
            "net_support": verdict.net_support,
            "conviction": verdict.conviction,
            "coverage": verdict.coverage,
            "trail_hash": session.trail_hash,
            "verdict": events.reference(events.keep(session, exact_bytes(value))),
            "secret": bytes(session.secret).hex(),
        },
    )
    rulings.check_known_answer(session)
    return verdict


def verdict_of(facts: record.Record, closed: list[RoundOutcome], *, stop_reason: str) -> Verdict:
    """Pure: the recorded facts and the closed rounds to the verdict. The one way in for the session and for replay."""
    rounds = [
        (facts.until(fact.seq).round_input(outcome.number, spent=record.spent_of(fact.data)), outcome)
        for fact, outcome in zip(facts.closings, closed, strict=True)
    ]
    return conclude(rounds, rules=facts.rules, vetoes=facts.vetoes(), stop_reason=stop_reason)  # type: ignore[arg-type]
