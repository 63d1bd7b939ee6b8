"""What answers become: the rows of proposals and of ballots with their reviews, and the facts that tell of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from broker.models import Call, plain
from deliberation import events
from deliberation.models import Ballot, Blob, Proposal, Review
from deliberation.prompts.propose import ProposalReply
from deliberation.prompts.review import ReviewReply
from deliberation.services import searching
from deliberation.services.exchanges import Answer, bytes_of, exchange_facts, facts_of


@dataclass(frozen=True)
class Kept:
    """An answer with its call and its texts, stored."""

    answer: Answer
    call: Call
    prompt: Blob
    reply: Blob
    text: Blob

    @property
    def read(self) -> Any:
        return self.answer.read

    def told(self, **more: Any) -> dict[str, Any]:
        """The event's payload."""
        return {
            **facts_of(self.answer.turn),
            **more,
            "text": events.reference(self.text),
            **exchange_facts(self.answer.exchange, self.call, prompt=self.prompt, reply=self.reply),
        }


def keep(answers: Sequence[tuple[Answer, Call]]) -> list[Kept]:
    """Stores prompt, reply and text of each. All are of one session. One statement."""
    contents = [
        content
        for answer, _ in answers
        for content in (*bytes_of(answer.exchange), json.dumps(text_of(answer), ensure_ascii=False).encode())
    ]
    blobs = iter(events.keep_all(answers[0][0].turn.session, *contents))
    return [Kept(answer, call, next(blobs), next(blobs), next(blobs)) for answer, call in answers]


def text_of(answer: Answer) -> dict[str, Any]:
    """What the trail keeps of an answer's words: all that a recount needs, and all that a room shows."""
    read = answer.read
    if isinstance(read, ProposalReply):
        return {
            "answer": read.answer,
            "reasoning": read.reasoning,
            "final_answer": read.final_answer,
            "claims": [asdict(claim) for claim in read.claims],
            "notes": list(read.notes),
        }
    return {
        "missed": read.missed,
        "notes": list(read.notes),
        "reviews": [
            {
                "proposal": answer.labels[each.label],
                "justification": each.justification,
                "stance": each.stance,
                "claims": [asdict(claim) for claim in each.claims],
            }
            for each in read.reviews
        ],
    }


def add_proposals(kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """Proposals were made. Returns the payload for each. Three statements."""
    turn = kept[0].answer.turn
    Proposal.objects.bulk_create(
        Proposal(
            round=each.answer.turn.round,
            participant=each.answer.turn.participant,
            answer=each.read.answer,
            reasoning=each.read.reasoning,
            final_answer=each.read.final_answer,
            claims=[asdict(claim) for claim in each.read.claims],
            confidence=each.read.confidence,
            notes=list(each.read.notes),
            prompt=each.prompt,
            reply=each.reply,
        )
        for each in kept
    )
    searching.add_proposals(turn.session, turn.round.number)
    return [
        each.told(claims=[claim.id for claim in each.read.claims], confidence=each.read.confidence)
        for each in kept
    ]


def add_ballots(kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """Ballots were cast, with a review for each proposal. Returns the payload for each. Five statements."""
    turn = kept[0].answer.turn
    weights = [
        _by_seat(each.answer, {review.label: review.weight for review in each.read.reviews}) for each in kept
    ]
    ballots = Ballot.objects.bulk_create(
        Ballot(
            round=each.answer.turn.round,
            participant=each.answer.turn.participant,
            weights=given,
            missed=each.read.missed or "",
            notes=list(each.read.notes),
            prompt=each.prompt,
            reply=each.reply,
        )
        for each, given in zip(kept, weights, strict=True)
    )
    _add_reviews(kept, ballots)
    searching.add_reviews(turn.session, turn.round.number)
    return [
        each.told(
            version=1,
            weights=given,
            labels=dict(each.answer.labels),
            verdicts=_verdicts(each.answer, each.read),
            categories=_by_seat(each.answer, {one.label: dict(one.categories) for one in each.read.reviews}),
        )
        for each, given in zip(kept, weights, strict=True)
    ]


def _by_seat(answer: Answer, values: dict[str, Any]) -> dict[str, Any]:
    """Values by the reviewer's label, by the proposal's seat."""
    return {str(answer.labels[label]): value for label, value in values.items()}


def _add_reviews(kept: Sequence[Kept], ballots: Sequence[Ballot]) -> None:
    proposals = dict(
        plain.read(
            "SELECT seat.seat, made.id FROM deliberation_proposal AS made JOIN deliberation_participant AS seat"
            " ON seat.id = made.participant_id WHERE made.round_id = %s",
            [kept[0].answer.turn.round_id],
        )
    )
    Review.objects.bulk_create(
        Review(
            ballot=ballot,
            proposal_id=proposals[each.answer.labels[review.label]],
            label=review.label,
            weight=review.weight,
            justification=review.justification,
            stance=review.stance or "",
            claims=[asdict(claim) for claim in review.claims],
            categories=dict(review.categories),
        )
        for each, ballot in zip(kept, ballots, strict=True)
        for review in each.read.reviews
    )


def _verdicts(answer: Answer, read: ReviewReply) -> list[dict[str, Any]]:
    return [
        {
            "proposal": answer.labels[review.label],
            "claim": claim.claim_id,
            "verdict": claim.verdict,
            "grounded": claim.grounded,
        }
        for review in read.reviews
        for claim in review.claims
    ]
