"""The record beside what a change makes of it, in words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from deliberation import formats, state_words
from deliberation.protocol import answers
from deliberation.protocol.equivalence import normalise
from deliberation.protocol.phases import CLOSED_FIRST
from deliberation.protocol.types import RoundOutcome, Verdict
from deliberation.protocol.what_if import Recount
from deliberation.selectors import words
from deliberation.selectors.what_if.case import Case
from deliberation.selectors.words import Who, letter, letters

ANSWER_CHARS = 120
NOT_REACHED = "not reached"
DIGITS = (2, 4, 8)


@dataclass(frozen=True)
class Line:
    """One thing that is compared, as the record has it and as the change makes it."""

    what: str
    record: str
    what_if: str

    @property
    def changed(self) -> bool:
        return self.record != self.what_if


@dataclass(frozen=True)
class RoundLine:
    """One round on both sides: who wins, the conviction, the evidence of what is needed."""

    number: int
    winner: Line
    conviction: Line
    evidence: Line

    @property
    def changed(self) -> bool:
        return self.winner.changed or self.conviction.changed or self.evidence.changed


@dataclass(frozen=True)
class Comparison:
    """headline: whether the answer is another one. number: the round whose support is told, None where there is none.
    limits: what a recount cannot know, where it matters here.
    """

    headline: str
    flipped: bool
    lines: tuple[Line, ...]
    rounds: tuple[RoundLine, ...]
    number: int | None
    support: tuple[tuple[Who, Line], ...]
    limits: tuple[str, ...]


def compare(case: Case, now: Recount) -> Comparison:
    """The record beside what the change makes of it."""
    number = shown_round(now)
    before, after = _values(case.base), _values(now)
    return Comparison(
        headline=_headline(case, now),
        flipped=not _same_answer(case, now),
        lines=tuple(_line(what, before[what], after[what]) for what in before),
        rounds=tuple(_round_line(case, now, each.number) for each in case.recorded.all_rounds),
        number=number,
        support=_support(case, now, number) if number else (),
        limits=_limits(case, now),
    )


def shown_round(now: Recount) -> int | None:
    """The round of the answer, else the last one that was counted."""
    if now.verdict is not None:
        return now.verdict.round
    return now.rounds[-1][1].number if now.rounds else None


def named(verdict: Verdict | None) -> str:
    """B of round 2."""
    if verdict is None or verdict.proposal is None:
        return "no answer"
    return f"{letter(verdict.proposal)} of round {verdict.round}"


def answer_of(verdict: Verdict | None) -> str:
    """The answer in short."""
    if verdict is None:
        return formats.UNKNOWN
    text = verdict.final_answer or verdict.answer or ""
    line = " ".join(text.split())
    return line if len(line) <= ANSWER_CHARS else f"{line[: ANSWER_CHARS - 1]}…"


Value = str | float | None


def _values(found: Recount) -> dict[str, Value]:
    """What one side comes to: words, and numbers in [-1, 1]."""
    verdict = found.verdict
    tally = found.tally(verdict.round) if verdict is not None and verdict.round is not None else None
    rival, median = (tally.runner_up, tally.median_winner) if tally is not None else (None, None)
    return {
        "Answer": answer_of(verdict),
        "Proposal": named(verdict),
        "Net support": verdict.net_support if verdict else None,
        "Lead over the next answer": tally.margin if tally else None,
        "Next answer": formats.UNKNOWN if rival is None else letter(rival),
        "By the median of the ballots": formats.UNKNOWN if median is None else f"{letter(median)} wins",
        "Conviction": verdict.conviction if verdict else None,
        "Coverage": formats.percent(verdict.coverage if verdict else None),
        "It ends": ending(found),
    }


def _line(what: str, before: Value, after: Value) -> Line:
    """Numbers that differ are written with as many digits as it takes to see it."""
    pair = (before, after)
    for digits in DIGITS:
        texts = [each if isinstance(each, str) else formats.signed(each, digits=digits) for each in pair]
        if before == after or texts[0] != texts[1]:
            break
    return Line(what, *texts)


def ending(found: Recount) -> str:
    """When and why."""
    last = found.rounds[-1][1].number if found.rounds else None
    if last is None:
        return "no round is counted"
    if found.failure is not None:
        return f"without an answer after round {last}: {state_words.FAILURES[found.failure]}"
    return {
        "stopped": f"after round {last}: {state_words.STOP_REASONS.get(found.stop or '', '')}",
        "goes_on": f"not with round {last}: another round would follow",
        "running": f"not yet: round {last} is open",
        "struck": f"after round {last}: the next one is struck",
        "failed": f"after round {last}",
    }[found.end]


def _headline(case: Case, now: Recount) -> str:
    before, after = case.base.verdict, now.verdict
    if after is None:
        return "Nothing wins then." if before is not None else "There is no answer to compare."
    if before is None:
        return f"Then there is an answer: {named(after)}."
    if (before.round, before.proposal) == (after.round, after.proposal):
        return f"The answer stays: {named(after)}."
    same = ", which says the same" if _same_answer(case, now) else ""
    return f"The answer is then {named(after)} instead of {named(before)}{same}."


def _same_answer(case: Case, now: Recount) -> bool:
    before, after = case.base.verdict, now.verdict
    if before is None or after is None:
        return before is after
    if (before.round, before.proposal) == (after.round, after.proposal):
        return True
    keys = [normalise(now.rules.equivalence, each.final_answer) for each in (before, after)]
    return keys[0] is not None and keys[0] == keys[1]


def _round_line(case: Case, now: Recount, number: int) -> RoundLine:
    before, after = case.base.outcomes.get(number), now.outcomes.get(number)
    return RoundLine(
        number,
        Line("Winner", _winner(before), _winner(after)),
        _line("Conviction", *(each.tally.conviction if each else None for each in (before, after))),
        Line("Evidence", _evidence(before), _evidence(after)),
    )


def _winner(outcome: RoundOutcome | None) -> str:
    if outcome is None:
        return NOT_REACHED
    return words.wins_by(outcome.tally.winner, margin=outcome.tally.margin, ended=not outcome.provisional)


def _evidence(outcome: RoundOutcome | None) -> str:
    """.0564 of .1370."""
    if outcome is None:
        return formats.UNKNOWN
    gathered, needed = outcome.evidence.total, outcome.evidence.target
    return f"{formats.number(gathered, digits=4)} of {formats.number(needed, digits=4)}"


def _support(case: Case, now: Recount, number: int) -> tuple[tuple[Who, Line], ...]:
    """Net support of each proposal of the round, on both sides."""
    before: Mapping[int, float | None] = {}
    if number in case.base.outcomes:
        before = case.base.tally(number).net_support
    after = now.tally(number).net_support
    return tuple(
        (case.seats[seat], _line("Net support", *(each.get(seat, "left out") for each in (before, after))))
        for seat in sorted({*before, *after})
    )


def _limits(case: Case, now: Recount) -> tuple[str, ...]:
    said = []
    if case.session.failure:
        said.append("The session failed and has no verdict. This is what its closed rounds come to.")
    elif not case.session.ended:
        said.append(_running(case))
    if case.overturned:
        said.append("People overturned the verdict after the end: the answer of the record does not stand.")
    if now.end == "goes_on" and case.base.end != "goes_on":
        said.append("It would have gone on. No ballots exist for a further round, so the count ends here.")
    if now.not_reached:
        numbers = words_of(now.not_reached)
        said.append(f"Not reached: {numbers}. The ballots that were cast there do not count.")
    if now.verdict is not None and now.verdict.no_support:
        said.append("No support: the ballots speak against every proposal, and against this one least.")
    said += _lost(now)
    if case.late is not None:
        said.append(f"Round {case.late} is open and has no ballot yet; it is not counted.")
    if now.end == "running":
        said.append("The open round is counted as it stands; its ballots may still change.")
    return tuple(said)


def _running(case: Case) -> str:
    if case.recorded.running is None or case.session.state in CLOSED_FIRST:
        return "The session runs. This is what it would come to if it were stopped now."
    number = case.session.round
    return (
        f"The session runs. This is what it would come to if round {number} closed with the ballots cast so far; "
        f"were it stopped now, round {number} would count for nothing."
    )


def _lost(now: Recount) -> list[str]:
    """A degraded count says what is missing, and whether it could change the answer."""
    lost = now.verdict.degradation if now.verdict is not None else None
    if lost is None or not (lost.lost_ballots or lost.lost_proposals):
        return []
    missing = (("ballot", lost.lost_ballots), ("proposal", lost.lost_proposals))
    names = [f"No {what} from {letters(seats)}." for what, seats in missing if seats]
    changes = False
    if lost.could_flip is not False:
        changes = answers.verdict_could_change(now.rounds, rules=now.rules, vetoes=now.vetoes)
    flip = state_words.could_flip(lost.could_flip, answer=changes)
    return [f"{' '.join(names)} Could that have changed the answer? {flip}."]


def words_of(numbers: tuple[int, ...]) -> str:
    """round 2; rounds 2 and 3; rounds 2, 3 and 4."""
    texts = [str(each) for each in numbers]
    listed = texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
    return f"round{'s' if len(texts) > 1 else ''} {listed}"
