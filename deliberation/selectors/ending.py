"""The end: the verdict, how sure it is and why, or why there is none."""

from dataclasses import dataclass
from datetime import datetime
from math import fsum
from typing import Any

from deliberation import formats, state_words
from deliberation.protocol.types import MinorityReport, OpenClaim, Tally, Verdict
from deliberation.selectors import answers, estimates, losses, money, steering, words
from deliberation.selectors.room import Room
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class Overturned:
    """words: who did so. seq: of the event."""

    words: str
    reason: str
    time: datetime
    seq: int


@dataclass(frozen=True)
class VerdictView:
    """What won. `sure`: sentences on how sure it is; `doubts`: what speaks against it. margin: ahead of the best other
    answer, None where there is none. overturned: None where it stands; asked: the event by which one person
    asks to overturn it and a second one has yet to decide, None: nobody asks.
    by_answers: no ballots are used, so its net support is its own share of all answers.
    """

    overturned: Overturned | None
    answer: str
    final_answer: str | None
    author: Who
    round: int
    key: str
    net_support: float | None
    margin: float | None
    conviction: float | None
    coverage: float | None
    stop_reason: str
    sure: tuple[str, ...]
    doubts: tuple[str, ...]
    minority: MinorityReport | None
    open_claims: tuple[OpenClaim, ...]
    degraded: str | None
    trail_hash: str
    asked: int | None = None
    by_answers: bool = False

    @property
    def lead(self) -> str:
        """The margin in digits, as `words.wins_by` says it."""
        tiny = self.margin is not None and 0 < self.margin < 0.005
        return "< .01" if tiny else formats.number(self.margin)


@dataclass(frozen=True)
class Ending:
    """One of `verdict` and `failure` is set once the session has ended; neither while it runs.

    expected_usd: the most that all of `max_rounds` rounds were said to cost, None where a price was unknown.
    """

    session_id: Any
    verdict: VerdictView | None
    failure: str | None
    simulated: bool
    tokens_in: int | None
    tokens_out: int | None
    calls: int
    cost_usd: float | None
    expected_usd: float | None
    max_rounds: int
    wall_s: float | None
    critical_path_s: float | None
    ended_at: datetime | None


def verdict(room: Room, *, audience: str) -> Ending:
    """What a session came to. An ended session has one audience: everything is open."""
    session = room.session
    ended = session.concluded_at
    return Ending(
        session_id=session.pk,
        verdict=_verdict(room, room.verdict) if room.verdict else None,
        failure=_failure(room) if session.failure else None,
        simulated=room.simulated,
        tokens_in=room.usage.tokens_in,
        tokens_out=room.usage.tokens_out,
        calls=room.usage.calls,
        cost_usd=room.usage.cost_usd,
        expected_usd=_expected_usd(room),
        max_rounds=1 if _is_alone(room) else room.rules.max_rounds,
        wall_s=(ended - session.created_at).total_seconds() if ended else None,
        critical_path_s=critical_path_s(room),
        ended_at=ended,
    )


def _is_alone(room: Room) -> bool:
    selection = room.session.selection
    return selection is not None and len(selection.receipt["chosen"]) == 1


def _expected_usd(room: Room) -> float | None:
    """At the most, as it was said before the start."""
    said = estimates.at_most(room)
    return said.at_most_usd if said else None


def _failure(room: Room) -> str:
    """Why there is no verdict, and who was lost in the round that did not come off."""
    detail = room.session.failure_detail or state_words.FAILURES[room.session.failure]
    why = f"{detail[:1].upper()}{detail[1:]}" + ("" if detail.endswith(".") else ".")
    return " ".join(each for each in (why, losses.so_far(room)) if each)


def _verdict(room: Room, found: Verdict) -> VerdictView:
    assert found.proposal is not None and found.round is not None  # noqa: S101  a concluded session has both
    tally = counted(room, found)
    return VerdictView(
        overturned=overturned(room),
        answer=found.answer or "",
        final_answer=found.final_answer,
        author=who(room, found.proposal, audience="open"),
        round=found.round,
        key=f"{found.round}-{found.proposal}",
        net_support=found.net_support,
        margin=tally.margin,
        conviction=found.conviction,
        coverage=found.coverage,
        stop_reason=f"It ended because {words.STOP_REASONS[found.stop_reason]}.",
        sure=_sure(room, found, tally),
        doubts=_doubts(room, found, tally),
        minority=found.minority,
        open_claims=found.open_claims,
        degraded=losses.of_verdict(room, found),
        trail_hash=room.session.trail_hash,
        asked=_asked(room),
        by_answers=tally.rule == "majority_answer",
    )


def counted(room: Room, found: Verdict) -> Tally:
    """The tally that the verdict rests on: a later veto may have had its round counted again."""
    number = found.round or 0
    again = room.recounts.get(number)
    return (again or room.outcomes[number]).tally


def overturned(room: Room) -> Overturned | None:
    """What people did to the verdict after the end; None where it stands. One query where they said something."""
    said = steering.overturned(room)
    if said is None or not said.stands:
        return None
    people = f"{said.by} and {said.second}" if said.second else said.by
    return Overturned(f"{people} overturned the verdict", said.reason, said.time, said.seq or room.seq)


def _sure(room: Room, found: Verdict, tally: Tally) -> tuple[str, ...]:
    said = [_won(found, tally)]
    if tally.winner is not None and tally.runner_up is not None:
        by_class = room.rules.winner_by == "class" or tally.rule == "majority_answer"
        said.append(_compared(tally, tally.winner, tally.runner_up, by_class=by_class))
    same = next((each.members for each in tally.classes if found.proposal in each.members), ())
    if len(same) > 1:
        said.append(f"{len(same)} of {len(tally.net_support)} proposals give this answer.")
    said += _same_either_way(room, found, tally)
    if found.self_consistency:
        said.append("Self-consistency, no peer review: one model answered several times.")
    if room.rules.weight_human != room.rules.weight_model:
        said.append(
            f"By the policy a person weighs {formats.number(room.rules.weight_human)}, "
            f"an agent {formats.number(room.rules.weight_model)}."
        )
    return tuple(said)


def _compared(tally: Tally, winner: int, rival: int, *, by_class: bool) -> str:
    """The two numbers that the margin is the difference of."""
    if not by_class:
        own, other = (formats.signed(tally.net_support[seat]) for seat in (winner, rival))
        return f"Its net support is {own}; {words.letter(rival)}, the best other answer, has {other}."
    own, other = (formats.signed(_of_class(tally, seat)) for seat in (winner, rival))
    rest = f"those of {words.letter(rival)}'s, the best other, {other}"
    return f"All proposals of its answer together have {own}; {rest}."


def _of_class(tally: Tally, seat: int) -> float:
    """The net support of all eligible proposals with this one's answer, summed."""
    members = next((each.members for each in tally.classes if seat in each.members), (seat,))
    return fsum(tally.net_support[each] or 0.0 for each in members if each in tally.eligible)


def _won(found: Verdict, tally: Tally) -> str:
    if tally.winner is not None and tally.margin is None:
        return f"{words.letter(tally.winner)} wins in round {found.round}; there is no other answer."
    return words.wins_by(tally.winner, margin=tally.margin, ended=True) + f" in round {found.round}."


def _same_either_way(room: Room, found: Verdict, tally: Tally) -> list[str]:
    """What would have changed the proposal that won, but not what it says."""
    said = []
    tied = words.tie(tally)
    if tied and words.ties_one_answer(tally):
        said.append(tied)
    if found.median_differs and answers.is_same(tally, tally.winner, tally.median_winner):
        said.append("By the median of the ballots another proposal would have won, with the same answer.")
    decides = deciding(room, found)
    moved = [seat for seat in found.pivotal or () if seat not in decides]
    if moved:
        said.append(f"{words.without(moved)} another proposal would have won, with the same answer.")
    return said


def deciding(room: Room, found: Verdict) -> tuple[int, ...]:
    """The voters without whose ballot the verdict's round would have been won by another answer."""
    number = found.round or 0
    return answers.deciding(room, room.recounts.get(number) or room.outcomes[number])


def _doubts(room: Room, found: Verdict, tally: Tally) -> tuple[str, ...]:
    said = []
    tied = words.tie(tally)
    if tied and not words.ties_one_answer(tally):
        said.append(tied)
    if other := _other_winner(room, found):
        said.append(other)
    if found.no_support:
        said.append("No support: the ballots spoke against every proposal, and this one least.")
    if found.median_differs and not answers.is_same(tally, tally.winner, tally.median_winner):
        said.append("By the median of the ballots another answer would have won its round.")
    if seats := deciding(room, found):
        said.append(f"{words.without(seats)} another answer would have won.")
    if found.vetoed:
        names = ", ".join(f"{words.letter(seat)} of round {number}" for number, seat in found.vetoed)
        said.append(f"Struck by people: {names}.")
    if found.vetoed_ballots:
        names = ", ".join(f"{words.letter(seat)} in round {number}" for number, seat in found.vetoed_ballots)
        said.append(f"Ballots struck by people: {names}.")
    if found.recounted:
        rounds = ", ".join(str(number) for number in found.recounted)
        said.append(f"A later veto changed the count of round {rounds}; the verdict uses the recount.")
    return (*said, *_against(room), *money.sentences(money.budget(room.session)))


def _asked(room: Room) -> int | None:
    found = steering.overturned(room)
    return None if found is None or found.stands else found.seq


def _against(room: Room) -> tuple[str, ...]:
    """An overturn that one person asked for and no second one has confirmed."""
    found = steering.overturned(room)
    if found is None or found.stands:
        return ()
    return (f"{found.by} asks to overturn it: {found.reason} It stands until a second person confirms.",)


def _other_winner(room: Room, found: Verdict) -> str | None:
    """The last round had another winner, with another answer."""
    last = max(room.outcomes)
    winner = room.outcomes[last].tally.winner
    if last == found.round or winner is None:
        return None
    made = room.proposals[last, winner]
    if winner == found.proposal or (
        made.final_answer is not None and made.final_answer == found.final_answer
    ):
        return None
    return f"Round {last} was won by {words.letter(winner)}; the verdict is the best supported of all rounds."


def critical_path_s(room: Room) -> float | None:
    """Seconds of the slowest agent of each phase, summed; None before any call has ended."""
    slowest: dict[tuple[int, str], float] = {}
    for (number, _, kind), turn in room.turns.items():
        if turn.busy_ms is not None:
            slowest[number, kind] = max(slowest.get((number, kind), 0.0), turn.busy_ms)
    return sum(slowest.values()) / 1000 if slowest else None
