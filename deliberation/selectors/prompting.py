"""What an agent is told: the inputs of both exchanges, without a name of a participant in them."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from deliberation import record
from deliberation.models import Participant, Proposal, Review, Round, Session, Turn, Veto
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
    """Reads the table for the running round. Ten queries at most."""
    rules = Rules.from_json(session.rules)
    rounds = {
        each.number: each
        for each in session.rounds.filter(number__in=(session.round - 1, session.round)).prefetch_related(
            Prefetch("proposals", Proposal.objects.select_related("participant")),
            Prefetch(
                "proposals__reviews",
                Review.objects.filter(ballot__current=True).select_related("ballot__participant"),
            ),
        )
    }
    before = rounds.get(session.round - 1)
    return Table(
        session=session,
        rules=rules,
        last=RoundOutcome.from_json(before.outcome) if before and before.outcome else None,
        last_proposals=_by_seat(before),
        proposals=_standing(session, rounds[session.round]),
        guidance=active_guidance(_said(session), number=session.round, rules=rules),
        names=_names(_seated(session)),
        carried=into(session) if session.round == 1 else None,
    )


def _said(session: Session) -> tuple[Guidance, ...]:
    return record.load(session, ("guidance.left", "guidance.withdrawn")).guidance()


def _by_seat(round_: Round | None) -> dict[int, Proposal]:
    return {each.participant.seat: each for each in round_.proposals.all()} if round_ else {}


def _standing(session: Session, round_: Round) -> dict[int, Proposal]:
    """The round's proposals that are not struck."""
    struck = set(
        Veto.objects.filter(round=round_, kind="proposal", withdrawn_at=None).values_list(
            "target_id", flat=True
        )
    )
    return {
        seat: each for seat, each in sorted(_by_seat(round_).items()) if each.participant_id not in struck
    }


def _seated(session: Session) -> "QuerySet[Participant]":
    """Everybody whose words may reach a prompt: of a fork also those of its parent."""
    tables = [each for each in (session.pk, session.parent_id) if each is not None]
    return Participant.objects.filter(session__in=tables).select_related("model", "user")


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
    return critiques(proposal.claims, proposal.reviews.all(), struck=struck, scrub=table.scrub)


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
    """Turns with all that a call needs. Two queries."""
    return list(
        Turn.objects.filter(session_id=session_id, pk__in=list(turn_ids))
        .select_related("participant__model__endpoint__host", "round")
        .prefetch_related("participant__model__prices")
        .order_by("participant__seat")
    )
