"""How firm a result is: the smallest change that flips it, and what each participant's ballot makes of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from deliberation.protocol.flips import Flip, VoteFlip, pivotal_votes, smallest_flip
from deliberation.protocol.leaving_out import Count, Influence, leave_one_out
from deliberation.protocol.matrix import class_of
from deliberation.protocol.types import Tally, Verdict
from deliberation.protocol.what_if import Change, Recount, recount
from deliberation.selectors.what_if.address import address
from deliberation.selectors.what_if.case import Case
from deliberation.selectors.what_if.compare import named, shown_round
from deliberation.selectors.words import Who, letter, letters


@dataclass(frozen=True)
class FlipLine:
    """The smallest change of one round. address: of the what-if that strikes these ballots too, None where none were
    found. bound: they are not known to be the fewest, or that there are none. verdict: what the session comes to then.
    """

    number: int
    words: str
    ballots: tuple[int, ...] | None
    winner: int | None
    bound: bool
    address: str | None
    verdict: str | None


@dataclass(frozen=True)
class VoteLine:
    """One vote that is enough, and the address of the what-if that strikes it too."""

    words: str
    voter: int
    proposal: int
    winner: int
    address: str


@dataclass(frozen=True)
class InfluenceLine:
    """The winner without one ballot. `support`, `lead`: what they change by; None where there is none then. flips: who
    wins then, None where it is the same.
    """

    who: Who
    net_support: float | None
    support: float | None
    margin: float | None
    lead: float | None
    flips: str | None


@dataclass(frozen=True)
class Firmness:
    """number: the round that influence is told of, and `winner` the seat in front there; None where nobody wins."""

    flips: tuple[FlipLine, ...]
    votes: tuple[VoteLine, ...]
    influence: tuple[InfluenceLine, ...]
    number: int | None
    winner: int | None


def firmness(case: Case, change: Change, now: Recount) -> Firmness:
    """Of what the change makes of the session: the round of the answer, and the last one where it is another."""
    number = shown_round(now)
    tally = now.tally(number) if number else None
    if number is None or tally is None or tally.winner is None:
        return Firmness((), (), (), number, None)
    shown = _Shown(case, change, now)
    last = now.rounds[-1][1].number
    counts = {each: Count.of(now.basis(each), now.rules) for each in dict.fromkeys((number, last))}
    return Firmness(
        flips=tuple(line for each, count in counts.items() for line in shown.flips(each, count)),
        votes=tuple(shown.vote(number, each) for each in pivotal_votes(counts[number])),
        influence=_influence(case, counts[number], tally),
        number=number,
        winner=tally.winner,
    )


@dataclass(frozen=True)
class _Shown:
    """What a further strike would add to the change, with its address."""

    case: Case
    change: Change
    now: Recount

    def flips(self, number: int, count: Count) -> Iterator[FlipLine]:
        """Another proposal, and where that says the same, another answer too."""
        found, tally = smallest_flip(count), self.now.tally(number)
        if found is None or tally.winner is None:
            return
        yield self._flip(number, found, what="another proposal")
        same = class_of(tally.classes, tally.winner).members
        other = smallest_flip(count, over=same) if found.winner in same else None
        if other is not None:
            yield self._flip(number, other, what="another answer")

    def _flip(self, number: int, found: Flip, *, what: str) -> FlipLine:
        struck = {(number, voter) for voter in found.ballots or ()}
        then = replace(self.change, ballots=self.change.ballots | struck)
        return FlipLine(
            number=number,
            words=_words(self.now, number, found, what=what),
            ballots=found.ballots,
            winner=found.winner,
            bound=not found.exact,
            address=address(self.case, then) if struck else None,
            verdict=self._verdict(then) if struck else None,
        )

    def _verdict(self, then: Change) -> str:
        before, after = self.now.verdict, recount(self.case.recorded, then, like=self.now).verdict
        verb = "stays" if _place(before) == _place(after) else "is then"
        return f"The session's answer {verb} {named(after)}."

    def vote(self, number: int, found: VoteFlip) -> VoteLine:
        votes = self.change.votes | {(number, found.voter, found.proposal)}
        wins = _other(found.winner, self.now.tally(number))
        return VoteLine(
            f"{letter(found.voter)} on {letter(found.proposal)}: without it {wins}",
            found.voter,
            found.proposal,
            found.winner,
            address(self.case, replace(self.change, votes=votes)),
        )


def _place(verdict: Verdict | None) -> tuple[int | None, int | None]:
    return (verdict.round, verdict.proposal) if verdict else (None, None)


def _words(now: Recount, number: int, found: Flip, *, what: str) -> str:
    """1 ballot (C): without it D wins round 2."""
    cast = len(now.tally(number).influence)
    if found.ballots is None and found.exact:
        return f"No set of ballots makes {what} win round {number}{_searched(cast)}."
    if found.ballots is None:
        return (
            f"No set of up to {_count(found.tried)} makes {what} win round {number}. That is a bound: "
            f"larger sets of the {cast} were not all counted."
        )
    wins = f"without {'it' if len(found.ballots) == 1 else 'them'} {letter(found.winner or 0)} wins round {number}"
    text = f"{_count(len(found.ballots))} ({letters(found.ballots)}) for {what}: {wins}."
    if found.exact:
        return text
    return (
        f"At most {text} That is a bound: no set of up to {found.tried} does, and those between were not all "
        "counted."
    )


def _searched(cast: int) -> str:
    return f": all sets of the {cast} were counted" if cast > 1 else ""


def _count(ballots: int) -> str:
    return f"{ballots} ballot{'' if ballots == 1 else 's'}"


def _influence(case: Case, count: Count, tally: Tally) -> tuple[InfluenceLine, ...]:
    """Who moves the winner most first."""
    if tally.winner is None or tally.rule == "majority_answer":
        return ()
    found = leave_one_out(count, proposal=tally.winner)
    lines = [_influence_line(case, tally, each) for each in found]
    return tuple(sorted(lines, key=lambda each: (-abs(each.lead or each.support or 0.0), each.who.seat)))


def _influence_line(case: Case, tally: Tally, found: Influence) -> InfluenceLine:
    before = tally.net_support[tally.winner] if tally.winner is not None else None
    other = None if found.winner == tally.winner else _other(found.winner, tally)
    return InfluenceLine(
        who=case.seats[found.voter],
        net_support=found.net_support,
        support=_minus(found.net_support, before),
        margin=found.margin,
        lead=_minus(found.margin, tally.margin),
        flips=other,
    )


def _other(winner: int | None, tally: Tally) -> str:
    """Of one who does not win `tally`: D wins; D wins, with the same answer."""
    if winner is None or tally.winner is None:
        return "nobody wins" if winner is None else f"{letter(winner)} wins"
    same = winner in class_of(tally.classes, tally.winner).members
    return f"{letter(winner)} wins" + (", with the same answer" if same else "")


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
