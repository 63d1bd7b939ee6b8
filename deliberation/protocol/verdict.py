"""The verdict of a session (protocol.md 7)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from deliberation.protocol.degradation import (
    COMPUTABLE,
    EPSILON,
    Table,
    could_flip,
    lost_ballots,
    lost_proposals,
)
from deliberation.protocol.matrix import class_of
from deliberation.protocol.outcomes import StopReason
from deliberation.protocol.stopping import discount
from deliberation.protocol.tally import tally
from deliberation.protocol.types import (
    Degradation,
    MinorityReport,
    OpenClaim,
    Proposal,
    RoundInput,
    RoundOutcome,
    Rules,
    Tally,
    Verdict,
    Veto,
)


def conclude(
    rounds: Sequence[tuple[RoundInput, RoundOutcome]],
    *,
    rules: Rules,
    vetoes: Sequence[Veto],
    stop_reason: StopReason,
) -> Verdict:
    """The verdict over the closed rounds, in order.

    `vetoes`: those in force now, of every round; each round's tally is recounted under them (a closed tally
    itself never changes). `verdict.failure` is set where no proposal can be chosen.
    """
    counted = [Counted.of(inputs, outcome, rules=rules, vetoes=vetoes) for inputs, outcome in rounds]
    chosen = choose(counted, rules=rules)
    verdict = Verdict(
        stop_reason=stop_reason,
        failure=None,
        open_claims=open_claims([outcome for _, outcome in rounds]),
        vetoed=_targets(vetoes, "proposal"),
        vetoed_ballots=_targets(vetoes, "ballot"),
        recounted=tuple(each.number for each in counted if each.changed),
        degradation=_degradation(counted, chosen, rules=rules),
        self_consistency=any(inputs.panel_of_one for inputs, _ in rounds),
    )
    if chosen is None:
        cast = any(each.tally.influence or each.tally.struck for each in counted)
        return replace(verdict, failure="no_eligible_proposal" if cast else "no_ballots")
    return _with_answer(verdict, chosen)


@dataclass(frozen=True)
class Counted:
    """A closed round, its tally under the vetoes of now, and u of its number."""

    inputs: RoundInput
    tally: Tally
    changed: bool
    u: float

    @classmethod
    def of(
        cls, inputs: RoundInput, outcome: RoundOutcome, *, rules: Rules, vetoes: Sequence[Veto]
    ) -> Counted:
        if set(inputs.vetoes) == set(vetoes):  # a tally is pure: a recount would say the same
            return cls(inputs, outcome.tally, False, discount(inputs.number, rules.law))
        now = tally(replace(inputs, vetoes=tuple(vetoes)), rules)
        changed = any(
            getattr(now, name) != getattr(outcome.tally, name)
            for name in ("winner", "eligible", "net_support")
        )
        return cls(inputs, now, changed, discount(inputs.number, rules.law))

    @property
    def number(self) -> int:
        return self.inputs.number

    @property
    def support(self) -> float | None:
        """Net support of the round's winner; None without one."""
        return None if self.tally.winner is None else self.tally.net_support[self.tally.winner]

    @property
    def score(self) -> float | None:
        return None if self.support is None else score(self.support, self.u)

    @property
    def proposal(self) -> Proposal:
        """The round's winner; only where there is one."""
        return next(each for each in self.inputs.proposals if each.id == self.tally.winner)


def score(support: float, u: float) -> float:
    """ns * u for ns >= 0, ns / u below (protocol.md 7, `final_rule: best` [O])."""
    return support * u if support >= 0 else support / u


def choose(counted: Sequence[Counted], *, rules: Rules) -> Counted | None:
    """The round whose winner is the answer; None where there is none.

    `last` [P]: the last round's. `best` [O]: within a round the largest score is the winner's, so only
    winners are compared (under `winner_by: class` too, or the class vote would be undone); of equal scores
    the later round has seen more.
    """
    if rules.final_rule == "last":
        return counted[-1] if counted and counted[-1].score is not None else None
    ranked = [(each.score, each.number, each) for each in counted if each.score is not None]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def _with_answer(verdict: Verdict, chosen: Counted) -> Verdict:
    proposal, counted = chosen.proposal, chosen.tally
    return replace(
        verdict,
        round=chosen.number,
        proposal=proposal.id,
        answer=proposal.answer,
        final_answer=proposal.final_answer,
        net_support=chosen.support,
        u=chosen.u,
        score=chosen.score,
        no_support=chosen.support is not None and chosen.support < 0,
        conviction=counted.conviction,
        coverage=counted.coverage,
        controversy=counted.controversy[proposal.id],
        minority=_minority(chosen),
        median_differs=counted.median_differs,
        pivotal=counted.pivotal,
    )


def _minority(chosen: Counted) -> MinorityReport | None:
    """The runner-up class and its argument (protocol.md 7)."""
    rival = chosen.tally.runner_up
    if rival is None:
        return None
    proposal = next(each for each in chosen.inputs.proposals if each.id == rival)
    return MinorityReport(
        round=chosen.number,
        proposal=rival,
        net_support=chosen.tally.net_support[rival],
        final_answer=proposal.final_answer,
        answer=proposal.answer,
        members=class_of(chosen.tally.classes, rival).members,
    )


def open_claims(outcomes: Iterable[RoundOutcome]) -> tuple[OpenClaim, ...]:
    """Claims contested in some round and neither settled nor withdrawn nor vetoed since; lack of room does
    not settle one.
    """
    found: dict[str, OpenClaim] = {}
    for outcome in outcomes:
        for item in (*outcome.state.kept, *outcome.state.dropped):
            if item.kind != "claim":
                continue
            if item.status == "contested" and item.fate in ("kept", "room"):
                found[item.id] = OpenClaim(item.id, item.text, item.round)
            else:
                found.pop(item.id, None)
    return tuple(found[each] for each in sorted(found))


def _targets(vetoes: Iterable[Veto], target: str) -> tuple[tuple[int, int], ...]:
    """(round, id) of what is struck."""
    return tuple(sorted({(veto.round, veto.id) for veto in vetoes if veto.target == target}))


def _degradation(counted: Sequence[Counted], chosen: Counted | None, *, rules: Rules) -> Degradation:
    """Seats lost in the rounds that the verdict rests on, and whether their ballots could have made it
    another.
    """
    used = counted[-1:] if rules.final_rule == "last" else counted
    return Degradation(
        lost_ballots=tuple(sorted({seat for each in used for seat in lost_ballots(each.inputs, each.tally)})),
        lost_proposals=tuple(sorted({seat for each in used for seat in lost_proposals(each.inputs)})),
        could_flip=None if chosen is None else _could_flip(used, chosen, rules=rules),
    )


def _could_flip(used: Sequence[Counted], chosen: Counted, *, rules: Rules) -> bool | None:
    answers = [could_flip(chosen.inputs, chosen.tally, rules=rules)]
    answers += [_could_overtake(each, chosen, rules=rules) for each in used if each is not chosen]
    return True if True in answers else None if None in answers else False


def _could_overtake(other: Counted, chosen: Counted, *, rules: Rules) -> bool | None:
    """Could a proposal of another round have scored more than the answer, had both rounds' lost ballots been
    cast?
    """
    lost = {each.number: lost_ballots(each.inputs, each.tally) for each in (other, chosen)}
    if not any(lost.values()):
        return False
    if rules.rule not in COMPUTABLE or chosen.tally.winner is None:
        return None
    here = Table.of(chosen.inputs, chosen.tally, lost=lost[chosen.number])
    there = Table.of(other.inputs, other.tally, lost=lost[other.number])
    floor = score(here.least(chosen.tally.winner), chosen.u)
    highest = [score(there.most(each), other.u) for each in there.standing if there.reachable(each)]
    lead = max(highest, default=-math.inf) - floor
    # equal scores go to the later round, and under a class vote more support need not make a proposal its round's
    # winner: there "possible" is not yet "could"
    if lead < -EPSILON:
        return False
    return None if lead <= EPSILON or rules.winner_by == "class" else True
