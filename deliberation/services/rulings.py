"""Outside checks of what agents answered: a known answer, or a person's ruling on the verdict.

They alone teach the broker how good a model is; a peer's vote never does. What counts is what a model answered in
the first round, before it saw the others. The ballots of that round go with the checks: they tell how a panel of
these models, or of some of them, would have decided.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db import transaction

from broker.models import Check
from broker.services.competences import Answered, Scored, record_checks, record_scores, withdraw_checks
from deliberation import events
from deliberation.models import Ballot, Participant, Proposal, Session
from deliberation.protocol import ballots
from deliberation.protocol import types as protocol
from deliberation.protocol.equivalence import normalise
from deliberation.protocol.types import Rules
from deliberation.services.acts import ActRefused, actor, is_text, lock_session

ANSWER_CHARS = 2000


@dataclass(frozen=True)
class Ruling:
    """Whether the verdict is right; where it is not, what would be, if that is known."""

    right: bool
    answer: str = ""


@transaction.atomic
def rule(session_id: Any, user: Any, ruling: Ruling) -> int:
    """A person says whether the verdict is right. A second ruling takes the place of the first. Returns the event's
    number.
    """
    session = lock_session(session_id)
    if session.state != Session.State.CONCLUDED:
        raise ActRefused("There is no verdict to rule on.")
    answer = "" if ruling.right else clean_answer(ruling.answer)
    session.ruling, session.ruled_answer = "right" if ruling.right else "wrong", answer
    session.save(update_fields=["ruling", "ruled_answer"])
    right = session.verdict["final_answer"] if ruling.right else answer
    learned = _learn(session, right=right or None, source=Check.Source.RULING)
    payload = {
        "right": ruling.right,
        "answer": events.reference(events.keep(session, answer.encode())) if answer else None,
        "checks": learned,
    }
    return events.record(session, "answer.ruled", actor=actor(user), payload=payload)


def check_known_answer(session: Session) -> None:
    """Where the right answer was known from the start, the models that sat are checked against it. Within the
    transaction that concludes the session.
    """
    if session.known_answer:
        learned = _learn(session, right=session.known_answer, source=Check.Source.KNOWN_ANSWER)
        events.record(session, "answer.checked", actor="orchestrator", payload={"checks": learned})


def clean_answer(text: str) -> str:
    """An answer as a person typed it. Raises ActRefused."""
    answer = text.strip()
    if not is_text(answer):
        raise ActRefused("The right answer holds characters that are no text. Take them out.")
    if len(answer) > ANSWER_CHARS:
        raise ActRefused(
            f"The right answer has {len(answer):,} characters; at most {ANSWER_CHARS:,} are allowed."
        )
    return answer


def _learn(session: Session, *, right: str | None, source: str) -> list[dict[str, Any]]:
    """Checks each model's first answer, as far as it can be told right or wrong, and tells the broker."""
    checked = [
        (each, verdict)
        for each in _first_answers(session)
        if (verdict := _verdict_on(each, session, right=right)) is not None
    ]
    question = hashlib.sha256(session.task.encode()).hexdigest()
    withdraw_checks(session.pk, but=[each.participant.model for each, _ in checked])
    record_checks(
        [
            Answered(
                model=each.participant.model,
                right=verdict,
                answer=hashlib.sha256(_key(session, each.final_answer).encode()).hexdigest(),
            )
            for each, verdict in checked
        ],
        category=session.category,
        question=question,
        source=source,
        reference=session.pk,
    )
    scores = _first_scores(session, [each.participant for each, _ in checked])
    record_scores(scores, question=question, reference=session.pk)
    return [{"seat": each.participant.seat, "right": verdict} for each, verdict in checked]


def _first_answers(session: Session) -> list[Proposal]:
    """One final answer for each model: that of its first seat in the first round. Open answers are left out."""
    made = Proposal.objects.filter(
        round__session=session, round__number=1, participant__model__isnull=False, final_answer__isnull=False
    ).select_related("participant__model")
    by_model: dict[int, Proposal] = {}
    for each in made.order_by("participant__seat"):
        by_model.setdefault(each.participant.model_id, each)
    return list(by_model.values())


def _first_scores(session: Session, seats: Sequence[Participant]) -> list[Scored]:
    """What these seats gave to each other's answers in the first round, as far as it counts."""
    models = {each.seat: each.model for each in seats}
    cast = Ballot.objects.filter(
        round__session=session, round__number=1, current=True, participant__in=seats
    ).select_related("participant")
    return [
        Scored(voter=models[voter], author=models[author], weight=float(weight))
        for voter, given in ((each.participant.seat, each.weights) for each in cast)
        for author, weight in _counted(voter, given, authors=models).items()
    ]


def _counted(voter: int, given: dict[str, Any], *, authors: Iterable[int]) -> dict[int, Fraction]:
    """By seat of those authors, as the tally takes the weights."""
    ballot = protocol.Ballot(voter, {int(seat): weight for seat, weight in given.items()})
    return ballots.clean(ballot, authors={seat: seat for seat in authors})[0]


def _verdict_on(proposal: Proposal, session: Session, *, right: str | None) -> bool | None:
    """None where it cannot be told: all that is known is that another answer is wrong."""
    key = _key(session, proposal.final_answer)
    if right is not None:
        return key == _key(session, right)
    return False if key == _key(session, session.verdict["final_answer"]) else None


def _key(session: Session, answer: str | None) -> str:
    """Equal keys are equal answers, by the session's rule; what that cannot read is compared as text."""
    kind = Rules.from_json(session.rules).equivalence
    text = answer or ""
    return normalise(kind, text) or normalise("exact", text) or ""
