"""What the authors' diagnostics say about a round (protocol.md 4, diagnostics [P])."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from deliberation.protocol.ballots import is_number
from deliberation.protocol.types import (
    AnswerClass,
    ClaimVerdict,
    Diagnostics,
    RoundInput,
    RoundOutcome,
    Tally,
)


def diagnose(inputs: RoundInput, tally: Tally, *, history: Sequence[RoundOutcome]) -> Diagnostics:
    """All diagnostics of the round that `tally` closed."""
    verdicts = countable(inputs)
    before = history[-1].tally.net_support if history else {}
    mine = [verdict for verdict in verdicts if verdict.proposal == tally.winner]
    return Diagnostics(
        cesaro=cesaro([*(outcome.tally.net_support for outcome in history), tally.net_support]),
        distance=distance(before, tally.net_support),
        claim_convergence=convergence(verdicts),
        winner_claim_convergence=convergence(mine),
        category_means=category_means(inputs),
        new_classes=new_classes(tally.classes, [each.tally.classes for each in history]),
    )


def countable(inputs: RoundInput) -> list[ClaimVerdict]:
    """The verdicts that count: grounded, by a seated participant, on a claim that its proposal makes, not on
    the reviewer's own.
    """
    seats = {participant.seat for participant in inputs.participants}
    makes = {(proposal.id, claim.id) for proposal in inputs.proposals for claim in proposal.claims}
    authors = {proposal.id: proposal.author for proposal in inputs.proposals}
    return [
        verdict
        for verdict in inputs.claim_verdicts
        if verdict.grounded
        and verdict.reviewer in seats
        and (verdict.proposal, verdict.claim_id) in makes
        and authors[verdict.proposal] != verdict.reviewer
    ]


def cesaro(rounds: Iterable[Mapping[int, float | None]]) -> dict[int, float]:
    """Cesaro mean of net support: per proposal id, the mean over the rounds in which it has one."""
    values: defaultdict[int, list[float]] = defaultdict(list)
    for support in rounds:
        for proposal, ns in support.items():
            if ns is not None:
                values[proposal].append(ns)
    return {proposal: math.fsum(each) / len(each) for proposal, each in sorted(values.items())}


def distance(before: Mapping[int, float | None], now: Mapping[int, float | None]) -> float | None:
    """Euclidean distance of consecutive net-support vectors over the proposal ids that have both; None where
    none has.
    """
    pairs = [
        (old, new)
        for proposal, new in now.items()
        if new is not None and (old := before.get(proposal)) is not None
    ]
    return math.sqrt(math.fsum((new - old) ** 2 for old, new in pairs)) if pairs else None


def convergence(verdicts: Iterable[ClaimVerdict]) -> float | None:
    """Share of the claims judged by two or more whose verdict is unanimous; None where there is no such
    claim.
    """
    judged: defaultdict[tuple[int, str], dict[int, str]] = defaultdict(dict)
    for verdict in verdicts:
        judged[verdict.proposal, verdict.claim_id][verdict.reviewer] = verdict.verdict
    shared = [set(by_reviewer.values()) for by_reviewer in judged.values() if len(by_reviewer) > 1]
    return sum(len(kinds) == 1 for kinds in shared) / len(shared) if shared else None


def category_means(inputs: RoundInput) -> dict[int, dict[str, float]]:
    """proposal -> category -> mean score, -100..100, without scores on one's own and without what is no
    number.
    """
    authors = {proposal.id: proposal.author for proposal in inputs.proposals}
    scores: defaultdict[int, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in inputs.category_scores:
        if authors.get(each.proposal, each.reviewer) != each.reviewer and is_number(each.score):
            scores[each.proposal][each.category].append(float(max(-100, min(100, each.score))))
    return {
        proposal: {category: math.fsum(given) / len(given) for category, given in sorted(by_category.items())}
        for proposal, by_category in sorted(scores.items())
    }


def new_classes(now: Sequence[AnswerClass], before: Iterable[Sequence[AnswerClass]]) -> int:
    """How many of the round's answer classes no earlier round had; an answer without a key is always new."""
    known = {group.key for groups in before for group in groups}
    return sum(group.key is None or group.key not in known for group in now)
