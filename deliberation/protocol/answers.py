"""What of a result is the answer's, and not only the proposal's: proposals of one class say the same (protocol.md 4).

Whether lost ballots could have made another answer win is told only where it is certain: "could" by ballots that are
found, "could not" where no ballot is enough against one proposal of the answer. None: neither is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deliberation.protocol.degradation import COMPUTABLE, EPSILON, Table, could_flip, lost_ballots
from deliberation.protocol.equivalence import normalise
from deliberation.protocol.leaving_out import Count
from deliberation.protocol.matrix import class_of
from deliberation.protocol.poll import Poll
from deliberation.protocol.types import RoundInput, RoundOutcome, Rules, Tally, Veto
from deliberation.protocol.verdict import Counted, choose, score

STEPS = 60  # of the search for ballots that are enough
HASTE = 4.0  # how fast it turns to the proposals that are not passed yet


def same_answer(tally: Tally, proposal: int) -> tuple[int, ...]:
    """The proposals of the round with the answer of this one, itself included."""
    return class_of(tally.classes, proposal).members


def deciding(inputs: RoundInput, tally: Tally, *, rules: Rules) -> tuple[int, ...]:
    """Of the pivotal voters those without whose ballot the answer does not win."""
    if not tally.pivotal or tally.winner is None:
        return ()
    same = same_answer(tally, tally.winner)
    if len(same) == 1:
        return tally.pivotal
    if set(tally.eligible) <= set(same):
        return ()
    poll = Poll.of(Count.of(inputs, rules).contest, standing=tally.eligible, needed=1)
    whole = poll.whole()
    return tuple(
        voter
        for ballot, voter in enumerate(poll.voters)
        if voter in tally.pivotal and poll.winner(poll.minus(whole, ballot)) not in same
    )


def could_change(inputs: RoundInput, tally: Tally, *, rules: Rules) -> bool | None:
    """Could the lost ballots have made another answer win this round? None: not known."""
    if inputs.panel_of_one or rules.winner_by == "class" or tally.winner is None:
        return could_flip(inputs, tally, rules=rules)
    if not lost_ballots(inputs, tally):
        return False
    stage = _Stage.of(inputs, tally, same=same_answer(tally, tally.winner), u=1.0)
    return _any_wins((stage,), rule=tally.rule)


def verdict_could_change(
    rounds: Sequence[tuple[RoundInput, RoundOutcome]], *, rules: Rules, vetoes: Sequence[Veto]
) -> bool | None:
    """Could the lost ballots of all rounds that the verdict rests on have made another answer the verdict? None: not
    known. The arguments are those of `verdict.conclude`.
    """
    counted = [Counted.of(inputs, outcome, rules=rules, vetoes=vetoes) for inputs, outcome in rounds]
    chosen = choose(counted, rules=rules)
    if chosen is None:
        return None
    used = counted[-1:] if rules.final_rule == "last" else counted
    if len(used) == 1:
        return could_change(chosen.inputs, chosen.tally, rules=rules)
    if not any(lost_ballots(each.inputs, each.tally) for each in used):
        return False
    stages = tuple(
        _Stage.of(each.inputs, each.tally, same=_agreeing(each, chosen, rules=rules), u=each.u)
        for each in used
    )
    if rules.winner_by == "class" and any(
        each.rivals for each in stages
    ):  # sums compete there, not single proposals
        return could_flip(chosen.inputs, chosen.tally, rules=rules) or None
    return _any_wins(stages, rule=chosen.tally.rule)


def _agreeing(other: Counted, chosen: Counted, *, rules: Rules) -> tuple[int, ...]:
    """The proposals of a round with the answer of the verdict."""
    if other is chosen:
        return same_answer(chosen.tally, chosen.proposal.id)
    key = normalise(rules.equivalence, chosen.proposal.final_answer)
    made = {each.id: normalise(rules.equivalence, each.final_answer) for each in other.inputs.proposals}
    return tuple(each for each, own in made.items() if key is not None and own == key)


@dataclass(frozen=True)
class _Stage:
    """One round with its lost voters. same: its eligible proposals with the answer that won; u of its number."""

    table: Table
    same: tuple[int, ...]
    rivals: tuple[int, ...]
    u: float

    @classmethod
    def of(cls, inputs: RoundInput, tally: Tally, *, same: Sequence[int], u: float) -> _Stage:
        table = Table.of(inputs, tally, lost=lost_ballots(inputs, tally))
        rivals = tuple(each for each in table.standing if each not in same and table.reachable(each))
        return cls(table, tuple(each for each in same if each in tally.eligible), rivals, u)

    def least(self) -> float:
        """A score that the best of the answer keeps here, whatever the lost ballots say."""
        return max((score(self.table.least(each), self.u) for each in self.same), default=-math.inf)

    def lowest(self) -> float:
        """The lowest found to which lost ballots can push the best of the answer here."""
        return score(-_found_lead(self.table, None, self.same), self.u) if self.same else -math.inf

    def support_for(self, target: float) -> float:
        """The net support that scores so much in this round."""
        return target * self.u if target < 0 else target / self.u


def _any_wins(stages: Sequence[_Stage], *, rule: str) -> bool | None:
    """Could any proposal with another answer have more than all that give the answer, in all rounds?"""
    found = [
        _wins(stage, rival, others=[each for each in stages if each is not stage], rule=rule)
        for stage in stages
        for rival in stage.rivals
    ]
    return True if True in found else None if None in found else False


def _wins(stage: _Stage, rival: int, *, others: Sequence[_Stage], rule: str) -> bool | None:
    if rule not in COMPUTABLE:
        return None
    table = stage.table
    bar = max((each.least() for each in others), default=-math.inf)
    if score(table.most(rival), stage.u) < bar - EPSILON:
        return False
    duels = [table.can_pass((rival,), (each,)) for each in stage.same]
    if False in duels:
        return False
    if not others and len(duels) == 1:
        return duels[0]
    floor = stage.support_for(max((each.lowest() for each in others), default=-math.inf))
    return True if _found_lead(table, rival, stage.same, floor=floor) > EPSILON else None


def _found_lead(table: Table, rival: int | None, over: Sequence[int], *, floor: float = -math.inf) -> float:
    """The largest lead found of the rival (None: of 0) over all of `over` and over `floor`, where every lost voter
    weighs all that it may. Each step answers best to what the last ones left in front.
    """
    bottoms = {
        each: table.bottoms[each] + _voices(table, each) for each in (rival, *over) if each is not None
    }
    weights = dict.fromkeys(over, 1.0)
    best = -math.inf
    for step in range(1, STEPS):
        support = _after(table, rival, weights=weights, bottoms=bottoms)
        own = support[rival] if rival is not None else 0.0
        leads = {each: own - support[each] for each in over}
        best = max(best, min((*leads.values(), own - floor), default=-math.inf))
        if (rival is not None and best > EPSILON) or not table.voters:
            break
        behind = {each: lead - min(leads.values()) for each, lead in leads.items()}
        weights = {each: weights[each] * math.exp(-HASTE * behind[each] / math.sqrt(step)) for each in over}
    return best


def _voices(table: Table, proposal: int) -> float:
    return math.fsum(voter.weight for voter in table.voters if proposal not in voter.own)


def _after(
    table: Table, rival: int | None, *, weights: Mapping[int, float], bottoms: Mapping[int, float]
) -> dict[int, float]:
    """Net support once each lost voter has voted for the rival and, by their weights, against the others."""
    whole = sum(weights.values()) or 1.0
    tops = {each: table.tops[each] for each in bottoms}
    for voter in table.voters:
        pull = {
            each: -weights[each] / whole * voter.weight / bottoms[each]
            for each in weights
            if each not in voter.own
        }
        if table.rule == "quadratic_unsigned":
            pull = dict.fromkeys(pull, 0.0)
        if rival is not None and rival not in voter.own:
            pull[rival] = voter.weight / bottoms[rival]
        size = sum(map(abs, pull.values())) if table.rule == "linear" else math.hypot(*pull.values())
        for each, part in pull.items():
            tops[each] += voter.weight * part / size if size else 0.0
    return {each: tops[each] / bottoms[each] for each in tops if bottoms[each]}
