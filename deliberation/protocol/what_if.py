"""What if: the recorded rounds counted again with something otherwise, by the code that closed them.

Only ballots that were cast are counted. What a participant would have said under other circumstances nobody
knows: where a recount goes on longer than the session did there is nothing to count, and where it ends earlier
the later rounds are not reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from deliberation.protocol.outcomes import Failure, StopReason
from deliberation.protocol.round import close_round, provisional_round
from deliberation.protocol.tally import tally
from deliberation.protocol.types import (
    Ballot,
    Participant,
    RoundInput,
    RoundOutcome,
    Rules,
    Tally,
    Verdict,
    Veto,
)
from deliberation.protocol.verdict import conclude

Place = tuple[int, int]  # round and seat
Vote = tuple[int, int, int]  # round, voter and proposal
Closed = tuple[RoundInput, RoundOutcome]
LAW = ("p_g", "k", "beta")

# stopped: as the stop test or a person says. failed: a round left nothing to go on with. goes_on: the record ends
# before the stop test holds. running: the newest round is open. struck: the next round is struck.
End = Literal["stopped", "failed", "goes_on", "running", "struck"]


@dataclass(frozen=True)
class Change:
    """What is to be otherwise than in the record; as it is made, nothing.

    out: seats as if they had not sat here. muted: seats whose ballots do not count. `without_people` and
    `families` name seats that are out. rounds: struck ones, and with each all that came after it and answered
    it. vetoed, lifted: proposals. ballots, lifted_ballots: of these voters. votes: single weights. rules: by
    name, as JSON. weights: by seat.
    """

    out: frozenset[int] = frozenset()
    without_people: bool = False
    families: frozenset[str] = frozenset()
    muted: frozenset[int] = frozenset()
    rounds: frozenset[int] = frozenset()
    ballots: frozenset[Place] = frozenset()
    lifted_ballots: frozenset[Place] = frozenset()
    votes: frozenset[Vote] = frozenset()
    vetoed: frozenset[Place] = frozenset()
    lifted: frozenset[Place] = frozenset()
    weights: Mapping[int, float] = field(default_factory=dict)
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """A session as a recount reads it: its closed rounds in order, each with the vetoes of then; the vetoes of now.

    ended: why it ended where no stop test says so (a person, or money, between two rounds). running: the open
    round.
    """

    rounds: tuple[RoundInput, ...]
    rules: Rules
    vetoes: tuple[Veto, ...] = ()
    ended: StopReason | None = None
    running: RoundInput | None = None

    @property
    def all_rounds(self) -> tuple[RoundInput, ...]:
        return (*self.rounds, *filter(None, (self.running,)))


@dataclass(frozen=True)
class Recount:
    """The rounds that count, what they come to and how it ends. `verdict` where the rounds give an answer; unless
    `end` is `stopped` it is the one that a stop after the last of them would give. `vetoes`: those that it rests on.
    """

    rules: Rules
    vetoes: tuple[Veto, ...]
    rounds: tuple[Closed, ...]
    verdict: Verdict | None
    end: End
    stop: StopReason | None
    failure: Failure | None
    not_reached: tuple[int, ...]

    @property
    def outcomes(self) -> Mapping[int, RoundOutcome]:
        return {outcome.number: outcome for _, outcome in self.rounds}

    def basis(self, number: int) -> RoundInput:
        """What a tally of this round is made of that the verdict rests on: under the vetoes of now."""
        return replace(self._round(number)[0], vetoes=self.vetoes)

    def tally(self, number: int) -> Tally:
        """The tally of this round that the verdict rests on."""
        inputs, outcome = self._round(number)
        if _under(inputs, self.vetoes).vetoes == self.vetoes:
            return outcome.tally
        return tally(self.basis(number), self.rules)

    def _round(self, number: int) -> tuple[RoundInput, RoundOutcome]:
        return next(each for each in self.rounds if each[0].number == number)


def recount(recorded: Recorded, change: Change, *, like: Recount | None = None) -> Recount:
    """The session with the change: close_round() for each round, then the verdict. Raises RulesError.

    `like`: an earlier recount of this record. A round is not closed again while it and all before it are the same.
    """
    rules = changed_rules(recorded.rules, change)
    vetoes = changed_vetoes(recorded.vetoes, recorded, change)
    closed: list[Closed] = []
    known = like.rounds if like is not None and like.rules == rules else ()
    end, stop, failure = _walk(recorded, change, partial(_close, rules=rules, closed=closed, known=known))
    reached = {inputs.number for inputs, _ in closed}
    verdict = None
    if closed and end != "failed":
        settled = [(_under(inputs, vetoes), outcome) for inputs, outcome in closed]
        verdict = conclude(settled, rules=rules, vetoes=vetoes, stop_reason=stop or "person")
        failure = verdict.failure
    return Recount(
        rules=rules,
        vetoes=vetoes,
        rounds=tuple(closed),
        verdict=verdict if failure is None else None,
        end=end,
        stop=stop,
        failure=failure,
        not_reached=tuple(each.number for each in recorded.all_rounds if each.number not in reached),
    )


def _walk(
    recorded: Recorded, change: Change, close: Callable[[RoundInput, bool], RoundOutcome]
) -> tuple[End, StopReason | None, Failure | None]:
    """Closes round after round, up to the end."""
    for inputs in recorded.rounds:
        if inputs.number in change.rounds:
            return "struck", None, None
        outcome = close(changed_round(inputs, recorded, change), False)
        if outcome.failure:
            return "failed", None, outcome.failure
        if outcome.stop:
            return "stopped", outcome.stop, None
    if recorded.running is None:
        ended = recorded.ended if recorded.rounds else None
        return ("stopped", ended, None) if ended else ("goes_on", None, None)
    if recorded.running.number in change.rounds:
        return "struck", None, None
    close(changed_round(recorded.running, recorded, change), True)
    return "running", None, None


def _close(
    inputs: RoundInput, running: bool, *, rules: Rules, closed: list[Closed], known: Sequence[Closed]
) -> RoundOutcome:
    """Closes one more round, or takes the outcome of the same round after the same ones."""
    count = len(closed)
    same = count < len(known) and known[count][0] == inputs and closed == list(known[:count])
    history = [outcome for _, outcome in closed]
    tallied = provisional_round if running else close_round
    outcome = known[count][1] if same else tallied(inputs, rules, history)
    closed.append((inputs, outcome))
    return outcome


def _under(inputs: RoundInput, vetoes: tuple[Veto, ...]) -> RoundInput:
    """Where the vetoes of now say the same of this round as those of then, its tally is the closed one."""
    then, now = ({each for each in given if each.round == inputs.number} for given in (inputs.vetoes, vetoes))
    return replace(inputs, vetoes=vetoes) if then == now else inputs


def changed_rules(rules: Rules, change: Change) -> Rules:
    """The rules with those of the change; a number of the law makes it a law of its own. Raises RulesError."""
    if not change.rules:
        return rules
    own = {"preset": "custom"} if any(name in change.rules for name in LAW) else {}
    return Rules.from_json({**rules.to_json(), **own, **change.rules})


def changed_vetoes(
    vetoes: Sequence[Veto], recorded: Recorded, change: Change, *, upto: int | None = None
) -> tuple[Veto, ...]:
    """`vetoes` without the lifted ones, and with what the change strikes: a struck ballot counts as a vetoed one.

    `upto`: the round that reads them, to which a later one, or a ballot of another, is nothing.
    """
    gone = {Veto("proposal", seat, number) for number, seat in change.lifted}
    gone |= {Veto("ballot", seat, number) for number, seat in change.lifted_ballots}
    kept = tuple(each for each in vetoes if each not in gone)
    struck = [each for each in _struck(recorded, change) if each not in kept]
    return (*kept, *(each for each in struck if upto is None or _is_read(each, upto)))


def _is_read(veto: Veto, number: int) -> bool:
    return veto.round == number or (veto.target == "proposal" and veto.round < number)


def _struck(recorded: Recorded, change: Change) -> list[Veto]:
    muted = {
        (inputs.number, ballot.voter)
        for inputs in recorded.all_rounds
        for ballot in inputs.ballots
        if ballot.voter in change.muted
    }
    vetoes = [Veto("proposal", seat, number) for number, seat in sorted(change.vetoed)]
    return vetoes + [Veto("ballot", seat, number) for number, seat in sorted(change.ballots | muted)]


def changed_round(inputs: RoundInput, recorded: Recorded, change: Change) -> RoundInput:
    """What close_round() reads of this round with the change."""
    out = left_out(inputs.participants, change)
    gone = {each.id for each in inputs.proposals if each.author in out}
    vetoes = changed_vetoes(inputs.vetoes, recorded, change, upto=inputs.number)
    here = {each for each in vetoes if each.round == inputs.number and each.id in (out | gone)}
    heard = [each for each in inputs.ballots if each.voter not in out]
    return replace(
        inputs,
        participants=tuple(_weighed(each, change) for each in inputs.participants if each.seat not in out),
        proposals=tuple(each for each in inputs.proposals if each.id not in gone),
        ballots=tuple(_ballot(each, inputs.number, change, gone=gone) for each in heard),
        vetoes=tuple(each for each in vetoes if each not in here),
        required=tuple(seat for seat in inputs.required if seat not in out),
        claim_verdicts=tuple(
            each for each in inputs.claim_verdicts if each.reviewer not in out and each.proposal not in gone
        ),
        category_scores=tuple(
            each for each in inputs.category_scores if each.reviewer not in out and each.proposal not in gone
        ),
    )


def left_out(participants: Iterable[Participant], change: Change) -> frozenset[int]:
    """The seats that do not sit here any more."""
    return change.out | {
        each.seat
        for each in participants
        if (change.without_people and each.kind == "human")
        or (each.family is not None and each.family in change.families)
    }


def _weighed(participant: Participant, change: Change) -> Participant:
    weight = change.weights.get(participant.seat)
    return participant if weight is None else replace(participant, weight=weight)


def _ballot(ballot: Ballot, number: int, change: Change, *, gone: set[int]) -> Ballot:
    """Without weights for proposals that are gone; a struck vote is no opinion."""
    struck = {proposal for at, voter, proposal in change.votes if (at, voter) == (number, ballot.voter)}
    if not struck and not gone & ballot.weights.keys():
        return ballot
    return replace(
        ballot,
        weights={
            proposal: None if proposal in struck else weight
            for proposal, weight in ballot.weights.items()
            if proposal not in gone
        },
    )
