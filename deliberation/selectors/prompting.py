"""What an agent is told: the inputs of both exchanges, without a name of a participant in them."""

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import prefetch_related_objects

from broker.models import Endpoint, Host, Model, plain
from deliberation import record
from deliberation.models import Ballot, Participant, Proposal, Review, Round, Session, Turn
from deliberation.prompts.base import OwnProposal
from deliberation.prompts.propose import ProposeInputs
from deliberation.prompts.review import Candidate, ReviewInputs
from deliberation.protocol import anonymity
from deliberation.protocol.state import active_guidance
from deliberation.protocol.types import Guidance, RoundOutcome, Rules, StateItem
from deliberation.selectors.carried import Carried, into

NAME_CHARS_MIN = 3


@dataclass(frozen=True)
class Table:
    """Everything that the prompts of one phase of a session share. Read once per phase and host."""

    session: Session
    rules: Rules
    last: RoundOutcome | None
    last_proposals: Mapping[int, Proposal]
    last_reviews: Mapping[int, Sequence[Review]]
    proposals: Mapping[int, Proposal]
    guidance: tuple[Guidance, ...]
    names: tuple[str, ...]
    carried: Carried | None

    @property
    def round(self) -> int:
        """As the agents count: a fork goes on after its parent's round."""
        return self.session.round + (self.session.parent_round or 0)

    def scrub(self, text: str) -> str:
        """Without the author telling who it is; the original stays in the record."""
        return anonymity.scrub(text, self.names)[0]


def table(session: Session) -> Table:
    """Reads the table for the running round. Five queries, two more for a fork."""
    rules = Rules.from_json(session.rules)
    made: dict[int, dict[int, Proposal]] = {session.round - 1: {}, session.round: {}}
    struck = set()
    for proposal, seat, number, is_struck in _made(session):
        proposal.participant = seat
        made[number][seat.seat] = proposal
        if is_struck:
            struck.add((number, seat.seat))
    return Table(
        session=session,
        rules=rules,
        last=_outcome(session, session.round - 1),
        last_proposals=made[session.round - 1],
        last_reviews=_reviews(session, session.round - 1),
        proposals={
            seat: each for seat, each in made[session.round].items() if (session.round, seat) not in struck
        },
        guidance=active_guidance(_said(session), number=session.round, rules=rules),
        names=_names(_seated(session)),
        carried=into(session) if session.round == 1 else None,
    )


def _made(session: Session) -> list[tuple[Any, ...]]:
    """The proposals of the running round and of the one before, with author, round, and whether it is struck."""
    return plain.rows(
        "FROM deliberation_proposal AS proposal JOIN deliberation_round AS round ON round.id = proposal.round_id"
        " JOIN deliberation_participant AS seat ON seat.id = proposal.participant_id"
        " WHERE round.session_id = %s AND round.number IN (%s, %s) ORDER BY seat.seat",
        [session.pk, session.round - 1, session.round],
        more=(
            "round.number",
            "EXISTS (SELECT FROM deliberation_veto AS veto WHERE veto.round_id = round.id"
            " AND veto.kind = 'proposal' AND veto.target_id = seat.id AND veto.withdrawn_at IS NULL)",
        ),
        proposal=Proposal,
        seat=Participant,
    )


def _reviews(session: Session, number: int) -> Mapping[int, list[Review]]:
    """By proposal, what the current ballots of a round say of it; those who review read none."""
    if session.state == Session.State.REVIEWING or number < 1:
        return {}
    found = plain.rows(
        "FROM deliberation_review AS review JOIN deliberation_ballot AS ballot ON ballot.id = review.ballot_id"
        " JOIN deliberation_participant AS voter ON voter.id = ballot.participant_id"
        " JOIN deliberation_round AS round ON round.id = ballot.round_id"
        " WHERE round.session_id = %s AND round.number = %s AND ballot.current ORDER BY review.id",
        [session.pk, number],
        review=Review,
        ballot=Ballot,
        voter=Participant,
    )
    reviews = defaultdict(list)
    for review, ballot, voter in found:
        review.ballot, ballot.participant = ballot, voter
        reviews[review.proposal_id].append(review)
    return reviews


def _outcome(session: Session, number: int) -> RoundOutcome | None:
    found = plain.read(
        "SELECT outcome FROM deliberation_round WHERE session_id = %s AND number = %s AND outcome IS NOT NULL",
        [session.pk, number],
    )
    return RoundOutcome.from_json(json.loads(found[0][0])) if found else None


def _said(session: Session) -> tuple[Guidance, ...]:
    return record.load(session, ("guidance.left", "guidance.withdrawn")).guidance()


def _seated(session: Session) -> list[Participant]:
    """Everybody whose words may reach a prompt: of a fork also those of its parent."""
    person = get_user_model()
    found = plain.rows(
        "FROM deliberation_participant AS seat LEFT JOIN broker_model AS model ON model.id = seat.model_id"
        f' LEFT JOIN "{person._meta.db_table}" AS person ON person.id = seat.user_id'
        " WHERE seat.session_id IN (%s, %s)",
        [session.pk, session.parent_id],
        seat=Participant,
        model=Model,
        person=person,
    )
    for seat, model, user in found:
        seat.model, seat.user = model, user
    return [seat for seat, _, _ in found]


def _names(participants: Iterable[Participant]) -> tuple[str, ...]:
    """Every name by which a participant could give itself away."""
    names = set()
    for each in participants:
        names |= {each.name, each.family}
        if each.model:
            names |= {each.model.served_name, each.model.served_name.rsplit("/", 1)[-1]}
    return tuple(sorted(name for name in names if len(name) >= NAME_CHARS_MIN))


def propose_inputs(table: Table, participant: Participant) -> ProposeInputs:
    """What this agent reads before it proposes."""
    inputs = ProposeInputs(
        task=table.session.task,
        category=table.session.category or None,
        round=table.round,
        role=participant.role,
        persona=participant.persona,
        nonce=secrets.token_hex(8),
        guidance=tuple(each.text for each in table.guidance if each.to_seat in (None, participant.seat)),
        state=tuple(_state_value(table, item) for item in _state(table) if item.kind != "guidance"),
        own=_own(table.last_proposals.get(participant.seat), last=table.last),
        critiques=_critiques(table, participant.seat),
        weakest_category=weakest(table.last, participant.seat),
    )
    own = table.carried.own(participant.model_id) if table.carried else None
    return own.told(inputs, table.scrub) if own else inputs


def _state(table: Table) -> tuple[StateItem, ...]:
    if table.carried is not None:
        return table.carried.state
    return table.last.state.kept if table.last else ()


def _state_value(table: Table, item: StateItem) -> dict[str, str]:
    return {"id": item.id, "kind": item.kind, "status": item.status, "text": table.scrub(item.text)}


def _own(proposal: Proposal | None, *, last: RoundOutcome | None) -> OwnProposal | None:
    if proposal is None:
        return None
    support = last.tally.net_support.get(proposal.participant.seat) if last else None
    return OwnProposal(answer=proposal.answer, reasoning=proposal.reasoning, net_support=support)


def _critiques(table: Table, seat: int) -> tuple[dict[str, Any], ...]:
    """What reviewers said of the agent's last proposal."""
    proposal = table.last_proposals.get(seat)
    if proposal is None:
        return ()
    struck = table.last.tally.struck if table.last else {}
    return critiques(
        proposal.claims, table.last_reviews.get(proposal.pk, ()), struck=struck, scrub=table.scrub
    )


def critiques(
    claims: Iterable[Mapping[str, Any]],
    reviews: Iterable[Review],
    *,
    struck: Collection[int],
    scrub: Callable[[str], str],
) -> tuple[dict[str, Any], ...]:
    """What was said of one proposal, by claim; no names, unvetoed ballots only."""
    texts = {claim["id"]: claim["text"] for claim in claims}
    groups: dict[str | None, list[dict[str, Any]]] = defaultdict(list)
    for review in sorted(reviews, key=lambda each: each.ballot.participant.seat):
        if review.ballot.participant.seat in struck:
            continue
        if review.justification:
            groups[None].append({"verdict": None, "text": scrub(review.justification)})
        for claim in review.claims:
            known = claim["claim_id"] if claim["claim_id"] in texts else None
            groups[known].append({"verdict": claim["verdict"], "text": scrub(claim["reason"])})
    return tuple(
        {"claim_id": claim_id, "claim_text": texts.get(claim_id) if claim_id else None, "items": items}
        for claim_id, items in groups.items()
    )


def weakest(last: RoundOutcome | None, seat: int) -> str | None:
    means = last.diagnostics.category_means.get(seat) if last else None
    return min(sorted(means), key=lambda name: means[name]) if means else None


@dataclass(frozen=True)
class ReviewTurn:
    """One reviewer's prompt inputs and what each label means to it."""

    inputs: ReviewInputs
    labels: Mapping[str, int]


def review_inputs(table: Table, participant: Participant) -> ReviewTurn:
    """The others' proposals in this reviewer's own order, under this reviewer's own labels."""
    session = table.session
    labels = anonymity.labels(
        bytes(session.secret), round=session.round, reviewer=participant.seat, seats=table.proposals
    )
    inputs = ReviewInputs(
        task=session.task,
        category=session.category or None,
        round=table.round,
        role=participant.role,
        persona=participant.persona,
        nonce=secrets.token_hex(8),
        own=_own(table.proposals.get(participant.seat), last=None),
        candidates=tuple(_candidate(table, label, table.proposals[seat]) for label, seat in labels.items()),
        contested=tuple(
            {"id": item.id, "text": table.scrub(item.text)}
            for item in _state(table)
            if item.kind == "claim" and item.status == "contested"
        ),
        own_label_note="",
        peer_reasoning_chars=table.rules.peer_reasoning_chars,
    )
    return ReviewTurn(inputs, labels)


def _candidate(table: Table, label: str, proposal: Proposal) -> Candidate:
    return Candidate(
        label=label,
        answer=table.scrub(proposal.answer),
        final_answer=proposal.final_answer and table.scrub(proposal.final_answer),
        reasoning=table.scrub(proposal.reasoning),
        claims=tuple((claim["id"], table.scrub(claim["text"])) for claim in proposal.claims),
    )


def open_turns(session_id: Any, turn_ids: Iterable[int]) -> list[Turn]:
    """Turns with all that a call needs, by seat. Two queries."""
    found = plain.rows(
        "FROM deliberation_turn AS turn JOIN deliberation_round AS round ON round.id = turn.round_id"
        " JOIN deliberation_participant AS seat ON seat.id = turn.participant_id"
        " JOIN broker_model AS model ON model.id = seat.model_id"
        " JOIN broker_endpoint AS endpoint ON endpoint.id = model.endpoint_id"
        " LEFT JOIN broker_host AS host ON host.id = endpoint.host_id"
        " WHERE turn.session_id = %s AND turn.id = ANY(%s) ORDER BY seat.seat",
        [session_id, list(turn_ids)],
        turn=Turn,
        round=Round,
        seat=Participant,
        model=Model,
        endpoint=Endpoint,
        host=Host,
    )
    for turn, round_, seat, model, endpoint, host in found:
        turn.round, turn.participant = round_, seat
        seat.model, model.endpoint, endpoint.host = model, endpoint, host
    prefetch_related_objects([model for _, _, _, model, _, _ in found], "prices")
    return [turn for turn, *_ in found]
