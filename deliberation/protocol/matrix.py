"""The cleaned round: who sits, what stands to vote, which ballots count and with which weight (protocol.md 2
to 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from deliberation.protocol.ballots import Points, clean, is_number, points
from deliberation.protocol.exact import fraction
from deliberation.protocol.types import AnswerClass, Note, Participant, Proposal, RoundInput, Rules, Veto

Item = TypeVar("Item")


@dataclass(frozen=True)
class Matrix:
    """Ballots by voter, exact. `points`: voter -> proposal -> f of the ballots that count; `struck`: of
    vetoed ones.

    rho: seat -> weight, for every seat. authors: proposal -> seat. vetoed: proposals. awaited: the seats that
    coverage counts.
    """

    rule: str
    rho: Mapping[int, Fraction]
    points: Mapping[int, Points]
    struck: Mapping[int, Points]
    authors: Mapping[int, int]
    proposals: Mapping[int, Proposal]
    vetoed: frozenset[int]
    seats: frozenset[int]
    awaited: frozenset[int]
    notes: tuple[Note, ...]

    def voters_of(self, proposal: int) -> list[int]:
        """The voters whose counted ballots weigh `proposal`."""
        return [voter for voter, given in self.points.items() if proposal in given]


def build(inputs: RoundInput, rules: Rules) -> Matrix:
    """The cleaned round. Whatever cannot count (unknown, doubled, hostile) is dropped and noted; never
    raises.
    """
    notes: list[Note] = []
    participants = _unique(inputs.participants, key=lambda each: each.seat, what="seat", notes=notes)
    proposals = _proposals(inputs, seats=participants.keys(), notes=notes)
    authors = {proposal.id: proposal.author for proposal in proposals.values()}
    vetoes = [veto for veto in inputs.vetoes if veto.round == inputs.number]
    weights = _ballots(inputs, participants, authors=authors, notes=notes)
    called: Collection[int] = () if inputs.panel_of_one else weights.keys() | frozenset(inputs.required)
    struck = _targets(vetoes, "ballot", known=weights.keys(), notes=notes)
    given = {voter: points(weights[voter], rule=rules.rule) for voter in sorted(weights)}
    return Matrix(
        rule=rules.rule,
        rho=rho(participants.values(), rules=rules, notes=notes),
        points={voter: each for voter, each in given.items() if voter not in struck},
        struck={voter: each for voter, each in given.items() if voter in struck},
        authors=authors,
        proposals=proposals,
        vetoed=_targets(vetoes, "proposal", known=authors.keys(), notes=notes),
        seats=frozenset(each.seat for each in participants.values() if each.reviews),
        awaited=_awaited(participants.values(), called=called),
        notes=tuple(
            sorted(notes, key=lambda note: (note.kind, note.voter or 0, note.proposal or 0, note.text))
        ),
    )


def rho(participants: Iterable[Participant], *, rules: Rules, notes: list[Note]) -> dict[int, Fraction]:
    """rho = weight(kind) x family share x reliability, by seat (protocol.md 4)."""
    seated = list(participants)
    families = Counter(each.family for each in seated if each.kind == "model" and each.reviews)
    return {
        each.seat: _weight(each, rules=rules, notes=notes) * _share(each, families, rules=rules)
        for each in seated
    }


def _weight(participant: Participant, *, rules: Rules, notes: list[Note]) -> Fraction:
    weight = participant.weight
    if weight is not None and not (is_number(weight) and weight > 0):
        notes.append(
            Note(
                "weight",
                "A participant's weight that is not a positive number was ignored.",
                participant.seat,
            )
        )
        weight = None
    if weight is None:
        weight = rules.weight_model if participant.kind == "model" else rules.weight_human
    return fraction(float(weight)) * _reliability(participant, rules=rules, notes=notes)


def _reliability(participant: Participant, *, rules: Rules, notes: list[Note]) -> Fraction:
    """clamp(reliability, .25, 1) where the policy weighs by it; 1 otherwise (protocol.md 4 [O])."""
    if not rules.reliability_weighting:
        return Fraction(1)
    if not is_number(participant.reliability):
        notes.append(Note("reliability", "A reliability that is not a number was ignored.", participant.seat))
        return Fraction(1)
    return fraction(float(min(1.0, max(0.25, participant.reliability))))


def _share(participant: Participant, families: Mapping[str | None, int], *, rules: Rules) -> Fraction:
    """1/k for each of k agents of one family; a person, or an agent without a family, is one voter
    (protocol.md 4 [O]).
    """
    shared = rules.family_share and participant.kind == "model" and participant.family is not None
    return Fraction(1, max(families[participant.family], 1)) if shared else Fraction(1)


def _proposals(inputs: RoundInput, *, seats: Iterable[int], notes: list[Note]) -> dict[int, Proposal]:
    known = set(seats)
    found = _unique(inputs.proposals, key=lambda each: each.id, what="proposal", notes=notes)
    for unknown in [each for each in found.values() if each.author not in known]:
        notes.append(
            Note(
                "unknown_author",
                "A proposal whose author is not seated was dropped.",
                unknown.author,
                unknown.id,
            )
        )
        del found[unknown.id]
    return dict(sorted(found.items()))


def _ballots(
    inputs: RoundInput,
    participants: Mapping[int, Participant],
    *,
    authors: Mapping[int, int],
    notes: list[Note],
) -> dict[int, dict[int, Fraction]]:
    """voter -> clean weights; a voter with two ballots has none (which one counts must not depend on their
    order).
    """
    counts = Counter(ballot.voter for ballot in inputs.ballots)
    cast: dict[int, dict[int, Fraction]] = {}
    for ballot in inputs.ballots:
        if ballot.voter not in participants or counts[ballot.voter] > 1:
            kind = "unknown_voter" if ballot.voter not in participants else "two_ballots"
            notes.append(Note(kind, f"A ballot was dropped: {kind.replace('_', ' ')}.", ballot.voter))
            continue
        weights, found = clean(ballot, authors=authors)
        notes.extend(found)
        if weights:
            cast[ballot.voter] = weights
        else:
            notes.append(
                Note(
                    "empty_ballot",
                    "A ballot without a single weight that counts is an abstention.",
                    ballot.voter,
                )
            )
    return cast


def _targets(
    vetoes: Iterable[Veto], target: str, *, known: Iterable[int], notes: list[Note]
) -> frozenset[int]:
    allowed = set(known)
    aimed = {veto.id for veto in vetoes if veto.target == target}
    notes.extend(
        Note("unknown_veto", f"A veto on a {target} that is not there was ignored.") for _ in aimed - allowed
    )
    return frozenset(aimed & allowed)


def _awaited(participants: Iterable[Participant], *, called: Collection[int]) -> frozenset[int]:
    """Agents seated, and the people who are called on: who cast, and whom the policy requires (protocol.md 2,
    coverage). In a panel of one nobody is, since there are no ballots.
    """
    return frozenset(
        each.seat for each in participants if (each.kind == "model" and each.reviews) or each.seat in called
    )


def _unique(
    items: Iterable[Item], *, key: Callable[[Item], int], what: str, notes: list[Note]
) -> dict[int, Item]:
    found: dict[int, Item] = {}
    for item in items:
        if key(item) in found:
            notes.append(
                Note(
                    f"doubled_{what}",
                    f"A second {what} with the same number was dropped.",
                    proposal=key(item),
                )
            )
        else:
            found[key(item)] = item
    return found


def eligible(matrix: Matrix) -> tuple[int, ...]:
    """Not vetoed, and weighed by at least 1 ballot, 2 where 4 or more participants sit (protocol.md 4); the
    ballots are not asked under `majority_answer`, which uses no reviews.
    """
    needed = 0 if matrix.rule == "majority_answer" else ballots_needed(matrix)
    standing = [proposal for proposal in matrix.authors if proposal not in matrix.vetoed]
    return tuple(proposal for proposal in standing if len(matrix.voters_of(proposal)) >= needed)


def ballots_needed(matrix: Matrix) -> int:
    """Ballots that have to weigh a proposal before it may win."""
    return 2 if len(matrix.seats) >= 4 else 1


def class_of(classes: Iterable[AnswerClass], proposal: int) -> AnswerClass:
    """The answer class of `proposal`."""
    return next(each for each in classes if proposal in each.members)
